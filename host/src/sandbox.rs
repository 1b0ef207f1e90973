//! The sandbox: everything that knows wasmtime. No other part of the gateway names one of its
//! types. A module comes in as bytes, is checked and compiled to a [`Revision`], and is called
//! through an [`Instance`]; what a call asks for comes out as [`Effects`].
//!
//! ```text
//! bytes --compiler, in a child--> Artifact -> Revision --instantiate + start--> Instance --call--> Effects
//!   |                                ^                                             |
//!   +--cache, verified---------------+                                             +--trap, time-out, limit--> dropped
//! ```

mod advice;
mod artifact;
mod bindings;
mod cache;
mod call;
mod clients;
mod clocks;
mod compiler;
mod component;
mod cpu_clock;
mod description;
mod effects;
mod engine;
mod failure;
mod grants;
mod handover;
mod http;
mod inspect;
mod instance;
mod keyvalue;
mod listeners;
mod load_error;
mod logging;
mod meter;
mod module_log;
mod nesting;
mod registrations;
mod state;
mod store;
mod ticker;
mod values;
mod wasi;

pub use call::{Called, DisconnectCall, MessageCall, Outcome};
pub use compiler::{
    COMMAND as COMPILE_COMMAND, CompileLimits, Compiler, Order as CompileOrder, compile_module,
};
pub use component::{Digest256, Revision, componentize};
pub use effects::Effects;
pub use engine::{CompileCache, Sandbox, SandboxError, SandboxSettings};
pub use failure::{CallFailure, TrapCause};
pub use grants::{Granted, Need, Needs};
pub use handover::Snapshot;
pub use inspect::{Import, Inspection, ModuleKind, inspect};
pub use instance::Instance;
pub use load_error::LoadError;
pub use meter::MemoryMeter;
pub use module_log::ModuleLog;
pub use registrations::{
    DisconnectRegistration, MessageRegistration, ModuleListeners, Registrations,
};
pub use state::ModuleContext;
