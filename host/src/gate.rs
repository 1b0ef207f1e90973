//! What stands between a request and a session. Every check is made here, in one order, before
//! the upgrade; what passes is an [`Entry`], and nothing else can become a session.

mod handshake;
mod rejection;

use std::sync::Arc;

use hyper::Request;
use hyper::header::{HOST, HeaderMap, ORIGIN};

pub use handshake::AcceptKey;
pub use rejection::Rejection;

use crate::auth::{Authenticator, subprotocol};
use crate::config::{AllowedOrigin, PathPolicy, PathRule, WebOrigin};
use crate::limits::SharedPolicy;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::registry::{Admission, Registry};

/// Who may connect, and where.
#[derive(Debug)]
pub struct Gate {
    settings: GateSettings,
    authenticator: Authenticator,
    registry: Arc<Registry>,
}

/// The rules of a gate.
#[derive(Clone, Debug)]
pub struct GateSettings {
    /// Path under which clients connect.
    pub base_path: Arc<str>,
    /// Exceptions; the first one that matches a path decides.
    pub rules: Vec<PathRule>,
    /// What holds elsewhere.
    pub default_policy: PathPolicy,
    /// Whether a browser's `Origin` is looked at.
    pub check_origin: bool,
}

/// A request that may become a session. Holds one of the allowed connections.
#[derive(Debug)]
pub struct Entry {
    /// Where the client connects, below the base path.
    pub path: ConnectPath,
    /// Who it is.
    pub principal: Principal,
    /// What holds for the connection.
    pub policy: SharedPolicy,
    /// What the answer to the handshake says.
    pub accept: AcceptKey,
    /// The subprotocol that the answer names.
    pub protocol: Option<&'static str>,
    /// The place among the allowed connections.
    pub admission: Admission,
}

impl Gate {
    /// A gate with these rules.
    pub fn new(
        settings: GateSettings,
        authenticator: Authenticator,
        registry: Arc<Registry>,
    ) -> Self {
        Self { settings, authenticator, registry }
    }

    /// Checks a request that asks for a path below the base path.
    pub fn check<B>(&self, request: &Request<B>) -> Result<Entry, Rejection> {
        // What is not there is not there for any protocol.
        let below =
            below(&self.settings.base_path, request.uri().path()).ok_or(Rejection::NoSuchPath)?;
        let accept = handshake::accept_key(request)?;
        let path = connect_path(below)?;
        let headers = request.headers();
        let policy = self.policy(&path);
        if self.settings.check_origin && !origin_allowed(&policy.allowed_origins, headers)? {
            return Err(Rejection::ForeignOrigin);
        }
        let offered =
            subprotocol::split(headers).map_err(|error| Rejection::Malformed(error.to_string()))?;
        let query = request.uri().query();
        let principal = match self.authenticator.authenticate(headers, query) {
            Ok(Some(principal)) => principal,
            Ok(None) if policy.anonymous => Principal::anonymous(),
            Ok(None) => return Err(Rejection::NoCredentials),
            Err(error) => return Err(Rejection::BadCredentials(error)),
        };
        let roles = &policy.restrict_to_roles;
        if !roles.is_empty() && !principal.has_any_role(roles) {
            return Err(Rejection::MissingRole);
        }
        let admission = self.registry.admit().ok_or(Rejection::Full)?;
        let protocol = offered.offers(subprotocol::SPOREGATE).then_some(subprotocol::SPOREGATE);
        let policy = Arc::clone(&policy.connection);
        Ok(Entry { path, principal, policy, accept, protocol, admission })
    }

    fn policy(&self, path: &ConnectPath) -> &PathPolicy {
        let rule = self.settings.rules.iter().find(|rule| rule.pattern.matches(path));
        rule.map_or(&self.settings.default_policy, |rule| &rule.policy)
    }
}

fn connect_path(below: &str) -> Result<ConnectPath, Rejection> {
    let below = if below.is_empty() { "/" } else { below };
    ConnectPath::parse(below).map_err(|error| Rejection::Malformed(format!("path: {error}")))
}

/// What follows the base path; none when the path is not below it.
pub fn below<'a>(base_path: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(base_path.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Whether a browser may connect from the page it shows. Requests without `Origin` are not from
/// a page.
fn origin_allowed(allowed: &[AllowedOrigin], headers: &HeaderMap) -> Result<bool, Rejection> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (origin, more) = (origins.next(), origins.next());
    let Some(origin) = origin else { return Ok(true) };
    if more.is_some() {
        return Err(Rejection::Malformed("more than one Origin header".into()));
    }
    if allowed.contains(&AllowedOrigin::Any) {
        return Ok(true);
    }
    let origin = origin.to_str().ok().and_then(|text| WebOrigin::parse(text).ok());
    // Without one the page has no origin of its own: `null`.
    let Some(origin) = origin else { return Ok(false) };
    Ok(is_same(&origin, headers) || allowed.contains(&AllowedOrigin::Exactly(origin)))
}

/// Whether a page comes from the host it connects to. What is in front of the gateway may have
/// ended TLS, so the scheme is taken from the page itself.
fn is_same(origin: &WebOrigin, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = |host: &str| WebOrigin::parse(&format!("{}://{host}", origin.scheme()));
    host.is_some_and(|host| own(host).is_ok_and(|own| own == *origin))
}
