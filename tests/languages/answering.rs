//! A real service that answers what a conversation says.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sporegate::config::HttpAnswer;
use tokio::net::TcpListener;

/// Starts it on a free port of this machine; it goes with the test.
pub async fn answering(answers: &[HttpAnswer]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers: Arc<[HttpAnswer]> = answers.into();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let response = answer(&request, &answers);
                    async { Ok::<_, Infallible>(response) }
                });
                // One that breaks is what some of them are for.
                let _ =
                    http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
            });
        }
    });
    address
}

fn answer<B>(
    request: &Request<B>,
    answers: &[HttpAnswer],
) -> Response<StreamBody<impl Stream<Item = Result<Frame<Bytes>, std::io::Error>> + use<B>>> {
    let path = request.uri().path();
    let fits = |it: &&HttpAnswer| *it.method == *request.method() && it.url.ends_with(path);
    let answer = answers.iter().find(fits);
    let (pieces, breaks) = answer.map_or((Vec::new(), false), |it| (it.body.clone(), it.breaks));
    let mut pieces: Vec<_> = pieces.into_iter().map(|piece| Ok(Bytes::from(piece))).collect();
    if breaks {
        pieces.push(Err(std::io::Error::other("as told")));
    }
    // Each by itself, so that what came before a break is on its way.
    let pieces = stream::iter(pieces).then(|piece| async {
        tokio::task::yield_now().await;
        piece.map(Frame::data)
    });
    let mut response = Response::new(StreamBody::new(pieces));
    *response.status_mut() =
        answer.map_or(StatusCode::NOT_FOUND, |it| StatusCode::from_u16(it.status).unwrap());
    for (name, value) in answer.into_iter().flat_map(|it| it.headers.clone()) {
        let name = hyper::header::HeaderName::try_from(name).unwrap();
        response.headers_mut().append(name, value.parse().unwrap());
    }
    response
}
