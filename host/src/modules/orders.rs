//! What others may ask of the keeper, and what they are told.

use tokio::sync::{mpsc, oneshot};

use super::reload::Upshot;
use super::status::ModuleStatus;

/// Commands that may wait; one more waits where it comes from.
const MAX_COMMANDS: usize = 16;

/// How others speak to it.
#[derive(Clone, Debug)]
pub struct KeeperHandle(mpsc::Sender<Command>);

/// What the keeper is told.
#[derive(Debug)]
pub(super) enum Command {
    List(oneshot::Sender<Vec<ModuleStatus>>),
    Reload(oneshot::Sender<Result<Vec<Upshot>, Refusal>>),
    Change { name: String, what: Asked, reply: oneshot::Sender<Result<(), Refusal>> },
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Goes back to the revision before this one.
    Rollback,
    /// Drains the module, and leaves its file alone from then on.
    Disable,
    /// Loads it again, whatever was wrong with it before.
    Enable,
}

/// Why an operator does not get what he asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such module.
    #[error("there is no module `{name}`; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is, and what may be meant.
        hint: String,
    },
    /// Something is being done with it.
    #[error("module `{0}` is being changed; try again")]
    Busy(String),
    /// There is nothing to go back to.
    #[error("module `{0}` has no revision to go back to since the gateway started")]
    NoFallback(String),
    /// It is disabled, or it is not.
    #[error("module `{name}` is {state}")]
    State {
        /// The module.
        name: String,
        /// What it is.
        state: &'static str,
    },
    /// The change was tried and given up.
    #[error("{0}")]
    Failed(String),
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Stopping,
}

impl KeeperHandle {
    pub(super) fn new() -> (Self, mpsc::Receiver<Command>) {
        let (sender, commands) = mpsc::channel(MAX_COMMANDS);
        (Self(sender), commands)
    }

    /// Every module, by name.
    pub async fn list(&self) -> Result<Vec<ModuleStatus>, Refusal> {
        self.ask(Command::List).await
    }

    /// Looks at the directory, and returns what followed from it when that is done: for each module
    /// that changed, and each whose files are refused.
    pub async fn reload(&self) -> Result<Vec<Upshot>, Refusal> {
        self.ask(Command::Reload).await?
    }

    /// Changes one module, and returns when it is done.
    pub async fn change(&self, name: &str, what: Asked) -> Result<(), Refusal> {
        self.ask(|reply| Command::Change { name: name.to_owned(), what, reply }).await?
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.0.send(command(reply)).await.map_err(|_| Refusal::Stopping)?;
        answer.await.map_err(|_| match self.0.is_closed() {
            true => Refusal::Stopping,
            false => Refusal::Failed("its file is gone, or never was there".to_owned()),
        })
    }
}
