//! `wasi:http/outgoing-handler`: hands a request of a guest to the module's client, and says of what
//! becomes of it what the standard has words for. All else of the interface is the engine's.

use std::future::Future;

use http_body_util::BodyExt;
use hyper::header::{EXPECT, HeaderName, TE, TRAILER};
use hyper::{Request, Response};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx,
    WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::state::{InstanceState, ModuleContext};
use crate::outbound::{CallScope, Client, Failure, Patience};

/// What a guest may write to the body of a request at once, in bytes; so much of it waits at most.
const CHUNK_BYTES: usize = 16 << 10;

/// The interface as the engine has it.
const TYPES: &str = "wasi:http/types@0.2.12";

/// Of one connection, or asking for what is not done here; besides those that the engine forbids.
const FORBIDDEN: [HeaderName; 3] = [TE, TRAILER, EXPECT];

/// What an instance has of HTTP; made when it first touches it.
pub(super) struct Http {
    context: WasiHttpCtx,
    hooks: Hooks,
}

/// What the engine asks of us.
struct Hooks {
    client: Option<std::sync::Arc<Client>>,
    until: Option<Instant>,
    /// Ends the requests of the call when it is dropped.
    call: Option<(CancellationToken, DropGuard)>,
}

type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Driver), Error>> + Send>;
type Driver = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Http {
    pub(super) fn new(module: &ModuleContext) -> Self {
        let mut context = WasiHttpCtx::new();
        if let Some(client) = &module.http {
            context.set_field_size_limit(client.limits().header_bytes);
        }
        let hooks = Hooks { client: module.http.clone(), until: None, call: None };
        Self { context, hooks }
    }

    /// A call is over: so are its requests.
    pub(super) fn end_call(&mut self) {
        self.hooks.call = None;
    }

    pub(super) fn view<'a>(
        &'a mut self,
        table: &'a mut ResourceTable,
        until: Option<Instant>,
    ) -> WasiHttpCtxView<'a> {
        self.hooks.until = until;
        WasiHttpCtxView { hooks: &mut self.hooks, table, ctx: &mut self.context }
    }
}

/// Links the interface.
pub(super) fn link(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    // The engine's own knows no error of a body: it looks for another type than bodies have.
    linker.allow_shadowing(true);
    linker.instance(TYPES)?.func_wrap(
        "http-error-code",
        |mut store: StoreContextMut<'_, InstanceState>, (error,): (Resource<wasmtime::Error>,)| {
            let error = store.data_mut().wasi.table().get(&error)?;
            Ok((error_code(error),))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What the standard calls the error of a stream, if it is one of HTTP.
fn error_code(error: &wasmtime::Error) -> Option<ErrorCode> {
    if let Some(code) = error.downcast_ref::<ErrorCode>() {
        return Some(code.clone());
    }
    Some(match error.downcast_ref::<Error>()? {
        Error::ConnectionReadTimeout => ErrorCode::ConnectionReadTimeout,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::HttpProtocolError => ErrorCode::HttpProtocolError,
        Error::HttpResponseBodySize(limit) => ErrorCode::HttpResponseBodySize(*limit),
        Error::HttpResponseHeaderSectionSize(limit) => {
            ErrorCode::HttpResponseHeaderSectionSize(*limit)
        }
        // Of the body of a response there are no others.
        other => ErrorCode::InternalError(Some(other.to_string())),
    })
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let until = self.call.until();
        self.wasi.http(&self.context, until)
    }
}

impl Hooks {
    fn scope(&mut self) -> CallScope {
        let (ended, _) = self.call.get_or_insert_with(|| {
            let ended = CancellationToken::new();
            (ended.clone(), ended.drop_guard())
        });
        CallScope { until: self.until.unwrap_or_else(Instant::now), ended: ended.clone() }
    }
}

impl WasiHttpHooks for Hooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        std::sync::Arc::new(is_forbidden)
    }

    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_forbidden(name)
    }

    /// The client writes it, with the host that was granted.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Sent {
        let asked = options.unwrap_or_default();
        let patience = Patience {
            connect: asked.connect_timeout,
            first_byte: asked.first_byte_timeout,
            between_bytes: asked.between_bytes_timeout,
        };
        let scope = self.scope();
        let Some(client) = &self.client else {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        let sent = client.send(request, patience, scope);
        Box::new(async move {
            let exchange = sent.await.map_err(in_their_words)?;
            let response =
                exchange.response.map(|body| body.map_err(in_their_words).boxed_unsync());
            let bringing = exchange.bringing;
            let driver: Driver = Box::new(async move {
                bringing.await;
                Ok(())
            });
            Ok((response, driver))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }
}

fn is_forbidden(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name) || FORBIDDEN.contains(name)
}

/// What the standard calls it.
fn in_their_words(failure: Failure) -> Error {
    match failure {
        Failure::Host => Error::HttpRequestDenied,
        Failure::Request => Error::HttpRequestUriInvalid,
        Failure::TooMany => Error::ConnectionLimitReached,
        Failure::NotFound => Error::DestinationNotFound,
        Failure::Address => Error::DestinationIpProhibited,
        Failure::Connect => Error::ConnectionRefused,
        Failure::ConnectTimeout => Error::ConnectionTimeout,
        Failure::Tls => Error::TlsProtocolError,
        Failure::Certificate => Error::TlsCertificateError,
        Failure::FirstByteTimeout => Error::HttpResponseTimeout,
        Failure::BetweenBytesTimeout => Error::ConnectionReadTimeout,
        Failure::RequestSize(limit) => Error::HttpRequestBodySize(Some(limit)),
        Failure::ResponseSize(limit) => Error::HttpResponseBodySize(Some(limit)),
        Failure::ResponseHead(limit) => Error::HttpResponseHeaderSectionSize(Some(limit)),
        Failure::Protocol => Error::HttpProtocolError,
        Failure::Broken => Error::ConnectionTerminated,
        Failure::GivenUp => Error::InternalError(Some(failure.to_string())),
    }
}
