//! End-to-end tests: real sockets, real components, one binary. Each test starts its own gateway
//! on a free port and talks to it through the one client in `support`.

#![allow(missing_docs)]

mod support;

mod interface;
mod layers;
mod line;
