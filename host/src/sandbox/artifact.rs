//! A compiled component: machine code, and what the engine must know of it. This is the only file
//! of the gateway with unsafe code. Bytes from anywhere else than the two places named below never
//! become an [`Artifact`].

use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// What the engine made of a component, as bytes.
pub(super) struct Artifact(Vec<u8>);

impl Artifact {
    /// To be called by the compiler, with what it has just made, and by the cache, with what it has
    /// verified to have written itself. Whoever else calls this runs what the bytes say.
    pub(super) fn trusted(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Makes it executable. Fails if it was made for an engine with other settings.
    #[expect(unsafe_code, reason = "the engine cannot know where the bytes come from; we do")]
    pub(super) fn load(&self, engine: &Engine) -> Result<Component> {
        // SAFETY: the bytes must be what `Engine::precompile_component` gave, unchanged. They are
        // one of two things: what the compiler answered, in this process or by a pipe from a child
        // that runs the same executable; or what the cache has read together with a MAC that only
        // the owner of its key can have made, after the compiler had answered them. The engine
        // itself refuses those of other versions and settings.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
