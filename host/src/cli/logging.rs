//! Logs go to standard error: for people on a terminal, as JSON lines for machines.

use std::io::IsTerminal;

use sporegate::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging; called once.
pub(super) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.level)
        .map_err(|error| anyhow::anyhow!("log level {:?}: {error}", config.level))?;
    let terminal = std::io::stderr().is_terminal();
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // That a line cannot be written would be told where it cannot be written either, and by a
        // macro that panics then: whoever logs would end, be it the task of a client.
        .log_internal_errors(false);
    match config.format {
        LogFormat::Json => logs.json().flatten_event(true).init(),
        LogFormat::Auto if !terminal => logs.json().flatten_event(true).init(),
        LogFormat::Text | LogFormat::Auto => logs.with_ansi(terminal).init(),
    }
    Ok(())
}
