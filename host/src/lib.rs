//! Sporegate: a WebSocket gateway that people extend with WebAssembly.
//!
//! Layers, each of which knows only those below it:
//!
//! | layer  | parts |
//! |--------|-------|
//! | edge   | [`gateway`] (where everything meets), [`server`], [`metrics`], [`gate`], [`connection`], [`control`], [`conversation`] (plays what clients say and must hear) |
//! | flow   | [`dispatch`]: the only place that knows both clients and listeners |
//! | policy | [`auth`], [`router`], [`outbound`], [`sandbox`], [`modules`] |
//! | state  | [`registry`], [`session`], [`admission`], [`store`], [`keyvalue`], [`aside`] |
//! | words  | [`message`], [`json`], [`close`], [`limits`], [`path`], [`principal`], [`config`], [`rate`], [`printable`], [`counters`] |
//!
//! One message runs in a straight line: [`connection`] (frame) → [`message`] → [`dispatch`] with
//! [`router`] → [`modules`] (which instance) → [`sandbox`] (call, effects collected) →
//! [`registry`] → [`session`] (outbox) → [`connection`] (write half).

pub mod admission;
pub mod aside;
pub mod auth;
pub mod close;
pub mod config;
pub mod connection;
pub mod control;
pub mod conversation;
pub mod counters;
pub mod dispatch;
pub mod gate;
pub mod gateway;
pub mod json;
pub mod keyvalue;
pub mod limits;
pub mod message;
pub mod metrics;
pub mod modules;
pub mod outbound;
pub mod path;
pub mod principal;
pub mod printable;
pub mod rate;
pub mod registry;
pub mod router;
pub mod sandbox;
pub mod server;
pub mod session;
pub mod store;
