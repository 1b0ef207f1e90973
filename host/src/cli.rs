//! The command line: reads arguments, runs one command, and turns its result into an exit code.
//! 0 is success, 1 a failure, 2 a wrong use; an error is one paragraph that says how to mend it.

mod check;
mod connect;
mod inspect;
mod logging;
mod runtime;
mod serve;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use sporegate::config::{Config, FlagOverrides, Sources};

/// A WebSocket gateway that people extend with WebAssembly.
///
/// Sporegate terminates WebSockets, checks who connects, and hands matching messages to listener
/// modules: WebAssembly components in a directory. Start with `sporegate demo`.
#[derive(Debug, Parser)]
#[command(name = "sporegate", version = VERSION, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (wasmtime ", "48.0.8", ")");

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the modules of a directory.
    Serve(ConfigArgs),
    /// Check the configuration and all modules; serve nothing.
    Check(ConfigArgs),
    /// Show what a module imports and exports, and what it may do.
    Inspect(inspect::InspectArgs),
    /// Make a token for development.
    Token(token::TokenArgs),
    /// Connect as a client: lines of standard input are sent, messages received are printed.
    Connect(connect::ConnectArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the configuration comes from. A flag overrides a `SPOREGATE_*` variable, which overrides
/// the file.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// Configuration file [variable: SPOREGATE_CONFIG].
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory with the modules, `<name>.wasm` each [default: modules].
    #[arg(long, short, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// Address to listen on; port 0 takes any free port [default: 127.0.0.1:8080].
    #[arg(long, short, value_name = "ADDR")]
    listen: Option<String>,
    /// Path under which clients connect [default: /websocket].
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Most clients at a time [default: 2000].
    #[arg(long, value_name = "N")]
    max_connections: Option<u32>,
    /// Serve the test page at `<path>/test`.
    #[arg(long)]
    test_page: bool,
    /// File with static tokens; `sporegate token --static` makes its entries.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Args)]
struct LogArgs {
    /// How to log: text, json, or auto: text on a terminal, else json [default: auto].
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// What to log: error, warn, info, debug, trace, or filters as in RUST_LOG [default: info].
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

/// A command that did not succeed, with what to print.
type Outcome = anyhow::Result<ExitCode>;

/// The arguments made no sense together: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Connect(args) => connect::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "sporegate",
                &mut std::io::stdout(),
            );
            Ok(ExitCode::SUCCESS)
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        if error.is::<UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

impl ConfigArgs {
    fn load(&self) -> anyhow::Result<Config> {
        let flags = FlagOverrides {
            listen: self.listen.clone(),
            path: self.path.clone(),
            modules: self.modules.clone(),
            max_connections: self.max_connections,
            test_page: self.test_page.then_some(true),
            token_file: self.token_file.clone(),
            ..self.log.flags()
        };
        Ok(Config::load(&Sources { file: self.config.clone(), env: environment(), flags })?)
    }
}

impl LogArgs {
    fn flags(&self) -> FlagOverrides {
        FlagOverrides {
            log_format: self.log_format.clone(),
            log_level: self.log_level.clone(),
            ..FlagOverrides::default()
        }
    }
}

/// Variables that are text; others cannot be settings.
fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}
