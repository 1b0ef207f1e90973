//! The command line: reads arguments, runs one command, and turns its result into an exit code.
//! 0 is success, 1 a failure, 2 a wrong use; an error is one paragraph that says how to mend it.

mod build;
mod check;
mod compile_module;
mod config_args;
mod connect;
mod demo;
mod descriptors;
mod dev;
mod inspect;
mod logging;
mod modules;
mod new;
mod output;
mod project;
mod runtime;
mod serve;
mod test;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use sporegate::config::{ConfigError, Place};
use sporegate::sandbox::COMPILE_COMMAND;

use config_args::{ConfigArgs, LogArgs};

/// A WebSocket gateway that people extend with WebAssembly.
///
/// Sporegate terminates WebSockets, checks who connects, and hands matching messages to listener
/// modules: WebAssembly components in a directory.
#[derive(Debug, Parser)]
#[command(
    name = "sporegate",
    version = VERSION,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = FIRST_STEPS,
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The engine's version is that of Cargo.lock; a test compares them.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (wasmtime ", "48.0.8", ")");

const FIRST_STEPS: &str = "\
First steps:
  sporegate demo              starts a gateway with example listeners, and says what to try
  sporegate new NAME -l rust  makes a folder with a listener of your own, and says how to build it
  sporegate inspect M.wasm    shows what a module is, and what it may do
  sporegate check -m DIR      says what is wrong with a configuration or a module
  sporegate serve -m DIR      serves the modules of a directory

`sporegate help COMMAND` explains a command. Exit codes: 0 success, 1 failure, 2 wrong use.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a folder with a listener that builds, is tested, and can be changed.
    #[command(after_help = new::HELP)]
    New(new::NewArgs),
    /// Build the listener of a folder, and check what comes of it.
    #[command(after_help = build::HELP)]
    Build(build::BuildArgs),
    /// Build and serve the listener of a folder, and do it again when a source changes.
    #[command(after_help = dev::HELP)]
    Dev(dev::DevArgs),
    /// Serve the modules of a directory until SIGINT or SIGTERM.
    #[command(after_help = serve::HELP)]
    Serve(ConfigArgs),
    /// Serve the example listeners with a development login, and say what to try.
    #[command(after_help = demo::HELP)]
    Demo(demo::DemoArgs),
    /// Check the configuration and all modules; serve nothing.
    #[command(after_help = check::HELP)]
    Check(ConfigArgs),
    /// Show the modules of a running gateway, swap them, go back, or end one.
    #[command(after_help = modules::HELP)]
    Modules(modules::ModulesArgs),
    /// Show what a module imports and exports, and what it may do and why.
    #[command(after_help = inspect::HELP)]
    Inspect(inspect::InspectArgs),
    /// Play conversations with a module, and say where it answers otherwise than it should.
    #[command(after_help = test::HELP)]
    Test(test::TestArgs),
    /// Make a token for development, or an entry for a token file.
    #[command(after_help = token::HELP)]
    Token(token::TokenArgs),
    /// Connect as a client: lines of standard input are sent, messages received are printed.
    #[command(after_help = connect::HELP)]
    Connect(connect::ConnectArgs),
    /// Print a completion script for a shell.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// What the others call to compile a module in a process of its own.
    #[command(name = COMPILE_COMMAND, hide = true)]
    CompileModule(compile_module::CompileModuleArgs),
}

const COMPLETIONS_HELP: &str = "\
For the running bash:  source <(sporegate completions bash)
For every fish:        sporegate completions fish > ~/.config/fish/completions/sporegate.fish";

/// How a command ended, or with what error.
type Outcome = anyhow::Result<ExitCode>;

/// The arguments make no sense: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UsageError(String);

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::New(args) => new::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Dev(args) => dev::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Modules(args) => modules::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Connect(args) => connect::run(&args),
        Command::Completions { shell } => completions(shell),
        Command::CompileModule(args) => compile_module::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        output::error(&error);
        if is_usage(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut for_people(), "sporegate", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// The command line without what is hidden, which would be completed otherwise.
fn for_people() -> clap::Command {
    let all = Cli::command();
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    clap::Command::new("sporegate").version(VERSION).subcommands(shown)
}

/// Whether nothing but the command line is wrong.
fn is_usage(error: &anyhow::Error) -> bool {
    let only_flags = |error: &ConfigError| {
        error.problems().all(|problem| matches!(problem.place, Place::Flag(_)))
    };
    error.is::<UsageError>() || error.downcast_ref().is_some_and(only_flags)
}
