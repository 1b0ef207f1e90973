//! One client connection: upgrade, write, read.
//!
//! Invariant: after `connect` no call here blocks, and what the socket does not take at once is
//! kept until it does.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use crate::frame::{self, Opcode};

/// How long one step of the upgrade may take.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer to an upgrade request.
const UPGRADE_BYTES: usize = 16 * 1024;

/// A connected WebSocket.
#[derive(Debug)]
pub(crate) struct Client {
    /// For registration with a poll only.
    pub(crate) stream: TcpStream,
    /// When the messages not yet answered were due, oldest first; kept by the load.
    pub(crate) asked: VecDeque<Instant>,
    partial: Vec<u8>,
    unsent: Vec<u8>,
}

impl Client {
    /// Connects from `source` (any, if absent) and upgrades on `path`.
    ///
    /// # Errors
    /// The connection fails, or the answer is not 101.
    pub(crate) fn connect(server: SocketAddr, path: &str, source: Option<IpAddr>) -> Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
        if let Some(source) = source {
            socket.bind(&SocketAddr::new(source, 0).into())?;
        }
        socket.set_read_timeout(Some(UPGRADE_TIMEOUT))?;
        socket.connect_timeout(&server.into(), UPGRADE_TIMEOUT)?;
        socket.set_tcp_nodelay(true)?;
        let mut stream = std::net::TcpStream::from(socket);
        let partial = upgrade(&mut stream, server, path)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            asked: VecDeque::new(),
            partial,
            unsent: Vec::new(),
        })
    }

    /// Writes `bytes`, one or more encoded frames, or keeps what the socket does not take.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let written = write(&mut self.stream, bytes)?;
        self.unsent.extend_from_slice(bytes.get(written..).unwrap_or_default());
        Ok(())
    }

    /// Goes on writing what the socket did not take before.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if !self.unsent.is_empty() {
            let written = write(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..written);
        }
        Ok(())
    }

    /// Reads all that is there through `buffer` and hands over each text message; answers pings.
    ///
    /// # Errors
    /// The server closed the connection, or sent what a server must not send.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], mut each: impl FnMut(&[u8])) -> Result<()> {
        loop {
            let held = self.partial.len();
            let room = buffer.get_mut(held..).filter(|room| !room.is_empty());
            let room = room.context("the server sent a frame larger than the read buffer")?;
            let read = match self.stream.read(room) {
                Ok(0) => bail!("the server ended the connection"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("reading from the server"),
            };
            // A short read empties the socket: the next edge is reported anew, without asking.
            let drained = read < room.len();
            if let Some(head) = buffer.get_mut(..held) {
                head.copy_from_slice(&self.partial);
            }
            let bytes = buffer.get(..held + read).unwrap_or_default();
            let rest = self.hand_over(bytes, &mut each)?;
            self.partial.clear();
            self.partial.extend_from_slice(rest);
            if drained {
                return Ok(());
            }
        }
    }

    /// Hands over each text message that came together with the answer to the upgrade, which no
    /// event of the socket tells of.
    pub(crate) fn receive_early(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        let bytes = std::mem::take(&mut self.partial);
        let rest = self.hand_over(&bytes, &mut each)?;
        self.partial.extend_from_slice(rest);
        Ok(())
    }

    /// Hands over the text messages in `bytes` and answers pings; returns what is not whole yet.
    fn hand_over<'b>(&mut self, bytes: &'b [u8], each: &mut impl FnMut(&[u8])) -> Result<&'b [u8]> {
        let mut bytes = bytes;
        while let Some((frame, rest)) = frame::split(bytes)? {
            match frame.opcode {
                Opcode::Text => each(frame.payload),
                Opcode::Ping => {
                    let pong = frame::encode(Opcode::Pong, frame.payload);
                    self.send(&pong)?;
                }
                Opcode::Pong => {}
                Opcode::Close => bail!("the server closed: {:?}", describe(frame.payload)),
            }
            bytes = rest;
        }
        Ok(bytes)
    }
}

/// Sends the upgrade request; returns what the server sent after its answer.
fn upgrade(stream: &mut std::net::TcpStream, server: SocketAddr, path: &str) -> Result<Vec<u8>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: c3BvcmVnYXRlLWJlbmNoIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).context("waiting for the answer to the upgrade")?;
        answer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = answer.split_off(end + 4);
            if !answer.starts_with(b"HTTP/1.1 101") {
                bail!("the upgrade on {path} was refused: {}", first_line(&answer));
            }
            return Ok(rest);
        }
        if read == 0 || answer.len() > UPGRADE_BYTES {
            bail!("no answer to the upgrade on {path}: {:?}", first_line(&answer));
        }
    }
}

fn first_line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).lines().next().unwrap_or_default().to_owned()
}

/// The code and reason of a close frame, for people.
fn describe(close: &[u8]) -> String {
    match close {
        [a, b, reason @ ..] => {
            format!("{} {}", u16::from_be_bytes([*a, *b]), String::from_utf8_lossy(reason))
        }
        _ => "no code".to_owned(),
    }
}

/// Writes until the socket takes no more; returns how much it took.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match stream.write(rest) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
