//! One module with its instances. A slot is the mailbox of an instance: whoever has a message for
//! it waits in line, so that a busy instance slows its senders down and drops nothing. The line
//! is as long as there are connections, for each waits with one message at a time.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::config::{Affinity, Lifetime, Run};
use crate::counters::Counters;
use crate::sandbox::{
    CallFailure, Called, DisconnectCall, Instance, MessageCall, ModuleContext, Outcome, Revision,
};
use crate::session::Session;

/// A loaded module.
#[derive(Debug)]
pub struct Module {
    context: Arc<ModuleContext>,
    revision: Arc<Revision>,
    run: Run,
    slots: Box<[Slot]>,
    spread: RandomState,
}

/// A call that succeeded. Its instance takes the next one only when this is gone, so that what one
/// call asked for happens before what the next one asks for.
#[derive(Debug)]
pub struct Turn<'a, T> {
    called: Called<T>,
    counters: &'a Counters,
    _place: MutexGuard<'a, Option<Instance>>,
}

/// The place of one instance. It outlives the instance in it.
#[derive(Debug, Default)]
struct Slot {
    instance: Mutex<Option<Instance>>,
}

impl Module {
    /// Starts every instance; the first failure fails the module. The listeners that `start`
    /// registered are in the context afterwards.
    pub async fn start(
        context: Arc<ModuleContext>,
        revision: Arc<Revision>,
        run: Run,
    ) -> Result<Self, CallFailure> {
        let mut slots = Vec::with_capacity(run.instances);
        for _ in 0..run.instances.max(1) {
            let mut started = Instance::start(&revision, &context).await?;
            started.effects.apply(&context.counters.messages_queued);
            let kept = match run.lifetime {
                Lifetime::Instance => Some(started.answer),
                Lifetime::Call => None,
            };
            slots.push(Slot { instance: Mutex::new(kept) });
        }
        let slots = slots.into_boxed_slice();
        Ok(Self { context, revision, run, slots, spread: RandomState::new() })
    }

    /// Name of the module.
    pub fn name(&self) -> &Arc<str> {
        &self.context.name
    }

    /// What its instances share.
    pub fn context(&self) -> &Arc<ModuleContext> {
        &self.context
    }

    /// What its instances are made of.
    pub fn revision(&self) -> &Arc<Revision> {
        &self.revision
    }

    /// Calls the instance that the message belongs to, waiting for it in line.
    pub async fn on_message(
        &self,
        call: &MessageCall<'_>,
    ) -> Result<Turn<'_, Outcome>, CallFailure> {
        let mut place = self.slot(call.session).instance.lock().await;
        let instance = self.ready(&mut place).await?;
        let result = instance.on_message(call).await;
        self.turn(place, result)
    }

    /// Calls the instance that the session belonged to, waiting for it in line.
    pub async fn on_disconnect(
        &self,
        call: &DisconnectCall<'_>,
    ) -> Result<Turn<'_, ()>, CallFailure> {
        let mut place = self.slot(call.session).instance.lock().await;
        let instance = self.ready(&mut place).await?;
        let result = instance.on_disconnect(call).await;
        self.turn(place, result)
    }

    /// The instance of a place; a fresh one where there is none, or only one whose last call
    /// never came back.
    async fn ready<'a>(
        &self,
        place: &'a mut Option<Instance>,
    ) -> Result<&'a mut Instance, CallFailure> {
        if place.as_ref().is_some_and(|instance| !instance.is_usable()) {
            *place = None;
        }
        match place {
            Some(instance) => Ok(instance),
            empty => {
                let mut started = Box::pin(Instance::start(&self.revision, &self.context)).await?;
                started.effects.apply(&self.context.counters.messages_queued);
                Ok(empty.insert(started.answer))
            }
        }
    }

    /// Ends the instance if its time has come.
    fn turn<'a, T>(
        &'a self,
        mut place: MutexGuard<'a, Option<Instance>>,
        result: Result<Called<T>, CallFailure>,
    ) -> Result<Turn<'a, T>, CallFailure> {
        let spent = self.run.lifetime == Lifetime::Call
            || place.as_ref().is_some_and(|instance| !instance.is_usable());
        if spent {
            *place = None;
        }
        Ok(Turn { called: result?, counters: &self.context.counters, _place: place })
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "there is a slot, and the remainder is below their number"
    )]
    fn slot(&self, session: &Session) -> &Slot {
        if self.slots.len() == 1 {
            return &self.slots[0];
        }
        let key = match self.run.affinity {
            Affinity::Client => self.spread.hash_one(session.id()),
            Affinity::User => match session.principal().username() {
                Some(user) => self.spread.hash_one(user),
                None => self.spread.hash_one(session.id()),
            },
            Affinity::Path => self.spread.hash_one(session.path().as_str()),
        };
        &self.slots[(key % self.slots.len() as u64) as usize]
    }
}

impl<T> Turn<'_, T> {
    /// Makes what the call asked for happen, and gives its answer.
    pub fn finish(mut self) -> T {
        self.called.effects.apply(&self.counters.messages_queued);
        self.called.answer
    }
}
