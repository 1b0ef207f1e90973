//! What goes out, to one client or to an audience. Everything is queued, and leaves when the call
//! succeeds or at [`flush`](crate::clients::flush).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Audience, Client, ClientId, Error, Payload, Result, clients};

impl Client {
    /// Queues a message to this client.
    ///
    /// # Errors
    /// As [`clients::send_message`].
    pub fn send(&self, message: &Payload) -> Result<(), Error> {
        clients::send_message(&self.id, message)
    }

    /// The same with a value as JSON text.
    ///
    /// # Errors
    /// As [`send`](Self::send); `InvalidArgument` if JSON cannot hold the value.
    pub fn send_json<T: Serialize + ?Sized>(&self, message: &T) -> Result<(), Error> {
        self.send(&Payload::json(message)?)
    }

    /// Closes the connection with `code` 1000 or 4900-4999, and a reason of at most 123 bytes.
    ///
    /// # Errors
    /// As [`clients::close`].
    pub fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        clients::close(&self.id, code, reason)
    }

    /// The claims that the authenticator vouched for; `None` if there are none or the client is
    /// gone.
    ///
    /// # Errors
    /// If they do not fit `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<Option<T>, serde_json::Error> {
        clients::get_claims(&self.id).map(|claims| serde_json::from_str(&claims)).transpose()
    }
}

impl Audience {
    /// Clients on a path, or on all paths of a pattern.
    pub fn path(pattern: impl Into<String>) -> Self {
        Self::Path(pattern.into())
    }

    /// All clients of a user.
    pub fn user(username: impl Into<String>) -> Self {
        Self::User(username.into())
    }

    /// All clients whose user has a role.
    pub fn role(role: impl Into<String>) -> Self {
        Self::Role(role.into())
    }

    /// Queues a message to everybody of the audience but `except`; returns to how many.
    ///
    /// # Errors
    /// As [`clients::broadcast`].
    pub fn send(&self, message: &Payload, except: &[ClientId]) -> Result<u64, Error> {
        clients::broadcast(self, message, except)
    }

    /// The same with a value as JSON text.
    ///
    /// # Errors
    /// As [`send`](Self::send); `InvalidArgument` if JSON cannot hold the value.
    pub fn send_json<T: Serialize + ?Sized>(
        &self,
        message: &T,
        except: &[ClientId],
    ) -> Result<u64, Error> {
        self.send(&Payload::json(message)?, except)
    }
}
