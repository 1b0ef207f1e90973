//! Clients that come, are greeted, leave, and come back to their session.
//!
//! Invariant: who is waited for is waited for in the poll, so that the generator leaves the
//! processors to the server, and for a bounded time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use mio::{Events, Interest, Poll, Token};
use serde_json::Value;

use crate::client::Client;
use crate::frame::{Opcode, encode};

/// How long a message may take: it may have to wait for a module.
const WAIT: Duration = Duration::from_secs(20);
/// Larger than any message here.
const BUFFER: usize = 1024 * 1024;

/// One at a time, on one poll.
pub(crate) struct Visitors {
    server: SocketAddr,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
}

/// A client that was greeted.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// Its connection.
    pub(crate) client: Client,
    /// What it may come back with.
    pub(crate) token: String,
}

impl Visitors {
    /// Of the server that listens there.
    pub(crate) fn of(server: SocketAddr) -> Result<Self> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(8));
        Ok(Self { server, poll, events, buffer: vec![0; BUFFER] })
    }

    /// Connects on `path` and takes the greeting.
    pub(crate) fn come(&mut self, path: &str) -> Result<Visitor> {
        let client = Client::connect(self.server, path, None)?;
        let (visitor, resumed) = self.greeted(client, &mut Vec::new(), 1)?;
        ensure!(!resumed, "a new client was given a session");
        Ok(visitor)
    }

    /// Comes back to the session of `token` after `received` messages of it, and takes the
    /// greeting and `waiting` messages, each of which must be `text`.
    ///
    /// # Errors
    /// The session is not resumed, or another message comes.
    pub(crate) fn come_back(
        &mut self,
        path: &str,
        token: &str,
        received: usize,
        (waiting, text): (usize, &str),
    ) -> Result<Visitor> {
        let path = format!("{path}?clientId={token}&received={received}");
        let client = Client::connect(self.server, &path, None)?;
        let mut messages = Vec::with_capacity(waiting + 1);
        let (visitor, resumed) = self.greeted(client, &mut messages, waiting + 1)?;
        ensure!(resumed, "the session was not resumed: {:?}", messages.first());
        let others =
            messages.iter().skip(1).filter(|message| message.as_slice() != text.as_bytes());
        ensure!(others.count() == 0, "other messages came than were sent");
        Ok(visitor)
    }

    /// The next message to a client after it has sent `frame`, as JSON.
    pub(crate) fn ask(&mut self, client: &mut Client, frame: &[u8]) -> Result<Value> {
        client.send(frame)?;
        let mut messages = Vec::new();
        self.read(client, &mut messages, 1)?;
        let message = messages.first().context("no message")?;
        serde_json::from_slice(message).context("an answer that is not JSON")
    }

    /// The client with its token, and whether its session goes on.
    fn greeted(
        &mut self,
        mut client: Client,
        messages: &mut Vec<Vec<u8>>,
        count: usize,
    ) -> Result<(Visitor, bool)> {
        self.read(&mut client, messages, count)?;
        let first: Value = serde_json::from_slice(messages.first().context("no greeting")?)?;
        let token = first.get("payload").and_then(Value::as_str).context("no token")?.to_owned();
        let resumed = first.get("resumed").and_then(Value::as_bool).unwrap_or(false);
        Ok((Visitor { client, token }, resumed))
    }

    /// Reads until `count` messages have come, and fails when there are more.
    fn read(
        &mut self,
        client: &mut Client,
        messages: &mut Vec<Vec<u8>>,
        count: usize,
    ) -> Result<()> {
        let deadline = Instant::now() + WAIT;
        let mut take = |message: &[u8]| messages.push(message.to_vec());
        client.receive_early(&mut take)?;
        let interest = Interest::READABLE;
        self.poll.registry().register(&mut client.stream, Token(0), interest)?;
        loop {
            client.receive(&mut self.buffer, |message| messages.push(message.to_vec()))?;
            if messages.len() >= count {
                break;
            }
            ensure!(Instant::now() < deadline, "{} of {count} messages came", messages.len());
            match self.poll.poll(&mut self.events, Some(Duration::from_millis(100))) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                polled => polled.context("waiting for the socket")?,
            }
        }
        self.poll.registry().deregister(&mut client.stream)?;
        ensure!(messages.len() == count, "{} messages came instead of {count}", messages.len());
        Ok(())
    }
}

/// Ends the session of a client, which then cannot come back.
pub(crate) fn end(client: &mut Client) -> Result<()> {
    client.send(&encode(Opcode::Close, &1000_u16.to_be_bytes()))
}
