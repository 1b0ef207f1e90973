//! Uses what a sidecar may grant, as a test tells it in JSON: `{"do":"get","url":"…"}`. Each command
//! is answered with JSON; `lib.rs` and `store.rs` list them.

#![allow(clippy::panic, reason = "it traps where a test tells it to")]

mod raw;
mod store;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sporegate_guest::http::{Error, Method, Request, Response};
use sporegate_guest::logging::{self, Level};
use sporegate_guest::{
    Listener, MessageEvent, MessageMatcher, Outcome, Result, clients, config, export,
};
use std::time::Duration;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Command {
    /// Makes a request: answers the status, the headers and the whole body.
    Fetch(Fetch),
    /// The same, and each piece of the body leaves as it comes.
    Stream(Fetch),
    /// So many requests at a time, kept open: answers what became of each.
    Many {
        url: String,
        count: usize,
    },
    /// Begins a request, keeps it beyond the call, and never asks for the answer.
    Keep {
        url: String,
    },
    /// Asks for the answer of what was kept.
    Resume,
    /// Sends a request, then traps.
    Trap {
        url: String,
    },
    /// A request made by hand, of parts that need not fit.
    Raw(raw::Raw),
    Config {
        key: String,
    },
    ConfigAll,
    Log {
        level: String,
        context: String,
        message: String,
    },
    Store(store::Command),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fetch {
    url: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// A body of so many bytes.
    #[serde(default)]
    body: usize,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

#[derive(Serialize)]
struct Fetched {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

struct Grantee {
    kept: Option<raw::Kept>,
    /// What `config.seen` was when it started.
    seen: Option<String>,
}

impl Listener for Grantee {
    fn start() -> Result<Self> {
        let seen = config::get("seen")?;
        if seen.as_deref() == Some("never") {
            return Err("config.seen must not be never".into());
        }
        if let Some(url) = config::get("fetch_in_start")? {
            let status = Request::new(Method::Get, &url).send()?.status();
            logging::log(Level::Info, "start", &format!("fetched with {status}"));
        }
        MessageMatcher::any().listen("grantee")?;
        Ok(Self { kept: None, seen })
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let answer = match event.json::<Command>()? {
            Command::Fetch(fetch) => answer(fetch.send().and_then(fetched)),
            Command::Stream(fetch) => stream(&event, fetch)?,
            Command::Many { url, count } => many(&url, count),
            Command::Keep { url } => {
                self.kept = Some(raw::keep(&url)?);
                json!({"kept": true})
            }
            Command::Resume => self.kept.take().map_or(Value::Null, raw::Kept::resume),
            Command::Trap { url } => {
                let _kept = raw::keep(&url)?;
                panic!("as told");
            }
            Command::Raw(raw) => raw.send(),
            Command::Config { key } => json!({"value": config::get(&key)?, "seen": self.seen}),
            Command::ConfigAll => json!(config::all()?),
            Command::Log { level, context, message } => {
                logging::log(level_of(&level)?, &context, &message);
                json!({"logged": true})
            }
            Command::Store(command) => command.run(),
        };
        event.reply_json(&answer)?;
        Ok(Outcome::Stop)
    }
}

impl Fetch {
    fn send(self) -> Result<Response, Error> {
        let method = match self.method.as_deref() {
            None => Method::Get,
            Some("POST") => Method::Post,
            Some("HEAD") => Method::Head,
            Some(other) => Method::Other(other.to_owned()),
        };
        let mut request = Request::new(method, &self.url).body(vec![b'x'; self.body]);
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str());
        }
        if let Some(ms) = self.timeout_ms {
            request = request.timeout(Duration::from_millis(ms));
        }
        request.send()
    }
}

fn fetched(response: Response) -> Result<Fetched, Error> {
    let status = response.status();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.clone(), text(value)));
    let headers = headers.collect();
    Ok(Fetched { status, headers, body: text(&response.bytes()?) })
}

fn answer(result: Result<Fetched, Error>) -> Value {
    match result {
        Ok(fetched) => json!(fetched),
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn stream(event: &MessageEvent, fetch: Fetch) -> Result<Value> {
    let response = match fetch.send() {
        Ok(response) => response,
        Err(error) => return Ok(json!({"error": error.to_string()})),
    };
    let mut bytes = 0;
    for chunk in response.chunks() {
        match chunk {
            Ok(chunk) => {
                bytes += chunk.len();
                event.reply_json(&json!({"piece": String::from_utf8_lossy(&chunk)}))?;
                clients::flush()?;
            }
            Err(error) => return Ok(json!({"error": error.to_string(), "bytes": bytes})),
        }
    }
    Ok(json!({"bytes": bytes}))
}

/// Keeps what was answered until all have been asked.
fn many(url: &str, count: usize) -> Value {
    let asked: Vec<_> = (0..count).map(|_| Request::new(Method::Get, url).send()).collect();
    let told = asked.iter().map(|result| match result {
        Ok(response) => json!(response.status()),
        Err(error) => json!(error.to_string()),
    });
    told.collect()
}

fn level_of(name: &str) -> Result<Level> {
    Ok(match name {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" => Level::Error,
        "critical" => Level::Critical,
        other => return Err(format!("no level {other}").into()),
    })
}

export!(Grantee);
