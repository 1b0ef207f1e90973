//! `sporegate demo`: the example listeners, a development login, and what to try. Everything it
//! makes lies in a temporary directory that goes with it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use sporegate::auth::dev_token::{self, DevClaims};
use sporegate::config::{Config, FlagOverrides, Sources};

use super::{LogArgs, Outcome, logging, runtime, serve};

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
    let secret_file = directory.path().join("secret");
    std::fs::write(&secret_file, secret.expose()).context("the demo's secret")?;
    let modules = directory.path().join("modules");
    write_examples(&modules).context("the demo's modules")?;
    let config = configure(args, &secret_file, &modules)?;
    logging::start(&config.log)?;
    let alice = token(&secret, "alice", &["User", "Admin"])?;
    let bob = token(&secret, "bob", &["User"])?;
    let code = runtime::block_on(async {
        let gateway = serve::start(&config).await?;
        introduce(&gateway.url(), &modules, &alice, &bob);
        serve::finish(gateway).await
    })?;
    Ok(if code == ExitCode::SUCCESS { ExitCode::SUCCESS } else { code })
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

/// The demo is a gateway like any other: its configuration is a file like any other.
fn configure(args: &DemoArgs, secret_file: &Path, modules: &Path) -> anyhow::Result<Config> {
    let file = secret_file.with_file_name("sporegate.toml");
    let text = "test_page = true\n[[auth.jwt]]\nname = \"demo\"\nsecret_file = \"secret\"\n";
    std::fs::write(&file, text)?;
    let flags = FlagOverrides {
        listen: Some(args.listen.clone()),
        modules: Some(modules.to_owned()),
        ..args.log.flags()
    };
    Ok(Config::load(&Sources { file: Some(file), env: Vec::new(), flags })?)
}

fn token(secret: &sporegate::auth::Secret, user: &str, roles: &[&str]) -> anyhow::Result<String> {
    let claims = DevClaims {
        user: user.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ttl: TOKEN_TTL,
        issuer: None,
        audience: None,
    };
    Ok(dev_token::sign(secret, &claims)?)
}

fn introduce(url: &str, modules: &Path, alice: &str, bob: &str) {
    let page = format!("http{}/test", url.trim_start_matches("ws"));
    println!("Sporegate demo: {url}");
    println!();
    println!("Open the test page (a token for alice is filled in):");
    println!("  {page}#path=/chat/lobby&token={alice}");
    println!();
    println!("Or type, in another terminal, as bob:");
    println!("  sporegate connect {url}/chat/lobby --token {bob}");
    println!();
    println!("Listeners: /echo, /json-echo, /chat/<room>, /messages");
    println!("Modules:   {}", modules.display());
    println!("Stop with Ctrl-C.");
}
