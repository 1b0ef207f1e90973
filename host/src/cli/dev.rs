//! `sporegate dev`: builds a listener, serves it, and does both again when a source changes. Clients
//! stay connected; what fails to build or to start changes nothing of what serves.

mod sources;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use sporegate::auth::Secret;
use sporegate::auth::dev_token;
use sporegate::config::{Config, FlagOverrides, Sources};
use sporegate::gateway::{Gateway, Hidden};
use sporegate::modules::Upshot;
use sporegate::sandbox::Compiler;

use super::config_args::sandbox_variables;
use super::project::{Built, Project, put};
use super::runtime::Signals;
use super::{LogArgs, Outcome, UsageError, build, demo, logging, output, runtime, serve};
use sources::SourceFiles;

pub(super) const HELP: &str = "\
Builds the project as `sporegate build` does, serves it on a loopback address with a development
login and the test page, and builds and swaps it when a file of it changes: no client is closed,
and a module that hands its state over keeps it. Where a build fails, the compiler says why, and
what was served goes on. What the module logs is printed. Ctrl-C ends all of it, tools included.";

/// Time between two looks at the sources.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, Args)]
pub(super) struct DevArgs {
    /// Folder of the project.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Loopback address to listen on; port 0 takes any free port.
    #[arg(long, short, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[command(flatten)]
    log: LogArgs,
}

pub(super) fn run(args: &DevArgs) -> Outcome {
    if !args.listen.ip().is_loopback() {
        let why = format!(
            "--listen {}: everybody who knows the printed token may do anything here, so it is not \
             offered to other machines; take 127.0.0.1 or [::1]",
            args.listen
        );
        return Err(UsageError(why).into());
    }
    let project = Project::find(&args.dir)?;
    let directory = tempfile::tempdir().context("no temporary directory")?;
    let secret = dev_token::random_secret()?;
    let config = prepare(directory.path(), &secret, args)?;
    logging::start(&config.log)?;
    let alice = demo::token(&secret, "alice", &["User", "Admin"])?;
    let bob = demo::token(&secret, "bob", &["User"])?;
    runtime::block_on(async {
        let mut signals = Signals::catch()?;
        let gateway =
            Gateway::start(&config, &Compiler::this_program()?, Hidden::default()).await?;
        output::text(&introduction(&project, &gateway, &alice, &bob))?;
        let worked = tokio::select! {
            worked = follow(&project, &gateway, &config.modules) => worked,
            signal = signals.next_stop() => {
                output::note(format_args!("{signal}: stopping"));
                Ok(())
            }
        };
        tokio::select! {
            _ = gateway.stop() => {}
            _ = signals.next_stop() => {}
        }
        worked.map(|()| ExitCode::SUCCESS)
    })
}

/// A gateway like any other: its modules and its configuration are files.
fn prepare(directory: &Path, secret: &Secret, args: &DevArgs) -> anyhow::Result<Config> {
    const SETTINGS: &str = "test_page = true\n\
                            [log]\nformat = \"text\"\nlevel = \"warn,sporegate::guest=info\"\n\
                            [shutdown]\nwindow = \"0s\"\ntimeout = \"5s\"\n\
                            [[auth.jwt]]\nname = \"dev\"\nsecret_file = \"secret\"\n";
    let file = directory.join("sporegate.toml");
    let written = fs::write(directory.join("secret"), secret.expose())
        .and_then(|()| fs::write(&file, SETTINGS))
        .and_then(|()| fs::create_dir(directory.join("modules")));
    written.with_context(|| format!("files in {}", directory.display()))?;
    let flags = FlagOverrides { listen: Some(args.listen.to_string()), ..args.log.flags() };
    Ok(Config::load(&Sources { file: Some(file), env: sandbox_variables(), flags })?)
}

/// Builds and swaps for ever.
async fn follow(project: &Project, gateway: &Gateway, modules: &Path) -> anyhow::Result<()> {
    let mut sources = SourceFiles::of(project.root());
    // What changes from now on is built again.
    sources.look()?;
    loop {
        match project.build().await {
            Ok(built) => {
                output::text(&build::describe(project, &built))?;
                output::line(swap(gateway, modules, &built).await?)?;
            }
            Err(error) => {
                output::note(format_args!("error: {}", output::explain(&error)));
                output::line("the build failed; what was served goes on")?;
            }
        }
        while !sources.look()? {
            tokio::time::sleep(LOOK).await;
        }
        output::line("\na source has changed: building")?;
    }
}

/// Puts the component into the module directory, and says what came of it.
async fn swap(gateway: &Gateway, modules: &Path, built: &Built) -> anyhow::Result<String> {
    let name = built.component.file_name().context("a component without a name")?;
    let to = modules.join(name);
    let sidecar = to.with_extension("toml");
    match &built.sidecar {
        Some(from) => put(&sidecar, &fs::read(from)?)?,
        None if sidecar.exists() => fs::remove_file(&sidecar)?,
        None => {}
    }
    put(&to, &fs::read(&built.component)?)?;
    let upshots = match gateway.keeper().reload().await {
        Ok(upshots) => upshots,
        Err(refusal) => return Ok(format!("not served: {refusal}")),
    };
    Ok(match upshots.first() {
        None => "unchanged: it is what is served already".to_owned(),
        Some(Upshot { failed: true, reason, .. }) => {
            let reason = reason.as_deref().unwrap_or("no reason is known");
            format!("refused: {reason}\nwhat was served goes on")
        }
        Some(Upshot { result, .. }) => format!("serving ({result})"),
    })
}

fn introduction(project: &Project, gateway: &Gateway, alice: &str, bob: &str) -> String {
    let (name, url, page) = (project.name(), gateway.url(), serve::page_url(gateway));
    let command = demo::this_command();
    let command = command.display();
    format!(
        "\
listening on {url}

Open the test page, where a token of alice is filled in:

  {page}#path=/{name}&token={alice}

Or type this in another terminal, as bob; each line you enter is sent:

  {command} connect {url}/{name} --token {bob}

Stop with Ctrl-C.

"
    )
}
