//! The local socket on which an operator looks at modules and changes them. Nobody but the user the
//! gateway runs as, and root, is answered: by the mode of the socket and by who is at the other end.
//!
//! A request is one line of JSON, and so is its answer:
//!
//! ```text
//! {"command":"rollback","module":"chat"}
//! {"ok":true}            {"error":"module `chat` has no revision to go back to ..."}
//! ```

mod ask;
mod claim;

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::ask::{AskError, ask};
use self::claim::Claim;
use crate::modules::{Asked, KeeperHandle, ModuleStatus, Upshot};

/// Operators at a time; one more waits.
const MAX_CONNECTIONS: usize = 8;

/// Longest request, in bytes.
const MAX_REQUEST_BYTES: u64 = 4 << 10;

/// Time for a request to come. Its answer has all the time that the change takes.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a place cannot be had.
const TAKEN: &str = "another gateway answers there; stop it, or name another place";

/// Why a user is not answered.
const STRANGER: &str = "only the user that the gateway runs as, and root, are answered";

/// What an operator asks, on the command line and on the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Subcommand)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Every module with its state.
    // The command has an option more.
    #[command(skip)]
    List,
    /// Looks at the module directory now, and says what came of each module that has changed. Exit
    /// code 1 where the files of one are refused, or do not keep still.
    Reload,
    /// Goes back to the revision that served before; the file is left alone until it changes.
    Rollback {
        /// Its name.
        module: String,
    },
    /// Ends a module after what it was called for, and leaves it out.
    Disable {
        /// Its name.
        module: String,
    },
    /// Loads a module that was disabled, rolled back or refused.
    Enable {
        /// Its name.
        module: String,
    },
}

/// What he is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// It is done.
    Ok(bool),
    /// All modules, by name.
    Modules(Vec<ModuleStatus>),
    /// What came of a look at the directory, by module.
    Reloaded(Vec<Upshot>),
    /// It is not, and why.
    Error(String),
}

/// The socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("control socket {}: {why}", .path.display())]
pub struct ControlError {
    /// Where.
    pub path: PathBuf,
    /// What is in the way, and what to do about it.
    pub why: String,
}

/// The socket; its file goes with it.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// The socket's own: another gateway may have put one there since.
    inode: Option<u64>,
    /// The last to go.
    _claim: Claim,
}

impl Control {
    /// Makes the socket, in the place of one that a gateway has left behind. Of several that ask
    /// for one place, also at once, one gets it.
    ///
    /// # Errors
    /// Another gateway answers there, something else than a socket is there, or the system refuses.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let failed = |why: String| ControlError { path: path.to_owned(), why };
        let claim = Claim::on(path).map_err(failed)?;
        if let Ok(metadata) = path.symlink_metadata() {
            if !metadata.file_type().is_socket() {
                return Err(failed("there is a file that is no socket; name another place".into()));
            }
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(failed(TAKEN.into()));
            }
            std::fs::remove_file(path).map_err(|error| failed(error.to_string()))?;
        }
        let listener = UnixListener::bind(path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => failed(ask::TOO_LONG.into()),
            _ => failed(format!("{error}; its directory must exist and be writable")),
        })?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self { listener, path: path.to_owned(), inode: inode(path), _claim: claim })
    }

    /// Answers until `stop`.
    pub async fn serve(self, keeper: KeeperHandle, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let tasks = TaskTracker::new();
        loop {
            let next = async {
                let room = Arc::clone(&room).acquire_owned().await;
                (room, self.listener.accept().await)
            };
            let (room, accepted) = tokio::select! {
                next = next => next,
                () = stop.cancelled() => break,
            };
            let (Ok(room), Ok((stream, _))) = (room, accepted) else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (keeper, stop) = (keeper.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    // Whoever goes away has no answer, and what he asked for goes on.
                    _ = converse(stream, &keeper) => {}
                    () = stop.cancelled() => {}
                }
                drop(room);
            });
        }
        tasks.close();
        tasks.wait().await;
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        if self.inode.is_some() && inode(&self.path) == self.inode {
            // It may be gone already.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    path.symlink_metadata().ok().map(|metadata| metadata.ino())
}

async fn converse(stream: UnixStream, keeper: &KeeperHandle) -> io::Result<()> {
    let is_own = is_own(&stream)?;
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(MAX_REQUEST_BYTES));
    tokio::time::timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        _ if !is_own => Reply::Error(STRANGER.to_owned()),
        Ok(request) => {
            let mut more = String::new();
            tokio::select! {
                reply = answer(request, keeper) => reply,
                // Whoever asked has gone; what he asked for goes on.
                _ = reader.read_line(&mut more) => return Ok(()),
            }
        }
        Err(error) => Reply::Error(format!(
            "no request that this gateway knows, which is sporegate {VERSION} ({error}); use its own version of the command"
        )),
    };
    let mut text = serde_json::to_vec(&reply)?;
    text.push(b'\n');
    writer.write_all(&text).await
}

/// Whether the other end is this user, or root.
fn is_own(stream: &UnixStream) -> io::Result<bool> {
    let peer = stream.peer_cred()?.uid();
    Ok(peer == 0 || peer == own_user()?)
}

/// The user that this process acts as: the owner of what it makes.
fn own_user() -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(std::fs::metadata("/proc/self")?.uid())
}

async fn answer(request: Request, keeper: &KeeperHandle) -> Reply {
    let done = match request {
        Request::List => {
            return match keeper.list().await {
                Ok(modules) => Reply::Modules(modules),
                Err(refusal) => Reply::Error(refusal.to_string()),
            };
        }
        Request::Reload => {
            return match keeper.reload().await {
                Ok(upshots) => Reply::Reloaded(upshots),
                Err(refusal) => Reply::Error(refusal.to_string()),
            };
        }
        Request::Rollback { module } => keeper.change(&module, Asked::Rollback).await,
        Request::Disable { module } => keeper.change(&module, Asked::Disable).await,
        Request::Enable { module } => keeper.change(&module, Asked::Enable).await,
    };
    match done {
        Ok(()) => Reply::Ok(true),
        Err(refusal) => Reply::Error(refusal.to_string()),
    }
}
