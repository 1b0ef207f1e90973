//! Host bindings generated from `wit/`. Imports are synchronous: nothing that a listener asks of
//! the gateway has to wait, so no call needs to leave its stack for one.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "listener",
    imports: { default: trappable },
    ownership: Borrowing { duplicate_if_necessary: true },
});

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
