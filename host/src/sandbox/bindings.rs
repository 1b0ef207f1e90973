//! Host bindings generated from `wit/`. Imports are synchronous: nothing that a listener asks of
//! the gateway has to wait, so no call needs to leave its stack for one.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "listener",
    imports: { default: trappable },
    ownership: Borrowing { duplicate_if_necessary: true },
});

/// What standards call the interfaces that a listener may be granted besides, but for `wasi:http`,
/// which comes with the engine.
pub(super) mod granted {
    wasmtime::component::bindgen!({
        path: "../wit",
        inline: "
            package sporegate:granted;
            world granted {
                import wasi:config/store@0.2.0-rc.1;
                import wasi:keyvalue/store@0.2.0-draft;
                import wasi:keyvalue/atomics@0.2.0-draft;
                import wasi:keyvalue/batch@0.2.0-draft;
                import wasi:logging/logging@0.1.0-draft;
            }
        ",
        world: "sporegate:granted/granted",
        imports: { default: trappable },
        with: { "wasi:keyvalue/store.bucket": super::super::keyvalue::Handle },
    });
}

impl<T: 'static> ListenerPre<T> {
    /// The functions of an instance that was made of [`Self::instance_pre`].
    pub(super) fn load(
        &self,
        store: impl wasmtime::AsContextMut,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Listener> {
        self.indices.load(store, instance)
    }
}
