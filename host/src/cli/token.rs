//! `sporegate token`: a token for development, or an entry for a token file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use sporegate::auth::dev_token::{self, DevClaims};
use sporegate::auth::{Secret, token_file};
use sporegate::config::parse_duration;

use super::{Outcome, UsageError, output};

pub(super) const HELP: &str = "\
One of --secret-file, --new-secret and --static is needed.

Example, a JSON Web Token; sporegate.toml has an [[auth.jwt]] with secret_file = \"dev.secret\":
  sporegate token --user alice --role User --new-secret dev.secret
  sporegate token --user bob --secret-file dev.secret --ttl 8h

Example, a static token; the gateway runs with --token-file tokens.toml:
  sporegate token --user alice --role User --static >> tokens.toml";

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("kind").required(true).args(["secret_file", "new_secret", "static_token"]))]
pub(super) struct TokenArgs {
    /// User name.
    #[arg(long, short)]
    user: String,
    /// A role; may be repeated.
    #[arg(long = "role", short, value_name = "ROLE")]
    roles: Vec<String>,
    /// File with the HMAC secret: that of the gateway's `[[auth.jwt]] secret_file`.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How long the token is valid.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    ttl: Duration,
    /// `iss` of the token, where the gateway asks for one.
    #[arg(long)]
    issuer: Option<String>,
    /// `aud` of the token, where the gateway asks for one.
    #[arg(long)]
    audience: Option<String>,
    /// Make a random token instead, for a token file: the token goes to standard error, the entry
    /// for the file to standard output.
    #[arg(long = "static")]
    static_token: bool,
    /// Make a new secret first and write it to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    new_secret: Option<PathBuf>,
}

pub(super) fn run(args: &TokenArgs) -> Outcome {
    if args.static_token {
        let made = token_file::new_token(&args.user, &args.roles)?;
        output::note(made.token.expose());
        output::text(&made.entry)?;
        return Ok(ExitCode::SUCCESS);
    }
    let secret = secret(args)?;
    let claims = DevClaims {
        user: args.user.clone(),
        roles: args.roles.clone(),
        ttl: args.ttl,
        issuer: args.issuer.clone(),
        audience: args.audience.clone(),
    };
    output::line(dev_token::sign(&secret, &claims)?)?;
    Ok(ExitCode::SUCCESS)
}

fn secret(args: &TokenArgs) -> anyhow::Result<Secret> {
    if let Some(path) = &args.new_secret {
        let secret = dev_token::random_secret()?;
        write_new(path, secret.expose()).map_err(|error| {
            let shown = path.display();
            match error.kind() {
                ErrorKind::AlreadyExists => {
                    anyhow!("{shown}: there is a file already; use it with --secret-file, or name another")
                }
                _ => anyhow!("{shown}: cannot be written: {error}; name another file"),
            }
        })?;
        return Ok(secret);
    }
    let path = args
        .secret_file
        .as_ref()
        .ok_or_else(|| UsageError("--secret-file FILE is missing".into()))?;
    let text = std::fs::read_to_string(path).map_err(|error| {
        anyhow!("{}: cannot be read: {error}; --new-secret FILE makes one", path.display())
    })?;
    // As the gateway reads it: without the line end of an editor.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

fn write_new(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
