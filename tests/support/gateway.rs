//! A gateway of its own for each test, in this process, on a free port.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sporegate::auth::Secret;
use sporegate::auth::dev_token::{self, DevClaims};
use sporegate::config::{Config, FlagOverrides, Sources};
use sporegate::counters::Counters;
use sporegate::gateway::{Gateway, Hidden};
use sporegate::sandbox::Compiler;
use tempfile::TempDir;

use super::client::{Client, Refused};

const SECRET: &str = "a secret for tests only, of more than 32 bytes";

/// A gateway to be: modules and settings.
pub struct Setup {
    directory: TempDir,
    top: String,
    sandbox: String,
    tables: String,
}

/// A running gateway. Stopped by [`TestGateway::stop`], or with the test.
pub struct TestGateway {
    gateway: Gateway,
    directory: TempDir,
}

impl TestGateway {
    /// A gateway without modules, that admits holders of [`TestGateway::token`].
    pub fn with() -> Setup {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("modules")).unwrap();
        std::fs::write(directory.path().join("secret"), SECRET).unwrap();
        let (top, sandbox, tables) = Default::default();
        Setup { directory, top, sandbox, tables }
    }

    /// A gateway with these guests, each under its own name.
    pub async fn serving(guests: &[&str]) -> Self {
        guests.iter().fold(Self::with(), |setup, name| setup.module(name, name)).start().await
    }

    /// `ws://127.0.0.1:port/websocket`.
    pub fn url(&self) -> String {
        self.gateway.url()
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> std::net::SocketAddr {
        self.gateway.address()
    }

    /// The gateway itself.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    pub fn counters(&self) -> &Counters {
        self.gateway.server().counters()
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A token that this gateway accepts, valid for a minute.
    pub fn token(&self, user: &str, roles: &[&str]) -> String {
        token(user, roles)
    }

    /// A client of user `alice` without roles on a sub path; its greeting is already read.
    pub async fn client(&self, path: &str) -> Client {
        self.client_as("alice", &[], path).await
    }

    /// A client on a sub path; its greeting is already read.
    pub async fn client_as(&self, user: &str, roles: &[&str], path: &str) -> Client {
        let mut client = self.connect(path, Some(&token(user, roles))).await.unwrap();
        client.greeting().await;
        client
    }

    /// Connects to a sub path as it is, with or without a token.
    pub async fn connect(&self, path: &str, token: Option<&str>) -> Result<Client, Refused> {
        Client::connect(&format!("{}{path}", self.url()), token).await
    }

    /// Stops the gateway; returns whether it was in time.
    pub async fn stop(self) -> bool {
        self.gateway.stop().await
    }
}

impl Setup {
    /// Adds a guest as module `name`.
    pub fn module(self, name: &str, guest_name: &str) -> Self {
        let bytes = guest(guest_name);
        self.file(&format!("{name}.wasm"), &bytes)
    }

    /// Adds a file to the module directory.
    pub fn file(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.modules().join(name), bytes).unwrap();
        self
    }

    /// Adds a sidecar to module `name`.
    pub fn sidecar(self, name: &str, text: &str) -> Self {
        self.file(&format!("{name}.toml"), text.as_bytes())
    }

    /// Adds top-level settings, such as `max_connections = 1`.
    pub fn set(mut self, lines: &str) -> Self {
        self.top.push_str(lines);
        self.top.push('\n');
        self
    }

    /// Adds tables, such as `[limits]`.
    pub fn table(mut self, lines: &str) -> Self {
        self.tables.push_str(lines);
        self.tables.push('\n');
        self
    }

    /// Adds settings of `[sandbox]`, such as `memory = "64MiB"`.
    pub fn sandbox(mut self, lines: &str) -> Self {
        self.sandbox.push_str(lines);
        self.sandbox.push('\n');
        self
    }

    /// The directory of the configuration file.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What keeps its files, for a process that outlives this.
    pub fn into_directory(self) -> TempDir {
        self.directory
    }

    pub fn modules(&self) -> PathBuf {
        self.directory.path().join("modules")
    }

    /// Writes the configuration file and returns its path.
    pub fn write(&self) -> PathBuf {
        let file = self.directory.path().join("sporegate.toml");
        let cache = compile_cache();
        let jwt = "[[auth.jwt]]\nname = \"test\"\nsecret_file = \"secret\"\nleeway = \"0s\"\n";
        let sandbox = match self.tables.contains("[sandbox]") {
            true => String::new(),
            false => {
                format!("[sandbox]\ncache = {:?}\n{}", cache.display().to_string(), self.sandbox)
            }
        };
        // Only tests of it wait for those who leave to come back.
        let reconnect = match self.top.contains("reconnect") {
            true => "",
            false => "reconnect_timeout = \"0s\"\n",
        };
        let Self { top, tables, .. } = self;
        let top = format!("listen = \"127.0.0.1:0\"\n{reconnect}{top}");
        let text = format!("{top}\n{sandbox}\n{jwt}\n{tables}");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Starts the gateway.
    pub async fn start(self) -> TestGateway {
        self.start_with(Hidden::default()).await
    }

    pub async fn start_with(self, hidden: Hidden) -> TestGateway {
        let file = self.write();
        let flags = FlagOverrides::default();
        let config = Config::load(&Sources { file: Some(file), env: Vec::new(), flags });
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        let gateway = Gateway::start(&config, &compiler(), hidden).await;
        let gateway = gateway.unwrap_or_else(|error| panic!("{error}"));
        TestGateway { gateway, directory: self.directory }
    }
}

pub fn token(user: &str, roles: &[&str]) -> String {
    token_for(user, roles, Duration::from_secs(60))
}

/// A token that is valid for so long.
pub fn token_for(user: &str, roles: &[&str], ttl: Duration) -> String {
    let claims = DevClaims {
        user: user.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ttl,
        issuer: None,
        audience: None,
    };
    dev_token::sign(&Secret::new(SECRET), &claims).unwrap()
}

/// A token with any claims, valid for an hour: also such as [`token`] refuses to make.
pub fn token_with(mut claims: serde_json::Value) -> String {
    let exp = std::time::SystemTime::now() + Duration::from_secs(3_600);
    let exp = exp.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    claims["exp"] = exp.into();
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

/// A guest component: a rebuilt one where `SPOREGATE_GUESTS` names their directory, else the one
/// that comes with the sources.
pub fn guest(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let places = match std::env::var_os("SPOREGATE_GUESTS") {
        Some(rebuilt) => vec![root.join(rebuilt)],
        None => vec![root.join("examples/prebuilt"), root.join("tests/guests/prebuilt")],
    };
    let file = format!("{name}.wasm");
    let found = places.iter().map(|place| place.join(&file)).find(|path| path.exists());
    let path = found.unwrap_or_else(|| panic!("no guest {file} in {places:?}"));
    std::fs::read(path).unwrap()
}

/// The `sporegate` command, without any setting of the surroundings.
pub fn sporegate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sporegate"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SPOREGATE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Compiles as the command does: not in the process of the tests.
pub fn compiler() -> Compiler {
    Compiler::Child(env!("CARGO_BIN_EXE_sporegate").into())
}

/// Shared by all tests, so that each guest is compiled once.
fn compile_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}
