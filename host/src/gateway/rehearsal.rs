//! A gateway without a network: one module, and clients that are streams in memory. Sessions,
//! limits, matching, calls and closes are those of a gateway that serves; what is missing is what
//! comes before: sockets, HTTP and credentials. Services that the module calls answer by a script.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::DuplexStream;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::values::{
    away_limits, connection_limits, gate_settings, outbound_settings, sandbox_settings,
};
use super::{StartError, authenticator, counters, loader};
use crate::admission::Admission;
use crate::config::{Config, HttpAnswer, Newcomer};
use crate::connection;
use crate::counters::Counters;
use crate::dispatch::Dispatcher;
use crate::gate::{Gate, Rejection};
use crate::modules::{Alone, Loader, ModuleTable};
use crate::outbound::{Outbound, Script};
use crate::principal::{Identity, Principal};
use crate::registry::Registry;
use crate::sandbox::{Compiler, Sandbox};
use crate::session::{Attachment, Left, Session};

/// What a client may have sent, or not read, before the other side waits; as a kernel's buffers.
const BUFFERED_BYTES: usize = 4 << 20;

/// Who vouches for the clients.
const AUTHENTICATOR: &str = "conversation";

/// A module that is ready for any number of rehearsals.
#[derive(Debug)]
pub struct Rehearsals {
    config: Config,
    sandbox: Arc<Sandbox>,
    file: PathBuf,
    alone: Arc<Alone>,
}

/// Why a module cannot be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The gateway would not start either.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No service could answer this.
    #[error("an answer in `[[http]]` is not possible: {0}")]
    Answer(String),
    /// The gateway would refuse the module.
    #[error("{}: {reason}", .file.display())]
    Module {
        /// Its file.
        file: PathBuf,
        /// Why, and how to mend it.
        reason: String,
    },
}

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
pub enum TurnedAway {
    /// As a gateway would answer.
    #[error("{status} {0}", status = .0.status().as_u16())]
    Rejected(Rejection),
    /// It has no acceptable name.
    #[error(transparent)]
    Principal(#[from] crate::principal::PrincipalError),
    /// There are no random numbers.
    #[error("no random numbers from the operating system: {0}")]
    Random(#[from] getrandom::Error),
}

/// One module that serves, with an empty registry.
#[derive(Debug)]
pub struct Rehearsal {
    registry: Arc<Registry>,
    counters: Arc<Counters>,
    dispatcher: Arc<Dispatcher>,
    table: Arc<ModuleTable>,
    gate: Gate,
    loader: Loader,
    alone: Arc<Alone>,
    sessions: TaskTracker,
    /// How many clients have gone, and their disconnect listeners been told.
    gone: Arc<watch::Sender<u64>>,
}

impl Rehearsals {
    /// Reads and compiles a module with the sidecar beside it.
    ///
    /// # Errors
    /// What would keep a gateway with this configuration from serving it.
    pub async fn of(
        config: &Config,
        compiler: &Compiler,
        file: &Path,
    ) -> Result<Self, RehearsalError> {
        let settings = sandbox_settings(config, compiler);
        let sandbox = Arc::new(Sandbox::new(&settings).map_err(StartError::from)?);
        let registry = Arc::new(registry(config));
        let (counters, left, buckets) = Default::default();
        let outbound = scripted(config, &[])?;
        let engine = Arc::clone(&sandbox);
        let loader = loader(config, engine, &registry, &counters, &left, buckets, outbound);
        let alone = loader.prepare(file).await;
        let refused = |reason| RehearsalError::Module { file: file.to_owned(), reason };
        let alone = Arc::new(alone.map_err(refused)?);
        Ok(Self { config: config.clone(), sandbox, file: file.to_owned(), alone })
    }

    /// Starts the module anew, with nobody connected. The services that it calls answer this, and
    /// there are no others.
    ///
    /// # Errors
    /// Its `start` failed, or the configuration of authentication is not right.
    pub async fn begin(&self, answers: &[HttpAnswer]) -> Result<Rehearsal, RehearsalError> {
        let config = &self.config;
        let authenticator = authenticator(&config.auth)?;
        let registry = Arc::new(registry(config));
        let counters = Arc::new(counters(config));
        let sandbox = Arc::clone(&self.sandbox);
        let (left, buckets) = Default::default();
        let outbound = scripted(config, answers)?;
        let loader = loader(config, sandbox, &registry, &counters, &left, buckets, outbound);
        let refused = |reason| RehearsalError::Module { file: self.file.clone(), reason };
        let module = loader.start_alone(&self.alone).await.map_err(refused)?;
        let table = Arc::new(ModuleTable::new(vec![module]));
        let dispatcher =
            Dispatcher::new(Arc::clone(&registry), Arc::clone(&table), Arc::clone(&counters));
        let gate = Gate::new(gate_settings(config), authenticator, Arc::clone(&registry));
        Ok(Rehearsal {
            registry,
            counters,
            dispatcher: Arc::new(dispatcher),
            table,
            gate,
            loader,
            alone: Arc::clone(&self.alone),
            sessions: TaskTracker::new(),
            gone: Arc::default(),
        })
    }
}

fn scripted(config: &Config, answers: &[HttpAnswer]) -> Result<Outbound, RehearsalError> {
    let script = Script::new(answers).map_err(|error| RehearsalError::Answer(error.to_string()))?;
    Ok(Outbound::scripted(script, &outbound_settings(config)))
}

fn registry(config: &Config) -> Registry {
    Registry::new(connection_limits(config), away_limits(config))
}

impl Rehearsal {
    /// Lets a client in, and returns its end of the connection, as after the upgrade. It is greeted
    /// with nothing, and cannot come back.
    ///
    /// # Errors
    /// The gateway would have turned it away.
    pub fn connect(&self, newcomer: &Newcomer) -> Result<DuplexStream, TurnedAway> {
        let principal = principal(newcomer)?;
        let admitted = self.gate.admits(&newcomer.path, &principal);
        let (policy, rule) = admitted.map_err(TurnedAway::Rejected)?;
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST).into();
        let admission = self.registry.admit(address, principal.username());
        let admission = admission.map_err(|no_room| TurnedAway::Rejected(no_room.into()))?;
        let expires_at = principal.expires_at();
        let session = Arc::new(Session::new(
            self.registry.next_order(),
            newcomer.path.clone(),
            principal,
            policy,
            self.counters.path(rule),
            Arc::clone(self.registry.kept()),
        )?);
        self.registry.insert(&session);
        let attachment = Attachment::first(session, expires_at);
        let (client, gateway) = tokio::io::duplex(BUFFERED_BYTES);
        let dispatcher = Arc::clone(&self.dispatcher);
        let gone = Arc::clone(&self.gone);
        self.sessions.spawn(serve(gateway, attachment, dispatcher, admission, gone));
        Ok(client)
    }

    /// Waits until so many clients have gone, and their disconnect listeners been told.
    pub async fn gone(&self, clients: u64) {
        // The sender is in `self`.
        let _ = self.gone.subscribe().wait_for(|gone| *gone >= clients).await;
    }

    /// The module takes over from itself.
    ///
    /// # Errors
    /// Why a swap would have been abandoned.
    pub async fn swap(&self) -> Result<(), String> {
        self.loader.renew(&self.table, &self.alone).await
    }

    /// Waits until everybody has gone: the other ends of all connections must have been dropped.
    pub async fn end(self) {
        self.sessions.close();
        self.sessions.wait().await;
    }
}

async fn serve(
    stream: DuplexStream,
    attachment: Attachment,
    dispatcher: Arc<Dispatcher>,
    admission: Admission,
    gone: Arc<watch::Sender<u64>>,
) {
    let mut socket = Box::pin(connection::open(stream, Bytes::new(), attachment.policy())).await;
    let (reason, left) = connection::serve(&mut socket, &attachment, &dispatcher, None).await;
    drop(socket);
    drop(admission);
    match left {
        // Nobody comes back.
        Left::Detached => drop(attachment.expire()),
        Left::Ended | Left::Replaced => {}
    }
    dispatcher.disconnected(attachment.session(), &reason).await;
    gone.send_modify(|gone| *gone += 1);
}

fn principal(newcomer: &Newcomer) -> Result<Principal, crate::principal::PrincipalError> {
    let Newcomer { user, roles, claims, .. } = newcomer;
    match user {
        None => Ok(Principal::anonymous()),
        Some(user) => Principal::user(Identity {
            username: user.clone(),
            roles: roles.clone(),
            claims: claims.clone(),
            expires_at: None,
            authenticator: AUTHENTICATOR.into(),
        }),
    }
}
