//! `sporegate demo`: the example listeners, a development login, and what to try. Everything it
//! makes lies in a temporary directory that goes with it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use sporegate::auth::Secret;
use sporegate::auth::dev_token::{self, DevClaims};
use sporegate::config::{Config, FlagOverrides, Sources};
use sporegate::gateway::Gateway;

use super::{LogArgs, Outcome, logging, runtime, serve};

pub(super) const HELP: &str = "\
The listeners are echo, json-echo, chat and messaging; the tokens printed are valid for a day, and
for this demo only. Nothing of it stays when it stops.";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address to listen on; port 0 takes any free port.
    #[arg(long, short, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: String,
    #[command(flatten)]
    log: LogArgs,
}

/// A listener that comes with the command: name, component, sidecar.
type Example = (&'static str, &'static [u8], Option<&'static str>);

const EXAMPLES: [Example; 4] = [
    ("echo", include_bytes!("../../../examples/prebuilt/echo.wasm"), None),
    ("json-echo", include_bytes!("../../../examples/prebuilt/json-echo.wasm"), None),
    ("chat", include_bytes!("../../../examples/prebuilt/chat.wasm"), None),
    (
        "messaging",
        include_bytes!("../../../examples/prebuilt/messaging.wasm"),
        Some(include_str!("../../../examples/messaging/messaging.toml")),
    ),
];

const TOKEN_TTL: Duration = Duration::from_secs(24 * 3_600);

pub(super) fn run(args: &DemoArgs) -> Outcome {
    let directory = tempfile::tempdir().context("no temporary directory for the demo")?;
    let secret = dev_token::random_secret()?;
    let config = prepare(directory.path(), &secret, args)?;
    logging::start(&config.log)?;
    let alice = token(&secret, "alice", &["User", "Admin"])?;
    let bob = token(&secret, "bob", &["User"])?;
    runtime::block_on(serve::serve(&config, |gateway| introduction(gateway, &config, &alice, &bob)))
}

/// The demo is a gateway like any other: its modules and its configuration are files.
fn prepare(directory: &Path, secret: &Secret, args: &DemoArgs) -> anyhow::Result<Config> {
    const SETTINGS: &str = "test_page = true\nwatch = true\ncontrol = \"control\"\n[[auth.jwt]]\nname = \"demo\"\nsecret_file = \"secret\"\n";
    let file = directory.join("sporegate.toml");
    let modules = directory.join("modules");
    let written = std::fs::write(directory.join("secret"), secret.expose())
        .and_then(|()| std::fs::write(&file, SETTINGS))
        .and_then(|()| write_examples(&modules));
    written.with_context(|| format!("the demo's files in {}", directory.display()))?;
    let flags = FlagOverrides { listen: Some(args.listen.clone()), ..args.log.flags() };
    Ok(Config::load(&Sources { file: Some(file), env: Vec::new(), flags })?)
}

fn write_examples(modules: &Path) -> std::io::Result<()> {
    std::fs::create_dir(modules)?;
    for (name, component, sidecar) in EXAMPLES {
        std::fs::write(modules.join(name).with_extension("wasm"), component)?;
        if let Some(sidecar) = sidecar {
            std::fs::write(modules.join(name).with_extension("toml"), sidecar)?;
        }
    }
    Ok(())
}

pub(super) fn token(secret: &Secret, user: &str, roles: &[&str]) -> anyhow::Result<String> {
    let claims = DevClaims {
        user: user.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ttl: TOKEN_TTL,
        issuer: None,
        audience: None,
    };
    Ok(dev_token::sign(secret, &claims)?)
}

fn introduction(gateway: &Gateway, config: &Config, alice: &str, bob: &str) -> String {
    let url = gateway.url();
    let page = serve::page_url(gateway);
    let command = this_command();
    let command = command.display();
    let modules = config.modules.display();
    let control = config.control.as_deref().unwrap_or(Path::new("")).display();
    format!(
        "\
listening on {url}

Open the test page, where a token of alice is filled in:

  {page}#path=/chat/lobby&token={alice}

Or type this in another terminal, as bob; each line you enter is sent:

  {command} connect {url}/chat/lobby --token {bob}

Try in the chat:     {{\"type\":\"say\",\"text\":\"hello\"}}   or   {{\"type\":\"who\"}}
Other listeners:     /echo  /json-echo  /chat/<room>  /messages
Their modules:       {modules}
See what they do:    {command} modules --control {control}
Replace one of these files, and it is swapped: no client is closed.
Stop with Ctrl-C.
"
    )
}

/// How to call this program from here: it need not be on the PATH.
pub(super) fn this_command() -> PathBuf {
    let Ok(program) = std::env::current_exe() else { return "sporegate".into() };
    let here = std::env::current_dir().unwrap_or_default();
    program.strip_prefix(here).map(Path::to_owned).unwrap_or(program)
}
