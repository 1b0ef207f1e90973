//! `sporegate serve`: runs until a signal.

use std::process::ExitCode;

use sporegate::config::Config;
use sporegate::gateway::{Gateway, Hidden};

use super::{ConfigArgs, Outcome, logging, runtime};

/// Switches on the echo that measurements compare listeners with.
const NATIVE_ECHO_VARIABLE: &str = "SPOREGATE_TEST_NATIVE_ECHO";

pub(super) fn run(args: &ConfigArgs) -> Outcome {
    let config = args.load()?;
    logging::start(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    runtime::block_on(async {
        let gateway = start(&config).await?;
        println!("listening on {}", gateway.url());
        finish(gateway).await
    })
}

pub(super) async fn start(config: &Config) -> anyhow::Result<Gateway> {
    let native_echo = std::env::var_os(NATIVE_ECHO_VARIABLE).is_some_and(|value| value == "1");
    Ok(Gateway::start(config, Hidden { native_echo }).await?)
}

/// Serves until a signal; a second one stops at once.
pub(super) async fn finish(gateway: Gateway) -> Outcome {
    let signal = runtime::stop_signal().await?;
    tracing::info!(signal, "stopping");
    let counters = std::sync::Arc::clone(gateway.server().counters());
    let in_time = tokio::select! {
        in_time = gateway.stop() => in_time,
        again = runtime::stop_signal() => {
            tracing::warn!(signal = again?, "stopping at once");
            false
        }
    };
    tracing::info!(
        accepted = counters.accepted.get(),
        rejected = counters.rejected.get(),
        messages_received = counters.messages_received.get(),
        messages_queued = counters.messages_queued.get(),
        unmatched = counters.unmatched.get(),
        calls = counters.calls.get(),
        calls_refused = counters.calls_refused.get(),
        calls_ended = counters.calls_ended.get(),
        "stopped"
    );
    Ok(if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
