//! Where a conversation is played.

use std::future::Future;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::config::Newcomer;
use crate::gateway::Rehearsal;

/// A module that serves, and a way to connect to it.
pub trait Stage {
    /// What its clients speak over.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Connects a client; a greeting has been read already.
    ///
    /// # Errors
    /// Why it was turned away.
    fn connect(
        &mut self,
        newcomer: &Newcomer,
    ) -> impl Future<Output = Result<WebSocketStream<Self::Stream>, String>> + Send;

    /// Waits until so many clients in all have gone, and the module has been told of each.
    fn gone(&mut self, clients: u64) -> impl Future<Output = ()> + Send;

    /// The module takes over from itself, as if its file had been replaced.
    ///
    /// # Errors
    /// Why the swap was abandoned.
    fn swap(&mut self) -> impl Future<Output = Result<(), String>> + Send;
}

impl Stage for Rehearsal {
    type Stream = DuplexStream;

    async fn connect(
        &mut self,
        newcomer: &Newcomer,
    ) -> Result<WebSocketStream<DuplexStream>, String> {
        let stream = Self::connect(self, newcomer).map_err(|error| error.to_string())?;
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    async fn gone(&mut self, clients: u64) {
        Self::gone(self, clients).await;
    }

    async fn swap(&mut self) -> Result<(), String> {
        Self::swap(self).await
    }
}
