//! `wasi:logging/logging`: lines for the log of a module, each with a level.

use super::bindings::granted::wasi::logging::logging::{Host, Level};
use super::module_log::LogLevel;
use super::state::InstanceState;

impl Host for InstanceState {
    fn log(&mut self, level: Level, context: String, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let level = match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error | Level::Critical => LogLevel::Error,
        };
        self.context.log.message(level, self.about(), &context, &message);
        Ok(())
    }
}
