//! A real service that answers what a conversation says.

use std::net::SocketAddr;
use std::sync::Arc;

use sporegate::config::HttpAnswer;
use sporegate::outbound::Script;
use tokio::net::TcpListener;

/// Starts it on a free port of this machine; it goes with the test.
pub async fn answering(answers: &[HttpAnswer]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(Script::new(answers).unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let script = Arc::clone(&script);
            tokio::spawn(async move { script.serve(connection).await });
        }
    });
    address
}
