//! Work that takes long and waits for nothing.
//!
//! The threads of the runtime look for news of the network only between two pieces of work: whoever
//! takes milliseconds for one holds up clients that have nothing to do with it, even where another
//! thread has nothing to do.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does something that takes a millisecond or more, and leaves what else the thread has to do to
/// another one. Costs some 20 µs.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    match runtime_of_many() {
        Some(_) => tokio::task::block_in_place(work),
        // There is no other one.
        None => work(),
    }
}

/// Waits for something where nothing can be suspended, and leaves what else the thread has to do to
/// another one meanwhile. None where there is no other one: the only one must not stand still.
pub fn wait_aside<F: Future>(what: F) -> Option<F::Output> {
    let runtime = runtime_of_many()?;
    Some(tokio::task::block_in_place(|| runtime.block_on(what)))
}

/// The runtime of this thread, if it has others.
fn runtime_of_many() -> Option<Handle> {
    let runtime = Handle::try_current().ok()?;
    (runtime.runtime_flavor() == RuntimeFlavor::MultiThread).then_some(runtime)
}
