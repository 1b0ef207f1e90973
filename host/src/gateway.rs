//! The composition root: the only place where the configuration becomes values for the parts, and
//! where the parts meet.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::auth::{
    AuthSettings, AuthSetupError, Authenticator, JwtSettings, KeySource, ProxySettings, Secret,
};
use crate::config::{self, AuthConfig, Config, JwtConfig, JwtKey, ProxyConfig};
use crate::counters::{Counters, Reasons, Timed};
use crate::dispatch::{self, Dispatcher};
use crate::gate::{Gate, GateSettings};
use crate::metrics::{self, Metrics};
use crate::modules::{Loaded, Loader, ModuleTable, Refused};
use crate::registry::{ConnectionLimits, Registry};
use crate::sandbox::{
    CompileCache, CompileLimits, Compiler, Sandbox, SandboxError, SandboxSettings,
};
use crate::server::{self, BindError, Server, ServerSettings};
use crate::session::Refusal;

/// What a test or a measurement may switch on, and no configuration can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Messages on `/__native_echo` are answered without a listener.
    pub native_echo: bool,
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Gateway {
    server: Arc<Server>,
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    base_path: Arc<str>,
    shutdown_timeout: Duration,
    modules: Arc<ModuleTable>,
    refused: Vec<Refused>,
    accepting: JoinHandle<()>,
    scraping: Option<JoinHandle<()>>,
}

/// Why a gateway does not start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A key or token file is not right.
    #[error(transparent)]
    Auth(#[from] AuthSetupError),
    /// The variable that holds a secret is not there.
    #[error(
        "[[auth.jwt]] `{name}`: the variable {variable} (secret_env) is not set; set it, or use secret_file"
    )]
    SecretEnv {
        /// Name of the issuer.
        name: String,
        /// Name of the variable.
        variable: String,
    },
    /// The engine does not start.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The module directory cannot be read.
    #[error("module directory {}: {source}; create it, or name another with --modules", .path.display())]
    Modules {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// What a check without serving found.
#[derive(Debug)]
pub struct CheckReport {
    /// What became of the modules.
    pub loaded: Loaded,
}

impl Gateway {
    /// Starts everything; when this returns, clients can connect.
    pub async fn start(
        config: &Config,
        compiler: &Compiler,
        hidden: Hidden,
    ) -> Result<Self, StartError> {
        let authenticator = authenticator(&config.auth)?;
        // First of what takes time: a port in use is told at once.
        let (listener, address) = bind(config.listen)?;
        let scraped = config.metrics.listen.map(bind).transpose()?;
        let metrics_address = scraped.as_ref().map(|(_, address)| *address);
        let registry = Arc::new(Registry::new(connection_limits(config)));
        let counters = Arc::new(counters(config));
        let sandbox = Arc::new(Sandbox::new(&sandbox_settings(config, compiler))?);
        let memory = Arc::clone(sandbox.memory());
        let Loaded { modules, refused } =
            load_modules(config, sandbox, &registry, &counters).await?;
        for refusal in &refused {
            tracing::error!(file = %refusal.file(), "module refused: {}", refusal.reason);
        }
        for module in &modules {
            let context = module.context();
            let revision = module.revision();
            tracing::info!(
                module = &**module.name(),
                revision = %revision.digest(),
                bytes = revision.file_bytes(),
                paths = %context.grants,
                "module started"
            );
        }
        let modules = Arc::new(ModuleTable::new(modules));
        let dispatcher =
            Dispatcher::new(Arc::clone(&registry), Arc::clone(&modules), Arc::clone(&counters))
                .with_native_echo(hidden.native_echo);
        let base_path: Arc<str> = config.path.as_str().into();
        let gate = Gate::new(gate_settings(config), authenticator, Arc::clone(&registry));
        let metrics = Metrics::new(metrics::Sources {
            counters: Arc::clone(&counters),
            registry: Arc::clone(&registry),
            memory,
            insecure: gate.is_insecure(),
        });
        let server = Server::new(server_settings(config), gate, registry, dispatcher, counters);
        let server = Arc::new(server);
        let scraping = scraped.map(|(listener, _)| {
            tokio::spawn(server::serve_metrics(Arc::clone(&server), listener, metrics))
        });
        let accepting = tokio::spawn(server::serve(Arc::clone(&server), listener));
        Ok(Self {
            server,
            address,
            metrics_address,
            base_path,
            shutdown_timeout: config.shutdown_timeout,
            modules,
            refused,
            accepting,
            scraping,
        })
    }

    /// Checks everything that [`Gateway::start`] would use, and serves nothing.
    pub async fn check(config: &Config, compiler: &Compiler) -> Result<CheckReport, StartError> {
        authenticator(&config.auth)?;
        let registry = Arc::new(Registry::new(ConnectionLimits::default()));
        let sandbox = Arc::new(Sandbox::new(&sandbox_settings(config, compiler))?);
        Ok(CheckReport { loaded: load_modules(config, sandbox, &registry, &Arc::default()).await? })
    }

    /// The address in use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are, if they are told.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Where clients connect: `ws://address/base`.
    pub fn url(&self) -> String {
        format!("ws://{}{}", self.address, self.base_path.trim_end_matches('/'))
    }

    /// The server, for its counters and clients.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// The modules.
    pub fn modules(&self) -> &Arc<ModuleTable> {
        &self.modules
    }

    /// Files that did not become modules.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Stops accepting, closes every client with 1001, tells the disconnect listeners. Returns
    /// whether all of it was done within the shutdown time-out.
    pub async fn stop(self) -> bool {
        let in_time = self.server.stop(self.shutdown_timeout).await;
        // They end by themselves; a panic in one has been reported by the runtime.
        let _ = self.accepting.await;
        if let Some(scraping) = self.scraping {
            let _ = scraping.await;
        }
        in_time
    }
}

/// Prepares authentication as configured.
pub fn authenticator(auth: &AuthConfig) -> Result<Authenticator, StartError> {
    let jwt = auth.jwt.iter().map(jwt_settings).collect::<Result<_, _>>()?;
    let settings = AuthSettings {
        jwt,
        token_file: auth.token_file.clone(),
        access_token_query: auth.access_token_query,
        cookie: auth.cookie.clone(),
        proxy: proxy_settings(&auth.proxy),
        insecure: auth.insecure,
    };
    Ok(Authenticator::new(settings)?)
}

fn proxy_settings(proxy: &ProxyConfig) -> Option<ProxySettings> {
    (!proxy.addresses.is_empty()).then(|| ProxySettings {
        proxies: proxy.addresses.clone(),
        user_header: proxy.user_header.clone(),
        roles_header: proxy.roles_header.clone(),
        roles_separator: proxy.roles_separator,
    })
}

fn jwt_settings(jwt: &JwtConfig) -> Result<JwtSettings, StartError> {
    let key = match &jwt.key {
        JwtKey::SecretFile(path) => KeySource::SecretFile(path.clone()),
        JwtKey::PublicKey(path) => KeySource::PublicKeyPem(path.clone()),
        JwtKey::Jwks(path) => KeySource::JwksFile(path.clone()),
        JwtKey::SecretEnv(variable) => {
            KeySource::Secret(std::env::var(variable).map(Secret::new).map_err(|_| {
                StartError::SecretEnv { name: jwt.name.clone(), variable: variable.clone() }
            })?)
        }
    };
    Ok(JwtSettings {
        name: jwt.name.clone(),
        key,
        // Both follow RFC 7518, so every name is known.
        algorithms: jwt
            .algorithms
            .as_ref()
            .map(|names| names.iter().filter_map(|name| name.as_str().parse().ok()).collect()),
        issuer: jwt.issuer.clone(),
        audience: jwt.audience.clone(),
        leeway: jwt.leeway,
        username_claim: jwt.username_claim.clone(),
        roles_claim: jwt.roles_claim.clone(),
    })
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let listener = server::bind(address)?;
    let bound = listener.local_addr().map_err(|source| BindError { address, source })?;
    Ok((listener, bound))
}

/// Durations are measured where somebody can look at them.
fn counters(config: &Config) -> Counters {
    let patterns = config.paths.iter().map(|rule| rule.pattern.to_string());
    let timed = if config.metrics.listen.is_some() { Timed::Yes } else { Timed::No };
    Counters::new(patterns, timed).showing(Reasons {
        rejected: server::rejections(),
        sends_refused: Refusal::ALL.map(Refusal::name).to_vec(),
        dropped: dispatch::drops(),
        accept_errors: server::ACCEPT_ERRORS.to_vec(),
        call_failures: dispatch::call_failures(),
    })
}

async fn load_modules(
    config: &Config,
    sandbox: Arc<Sandbox>,
    registry: &Arc<Registry>,
    counters: &Arc<Counters>,
) -> Result<Loaded, StartError> {
    let loader = Loader {
        sandbox,
        registry: Arc::clone(registry),
        counters: Arc::clone(counters),
        base_path: config.path.as_str().into(),
        defaults: config.sandbox.defaults.clone(),
    };
    let failed = |source| StartError::Modules { path: config.modules.clone(), source };
    loader.load_directory(&config.modules).await.map_err(failed)
}

fn sandbox_settings(config: &Config, compiler: &Compiler) -> SandboxSettings {
    SandboxSettings {
        memory_bytes: config.sandbox.memory_bytes,
        compiler: compiler.clone(),
        compile_limits: compile_limits(config),
        cache: match &config.sandbox.cache {
            config::CompileCache::Off => CompileCache::Off,
            config::CompileCache::Dir(path) => CompileCache::Directory(path.clone()),
            config::CompileCache::Auto => {
                default_cache().map_or(CompileCache::Off, CompileCache::Directory)
            }
        },
    }
}

/// What compiling a module may take.
pub fn compile_limits(config: &Config) -> CompileLimits {
    CompileLimits {
        module_bytes: config.sandbox.max_module_bytes,
        memory_bytes: config.sandbox.compile_memory_bytes,
        cpu_time: config.sandbox.compile_time,
    }
}

/// The user's cache directory (XDG Base Directory Specification); none without a home.
fn default_cache() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(absolute);
    let base =
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
    Some(base.join(Path::new("sporegate/compiled")))
}

fn connection_limits(config: &Config) -> ConnectionLimits {
    let limit = |most: u32| (most > 0).then_some(most as usize);
    ConnectionLimits {
        total: config.max_connections as usize,
        per_user: limit(config.max_connections_per_user),
        per_address: limit(config.max_connections_per_address),
    }
}

fn gate_settings(config: &Config) -> GateSettings {
    GateSettings {
        base_path: config.path.as_str().into(),
        rules: config.paths.clone(),
        default_policy: config.default_policy.clone(),
        check_origin: config.check_origin,
        hosts: config.hosts.clone(),
    }
}

fn server_settings(config: &Config) -> ServerSettings {
    ServerSettings {
        base_path: config.path.as_str().into(),
        test_page: config.test_page,
        handshake_timeout: config.handshake.timeout,
        handshakes: config.handshake.connections,
        handshakes_per_address: config.handshake.connections_per_address,
        connect_rate: config.handshake.connect_rate,
        connect_burst: config
            .handshake
            .connect_burst
            .unwrap_or(config.max_connections.max(config::MIN_DEFAULT_BURST)),
        failed_logins: config.handshake.failed_logins,
        proxies: config.proxies.networks.clone(),
        forwarded_header: config.proxies.header,
        uri_bytes: config.handshake.uri_bytes,
        header_bytes: config.handshake.header_bytes,
        header_count: config.handshake.header_count,
    }
}
