//! What must be true of every input, whoever made it: one module per target, each with one function
//! that takes any bytes and panics where it is not. The targets give it what the fuzzer thinks of,
//! the tests what has been kept in `corpus`. Nothing here knows anything of the gateway that is not
//! public: what is private is reached as an attacker would.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a finding is reported"
)]

pub mod config;
pub mod json;
pub mod lines;
pub mod modules;
pub mod paths;
pub mod requests;
pub mod router;

#[cfg(test)]
mod corpus;
