//! The place of one instance, and the line in front of it. Whoever has a message waits its turn,
//! so that a busy instance slows its senders down and drops nothing; the line is as long as there
//! are connections, for each waits with one message at a time.
//!
//! ```text
//! Free --take--> Taken --turn over--> Free        (anybody may take it next)
//!                  |             \--> Reserved    (somebody has waited long: only the next in line)
//!                  |             \--> Claimed     (for a swap, which goes before everybody)
//!                  +--retire--> Retired           (for ever: who waits goes to the successor)
//! ```
//!
//! A turn lasts about a microsecond. Handing it on in strict order would put every waiting
//! connection to sleep and wake it again for each message, which costs several times the call.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::sandbox::Instance;

/// After this long in line nobody may overtake any more.
const PATIENCE: Duration = Duration::from_millis(1);

/// How often a caller looks again before it goes to sleep: some microseconds.
const LOOKS: usize = 50;

/// The place of one instance. It outlives the instance in it.
#[derive(Debug)]
pub(super) struct Slot {
    state: Mutex<State>,
    next: Notify,
    claimant: Notify,
    /// Whether a look at the state is worth its while. Read by those who wait without a word; a
    /// lock that they try again and again would hold up the one they wait for.
    looks_free: AtomicBool,
}

#[derive(Debug)]
struct State {
    place: Place,
    in_line: usize,
    someone_is_impatient: bool,
    is_claimed: bool,
}

#[derive(Debug)]
enum Place {
    Free(Option<Box<Instance>>),
    Reserved(Option<Box<Instance>>),
    Claimed(Option<Box<Instance>>),
    Taken,
    Retired,
}

/// There will be no turn any more: another revision has taken over, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the place is no longer in use")]
pub(super) struct Retired;

/// A turn at the instance, held; the instance goes back to its place on drop.
#[derive(Debug)]
pub(super) struct Hold<'a> {
    slot: &'a Slot,
    instance: Option<Box<Instance>>,
    retired: bool,
}

impl<'a> Hold<'a> {
    fn of(slot: &'a Slot, instance: Option<Box<Instance>>) -> Self {
        Self { slot, instance, retired: false }
    }
}

/// What a caller expects of whoever has the turn now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// That it is over in a moment.
    ShortCall,
    /// Nothing.
    LongCall,
}

impl Slot {
    pub(super) fn new(instance: Option<Box<Instance>>) -> Self {
        let state = State {
            place: Place::Free(instance),
            in_line: 0,
            someone_is_impatient: false,
            is_claimed: false,
        };
        let looks_free = AtomicBool::new(true);
        let (next, claimant) = (Notify::new(), Notify::new());
        Self { state: Mutex::new(state), next, claimant, looks_free }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self, expect: Expect) -> Result<Hold<'_>, Retired> {
        if let Some(turn) = self.try_take() {
            return turn;
        }
        if expect == Expect::ShortCall {
            for _ in 0..LOOKS {
                std::hint::spin_loop();
                if self.looks_free.load(Ordering::Relaxed)
                    && let Some(turn) = self.try_take()
                {
                    return turn;
                }
            }
        }
        self.wait_in_line().await
    }

    /// Waits for a turn before everybody who is in line. One at a time.
    pub(super) async fn claim(&self) -> Result<Hold<'_>, Retired> {
        let claim = Claim::on(self);
        loop {
            let called = self.claimant.notified();
            {
                let mut state = self.lock();
                match std::mem::replace(&mut state.place, Place::Taken) {
                    Place::Free(instance)
                    | Place::Reserved(instance)
                    | Place::Claimed(instance) => {
                        self.looks_free.store(false, Ordering::Relaxed);
                        drop(state);
                        drop(claim);
                        return Ok(Hold::of(self, instance));
                    }
                    Place::Taken => {}
                    Place::Retired => {
                        state.place = Place::Retired;
                        return Err(Retired);
                    }
                }
            }
            called.await;
        }
    }

    /// Those who wait for a turn now.
    pub(super) fn in_line(&self) -> usize {
        self.lock().in_line
    }

    /// Takes a turn that nobody has.
    fn try_take(&self) -> Option<Result<Hold<'_>, Retired>> {
        // Held only for moments: whoever has it is about to take or give back.
        self.take_if_free(self.state.try_lock().ok()?)
    }

    fn take_if_free(&self, mut state: MutexGuard<'_, State>) -> Option<Result<Hold<'_>, Retired>> {
        match std::mem::replace(&mut state.place, Place::Taken) {
            Place::Free(instance) => {
                self.looks_free.store(false, Ordering::Relaxed);
                Some(Ok(Hold::of(self, instance)))
            }
            kept => {
                let retired = matches!(kept, Place::Retired);
                state.place = kept;
                retired.then_some(Err(Retired))
            }
        }
    }

    async fn wait_in_line(&self) -> Result<Hold<'_>, Retired> {
        let since = Instant::now();
        let _in_line = InLine::join(self);
        loop {
            let called = self.next.notified();
            // Given back after the last look and before this: then nobody was called.
            if let Some(turn) = self.take_if_free(self.lock()) {
                return turn;
            }
            called.await;
            let mut state = self.lock();
            match std::mem::replace(&mut state.place, Place::Taken) {
                Place::Free(instance) | Place::Reserved(instance) => {
                    self.looks_free.store(false, Ordering::Relaxed);
                    state.someone_is_impatient = false;
                    return Ok(Hold::of(self, instance));
                }
                Place::Taken => state.someone_is_impatient |= since.elapsed() >= PATIENCE,
                kept @ (Place::Claimed(_) | Place::Retired) => {
                    let retired = matches!(kept, Place::Retired);
                    state.place = kept;
                    if retired {
                        return Err(Retired);
                    }
                }
            }
        }
    }

    fn give_back(&self, instance: Option<Box<Instance>>) {
        let mut state = self.lock();
        if state.is_claimed {
            state.place = Place::Claimed(instance);
            drop(state);
            self.claimant.notify_one();
            return;
        }
        let call_next = state.in_line > 0;
        let reserve = state.someone_is_impatient && call_next;
        state.place = match reserve {
            true => Place::Reserved(instance),
            false => Place::Free(instance),
        };
        drop(state);
        self.looks_free.store(!reserve, Ordering::Relaxed);
        if call_next {
            self.next.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim, withdrawn when this goes. What was kept for it goes back to the others.
struct Claim<'a>(&'a Slot);

impl<'a> Claim<'a> {
    fn on(slot: &'a Slot) -> Self {
        slot.lock().is_claimed = true;
        Self(slot)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_claimed = false;
        match std::mem::replace(&mut state.place, Place::Taken) {
            Place::Claimed(instance) => {
                drop(state);
                self.0.give_back(instance);
            }
            kept => state.place = kept,
        }
    }
}

/// Counts a waiting caller, also when its wait is given up.
struct InLine<'a>(&'a Slot);

impl<'a> InLine<'a> {
    fn join(slot: &'a Slot) -> Self {
        slot.lock().in_line += 1;
        Self(slot)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.lock().in_line -= 1;
    }
}

impl Deref for Hold<'_> {
    type Target = Option<Box<Instance>>;

    fn deref(&self) -> &Self::Target {
        &self.instance
    }
}

impl DerefMut for Hold<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.instance
    }
}

impl Hold<'_> {
    /// Ends the place: its instance goes, and whoever waits is told to go elsewhere.
    pub(super) fn retire(mut self) {
        self.retired = true;
        self.slot.lock().place = Place::Retired;
        self.slot.looks_free.store(true, Ordering::Relaxed);
        self.slot.next.notify_waiters();
        self.slot.claimant.notify_waiters();
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if !self.retired {
            self.slot.give_back(self.instance.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn never_two_at_a_time_and_everybody_gets_a_turn() {
        let slot = Arc::new(Slot::new(None));
        let inside = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..64)
            .map(|index| {
                let (slot, inside) = (Arc::clone(&slot), Arc::clone(&inside));
                let expect = if index % 2 == 0 { Expect::ShortCall } else { Expect::LongCall };
                tokio::spawn(async move {
                    for round in 0..200 {
                        let turn = slot.take(expect).await.unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        if round % 16 == 0 {
                            tokio::task::yield_now().await;
                        }
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(turn);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(slot.lock().in_line, 0);
    }

    #[tokio::test]
    async fn one_who_gave_up_waiting_does_not_hold_the_line() {
        let slot = Slot::new(None);
        let turn = slot.take(Expect::LongCall).await.unwrap();
        {
            let mut given_up = std::pin::pin!(slot.take(Expect::LongCall));
            let waiting = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(given_up.as_mut().poll(cx).is_pending())
            });
            assert!(waiting.await);
        }
        drop(turn);
        drop(slot.take(Expect::LongCall).await.unwrap());
    }

    #[tokio::test]
    async fn who_has_waited_long_is_not_overtaken() {
        let slot = Slot::new(None);
        let turn = slot.take(Expect::LongCall).await.unwrap();
        let mut patient = std::pin::pin!(slot.wait_in_line());
        let mut poll = async || {
            std::future::poll_fn(|cx| {
                std::task::Poll::Ready(match patient.as_mut().poll(cx) {
                    std::task::Poll::Ready(turn) => Some(turn),
                    std::task::Poll::Pending => None,
                })
            })
            .await
        };
        assert!(poll().await.is_none());
        std::thread::sleep(PATIENCE * 2);
        // Called, but somebody was faster.
        drop(turn);
        let overtaking = slot.try_take().unwrap();
        assert!(poll().await.is_none());
        drop(overtaking);
        assert!(slot.try_take().is_none(), "the turn is reserved");
        assert!(poll().await.is_some());
    }
}
