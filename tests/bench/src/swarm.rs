//! Many clients on one thread and one poll.
//!
//! Invariant: no message is taken for an answer unless it equals the expected one byte for byte.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mio::{Events, Interest, Poll, Token};

use crate::client::Client;
use crate::message;

/// Large enough for what 16 answers of 64 KiB take.
const READ_BUFFER: usize = 1024 * 1024;
/// Connections of one loopback source address: below the ephemeral ports of an address.
const PER_SOURCE: usize = 5_000;

/// Connected clients, driven together.
pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    expected: Vec<u8>,
    strangers: u64,
    stranger: Option<String>,
}

/// Answers that one client got in one turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// Which client.
    pub(crate) client: usize,
    /// How many answers, at least one.
    pub(crate) answers: usize,
}

impl Swarm {
    /// Opens `count` connections on `path`, spread over loopback source addresses.
    ///
    /// # Errors
    /// Any of them fails; the message says which.
    pub(crate) fn connect(server: SocketAddr, path: &str, count: usize) -> Result<Self> {
        let mut swarm = Self::of(Vec::new(), Vec::new())?;
        for index in 0..count {
            let client = Client::connect(server, path, source(index))
                .with_context(|| format!("connection {} of {count}", index + 1))?;
            swarm.add(client)?;
        }
        Ok(swarm)
    }

    /// Takes `clients` that are connected already and await the answer `expected`.
    pub(crate) fn of(clients: Vec<Client>, expected: Vec<u8>) -> Result<Self> {
        let mut swarm = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            clients: Vec::new(),
            buffer: vec![0; READ_BUFFER],
            expected,
            strangers: 0,
            stranger: None,
        };
        clients.into_iter().try_for_each(|client| swarm.add(client))?;
        Ok(swarm)
    }

    fn add(&mut self, mut client: Client) -> Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(self.clients.len());
        self.poll.registry().register(&mut client.stream, token, interest)?;
        self.clients.push(client);
        Ok(())
    }

    /// The clients, to send through.
    pub(crate) fn clients(&mut self) -> &mut [Client] {
        &mut self.clients
    }

    /// The clients, no longer driven together.
    pub(crate) fn into_clients(self) -> Vec<Client> {
        self.clients
    }

    /// Sends `frame` through the client `from` and returns the first message that reaches the
    /// client `to` within `wait` and contains `mark`; it becomes the expected answer.
    ///
    /// # Errors
    /// None came; the message says what came instead.
    pub(crate) fn probe(&mut self, probe: &Probe<'_>) -> Result<Vec<u8>> {
        self.client(probe.from)?.send(probe.frame)?;
        let deadline = Instant::now() + probe.wait;
        let mark = probe.mark.as_bytes();
        while Instant::now() < deadline {
            self.poll(Some(Duration::from_millis(20)))?;
            let mut found = None;
            for event in &self.events {
                let Token(index) = event.token();
                let Some(client) = self.clients.get_mut(index) else { continue };
                client.receive(&mut self.buffer, |message| {
                    if index == probe.to && message.windows(mark.len()).any(|part| part == mark) {
                        found = Some(message.to_vec());
                    } else if index == probe.to {
                        self.stranger = Some(String::from_utf8_lossy(message).into_owned());
                    }
                })?;
            }
            if let Some(message) = found {
                self.expected.clone_from(&message);
                self.stranger = None;
                return Ok(message);
            }
        }
        bail!("no answer to the first message; what came: {:?}", self.stranger)
    }

    /// Waits at most `wait` for something to happen and reads what came; calls `each` for every
    /// client that got answers.
    pub(crate) fn turn(
        &mut self,
        wait: Option<Duration>,
        mut each: impl FnMut(&mut Client, Batch) -> Result<()>,
    ) -> Result<()> {
        self.poll(wait)?;
        for event in &self.events {
            let Token(index) = event.token();
            let Some(client) = self.clients.get_mut(index) else { continue };
            if event.is_writable() {
                client.flush()?;
            }
            let mut answers = 0;
            client.receive(&mut self.buffer, |message| {
                if message == self.expected {
                    answers += 1;
                } else if !message::is_courtesy(message) {
                    self.strangers += 1;
                    if self.stranger.is_none() {
                        self.stranger = Some(String::from_utf8_lossy(message).into_owned());
                    }
                }
            })?;
            if answers > 0 {
                each(client, Batch { client: index, answers })?;
            }
        }
        Ok(())
    }

    /// Drops what is still under way, for as long as anything comes.
    pub(crate) fn forget(&mut self) -> Result<()> {
        let mut came = true;
        while came {
            came = false;
            self.turn(Some(Duration::from_millis(100)), |_, _| {
                came = true;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Lets every client have one message answered, a hundred at a time.
    pub(crate) fn echo_once(&mut self, frame: &[u8]) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut sent = 0;
        let mut answered = 0;
        while answered < self.clients.len() {
            while sent < self.clients.len().min(answered + 100) {
                self.client(sent)?.send(frame)?;
                sent += 1;
            }
            self.turn(Some(Duration::from_millis(50)), |_, batch| {
                answered += batch.answers;
                Ok(())
            })?;
            anyhow::ensure!(Instant::now() < deadline, "{answered} of {sent} answers in a minute");
        }
        self.no_strangers()
    }

    /// Fails if a message came that was not the expected one.
    pub(crate) fn no_strangers(&self) -> Result<()> {
        match &self.stranger {
            Some(first) => bail!("{} messages were not the expected one: {first}", self.strangers),
            None => Ok(()),
        }
    }

    fn client(&mut self, index: usize) -> Result<&mut Client> {
        self.clients.get_mut(index).context("no such client")
    }

    fn poll(&mut self, wait: Option<Duration>) -> Result<()> {
        match self.poll.poll(&mut self.events, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            other => other.context("waiting for the sockets"),
        }
    }
}

/// One message and where its answer is to be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe<'a> {
    /// The client that sends.
    pub(crate) from: usize,
    /// The client that must get the answer.
    pub(crate) to: usize,
    /// The encoded message.
    pub(crate) frame: &'a [u8],
    /// What the answer contains.
    pub(crate) mark: &'a str,
    /// How long to wait.
    pub(crate) wait: Duration,
}

/// The loopback source address of a connection: the first few thousand come from 127.0.0.1.
fn source(index: usize) -> Option<IpAddr> {
    let group = u8::try_from(index / PER_SOURCE).unwrap_or(u8::MAX);
    (group > 0).then_some(IpAddr::V4(Ipv4Addr::new(127, 0, 1, group)))
}
