//! The store that an instance lives in: what bounds it, and how it lets others run.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

use super::component::Revision;
use super::cpu_clock;
use super::state::{Entry, InstanceState, ModuleContext};

const MAX_COMPONENT_HANDLES: usize = 1_024;

/// For so long a handover does not make way for others: all clients of its module wait for it.
const URGENT_CPU: Duration = Duration::from_millis(5);

/// An empty store for an instance of `revision`, in which the limits of `context` hold.
pub(super) fn new_store(revision: &Revision, context: &Arc<ModuleContext>) -> Store<InstanceState> {
    let state = InstanceState::new(Arc::clone(context));
    let mut store = Store::new(revision.pre.engine(), state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(hostcall_bytes(context));
    store.set_max_component_handles(MAX_COMPONENT_HANDLES);
    // Each tick that passes while the guest runs is counted, or what it took in truth where that
    // is more, and lets others run.
    let ticker = Arc::clone(&revision.ticker);
    store.epoch_deadline_callback(move |mut context| {
        ticker.guest_runs();
        let call = &mut context.data_mut().call;
        call.count_tick(cpu_clock::measure())?;
        Ok(match call.entry() {
            Entry::Direct => UpdateDeadline::Continue(1),
            Entry::Urgent if call.cpu() <= URGENT_CPU => UpdateDeadline::Continue(1),
            Entry::Urgent | Entry::Fiber => UpdateDeadline::YieldCustom(1, Box::pin(make_way())),
        })
    });
    store
}

/// Lets everybody else come first who has something to do on this thread.
async fn make_way() {
    // After this its sockets have been looked at ...
    tokio::task::yield_now().await;
    // ... but who was woken by that waits behind whom was woken last, which is this task.
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What one call of the host may copy out of the guest.
pub(super) fn hostcall_bytes(context: &ModuleContext) -> usize {
    context.limits.send_bytes.saturating_mul(2).max(1 << 20)
}
