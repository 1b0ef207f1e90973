//! Work that takes long and waits for nothing.
//!
//! The threads of the runtime look for news of the network only between two pieces of work: whoever
//! takes milliseconds for one holds up clients that have nothing to do with it, even where another
//! thread has nothing to do.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does something that takes a millisecond or more, and leaves what else the thread has to do to
/// another one. Costs some 20 µs.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // There is no other one.
        Ok(_) | Err(_) => work(),
    }
}
