//! What stands between a request and a session. Every check is made here, in one order, before
//! the upgrade; what passes is an [`Entry`], and nothing else can become a session.

mod handshake;
mod page;
mod rejection;
mod returning;

use std::net::IpAddr;
use std::sync::Arc;

use hyper::Request;

pub use handshake::AcceptKey;
pub use rejection::Rejection;
pub use returning::Returning;

use page::Page;

use crate::admission::Admission;
use crate::auth::{Authenticator, Presented, subprotocol};
use crate::config::{KnownHost, PathPolicy, PathRule};
use crate::limits::SharedPolicy;
use crate::path::ConnectPath;
use crate::principal::Principal;
use crate::registry::Registry;

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
    /// Hosts that a request may name; empty: any.
    pub hosts: Vec<KnownHost>,
}

/// From where a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The other end of the TCP connection: the client, or a proxy. Nothing in a request changes
    /// it, so it alone decides whose headers are believed.
    pub peer: IpAddr,
    /// The client, as far as the configured proxies know; limits are about it.
    pub client: IpAddr,
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
    pub protocol: Option<Arc<str>>,
    /// Which `[[paths]]` entry holds; none where the default does.
    pub rule: Option<usize>,
    /// The session that the client wants back, if it wants one.
    pub returning: Option<Returning>,
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

    /// Whether clients without credentials are admitted everywhere.
    pub fn is_insecure(&self) -> bool {
        self.authenticator.is_insecure()
    }

    /// Checks a request that asks for a path below the base path.
    pub fn check<B>(&self, request: &mut Request<B>, remote: Remote) -> Result<Entry, Rejection> {
        let vouched = self.authenticator.take_vouched(request.headers_mut(), remote.peer);
        // What is not there is not there for any protocol.
        let below =
            below(&self.settings.base_path, request.uri().path()).ok_or(Rejection::NoSuchPath)?;
        let accept = handshake::accept_key(request)?;
        page::check_host(&self.settings.hosts, request)?;
        let path = connect_path(below)?;
        let headers = request.headers();
        let rule = self.rule_of(&path);
        let policy = self.policy(rule);
        let page = Page::of(headers, &policy.allowed_origins);
        if self.settings.check_origin {
            page.check(&policy.allowed_origins)?;
        }
        let offered =
            subprotocol::split(headers).map_err(|error| Rejection::Malformed(error.to_string()))?;
        let presented = Presented {
            headers,
            query: request.uri().query(),
            vouched: &vouched,
            sender: page.sender(),
        };
        let principal = match self.authenticator.authenticate(presented) {
            Ok(Some(principal)) => principal,
            Ok(None) if policy.anonymous || self.is_insecure() => Principal::anonymous(),
            Ok(None) => return Err(Rejection::NoCredentials),
            Err(error) => return Err(Rejection::BadCredentials(error)),
        };
        check_roles(policy, &principal)?;
        let protocol = offered.choose(&policy.subprotocols).map_err(Rejection::NoSubprotocol)?;
        let returning = returning::parse(request.uri().query())?;
        let admission = match self.registry.admit(remote.client.into(), principal.username()) {
            Ok(admission) => admission,
            Err(full) => {
                let token = returning.as_ref().and_then(|returning| returning.token.as_ref());
                token
                    .and_then(|token| self.registry.admit_in_place(token, &principal, &path))
                    .ok_or(full)?
            }
        };
        let policy = Arc::clone(&policy.connection);
        Ok(Entry { path, principal, policy, accept, protocol, rule, returning, admission })
    }

    /// What holds for the connections of a path, and of which `[[paths]]` entry that is; none where
    /// the default does.
    pub fn policy_of(&self, path: &ConnectPath) -> (SharedPolicy, Option<usize>) {
        let rule = self.rule_of(path);
        (Arc::clone(&self.policy(rule).connection), rule)
    }

    /// Whether somebody who was authenticated elsewhere is admitted on a path; what holds for the
    /// connection then, and of which `[[paths]]` entry that is.
    ///
    /// # Errors
    /// The path wants a user, or another role.
    pub fn admits(
        &self,
        path: &ConnectPath,
        principal: &Principal,
    ) -> Result<(SharedPolicy, Option<usize>), Rejection> {
        let rule = self.rule_of(path);
        let policy = self.policy(rule);
        let may_be_anonymous = policy.anonymous || self.is_insecure();
        if principal.username().is_none() && !may_be_anonymous {
            return Err(Rejection::NoCredentials);
        }
        check_roles(policy, principal)?;
        Ok((Arc::clone(&policy.connection), rule))
    }

    fn rule_of(&self, path: &ConnectPath) -> Option<usize> {
        self.settings.rules.iter().position(|rule| rule.pattern.matches(path))
    }

    fn policy(&self, rule: Option<usize>) -> &PathPolicy {
        let rule = rule.and_then(|rule| self.settings.rules.get(rule));
        rule.map_or(&self.settings.default_policy, |rule| &rule.policy)
    }
}

fn check_roles(policy: &PathPolicy, principal: &Principal) -> Result<(), Rejection> {
    let roles = &policy.restrict_to_roles;
    match roles.is_empty() || principal.has_any_role(roles) {
        true => Ok(()),
        false => Err(Rejection::MissingRole),
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
