//! Write a Sporegate listener in Rust.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use sporegate_guest::{Listener, MessageEvent, MessageMatcher, Outcome, Result, export};
//!
//! #[derive(Deserialize)]
//! struct Add {
//!     amount: i64,
//! }
//!
//! #[derive(Serialize)]
//! struct Total {
//!     total: i64,
//! }
//!
//! struct Adder {
//!     total: i64,
//! }
//!
//! impl Listener for Adder {
//!     fn start() -> Result<Self> {
//!         MessageMatcher::any().json_equals("/type", "add").listen("adder")?;
//!         Ok(Self { total: 0 })
//!     }
//!
//!     fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
//!         self.total += event.json::<Add>()?.amount;
//!         event.reply_json(&Total { total: self.total })?;
//!         Ok(Outcome::Stop)
//!     }
//! }
//!
//! export!(Adder);
//! ```
//!
//! The types are those of the interface (`wit/`), with methods added; [`clients`] and
//! [`listeners`] are its functions. Nothing here asks for more than the world `listener`, except
//! [`log()`] and [`log_panics`], and the features `config`, `http`, `keyvalue` and `logging`.

pub mod bindings;
#[cfg(feature = "config")]
pub mod config;
mod event;
mod export;
mod failure;
#[cfg(feature = "http")]
pub mod http;
mod json;
#[cfg(feature = "keyvalue")]
pub mod keyvalue;
#[cfg(feature = "log")]
mod log;
mod matcher;
mod pages;
mod send;

pub use bindings::handover::exports::sporegate::gateway::state_handover::Snapshot;
pub use bindings::listener::exports::sporegate::gateway::disconnect_handler::DisconnectEvent;
pub use bindings::listener::exports::sporegate::gateway::message_handler::{MessageEvent, Outcome};
pub use bindings::listener::sporegate::gateway::clients::{self, Audience};
pub use bindings::listener::sporegate::gateway::listeners::{
    self, ContentTest, JsonMatch, JsonTest, MessageMatcher,
};
pub use bindings::listener::sporegate::gateway::types::{Client, ClientId, Error, Payload};
#[cfg(feature = "logging")]
pub use bindings::logging::wasi::logging::logging;
#[doc(hidden)]
pub use export::Instance;
pub use export::{Listener, StatefulListener};
pub use failure::{Failure, Result};
#[cfg(feature = "log")]
pub use log::{log, log_panics};
pub use matcher::listen_for_disconnects;
pub use pages::{clients_of_user, clients_on_path};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct ProjectReadme;
