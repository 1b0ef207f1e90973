//! The command `sporegate` as people and scripts use it: the real program, its exit code, what it
//! prints and where. Every error is one paragraph on standard error, and no panic.

mod connect;
mod crowd;
mod demo;
mod drain;
mod help;
mod inspect;
mod program;
mod project;
mod serve;
mod test;
mod token;
mod unwritable;
mod wrong_module;
mod wrong_setting;
mod wrong_use;
