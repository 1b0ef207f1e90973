//! One module with its instances: which instance a session belongs to, and when a fresh one takes
//! over.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::slot::{Expect, Hold, Slot};

use crate::config::{Affinity, Lifetime, Run};
use crate::counters::{Counters, ModuleCounters};
use crate::sandbox::{
    CallFailure, Called, DisconnectCall, Instance, MessageCall, ModuleContext, Outcome, Revision,
};
use crate::session::Session;

/// A loaded module.
#[derive(Debug)]
pub struct Module {
    context: Arc<ModuleContext>,
    counters: Arc<ModuleCounters>,
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
    _hold: Hold<'a>,
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
                Lifetime::Instance => Some(Box::new(started.answer)),
                Lifetime::Call => None,
            };
            slots.push(Slot::new(kept));
        }
        let slots = slots.into_boxed_slice();
        let counters = context.counters.module(&context.name);
        Ok(Self { context, counters, revision, run, slots, spread: RandomState::new() })
    }

    /// Name of the module.
    pub fn name(&self) -> &Arc<str> {
        &self.context.name
    }

    /// What is counted for it.
    pub fn counters(&self) -> &ModuleCounters {
        &self.counters
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
        let mut hold = self.hold(call.session).await;
        let _in_call = call.session.enter_call();
        let instance = self.ready(&mut hold).await?;
        let result = instance.on_message(call).await;
        self.turn(hold, result)
    }

    /// Calls the instance that the session belonged to, waiting for it in line.
    pub async fn on_disconnect(
        &self,
        call: &DisconnectCall<'_>,
    ) -> Result<Turn<'_, ()>, CallFailure> {
        let mut hold = self.hold(call.session).await;
        let instance = self.ready(&mut hold).await?;
        let result = instance.on_disconnect(call).await;
        self.turn(hold, result)
    }

    /// The instance of a place; a fresh one where there is none, or only one whose last call
    /// never came back.
    async fn ready<'a>(
        &self,
        place: &'a mut Option<Box<Instance>>,
    ) -> Result<&'a mut Instance, CallFailure> {
        if place.as_ref().is_some_and(|instance| !instance.is_usable()) {
            *place = None;
        }
        match place {
            Some(instance) => Ok(instance),
            empty => {
                let mut started = Box::pin(Instance::start(&self.revision, &self.context)).await?;
                started.effects.apply(&self.context.counters.messages_queued);
                Ok(empty.insert(Box::new(started.answer)))
            }
        }
    }

    /// Ends the instance if its time has come.
    fn turn<'a, T>(
        &'a self,
        mut hold: Hold<'a>,
        result: Result<Called<T>, CallFailure>,
    ) -> Result<Turn<'a, T>, CallFailure> {
        let spent = self.run.lifetime == Lifetime::Call
            || hold.as_ref().is_some_and(|instance| !instance.is_usable());
        if spent {
            *hold = None;
        }
        Ok(Turn { called: result?, counters: &self.context.counters, _hold: hold })
    }

    /// Waits in line for the instance of a session.
    async fn hold(&self, session: &Session) -> Hold<'_> {
        let expect = match self.revision.is_quick() && self.run.lifetime == Lifetime::Instance {
            true => Expect::ShortCall,
            false => Expect::LongCall,
        };
        self.slot(session).take(expect).await
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
