//! From the exports of the component to one value of the listener's type. There is no `unsafe`
//! and no lock: an instance has one thread, and the gateway calls one export at a time.

use std::cell::RefCell;

use crate::{DisconnectEvent, MessageEvent, Outcome, Result, Snapshot};

/// A listener module. One value of it lives as long as the instance, and is its memory.
pub trait Listener: Sized + 'static {
    /// First call on every new instance: registers listeners and makes the initial state. A
    /// failure refuses the revision, and the one before it keeps serving.
    fn start() -> Result<Self>;

    /// A message that one of the listeners matches. Messages of one client arrive in order, one
    /// at a time. After a failure nothing that this call has queued leaves.
    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome>;

    /// A client is gone. Called once for each session that a disconnect listener matches.
    fn on_disconnect(&mut self, event: DisconnectEvent) -> Result<()> {
        let _ = event;
        Ok(())
    }
}

/// A listener whose memory survives a hot swap. Exported with `export!(Type, stateful)`.
pub trait StatefulListener: Listener {
    /// On the old revision, idle by then.
    fn export_state(&self) -> Result<Snapshot>;

    /// On the new revision, after `start`. A failure abandons the swap.
    fn import_state(&mut self, state: Snapshot) -> Result<()>;
}

/// Makes a type that implements [`Listener`] the module's exports; once per module.
///
/// `export!(Chat)` targets the world `listener`; `export!(Chat, stateful)`, for a type that also
/// implements [`StatefulListener`], the world `stateful-listener`.
#[macro_export]
macro_rules! export {
    ($listener:ty) => {
        const _: () = {
            $crate::export!(@listener $listener);
        };
    };
    ($listener:ty, stateful) => {
        const _: () = {
            $crate::export!(@listener $listener);
            $crate::export!(@handover $listener);
        };
    };
    (@listener $listener:ty) => {
        use $crate::bindings::listener::exports::sporegate::gateway as exports;

        thread_local! {
            static INSTANCE: $crate::Instance<$listener> = const { $crate::Instance::new() };
        }

        struct Exports;

        impl exports::lifecycle::Guest for Exports {
            fn start() -> ::std::result::Result<(), ::std::string::String> {
                INSTANCE.with(|instance| instance.start())
            }
        }

        impl exports::message_handler::Guest for Exports {
            fn on_message(
                event: $crate::MessageEvent,
            ) -> ::std::result::Result<$crate::Outcome, ::std::string::String> {
                INSTANCE.with(|instance| instance.call(|it| $crate::Listener::on_message(it, event)))
            }
        }

        impl exports::disconnect_handler::Guest for Exports {
            fn on_disconnect(
                event: $crate::DisconnectEvent,
            ) -> ::std::result::Result<(), ::std::string::String> {
                INSTANCE
                    .with(|instance| instance.call(|it| $crate::Listener::on_disconnect(it, event)))
            }
        }

        $crate::bindings::listener::export_listener!(
            Exports with_types_in $crate::bindings::listener
        );
    };
    (@handover $listener:ty) => {
        use $crate::bindings::handover::exports::sporegate::gateway::state_handover;

        impl state_handover::Guest for Exports {
            fn export_state() -> ::std::result::Result<$crate::Snapshot, ::std::string::String> {
                INSTANCE.with(|instance| {
                    instance.call(|it| $crate::StatefulListener::export_state(it))
                })
            }

            fn import_state(
                state: $crate::Snapshot,
            ) -> ::std::result::Result<(), ::std::string::String> {
                INSTANCE.with(|instance| {
                    instance.call(|it| $crate::StatefulListener::import_state(it, state))
                })
            }
        }

        $crate::bindings::handover::export_handover!(
            Exports with_types_in $crate::bindings::handover
        );
    };
}

/// Where [`export!`] keeps the listener between calls.
#[doc(hidden)]
#[derive(Debug)]
pub struct Instance<L>(RefCell<Option<L>>);

impl<L: Listener> Instance<L> {
    #[doc(hidden)]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    #[doc(hidden)]
    pub fn start(&self) -> Result<(), String> {
        let listener = L::start().map_err(crate::Failure::into_text)?;
        self.0.replace(Some(listener));
        Ok(())
    }

    #[doc(hidden)]
    pub fn call<T>(&self, call: impl FnOnce(&mut L) -> Result<T>) -> Result<T, String> {
        let Ok(mut listener) = self.0.try_borrow_mut() else {
            return Err("called while a call was running".to_owned());
        };
        match listener.as_mut() {
            Some(listener) => call(listener).map_err(crate::Failure::into_text),
            None => Err("called before start".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u32);

    impl Listener for Counter {
        fn start() -> Result<Self> {
            Ok(Self(0))
        }

        fn on_message(&mut self, _: MessageEvent) -> Result<Outcome> {
            self.0 += 1;
            Ok(Outcome::Stop)
        }
    }

    #[test]
    fn a_listener_is_one_value_from_start_on() {
        let instance = Instance::<Counter>::new();
        assert_eq!(instance.call(|it| Ok(it.0)), Err("called before start".to_owned()));
        instance.start().unwrap();
        instance
            .call(|it| {
                it.0 += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(instance.call(|it| Ok(it.0)), Ok(1));
    }

    #[test]
    fn a_failure_reaches_the_gateway_as_its_text() {
        let instance = Instance::<Counter>::new();
        instance.start().unwrap();
        assert_eq!(instance.call(|_| Err::<(), _>("no".into())), Err("no".to_owned()));
    }

    #[test]
    fn a_call_inside_a_call_is_an_error_and_not_a_panic() {
        let instance = Instance::<Counter>::new();
        instance.start().unwrap();
        let inner = instance.call(|_| Ok(instance.call(|it| Ok(it.0))));
        assert_eq!(inner, Ok(Err("called while a call was running".to_owned())));
    }
}
