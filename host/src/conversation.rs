//! Plays a conversation: its clients speak, and what they hear is held against what they expect.
//! The stage says where they connect to: a gateway without a network, or one with all of it.
//!
//! Invariant: nothing waits for time to pass, but for something to happen. "Nothing came" is
//! known by the answer to a ping, which comes after all that was sent before.

mod difference;
mod peer;
mod stage;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use stage::Stage;

use crate::config::{Action, Conversation, Said, Step, Taken};
use difference::difference;
use peer::{Heard, Peer};

/// How often everybody is asked for a sign of life until it is known that nothing more comes. In the
/// first round what was said is handled; in the second the answers are on their way, where a pong may
/// still overtake one for somebody else; the third comes after them.
const SETTLE_ROUNDS: usize = 3;

/// How a conversation went otherwise than it should.
#[derive(Debug)]
pub struct Failure {
    /// The file.
    pub file: PathBuf,
    /// Line of the step, from 1.
    pub line: usize,
    /// Number of the step, from 1.
    pub number: usize,
    /// What was to happen.
    pub step: String,
    /// What happened instead; may have several lines.
    pub what: String,
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, number, step, what } = self;
        write!(f, "{}:{line}: step {number}: {step}", file.display())?;
        what.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Plays a conversation to its end. `tell` hears of each step before it is made.
///
/// # Errors
/// The first step that goes otherwise; or, after the last one, a message that nobody expected.
pub async fn play<S: Stage>(
    conversation: &Conversation,
    stage: &mut S,
    mut tell: impl FnMut(&Step),
) -> Result<(), Failure> {
    let patience = conversation.patience;
    let mut player = Player { stage, peers: BTreeMap::new(), patience, gone: 0 };
    for (index, step) in conversation.steps.iter().enumerate() {
        tell(step);
        if let Err(what) = player.make(&step.action).await {
            return Err(failure(conversation, index, step.action.to_string(), what));
        }
    }
    let last = conversation.steps.len().saturating_sub(1);
    let nothing_more = || "no message is left over at the end".to_owned();
    player.finish().await.map_err(|what| failure(conversation, last, nothing_more(), what))
}

fn failure(conversation: &Conversation, index: usize, step: String, what: String) -> Failure {
    let line = conversation.steps.get(index).map_or(1, |step| step.line);
    Failure { file: conversation.file.clone(), line, number: index + 1, step, what }
}

struct Player<'s, S: Stage> {
    stage: &'s mut S,
    peers: BTreeMap<String, Peer<S::Stream>>,
    patience: Duration,
    /// Clients whose end has been waited for.
    gone: u64,
}

impl<S: Stage> Player<'_, S> {
    async fn make(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Connect(newcomer) => {
                let socket = self.stage.connect(newcomer).await?;
                self.peers.insert(newcomer.client.clone(), Peer::new(socket));
                Ok(())
            }
            Action::Send { client, message } => {
                let patience = self.patience;
                self.peer(client)?.send(message, patience).await
            }
            Action::Expect { client, message } => {
                let patience = self.patience;
                let heard = self.peer(client)?.next(patience).await;
                expect(message, heard, patience)
            }
            Action::ExpectNothing { client } => self.expect_nothing(client).await,
            Action::ExpectClose { client, code, reason } => {
                let patience = self.patience;
                let heard = self.peer(client)?.next(patience).await;
                expect_close((*code, reason.as_deref()), heard, patience)?;
                self.peer(client)?.ended(patience).await?;
                self.take_leave(client).await
            }
            Action::Close { client, code, reason } => {
                let patience = self.patience;
                self.peer(client)?.close(*code, reason, patience).await?;
                self.take_leave(client).await
            }
            Action::Drop { client } => self.take_leave(client).await,
            Action::Advance(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Action::Swap => {
                // What was said before is for the one that goes.
                self.settle().await?;
                self.stage.swap().await
            }
        }
    }

    fn peer(&mut self, client: &str) -> Result<&mut Peer<S::Stream>, String> {
        self.peers.get_mut(client).ok_or_else(|| format!("`{client}` is not connected"))
    }

    /// Waits until all that was said has been heard by listeners, and the answers have come.
    async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..SETTLE_ROUNDS {
            for (client, peer) in &mut self.peers {
                peer.settle(self.patience).await.map_err(|what| format!("{client}: {what}"))?;
            }
        }
        Ok(())
    }

    async fn expect_nothing(&mut self, client: &str) -> Result<(), String> {
        self.settle().await?;
        match self.peer(client)?.waiting() {
            None => Ok(()),
            Some(heard) => Err(format!("expected  nothing\ngot       {heard}")),
        }
    }

    /// The connection is over: waits until the module has been told.
    async fn take_leave(&mut self, client: &str) -> Result<(), String> {
        let peer = self.peers.remove(client).ok_or("it is not connected")?;
        peer.leave().await;
        self.gone += 1;
        let gone = self.stage.gone(self.gone);
        tokio::time::timeout(self.patience, gone)
            .await
            .map_err(|_| format!("its end was not told within {:?}", self.patience))
    }

    /// All that came must have been expected.
    async fn finish(mut self) -> Result<(), String> {
        self.settle().await?;
        let left = self.peers.iter_mut().find_map(|(client, peer)| {
            peer.waiting().map(|heard| format!("{client} was not expected to hear\n  {heard}"))
        });
        for (_, mut peer) in std::mem::take(&mut self.peers) {
            let closed = peer.close(1000, "", self.patience).await;
            // Whoever has been closed meanwhile need not be closed again.
            drop(closed);
        }
        left.map_or(Ok(()), Err)
    }
}

fn nothing(patience: Duration) -> String {
    format!("nothing within {}", crate::config::duration_text(patience))
}

fn expect(expected: &Taken, heard: Option<Heard>, patience: Duration) -> Result<(), String> {
    let same = match (expected, &heard) {
        (Taken::Text(text), Some(Heard::Text(heard))) => text == heard,
        (Taken::Binary(bytes), Some(Heard::Binary(heard))) => bytes == heard,
        (Taken::Json(value), Some(Heard::Text(heard))) => {
            serde_json::from_str(heard).is_ok_and(|heard| difference::is_like(value, &heard))
        }
        _ => false,
    };
    if same {
        return Ok(());
    }
    let got = heard.as_ref().map_or_else(|| nothing(patience), ToString::to_string);
    let mut what = format!("expected  {expected}\ngot       {got}");
    if let Some(heard) = &heard
        && let Some(difference) = difference(expected, heard)
    {
        what.push('\n');
        what.push_str(&difference);
    }
    Err(what)
}

fn expect_close(
    (code, reason): (u16, Option<&str>),
    heard: Option<Heard>,
    patience: Duration,
) -> Result<(), String> {
    if let Some(Heard::Close { code: heard, reason: why }) = &heard
        && *heard == code
        && reason.is_none_or(|reason| reason == why)
    {
        return Ok(());
    }
    let got = heard.map_or_else(|| nothing(patience), |heard| heard.to_string());
    let reason = reason.map(|reason| format!(" {reason:?}")).unwrap_or_default();
    Err(format!("expected  the close {code}{reason}\ngot       {got}"))
}
