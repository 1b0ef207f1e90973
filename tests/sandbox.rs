//! Whatever a guest does, it costs its own call only: not its next call, not other clients, not
//! other modules.

mod bulk;
mod clocks;
mod failures;
mod instances;
mod limits;
mod logs;
mod pressure;
mod remains;
mod strings;
