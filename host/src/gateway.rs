//! The composition root: the only place where the configuration becomes values for the parts, and
//! where the parts meet.

mod kept_sessions;
mod rehearsal;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::admission::ConnectionLimits;
use crate::auth::{AuthSettings, AuthSetupError, Authenticator};
use crate::config::{AuthConfig, Config};
use crate::control::{Control, ControlError};
use crate::counters::{Counters, Reasons, Timed};
use crate::dispatch::{self, Dispatcher};
use crate::gate::Gate;
use crate::keyvalue::Buckets;
use crate::metrics::{self, Metrics};
use crate::modules::{
    self, ChangeKind, Keeper, KeeperHandle, LeftStates, Loaded, Loader, ModuleTable, Refused, Watch,
};
use crate::outbound::{self, CaFileError, Outbound};
use crate::registry::{AwayLimits, Refused as ResumeRefused, Registry};
use crate::sandbox::{Compiler, Sandbox, SandboxError};
use crate::server::{self, BindError, Server, default_memory_limit};
use crate::session::Refusal;
use crate::store::{Found, OpenError, Store};

use self::kept_sessions::{buckets, leave, open_store};
pub use self::rehearsal::{Rehearsal, RehearsalError, Rehearsals, TurnedAway};
pub use self::values::compile_limits;
use self::values::{
    away_limits, connection_limits, gate_settings, jwt_settings, outbound_settings, proxy_settings,
    sandbox_settings, server_settings,
};

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
    keeper: KeeperHandle,
    keeping: JoinHandle<()>,
    /// Ends the keeper, also when the gateway is dropped.
    stop_keeping: DropGuard,
    looking: TaskTracker,
    controlling: Option<JoinHandle<()>>,
    /// The same for the control socket.
    stop_controlling: DropGuard,
    refused: Vec<Refused>,
    accepting: JoinHandle<()>,
    scraping: Option<JoinHandle<()>>,
    store: Option<Arc<Store>>,
    left: Arc<LeftStates>,
}

/// Why a gateway does not start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate authorities for requests of modules cannot be read.
    #[error(transparent)]
    CaFile(#[from] CaFileError),
    /// The store of sessions cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The control socket cannot be made.
    #[error(transparent)]
    Control(#[from] ControlError),
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
        let control = config.control.as_deref().map(Control::bind).transpose()?;
        let (store, found) = match &config.reconnect.folder {
            Some(folder) => open_store(folder)?,
            None => (None, Found::default()),
        };
        let registry = Arc::new(Registry::new(connection_limits(config), away_limits(config)));
        let counters = Arc::new(counters(config));
        counters.sessions_lost.add(found.damaged);
        let sandbox = Arc::new(Sandbox::new(&sandbox_settings(config, compiler))?);
        let memory = Arc::clone(sandbox.memory());
        let left = Arc::new(LeftStates::new(found.states));
        let buckets = buckets(store.as_ref(), found.values);
        let outbound = Outbound::new(&outbound_settings(config))?;
        let loader = loader(config, sandbox, &registry, &counters, &left, buckets, outbound);
        let loader = Arc::new(loader);
        let loaded = load_modules(config, &loader).await?;
        tell(&loaded);
        let refused = loaded.refused.clone();
        let modules = loaded.modules.iter().map(|loaded| Arc::clone(&loaded.module));
        let modules = Arc::new(ModuleTable::new(modules.collect()));
        let watch = if config.watch { Watch::On } else { Watch::Off };
        let table = Arc::clone(&modules);
        let (keeper, handle) = Keeper::new(loader, table, config.modules.clone(), watch, loaded);
        let stop_keeping = CancellationToken::new();
        let keeping = tokio::spawn(keeper.run(stop_keeping.clone()));
        let stop_controlling = CancellationToken::new();
        let controlling = control
            .map(|control| tokio::spawn(control.serve(handle.clone(), stop_controlling.clone())));
        let dispatcher =
            Dispatcher::new(Arc::clone(&registry), Arc::clone(&modules), Arc::clone(&counters))
                .with_native_echo(hidden.native_echo);
        let base_path: Arc<str> = config.path.as_str().into();
        let gate = Gate::new(gate_settings(config), authenticator, Arc::clone(&registry));
        let metrics = Metrics::new(metrics::Sources {
            counters: Arc::clone(&counters),
            registry: Arc::clone(&registry),
            memory,
            store: store.clone(),
            insecure: gate.is_insecure(),
        });
        let server = Server::new(server_settings(config), gate, registry, dispatcher, counters)
            .with_store(store.clone());
        let server = Arc::new(server);
        // Before anybody can come back to them.
        server.restore(found.sessions, found.clean);
        tokio::spawn(Arc::clone(&server).mend_store());
        if let Some(limit) = config.max_memory.or_else(default_memory_limit).filter(|it| *it > 0) {
            tokio::spawn(Arc::clone(&server).watch_memory(limit));
        }
        let scraping = scraped.map(|(listener, _)| {
            tokio::spawn(server::serve_metrics(Arc::clone(&server), listener, metrics))
        });
        let accepting = tokio::spawn(server::serve(Arc::clone(&server), listener));
        Ok(Self {
            server,
            address,
            metrics_address,
            base_path,
            shutdown_timeout: config.shutdown.timeout,
            modules,
            keeper: handle,
            keeping,
            stop_keeping: stop_keeping.drop_guard(),
            looking: TaskTracker::new(),
            controlling,
            stop_controlling: stop_controlling.drop_guard(),
            refused,
            accepting,
            scraping,
            store,
            left,
        })
    }

    /// Checks everything that [`Gateway::start`] would use, and serves nothing.
    pub async fn check(config: &Config, compiler: &Compiler) -> Result<CheckReport, StartError> {
        authenticator(&config.auth)?;
        let registry = Arc::new(Registry::new(ConnectionLimits::default(), AwayLimits::default()));
        let sandbox = Arc::new(Sandbox::new(&sandbox_settings(config, compiler))?);
        let (counters, left, buckets) = Default::default();
        let outbound = Outbound::new(&outbound_settings(config))?;
        let loader = loader(config, sandbox, &registry, &counters, &left, buckets, outbound);
        Ok(CheckReport { loaded: load_modules(config, &loader).await? })
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

    /// Whoever keeps the modules in step with their files.
    pub fn keeper(&self) -> &KeeperHandle {
        &self.keeper
    }

    /// Looks at the module directory in its own time, as on SIGHUP.
    pub fn look_at_modules(&self) {
        let keeper = self.keeper.clone();
        tracing::info!("looking at the modules");
        self.looking.spawn(async move {
            if let Err(refusal) = keeper.reload().await {
                tracing::warn!("modules were not looked at: {refusal}");
            }
        });
    }

    /// Files that did not become modules when it started.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Admits nobody any more, closes every client, tells the disconnect listeners. Modules are left
    /// as they are from now on; whoever asks on the control socket is told that the gateway stops.
    /// Returns whether all of it was done within the shutdown time-out.
    pub async fn stop(self) -> bool {
        let deadline = Instant::now() + self.shutdown_timeout;
        drop(self.stop_keeping);
        // What it was doing is given up, which may take until a guest makes way.
        let kept = tokio::time::timeout(self.shutdown_timeout, self.keeping);
        let (in_time, _) = tokio::join!(self.server.stop(), kept);
        drop(self.stop_controlling);
        // They end by themselves; a panic in one has been reported by the runtime.
        if let Some(controlling) = self.controlling {
            let _ = controlling.await;
        }
        let _ = self.accepting.await;
        if let Some(scraping) = self.scraping {
            let _ = scraping.await;
        }
        let Some(store) = self.store else { return in_time };
        let left_in_time = leave(&store, &self.left, &self.modules, deadline).await;
        in_time && left_in_time
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
        swaps: ChangeKind::ALL.map(ChangeKind::as_str).to_vec(),
        rejected: server::rejections(),
        resumes_refused: ResumeRefused::ALL.map(ResumeRefused::name).to_vec(),
        sends_refused: Refusal::ALL.map(Refusal::name).to_vec(),
        dropped: dispatch::drops(),
        accept_errors: server::ACCEPT_ERRORS.to_vec(),
        call_failures: modules::call_failures(),
        outbound: outbound::results(),
    })
}

fn loader(
    config: &Config,
    sandbox: Arc<Sandbox>,
    registry: &Arc<Registry>,
    counters: &Arc<Counters>,
    left: &Arc<LeftStates>,
    buckets: Arc<Buckets>,
    outbound: Outbound,
) -> Loader {
    Loader {
        outbound: Arc::new(outbound),
        sandbox,
        registry: Arc::clone(registry),
        counters: Arc::clone(counters),
        base_path: config.path.as_str().into(),
        defaults: config.sandbox.defaults.clone(),
        alarm: Arc::default(),
        left: Arc::clone(left),
        buckets,
    }
}

/// What became of the module directory, for the log.
fn tell(loaded: &Loaded) {
    for refusal in &loaded.refused {
        tracing::error!(file = %refusal.file(), "module refused: {}", refusal.reason);
    }
    for loaded in &loaded.modules {
        let module = &loaded.module;
        tracing::info!(
            module = &**module.name(),
            revision = %module.digest(),
            bytes = module.file_bytes(),
            paths = %module.context().grants,
            "module started"
        );
    }
}

async fn load_modules(config: &Config, loader: &Loader) -> Result<Loaded, StartError> {
    let failed = |source| StartError::Modules { path: config.modules.clone(), source };
    loader.load_directory(&config.modules).await.map_err(failed)
}
