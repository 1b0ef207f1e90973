//! `sporegate serve`: runs until a signal.

use std::process::ExitCode;
use std::sync::Arc;

use sporegate::config::{Config, duration_text};
use sporegate::gateway::{Gateway, Hidden};
use sporegate::sandbox::Compiler;
use sporegate::server::{Remaining, Server};

use super::runtime::{Asks, Signals};
use super::{ConfigArgs, Outcome, descriptors, logging, output, runtime};

pub(super) const HELP: &str = "\
Prints `listening on ws://ADDRESS/PATH` when clients can connect; logs go to standard error.
Settings come from a file, from variables named SPOREGATE_*, and from these flags; a flag wins over
a variable, a variable over the file.

Example, with a static token for alice:
  sporegate token --user alice --static >> tokens.toml
  sporegate serve --modules modules --token-file tokens.toml --test-page

Example, for development only, with no credentials at all:
  sporegate serve --modules modules --insecure

Example, with JSON Web Tokens: sporegate.toml has
  [[auth.jwt]]
  name = \"main\"
  public_key = \"issuer.pem\"
and the command is
  sporegate serve --modules modules --config sporegate.toml";

/// Switches on the echo that measurements compare listeners with.
const NATIVE_ECHO_VARIABLE: &str = "SPOREGATE_TEST_NATIVE_ECHO";

pub(super) fn run(args: &ConfigArgs) -> Outcome {
    let config = args.load()?;
    logging::start(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    runtime::block_on(serve(&config, |gateway| {
        let mut text = format!("listening on {}\n", gateway.url());
        if config.auth.insecure {
            // Also where the log is switched off or nobody reads it.
            text.push_str("INSECURE: everybody may connect without credentials\n");
        }
        if config.test_page {
            text.push_str(&format!("test page at {}\n", page_url(gateway)));
        }
        if let Some(address) = gateway.metrics_address() {
            text.push_str(&format!("metrics at http://{address}/metrics\n"));
        }
        text
    }))
}

/// Starts a gateway, introduces it on standard output, and serves until a signal; a second one
/// stops at once.
pub(super) async fn serve(config: &Config, introduce: impl FnOnce(&Gateway) -> String) -> Outcome {
    descriptors::ask_for_all(config.max_connections);
    let native_echo = std::env::var_os(NATIVE_ECHO_VARIABLE).is_some_and(|value| value == "1");
    let compiler = Compiler::this_program()?;
    let gateway = Gateway::start(config, &compiler, Hidden { native_echo }).await?;
    let mut signals = Signals::catch()?;
    if let Err(error) = output::text(&introduce(&gateway)) {
        // Clients do not depend on who reads this.
        tracing::warn!("{error}");
    }
    let signal = loop {
        match signals.next().await {
            Asks::Stop(signal) => break signal,
            Asks::Reload => gateway.look_at_modules(),
        }
    };
    let server = Arc::clone(gateway.server());
    let window = duration_text(config.shutdown.window);
    tracing::info!(signal, clients = server.remaining().clients, window, "stopping");
    let in_time = tokio::select! {
        in_time = gateway.stop() => in_time,
        signal = signals.next_stop() => {
            tracing::warn!(signal, "stopping at once");
            false
        }
    };
    if !in_time {
        let Remaining { clients, disconnects } = server.remaining();
        tracing::warn!(clients, disconnects, "cut off: clients left, disconnects not told");
    }
    tell_counts(&server);
    Ok(if in_time { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The last line: what it has done.
fn tell_counts(server: &Server) {
    let counters = server.counters();
    tracing::info!(
        accepted = counters.accepted.get(),
        rejected = counters.rejected.get(),
        messages_received = counters.messages_received.get(),
        messages_queued = counters.messages_queued.get(),
        unmatched = counters.unmatched.get(),
        sessions_opened = counters.sessions_opened.get(),
        sessions_restored = counters.sessions_restored.get(),
        sessions_ended = counters.sessions_ended.get(),
        sessions_handed_over = counters.sessions_handed_over.get(),
        calls = counters.calls.get(),
        calls_refused = counters.calls_refused.get(),
        calls_ended = counters.calls_ended.get(),
        "stopped"
    );
}

/// Where the test page is.
pub(super) fn page_url(gateway: &Gateway) -> String {
    format!("http{}/test", gateway.url().trim_start_matches("ws"))
}
