//! Requests at the gate. Whatever comes, it is admitted or refused in one line that repeats no
//! credential; who is admitted has shown a credential that exists, on a path that takes it, from a
//! page and for a host that are allowed; and what has nothing to do with it changes nothing.
//!
//! The input begins as a request does, with a target; what a handshake needs is there unless it is
//! taken away:
//!
//! ```text
//! /websocket/room?access_token=..
//! Name: value     adds a header
//! -name           takes a header away
//! from ADDRESS    the other end of the connection
//! ```

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use hyper::{Request, Uri};
use sporegate::admission::ConnectionLimits;
use sporegate::auth::{AuthError, PROXY_AUTHENTICATOR, subprotocol, token_file};
use sporegate::config::{Config, Sources};
use sporegate::gate::{Entry, Gate, GateSettings, Rejection, Remote, below};
use sporegate::gateway::authenticator;
use sporegate::path::ConnectPath;
use sporegate::registry::{AwayLimits, Registry};

use super::lines::assert_line;

/// Of bob, who has no role.
const BOB: &str = "sporegate_bob";
/// Of alice, an editor, until the year 9999.
const ALICE: &str = concat!(
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
    "eyJzdWIiOiJhbGljZSIsInJvbGVzIjpbImVkaXRvciJdLCJleHAiOjI1MzQwMjMwMDc5OX0.",
    "IeKzId1dfnsBY1AW9TYYbaygX4Us6BXEgW_HpvVkMH8",
);
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The files of the gateway that is asked.
const FILES: [(&str, &str); 3] = [
    ("secret", "a secret that only tests and the fuzzer know"),
    (
        "tokens.toml",
        r#"
[[token]]
user = "bob"
roles = []
hash = "sha256:d2ebfa9869ea50d44e404abc784082b801e5515809eb98dbbcfa4bace7a6f61b"
"#,
    ),
    (
        "sporegate.toml",
        r#"
hosts = ["gate.example.org", "[::1]:8080"]
allowed_origins = ["https://app.example.org"]

[auth]
token_file = "tokens.toml"
access_token_query = true
cookie = "session"
proxy.addresses = ["10.0.0.0/8"]

[[auth.jwt]]
name = "main"
secret_file = "secret"

[[paths]]
pattern = "/public/*"
anonymous = true

[[paths]]
pattern = "/admin/{room}"
restrict_to_roles = ["editor"]

[[paths]]
pattern = "/spoken"
subprotocols = ["chat.v2", "chat.v1"]
require_subprotocol = true
"#,
    ),
];

const HANDSHAKE: [(&str, &str); 5] = [
    ("host", "gate.example.org"),
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

struct Asked {
    config: Config,
    gate: Gate,
    registry: Arc<Registry>,
}

static ASKED: LazyLock<Asked> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let file = Some(directory.path().join("sporegate.toml"));
    let config = Config::load(&Sources { file, ..Sources::default() }).unwrap();
    let settings = GateSettings {
        base_path: config.path.as_str().into(),
        rules: config.paths.clone(),
        default_policy: config.default_policy.clone(),
        check_origin: config.check_origin,
        hosts: config.hosts.clone(),
    };
    let limits = ConnectionLimits { total: 1, per_user: Some(1), per_address: Some(1) };
    let registry = Arc::new(Registry::new(limits, AwayLimits::default()));
    let gate = Gate::new(settings, authenticator(&config.auth).unwrap(), Arc::clone(&registry));
    Asked { config, gate, registry }
});

/// What a client can send.
#[derive(Clone)]
struct Asking {
    target: Uri,
    headers: HeaderMap,
    peer: IpAddr,
}

/// What it gets, as far as it can be compared.
#[derive(Debug, PartialEq)]
enum Outcome {
    Admitted {
        path: ConnectPath,
        who: String,
        accept: String,
        protocol: Option<Arc<str>>,
        returning: Option<(Option<String>, Option<u64>)>,
    },
    Refused {
        reason: &'static str,
    },
}

pub fn check(data: &[u8]) {
    let Some(asking) = Asking::read(data) else { return };
    let outcome = asking.ask();
    for other in asking.same_but_for_what_does_not_matter() {
        assert_eq!(other.ask(), outcome, "{} {:?}", other.target, other.headers);
    }
}

impl Asking {
    fn read(data: &[u8]) -> Option<Self> {
        let mut lines = data.split(|byte| *byte == b'\n');
        let target = Uri::try_from(lines.next()?).ok()?;
        let (mut headers, mut peer) = (HeaderMap::new(), STRANGER);
        for (name, value) in HANDSHAKE {
            headers.append(name, HeaderValue::from_static(value));
        }
        for line in lines {
            if let Some(name) = line.strip_prefix(b"-") {
                HeaderName::from_bytes(name).ok().and_then(|name| headers.remove(name));
            } else if let Some(address) = line.strip_prefix(b"from ") {
                let address = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
                peer = address.unwrap_or(peer);
            } else if let Some(colon) = line.iter().position(|byte| *byte == b':')
                && let Ok(name) = HeaderName::from_bytes(&line[..colon])
                && let Ok(value) = HeaderValue::from_bytes(line[colon + 1..].trim_ascii())
            {
                headers.append(name, value);
            }
        }
        Some(Self { target, headers, peer })
    }

    fn ask(&self) -> Outcome {
        let mut request = Request::new(());
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        let remote = Remote { peer: self.peer, client: self.peer };
        match ASKED.gate.check(&mut request, remote) {
            Ok(entry) => {
                assert_eq!(ASKED.registry.admitted(), 1);
                self.check_entry(&entry);
                let Entry { path, principal, accept, protocol, returning, .. } = entry;
                let (who, accept) = (format!("{principal:?}"), accept.as_str().to_owned());
                let returning =
                    returning.map(|r| (r.token.map(|token| token.reveal()), r.received));
                self.check_returning(returning.as_ref());
                Outcome::Admitted { path, who, accept, protocol, returning }
            }
            Err(rejection) => {
                assert_eq!(ASKED.registry.admitted(), 0);
                check_rejection(&rejection);
                Outcome::Refused { reason: rejection.reason() }
            }
        }
    }

    fn check_entry(&self, entry: &Entry) {
        let raw = below(ASKED.config.path.as_str(), self.target.path()).unwrap();
        let raw = if raw.is_empty() { "/" } else { raw };
        assert_eq!(Ok(&entry.path), ConnectPath::parse(raw).as_ref());
        let policy = ASKED.config.policy_of(&entry.path);
        assert!(Arc::ptr_eq(&entry.policy, &policy.connection));
        let principal = &entry.principal;
        let roles = &policy.restrict_to_roles;
        assert!(roles.is_empty() || principal.has_any_role(roles));
        match (principal.username(), &**principal.authenticator()) {
            (None, _) => assert!(policy.anonymous),
            (Some(_), PROXY_AUTHENTICATOR) => {
                assert!(ASKED.config.auth.proxy.addresses.contains(self.peer));
                assert!(self.headers.contains_key(&*ASKED.config.auth.proxy.user_header));
            }
            (Some(user), token_file::AUTHENTICATOR) => {
                assert_eq!(**user, *"bob");
                assert!(self.shows(BOB));
            }
            (Some(user), "main") => {
                assert_eq!(**user, *"alice");
                assert!(self.shows(ALICE));
            }
            (Some(user), other) => panic!("{user} by {other}"),
        }
        let texts = |name| {
            let values = self.headers.get_all(name).iter();
            let texts = values.map(|value| value.to_str().unwrap().to_ascii_lowercase());
            texts.collect::<Vec<_>>()
        };
        let hosts = texts(HOST);
        assert!(matches!(&*hosts, [host] if is_known(host)), "{hosts:?}");
        let ours = |origin: &String| {
            let name = origin.split_once("://").unwrap().1;
            *origin == "https://app.example.org"
                || *origin == "https://app.example.org:443"
                || is_known(name)
        };
        let origins = texts(ORIGIN);
        assert!(origins.len() <= 1 && origins.iter().all(ours), "{origins:?}");
        let offered = subprotocol::split(&self.headers).unwrap();
        if let Some(protocol) = &entry.protocol {
            assert!(offered.offers(protocol) && !protocol.to_lowercase().starts_with("bearer."));
            let mut lists = self.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
            assert!(lists.any(|list| list.to_str().unwrap().contains(&**protocol)));
        }
        let spoken = &policy.subprotocols;
        assert!(
            !spoken.required || spoken.names.iter().any(|n| Some(n) == entry.protocol.as_ref())
        );
    }

    /// What a client that comes back says is in the query as it stands, once.
    fn check_returning(&self, returning: Option<&(Option<String>, Option<u64>)>) {
        let values = |name: &str| {
            let pairs = self.target.query().unwrap_or_default().split('&');
            let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).collect::<Vec<_>>()
        };
        let (ids, received) = (values("clientId"), values("received"));
        assert!(ids.len() <= 1 && received.len() <= 1, "{ids:?} {received:?}");
        assert_eq!(returning.is_some(), !ids.is_empty());
        let Some((token, count)) = returning else { return };
        let is_token = ids[0].len() == 32
            && ids[0].bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert_eq!(token.as_deref(), is_token.then_some(ids[0]));
        assert_eq!(*count, received.first().map(|text| text.parse().unwrap()));
    }

    /// Whether the whole token is anywhere in the request.
    fn shows(&self, token: &str) -> bool {
        let holds = |bytes: &[u8]| bytes.windows(token.len()).any(|part| part == token.as_bytes());
        let target = self.target.query().unwrap_or_default().as_bytes();
        holds(&percent_decoded(target)) || self.headers.values().any(|v| holds(v.as_bytes()))
    }

    fn same_but_for_what_does_not_matter(&self) -> Vec<Self> {
        let mut header = self.clone();
        let unrelated = HeaderValue::from_static("Bearer access_token=x; session=x");
        header.headers.append("x-unrelated", unrelated);
        let mut all = vec![header];
        let with = |before: &str, after: &str| {
            let path = self.target.path();
            let query = self.target.query().map_or(String::new(), |query| format!("&{query}"));
            let mut parts = self.target.clone().into_parts();
            let target = format!("{path}?{before}{query}&{after}");
            parts.path_and_query = Some(target.parse().ok()?);
            Some(Self { target: Uri::from_parts(parts).ok()?, ..self.clone() })
        };
        all.extend(with("", ""));
        all.extend(with("access_tokens=1&xaccess_token=1", "session=1&access_token%3d1"));
        all
    }
}

/// Whether the gateway is known by this name: at port 80, 443 or none.
fn is_known(host: &str) -> bool {
    let name = host.strip_suffix(":80").or(host.strip_suffix(":443")).unwrap_or(host);
    name == "gate.example.org" || host == "[::1]:8080"
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *byte == b'%') {
            Some(escaped) => {
                decoded.push(escaped);
                at += 3;
            }
            None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

fn check_rejection(rejection: &Rejection) {
    let message = rejection.to_string();
    assert_line(&message);
    assert!(message.len() < 300, "{message}");
    // One more than what is known by heart must not be there: that of any token.
    assert!(!message.contains(BOB) && !message.contains(&ALICE[..20]), "{message}");
    assert!(!format!("{rejection:?}").contains(BOB));
    assert!(rejection.status().is_client_error(), "{rejection:?}");
    let known = Rejection::REASONS.iter().chain(&AuthError::REASONS);
    assert!(known.clone().any(|reason| *reason == rejection.reason()), "{rejection:?}");
    assert_eq!(rejection.challenge().is_some(), rejection.status() == 401);
}
