//! `sporegate modules`: what the modules of a running gateway do, and changes of them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::bail;
use clap::{Args, Subcommand};
use sporegate::config::FlagOverrides;
use sporegate::control::{self, Reply, Request};
use sporegate::modules::{ModuleStatus, Upshot};

use super::config_args::FileArg;
use super::{Outcome, output};

pub(super) const HELP: &str = "\
Speaks to a gateway that was started with --control SOCKET (or with that setting, or variable), as
the same user.

Examples:
  sporegate serve --modules modules --control sporegate.sock
  sporegate modules --control sporegate.sock
  sporegate modules --control sporegate.sock reload
  sporegate modules --control sporegate.sock rollback chat";

/// Characters of a digest that are shown.
const SHOWN_DIGEST: usize = 12;

#[derive(Debug, Args)]
pub(super) struct ModulesArgs {
    #[command(flatten)]
    file: FileArg,
    /// The gateway's socket [default: the setting `control`].
    #[arg(long, value_name = "SOCKET", global = true)]
    control: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every module: state, revision, calls, memory. This is what happens without a command.
    List {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Ask(Request),
}

pub(super) fn run(args: &ModulesArgs) -> Outcome {
    let flags = FlagOverrides { control: args.control.clone(), ..FlagOverrides::default() };
    let Some(socket) = args.file.load(flags)?.control else {
        bail!("no control socket: name it with --control, as `sporegate serve --control` did");
    };
    let (request, as_json) = match &args.what {
        None => (&Request::List, false),
        Some(What::List { json }) => (&Request::List, *json),
        Some(What::Ask(request)) => (request, false),
    };
    match control::ask(&socket, request)? {
        Reply::Ok(_) => output::line("done")?,
        Reply::Error(why) => bail!("{why}"),
        Reply::Reloaded(upshots) => {
            output::text(&told(&upshots))?;
            if upshots.iter().any(|upshot| upshot.failed) {
                return Ok(ExitCode::FAILURE);
            }
        }
        Reply::Modules(rows) if as_json => output::line(serde_json::to_string_pretty(&rows)?)?,
        Reply::Modules(rows) => output::text(&table(&rows))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What came of a look, one line for each module.
fn told(upshots: &[Upshot]) -> String {
    if upshots.is_empty() {
        return "nothing has changed\n".to_owned();
    }
    let line = |upshot: &Upshot| {
        let Upshot { module, result, revision, reason, .. } = upshot;
        let revision = revision.as_deref().map(|digest| format!(", now {}", shown(digest)));
        let reason = reason.as_deref().map(|reason| format!(": {reason}"));
        let (revision, reason) = (revision.unwrap_or_default(), reason.unwrap_or_default());
        format!("{module}: {result}{revision}{reason}\n")
    };
    upshots.iter().map(line).collect()
}

fn table(rows: &[ModuleStatus]) -> String {
    let head = [
        "MODULE",
        "STATE",
        "SINCE",
        "REVISION",
        "CALLS",
        "ERRORS",
        "TRAPS",
        "INSTANCES",
        "MEMORY",
        "QUEUE",
    ];
    let mut cells = vec![head.map(str::to_owned)];
    cells.extend(rows.iter().map(line));
    let width = |column: usize| {
        cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.len()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for (number, row) in cells.iter().enumerate() {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
        let reason = number.checked_sub(1).and_then(|at| rows.get(at)?.state.reason());
        if let Some(reason) = reason {
            text.push_str(&format!("  because: {reason}\n"));
        }
    }
    text
}

fn line(row: &ModuleStatus) -> [String; 10] {
    let state = row.state.name();
    let state = match (row.pauses, row.on_probation) {
        (true, _) => format!("{state} (pauses)"),
        (false, true) => format!("{state} (on probation)"),
        (false, false) => state.to_owned(),
    };
    let revision = row.revision.as_deref().map_or("-", shown);
    [
        row.name.clone(),
        state,
        ago(row.since),
        revision.to_owned(),
        row.calls.to_string(),
        row.errors.to_string(),
        row.traps.to_string(),
        row.instances.to_string(),
        format!("{} KiB", row.memory_bytes.div_ceil(1 << 10)),
        row.queue.to_string(),
    ]
}

fn shown(digest: &str) -> &str {
    digest.get(..SHOWN_DIGEST).unwrap_or(digest)
}

fn ago(since: SystemTime) -> String {
    let seconds = SystemTime::now().duration_since(since).unwrap_or_default().as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
