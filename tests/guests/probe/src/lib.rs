//! A listener with no mind of its own: it does what a test sends it as JSON, and answers
//! `{"re":COMMAND,"ok":VALUE}` or `{"re":COMMAND,"error":{"code":CODE,"detail":TEXT}}`.

mod command;
mod describe;
mod trouble;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sporegate_guest::{
    Audience, DisconnectEvent, Error, Listener, MessageEvent, MessageMatcher, Outcome, Payload,
    Result, clients, export, listen_for_disconnects, listeners,
};

use command::{Command, Ending, Gone};

/// Who hears of disconnects.
const WATCHERS: &str = "/probe/watch/*";

struct Probe {
    memory: Map<String, Value>,
    endings: Vec<(String, Ending)>,
    when_gone: Gone,
    grown: Vec<Vec<u8>>,
    number: u64,
}

/// One message and what its call comes to.
struct Call {
    event: MessageEvent,
    outcome: Outcome,
    muted: bool,
}

impl Listener for Probe {
    fn start() -> Result<Self> {
        MessageMatcher::any().listen("probe")?;
        listen_for_disconnects("gone", None)?;
        Ok(Self {
            memory: Map::new(),
            endings: Vec::new(),
            when_gone: Gone::Report,
            grown: Vec::new(),
            number: 0,
        })
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        if event.listener != "probe" {
            event.reply_json(&describe::message(&event))?;
            let told = self.endings.iter().rfind(|(name, _)| *name == event.listener);
            return Ok(told.map_or(Ending::Proceed, |(_, ending)| *ending).into());
        }
        let command: Value = event.json().unwrap_or_default();
        if command.get("do").is_none() {
            event.reply_json(&describe::message(&event))?;
            return Ok(Outcome::Stop);
        }
        let mut call = Call { event, outcome: Outcome::Stop, muted: false };
        let answer = self.run(&command, &mut call)?;
        if !call.muted {
            match call.event.reply_json(&answer) {
                // Who was told to close the sender has nobody to answer.
                Ok(()) | Err(Error::Closed) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(call.outcome)
    }

    fn on_disconnect(&mut self, event: DisconnectEvent) -> Result<()> {
        match self.when_gone {
            Gone::Report => {}
            Gone::Fail => return Err("told to fail when a client is gone".into()),
            Gone::Trap => trouble::trap(),
        }
        let sending = event.client.send(&Payload::from("still there?"));
        let gone = json!({
            "client": describe::client(&event.client),
            "code": event.code,
            "reason": event.reason,
            "listener": event.listener,
            "known": clients::get_client(&event.client.id).is_some(),
            "sending": sending.err().map(|error| error.code()),
        });
        Audience::path(WATCHERS).send_json(&json!({ "gone": gone }), &[])?;
        Ok(())
    }
}

export!(Probe);

impl Probe {
    /// The answer to a command; a failure ends the whole call.
    fn run(&mut self, command: &Value, call: &mut Call) -> Result<Value> {
        let command = match Command::deserialize(command) {
            Ok(command) => command,
            Err(error) => return Ok(describe::error("?", "bad-command", &error.to_string())),
        };
        let name = command.r#do.clone();
        Ok(match self.obey(command, call)? {
            Ok(value) => json!({ "re": name, "ok": value }),
            Err(error) => describe::error(&name, error.code(), &error.detail().unwrap_or_default()),
        })
    }

    fn obey(&mut self, mut it: Command, call: &mut Call) -> Result<Result<Value, Error>> {
        let client = it.client(&call.event);
        let cursor = it.cursor.as_deref();
        let path = it.path.as_deref();
        Ok(match it.r#do.as_str() {
            "send" => clients::send_message(&client, &it.payload()).map(Value::from),
            "broadcast" => {
                let message = it.payload();
                it.audience().send(&message, &it.except).map(Value::from)
            }
            "close" => clients::close(&client, it.code, &it.reason).map(Value::from),
            "flush" => clients::flush().map(Value::from),
            "get-client" => {
                Ok(clients::get_client(&client).as_ref().map_or(Value::Null, describe::client))
            }
            "clients-on-path" => {
                clients::get_clients_on_path(path.unwrap_or_default(), cursor, it.limit)
                    .map(describe::page)
            }
            "clients-of-user" => {
                let user = it.user.as_deref().unwrap_or_default();
                clients::get_clients_of_user(user, cursor, it.limit).map(describe::page)
            }
            "count" => Ok(clients::get_client_count().into()),
            "base-path" => Ok(clients::base_path().into()),
            "claims" => match clients::get_claims(&client) {
                Some(claims) => Ok(serde_json::from_str(&claims)?),
                None => Ok(Value::Null),
            },
            "add-listener" => {
                self.endings.push((it.name.clone(), it.outcome.unwrap_or(Ending::Proceed)));
                let matcher = it.matcher.into();
                listeners::add_message_listener(&it.name, &matcher, it.priority).map(Value::from)
            }
            "remove-listener" => listeners::remove_message_listener(&it.name).map(Value::from),
            "add-disconnect" => listeners::add_disconnect_listener(&it.name, path).map(Value::from),
            "remove-disconnect" => listeners::remove_disconnect_listener(&it.name).map(Value::from),
            // The whole event.
            "whoami" => Ok(describe::event(&call.event)),
            "outcome" => {
                call.outcome = it.outcome.unwrap_or(Ending::Stop).into();
                Ok(Value::Null)
            }
            // No answer from this call.
            "mute" => {
                call.muted = true;
                Ok(Value::Null)
            }
            // In the memory of this instance. The answer is what was there before.
            "remember" => Ok(self.memory.insert(it.key, it.value).unwrap_or_default()),
            "recall" => Ok(self.memory.get(&it.key).cloned().unwrap_or_default()),
            // As `seq`; what it would answer is remembered.
            "note" => {
                let answers = it.of.iter().map(|it| self.run(it, call)).collect::<Result<_>>()?;
                self.memory.insert(it.key, answers);
                Ok(Value::Null)
            }
            // Sends an audience the next number that this instance counts.
            "number" => {
                self.number += 1;
                it.audience()
                    .send(&Payload::from(self.number.to_string()), &it.except)
                    .map(Value::from)
            }
            // All in one call. The answer is the list of theirs.
            "seq" => Ok(it.of.iter().map(|it| self.run(it, call)).collect::<Result<_>>()?),
            // The same `count` times. The answer counts them by `ok` and error codes.
            "repeat" => Ok(self.repeat(it.count, &it.of, call)?),
            "when-gone" => {
                self.when_gone = it.then;
                Ok(Value::Null)
            }
            // Returns `text` as the call's error.
            "fail" => return Err(it.text.into()),
            "trap" => trouble::trap(),
            "spin" => trouble::spin(),
            // A loop of `count` rounds.
            "busy" => Ok(trouble::busy(it.count).into()),
            // Keeps `count` MiB more. The answer is how many such pieces there are.
            "grow" => match trouble::grow(it.count) {
                Some(memory) => {
                    self.grown.push(memory);
                    Ok(self.grown.len().into())
                }
                None => Err(Error::Other("out of memory".to_owned())),
            },
            // Until the stack is full.
            "recurse" => Ok(trouble::recurse().into()),
            // `count` calls of get-client-count.
            "host-calls" => Ok(trouble::host_calls(it.count).into()),
            unknown => Err(Error::Other(format!("the probe knows no command {unknown:?}"))),
        })
    }

    fn repeat(&mut self, times: u64, commands: &[Value], call: &mut Call) -> Result<Value> {
        let mut counts = Map::new();
        for command in (0..times).flat_map(|_| commands) {
            let answer = self.run(command, call)?;
            let code = answer.pointer("/error/code").and_then(Value::as_str).unwrap_or("ok");
            let before = counts.get(code).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(code.to_owned(), (before + 1).into());
        }
        Ok(counts.into())
    }
}
