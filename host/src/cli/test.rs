//! `sporegate test`: plays conversations with a module, without a network.

mod recording;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use sporegate::config::{Config, Conversation, FlagOverrides};
use sporegate::conversation::{Failure, play};
use sporegate::gateway::Rehearsals;
use sporegate::printable::printable;
use sporegate::sandbox::Compiler;

use super::config_args::FileArg;
use super::{Outcome, UsageError, output, runtime};
use recording::Recording;

pub(super) const HELP: &str = "\
A conversation is a TOML file: what some clients say to the module, and what they must hear.

  [[step]]
  client = \"kim\"
  connect = \"/chat/tea\"          # below the base path; also: user, roles, claims
  user = \"kim\"

  [[step]]
  client = \"kim\"
  send = '{\"type\":\"join\"}'        # or send_binary = \"00 ff\"

  [[step]]
  client = \"kim\"
  expect_json = '{\"type\":\"joined\",\"who\":\"kim\",\"room\":\"<any>\"}'

Instead of `expect_json`: expect (a text, letter for letter), expect_binary,
expect_nothing = true, expect_close = { code = 1000, reason = \"see you\" }.
Others: close = { code = 1000 }, drop = true (the connection breaks), advance = \"2s\" (time
passes), swap = true (the module takes over from itself, with its state). What comes and is not
expected is a failure, also at the end. At the top: patience = \"5s\".

What a module hears that makes HTTP requests, of hosts that its sidecar grants; no other service is
there:

  [[http]]
  url = \"http://127.0.0.1:9000/items/tea\"
  status = 200                     # also: method = \"GET\", headers = { etag = \"x\" }
  body = [\"one\\n\", \"two\\n\"]       # piece by piece; breaks = true ends it in the middle

The module runs as in a gateway, with the sidecar beside it, its limits and its grants, and anew
for each conversation; no socket is opened. Exit code 0: all went as written. 1: one did not, and it is
told where. 2: the module cannot be loaded, or a file is no conversation.";

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The module: a component or a core module; its sidecar lies beside it.
    module: PathBuf,
    /// Conversations; of a folder all `.toml` files in it.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Tell every step, and what the module logs, as it happens.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    config: FileArg,
}

pub(super) fn run(args: &TestArgs) -> Outcome {
    // Whatever keeps it from being played at all is no failure of the module.
    let conversations = prepare(args).map_err(|error| UsageError(output::explain(&error)))?;
    let config = config(args).map_err(|error| UsageError(output::explain(&error)))?;
    let recording = Recording::start(args.verbose)?;
    runtime::block_on(test(args, &config, &conversations, &recording))
}

/// Without a file of settings everybody may connect anywhere, also without a name.
fn config(args: &TestArgs) -> anyhow::Result<Config> {
    let mut config = args.config.load(FlagOverrides::default())?;
    if !args.config.is_given() {
        config.auth.insecure = true;
    }
    Ok(config)
}

fn prepare(args: &TestArgs) -> anyhow::Result<Vec<Conversation>> {
    let mut files = Vec::new();
    for file in &args.files {
        if file.is_dir() {
            files.extend(in_folder(file)?);
        } else {
            files.push(file.clone());
        }
    }
    Ok(files.iter().map(|file| Conversation::load(file)).collect::<Result<_, _>>()?)
}

fn in_folder(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown = folder.display();
    let entries = std::fs::read_dir(folder).with_context(|| shown.to_string())?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> =
        paths.collect::<Result<_, _>>().with_context(|| shown.to_string())?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    if paths.is_empty() {
        bail!("{shown}: no conversation (a file NAME.toml) is in this folder");
    }
    Ok(paths)
}

async fn test(
    args: &TestArgs,
    config: &Config,
    conversations: &[Conversation],
    recording: &Recording,
) -> Outcome {
    let compiler = Compiler::this_program()?.in_foreground();
    let rehearsals = Rehearsals::of(config, &compiler, &args.module).await;
    let rehearsals =
        rehearsals.map_err(|error| UsageError(format!("{error}{}", told(recording))))?;
    let mut failed = 0;
    for conversation in conversations {
        recording.clear();
        let began = Instant::now();
        let mut stage = match rehearsals.begin(&conversation.http).await {
            Ok(stage) => stage,
            Err(error) => return Err(UsageError(format!("{error}{}", told(recording))).into()),
        };
        let played = play(conversation, &mut stage, |step| {
            if args.verbose {
                output::note(format_args!(
                    "{:>5}  {}",
                    step.line,
                    printable(&step.action.to_string())
                ));
            }
        })
        .await;
        if played.is_ok() {
            stage.end().await;
        }
        let (file, steps) = (conversation.file.display(), conversation.steps.len());
        match played {
            Ok(()) => {
                let milliseconds = began.elapsed().as_millis();
                output::line(format_args!("ok      {file}  {steps} steps, {milliseconds} ms"))?;
            }
            Err(failure) => {
                failed += 1;
                output::text(&report(&failure, recording))?;
            }
        }
    }
    let all = conversations.len();
    output::line(format_args!("conversations: {} ok, {failed} failed", all - failed))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A failure as people read it.
fn report(failure: &Failure, recording: &Recording) -> String {
    let failure = failure.to_string();
    let lines: Vec<_> = failure.lines().map(printable).collect();
    format!("FAILED  {}{}\n", lines.join("\n"), told(recording))
}

/// What was logged since the begin of the conversation.
fn told(recording: &Recording) -> String {
    let lines = recording.lines();
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    format!("\n  logged meanwhile:{lines}")
}
