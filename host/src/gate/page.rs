//! Which page a browser shows, and by which name it knows the gateway (RFC 6454, RFC 6455 section
//! 10.2). Origins and hosts are compared as parsed values, never as texts.

use hyper::Request;
use hyper::header::{HOST, HeaderMap, ORIGIN};

use super::Rejection;
use crate::auth::Sender;
use crate::config::{AllowedOrigin, KnownHost, WebOrigin};

/// What a request says of the page that sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// No `Origin`: it does not come from a page.
    None,
    /// Of the origin that it connects to, or of one that is listed.
    Ours,
    /// Of any other origin, or of none that can be compared, such as `null`.
    Foreign,
    /// More than one `Origin`.
    Unclear,
}

impl Page {
    pub(super) fn of(headers: &HeaderMap, allowed: &[AllowedOrigin]) -> Self {
        let mut origins = headers.get_all(ORIGIN).iter();
        let origin = match (origins.next(), origins.next()) {
            (None, _) => return Self::None,
            (Some(_), Some(_)) => return Self::Unclear,
            (Some(origin), None) => origin,
        };
        let Some(origin) = origin.to_str().ok().and_then(|text| WebOrigin::parse(text).ok()) else {
            return Self::Foreign;
        };
        let ours = is_same(&origin, headers) || allowed.contains(&AllowedOrigin::Exactly(origin));
        if ours { Self::Ours } else { Self::Foreign }
    }

    /// Whose credentials count.
    pub(super) fn sender(self) -> Sender {
        match self {
            Self::None => Sender::Program,
            Self::Ours => Sender::OwnPage,
            Self::Foreign | Self::Unclear => Sender::OtherPage,
        }
    }

    /// Whether it may connect.
    pub(super) fn check(self, allowed: &[AllowedOrigin]) -> Result<(), Rejection> {
        match self {
            Self::None | Self::Ours => Ok(()),
            Self::Foreign if allowed.contains(&AllowedOrigin::Any) => Ok(()),
            Self::Foreign => Err(Rejection::ForeignOrigin),
            Self::Unclear => Err(Rejection::Malformed("more than one Origin header".into())),
        }
    }
}

/// Whether a page comes from the host it connects to. What is in front of the gateway may have
/// ended TLS, so the scheme is taken from the page itself.
fn is_same(origin: &WebOrigin, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = |host: &str| WebOrigin::parse(&format!("{}://{host}", origin.scheme()));
    host.is_some_and(|host| own(host).is_ok_and(|own| own == *origin))
}

/// Whether a request is for one of the hosts; for any, where there are none. A target with a host
/// of its own (RFC 9112 section 3.2.2) must not name another than the `Host` header does.
pub(super) fn check_host<B>(hosts: &[KnownHost], request: &Request<B>) -> Result<(), Rejection> {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let target = request.uri().authority().map(|authority| authority.as_str());
    if let (Some(target), Some(header)) = (target, header)
        && !target.eq_ignore_ascii_case(header)
    {
        return Err(Rejection::Malformed("the target names another host than Host does".into()));
    }
    if hosts.is_empty() {
        return Ok(());
    }
    let requested = header.and_then(|host| KnownHost::parse(host).ok());
    match requested.is_some_and(|requested| hosts.iter().any(|host| host.is_meant_by(&requested))) {
        true => Ok(()),
        false => Err(Rejection::WrongHost),
    }
}
