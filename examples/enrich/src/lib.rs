//! Looks a name up at an HTTP service, and streams the answer line by line.

use serde::Serialize;
use sporegate_guest::{
    Listener, MessageEvent, MessageMatcher, Outcome, Result, clients, config, export, http,
};

const MAX_NAME_BYTES: usize = 64;

#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'a> {
    Begun { status: u16 },
    Line { line: &'a str },
    Done { done: bool, lines: u64 },
    Failed { error: &'a str },
}

struct Enrich {
    service: String,
}

impl Listener for Enrich {
    fn start() -> Result<Self> {
        let service = config::required("service")?;
        MessageMatcher::any().listen("enrich")?;
        Ok(Self { service: service.trim_end_matches('/').to_owned() })
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        match event.text().filter(|name| is_name(name)) {
            None => {
                let error = "a name is 1-64 of a-z, 0-9 and -";
                event.reply_json(&Answer::Failed { error })?;
            }
            Some(name) => {
                if let Err(error) = self.stream(name, &event)? {
                    event.reply_json(&Answer::Failed { error: &error.to_string() })?;
                }
            }
        }
        Ok(Outcome::Stop)
    }
}

impl Enrich {
    /// What goes wrong with the service is for the client, all else for the gateway.
    fn stream(&self, name: &str, event: &MessageEvent) -> Result<Result<(), http::Error>> {
        let response = match http::get(&format!("{}/items/{name}", self.service)) {
            Ok(response) => response,
            Err(error) => return Ok(Err(error)),
        };
        event.reply_json(&Answer::Begun { status: response.status() })?;
        let mut lines = 0;
        for line in response.lines() {
            match line {
                Ok(line) => event.reply_json(&Answer::Line { line: &line })?,
                Err(error) => return Ok(Err(error)),
            }
            // It leaves now, not when the last line has come.
            clients::flush()?;
            lines += 1;
        }
        event.reply_json(&Answer::Done { done: true, lines })?;
        Ok(Ok(()))
    }
}

fn is_name(text: &str) -> bool {
    let good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(good)
}

export!(Enrich);
