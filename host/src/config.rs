//! The gateway's configuration: defaults, file, variables and flags brought together and validated
//! once. No part of the gateway reads a file, a variable or a flag for a setting after this.
//!
//! Precedence is flag, then `SPOREGATE_*` variable, then file, then default. Every value given is
//! validated, also one that another overrides.

mod auth;
mod base_path;
mod client_limits;
mod conversation;
mod destination;
mod error;
mod file;
mod flags;
mod grants;
mod handshake;
mod host;
mod log;
mod metrics;
mod module;
mod module_name;
mod nearest;
mod networks;
mod origin;
mod outbound;
mod policy;
mod project;
mod proxies;
mod reader;
mod reconnect;
mod sandbox;
mod section;
mod shutdown;
mod subprotocol;
mod units;
mod value;
mod warning;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use auth::{AuthConfig, JwtAlgorithm, JwtConfig, JwtKey, MAX_JWT, ProxyConfig};
pub use base_path::{BasePath, BasePathError};
pub use conversation::{Action, Conversation, HttpAnswer, Newcomer, Said, Step, Taken};
pub use destination::{Destination, DestinationError, authority};
pub use error::{ConfigError, Place, Problem, ProblemKind};
pub use file::MAX_FILE_BYTES;
pub use flags::FlagOverrides;
pub use grants::{BucketName, Grants, HttpGrant, KeyValueGrant};
pub use handshake::{Handshake, MIN_DEFAULT_BURST};
pub use host::KnownHost;
pub use log::{LogConfig, LogFormat};
pub use metrics::MetricsConfig;
pub use module::{Affinity, Lifetime, ModuleConfig, ModuleDefaults, Run};
pub use module_name::{ModuleName, ModuleNameError};
pub(crate) use nearest::nearest;
pub use networks::{NetworkError, Networks};
pub use origin::{AllowedOrigin, OriginError, WebOrigin};
pub use outbound::OutboundConfig;
pub use policy::{MAX_PATHS, PathPolicy, PathRule};
pub use project::{Language, PROJECT_FILE, ProjectConfig};
pub use proxies::{ForwardedHeader, Proxies};
pub use reader::SettingRow;
pub use reconnect::Reconnect;
pub use sandbox::{CompileCache, SandboxConfig};
pub use shutdown::{ShutdownCode, ShutdownConfig};
pub use subprotocol::{Subprotocols, is_token_byte};
pub use units::{ByteSize, UnitError, duration_text, parse_duration};
pub use warning::Warning;

use reader::{FILE_VARIABLE, Input, VARIABLE_PREFIX, read_all};
use section::Section;

use crate::path::ConnectPath;

/// The whole configuration, validated, with all defaults filled in.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Path under which clients connect.
    pub path: BasePath,
    /// Directory of the modules.
    pub modules: PathBuf,
    /// Whether the directory is watched for changes.
    pub watch: bool,
    /// Socket on which operators give commands.
    pub control: Option<PathBuf>,
    /// Most clients at a time; one more gets 503 before its upgrade.
    pub max_connections: u32,
    /// Most of one user; zero: no limit but the one above. One more gets 429.
    pub max_connections_per_user: u32,
    /// Most of one address; zero: no limit but the first. One more gets 429.
    pub max_connections_per_address: u32,
    /// Bytes of memory of the process from which on new clients get 503; zero: any number, none: nine
    /// tenths of what the system or its control group has.
    pub max_memory: Option<u64>,
    /// Who is believed when it says for whom it asks.
    pub proxies: Proxies,
    /// Whether the test page is served.
    pub test_page: bool,
    /// Whether a browser's `Origin` must be the gateway's own or an allowed one.
    pub check_origin: bool,
    /// Hosts that clients may name; empty: any.
    pub hosts: Vec<KnownHost>,
    /// What holds for paths that no entry of `paths` matches.
    pub default_policy: PathPolicy,
    /// Exceptions, the first match holds.
    pub paths: Vec<PathRule>,
    /// Limits of the HTTP request before the upgrade.
    pub handshake: Handshake,
    /// What is kept for clients who are away.
    pub reconnect: Reconnect,
    /// How it stops.
    pub shutdown: ShutdownConfig,
    /// How to log.
    pub log: LogConfig,
    /// What scrapers see.
    pub metrics: MetricsConfig,
    /// How clients prove who they are.
    pub auth: AuthConfig,
    /// What modules share.
    pub sandbox: SandboxConfig,
    /// What holds for the HTTP requests of all modules.
    pub outbound: OutboundConfig,
    /// What is accepted and deserves a word.
    pub warnings: Vec<Warning>,
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; without one, that of the variable `SPOREGATE_CONFIG`; else none is read.
    pub file: Option<PathBuf>,
    /// The environment, see [`own_variables`]; only names that begin with `SPOREGATE_` count.
    pub env: Vec<(String, String)>,
    /// Flags of the command line.
    pub flags: FlagOverrides,
}

impl Config {
    /// Reads and validates everything.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or any source has an unknown name or a bad value; all
    /// such problems are reported together.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let by_variable = || {
            let named = sources.env.iter().find(|(name, _)| name == FILE_VARIABLE);
            named.map(|(_, value)| PathBuf::from(value))
        };
        let file = sources.file.clone().or_else(by_variable);
        let text = match &file {
            Some(path) => file::read(path, file::Role::Main)?,
            None => String::new(),
        };
        let flags = sources.flags.as_flags();
        let input = Input {
            file: file.as_deref(),
            text: &text,
            variables: Some(&sources.env),
            flags: &flags,
        };
        read_all(input, |top| read(top, input.base())).map(|(config, _)| config)
    }

    /// What holds for clients on a path: the first match of `paths`, else the default.
    pub fn policy_of(&self, path: &ConnectPath) -> &PathPolicy {
        let rule = self.paths.iter().find(|rule| rule.pattern.matches(path));
        rule.map_or(&self.default_policy, |rule| &rule.policy)
    }

    /// Every setting there is, in the order of the example file.
    pub fn settings() -> Vec<SettingRow> {
        // Entries of lists are read only where there are some.
        let text = "[[paths]]\npattern = \"/*\"\n[[auth.jwt]]\nname = \"a\"\njwks = \"b\"\n";
        let input = Input { file: None, text, variables: Some(&[]), flags: &[] };
        read_all(input, |top| read(top, Path::new(""))).map(|(_, rows)| rows).unwrap_or_default()
    }
}

/// The variables that are the gateway's, as of `std::env::vars_os()`. What is not UTF-8 is kept in
/// a form that [`Config::load`] refuses.
pub fn own_variables(all: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(String, String)> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let all = all.into_iter().map(|(name, value)| (text(name), value));
    all.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// A file with every setting at its default, and explained.
pub fn example() -> &'static str {
    include_str!("../sporegate.example.toml")
}

fn read(top: &mut Section<'_, '_>, base: &Path) -> Config {
    top.alias("max_connections", "maxConnections");
    let listen = top.read("listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
    let path = top.read("path", BasePath::default());
    let modules = top.optional("modules", "\"modules\"");
    let watch = top.read("watch", false);
    let control = top.optional("control", "none");
    let max_connections = top.read_in("max_connections", 2_000, 1..=1_000_000);
    let per_user = top.read_in("max_connections_per_user", 0, 0..=1_000_000);
    let per_address = top.read_in("max_connections_per_address", 0, 0..=1_000_000);
    let memories = ByteSize::bytes(0)..=ByteSize::gib(1024);
    let max_memory = top.optional_in("max_memory", "nine tenths of what there is", memories);
    let proxies = proxies::read(top);
    let test_page = top.read("test_page", false);
    let check_origin = top.read("check_origin", true);
    let mut hosts = top.read("hosts", Vec::new());
    let reconnect = reconnect::read(top);
    let (default_policy, handshake) = policy::read_default(top, reconnect.timeout);
    let shutdown = top.section("shutdown", shutdown::read);
    let log = top.section("log", log::read);
    let metrics = top.section("metrics", |section| metrics::read(section, listen));
    let auth = top.section("auth", |section| auth::read(section, listen.ip()));
    let sandbox = top.section("sandbox", sandbox::read);
    let outbound = top.section("outbound", outbound::read);
    let paths = policy::read_paths(top, &default_policy);
    let mut warnings = Vec::new();
    warnings.extend(warning::never_reached(&paths));
    let public = metrics.listen.filter(|address| !address.ip().to_canonical().is_loopback());
    warnings.extend(public.map(|listen| Warning::PublicMetrics { listen }));
    if auth.insecure {
        warnings.push(Warning::Insecure { listen });
        if hosts.is_empty() && listen.ip().to_canonical().is_loopback() {
            // Else any page that a browser on this machine shows could have its name lead here.
            hosts = KnownHost::loopback(listen.ip());
        }
    } else if !auth.knows_anybody() && !paths.iter().any(|rule| rule.policy.anonymous) {
        warnings.push(Warning::NobodyCanConnect);
    }
    Config {
        listen,
        path,
        modules: modules.unwrap_or_else(|| base.join("modules")),
        watch,
        control,
        max_connections,
        max_connections_per_user: per_user,
        max_connections_per_address: per_address,
        max_memory: max_memory.map(ByteSize::get),
        proxies,
        test_page,
        check_origin,
        hosts,
        default_policy,
        paths,
        handshake,
        reconnect,
        shutdown,
        log,
        metrics,
        auth,
        sandbox,
        outbound,
        warnings,
    }
}
