//! Texts as a guest may encode them, right and wrong: between it and the gateway, and between two
//! components in one file, where code that the engine makes translates them. What is right arrives
//! as it was, what is wrong ends the call, and nothing else.

mod cases;
mod joined;

use tokio_tungstenite::tungstenite::Message;
use wit_component::StringEncoding;

use self::cases::{Case, MEMORY_BYTES, Put, SPACE, hostile, put, texts, valid};
use crate::support::{Client, TestGateway, core_guest_with, listener};

const ENCODINGS: [StringEncoding; 3] =
    [StringEncoding::UTF8, StringEncoding::UTF16, StringEncoding::CompactUTF16];

/// What the guest is told to do with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Send it as a message to who asks.
    Send = 0,
    /// Return it as an error.
    Refuse = 1,
    /// Send something to the client of this id.
    Address = 2,
    /// Have the other component take it and give it back, and send what comes back.
    Pass = 3,
}

/// From now on memory for texts is given out wrongly in one of these manners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    OddAddress = 1,
    AcrossTheEnd = 2,
    FarAway = 3,
}

/// Only where something that has a place is to have another one.
const ONLY_MOVED: u32 = 4;

/// Who gives it out wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Itself = 16,
    /// The other component in the file.
    Other = 17,
}

/// Gives memory out, in the manner that `$manner` says. What is moved is there, where it can be.
const PLACES: &str = r#"
  (global $manner (mut i32) (i32.const 0))
  (func $misplace (export "cabi_realloc")
    (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32)
    (local.set $at (call $place
      (local.get $old) (local.get $old_bytes) (local.get $align)
      (i32.add (local.get $bytes) (i32.const 1))))
    (if (i32.and
          (i32.eqz (local.get $old_bytes))
          (i32.shr_u (global.get $manner) (i32.const 2)))
      (then (return (local.get $at))))
    (block $far (block $across (block $odd (block $right
      (br_table $right $odd $across $far (i32.and (global.get $manner) (i32.const 3))))
      (return (local.get $at)))
      (local.set $at (i32.or (local.get $at) (i32.const 1)))
      (memory.copy (local.get $at) (local.get $old) (local.get $old_bytes))
      (return (local.get $at)))
      (return (i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const 2))))
    (i32.const 0xfffffff0))
"#;

/// A text is answered with itself. A binary message says what is to be done with which text (four
/// numbers: what, where its bytes go, where the text is, how long it is; then the bytes), or which
/// manner begins.
const ASKED: &str = r#"
  (func $asked (param $event i32) (result i32)
    (local $told i32) (local $what i32) (local $at i32) (local $length i32)
    (local.set $told (i32.load offset=48 (local.get $event)))
    (if (i32.eqz (i32.load8_u offset=44 (local.get $event)))
      (then
        (call $answer (local.get $event) (i32.const 0)
          (local.get $told) (i32.load offset=52 (local.get $event)))
        (return (i32.const 64))))
    (local.set $what (i32.load (local.get $told)))
    (local.set $at (i32.load offset=8 (local.get $told)))
    (local.set $length (i32.load offset=12 (local.get $told)))
    (memory.copy
      (i32.load offset=4 (local.get $told))
      (i32.add (local.get $told) (i32.const 16))
      (i32.sub (i32.load offset=52 (local.get $event)) (i32.const 16)))
    (if (i32.eq (local.get $what) (i32.const 1))
      (then
        (i32.store (i32.const 520) (i32.const 1))
        (i32.store (i32.const 524) (local.get $at))
        (i32.store (i32.const 528) (local.get $length))
        (return (i32.const 520))))
    (if (i32.eq (local.get $what) (i32.const 2))
      (then
        (call $send_message (local.get $at) (local.get $length)
          (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 192))
        (return (i32.const 64))))
    (if (i32.eq (local.get $what) (i32.const 3))
      (then
        (call $take (local.get $at) (local.get $length) (i32.const 512))
        (local.set $at (i32.load (i32.const 512)))
        (local.set $length (i32.load (i32.const 516)))))
    (if (i32.eq (local.get $what) (i32.const 16))
      (then (global.set $manner (local.get $at)) (local.set $at (i32.const 0))))
    (if (i32.eq (local.get $what) (i32.const 17))
      (then (call $behave (local.get $at)) (local.set $at (i32.const 0))))
    (call $answer (local.get $event) (i32.const 0) (local.get $at) (local.get $length))
    (i32.const 64))
"#;

/// A guest by itself.
fn alone(encoding: StringEncoding) -> Vec<u8> {
    let nobody =
        "(func $take (param i32 i32 i32) unreachable) (func $behave (param i32) unreachable)";
    let pages = MEMORY_BYTES >> 16;
    core_guest_with(&listener(pages, "", &format!("{PLACES}{ASKED}{nobody}")), encoding, "")
}

/// A gateway with the guest `strings`, and with `echo`, which must not notice any of it.
struct Strings {
    gateway: TestGateway,
    client: Client,
    neighbour: Client,
    ended: u64,
}

impl Strings {
    async fn start(file: &[u8]) -> Self {
        let gateway = TestGateway::with()
            .file("strings.wasm", file)
            .sidecar("strings", "[run]\nbreaker_failures = 0\n")
            .module("echo", "echo")
            .table("[limits]\ncontrol_rate = 1_000_000")
            .start()
            .await;
        assert!(gateway.gateway().refused().is_empty(), "{:?}", gateway.gateway().refused());
        let client = gateway.client("/strings").await;
        let neighbour = gateway.client("/echo").await;
        Self { gateway, client, neighbour, ended: 0 }
    }

    /// Tells the guest what to do with a text.
    async fn tell(&mut self, what: u32, put: &Put) {
        let numbers = [what, put.to, put.at, put.length];
        let told: Vec<u8> = numbers.into_iter().flat_map(u32::to_le_bytes).collect();
        self.client.send([told, put.bytes.clone()].concat()).await;
    }

    /// What has been answered to all that was sent.
    async fn said(&mut self) -> Vec<String> {
        self.client.send(Message::Ping(Default::default())).await;
        let mut said = Vec::new();
        loop {
            match self.client.frame().await {
                Some(Ok(Message::Text(text))) => said.push(text.to_string()),
                Some(Ok(Message::Pong(_))) => return said,
                other => panic!("expected a text or a pong, got {other:?}"),
            }
        }
    }

    /// How many calls have ended their instance since this was asked. The others are served.
    async fn ends(&mut self) -> u64 {
        self.neighbour.echo("undisturbed").await;
        let ended = self.gateway.counters().calls_ended.get();
        ended - std::mem::replace(&mut self.ended, ended)
    }

    /// Has a text used: either it means what it should, or the call ends with the instance.
    async fn check(&mut self, what: Use, case: &Case) {
        let Case { name, put, means } = case;
        self.tell(what as u32, put).await;
        let said = self.said().await;
        let means: Vec<String> = means.iter().cloned().collect();
        assert!(said == means, "{what:?} {name}: {:.200}", format!("{said:?}"));
        assert_eq!(self.ends().await, u64::from(means.is_empty()), "{what:?} {name}");
    }

    /// Goes through all manners of giving memory out wrongly, with all texts: each is answered as it
    /// was, or ends the call. Returns how many calls have ended.
    async fn misplace(&mut self, who: Who, pass: Option<StringEncoding>) -> u64 {
        let manner = |manner: u32| Put { to: SPACE, at: manner, length: 0, bytes: Vec::new() };
        let mut ended = 0;
        for kind in [Manner::OddAddress, Manner::AcrossTheEnd, Manner::FarAway] {
            for which in [0, ONLY_MOVED] {
                // One that needs no other place, and those that need one early, late and in between.
                for text in [1, 2, 6, 7].map(|number: usize| texts()[number].clone()) {
                    let why = format!("{who:?} {kind:?} {which}: {text:.20}");
                    self.tell(who as u32, &manner(kind as u32 | which)).await;
                    assert_eq!(self.said().await, [""], "{why}");
                    match pass {
                        None => self.client.send(text.as_str()).await,
                        Some(encoding) => self.tell(Use::Pass as u32, &put(encoding, &text)).await,
                    }
                    let said = self.said().await;
                    let ends = self.ends().await;
                    assert!(
                        (ends == 1 && said.is_empty()) || (ends == 0 && said == [text.as_str()]),
                        "{why}: {ends} ends, {:.200}",
                        format!("{said:?}")
                    );
                    ended += ends;
                    // Where it is still of that manner, this is heard, or is the end of it.
                    self.tell(who as u32, &manner(0)).await;
                    self.said().await;
                    self.ends().await;
                }
            }
        }
        ended
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_every_encoding_come_and_go_as_they_are() {
    for encoding in ENCODINGS {
        let mut strings = Strings::start(&alone(encoding)).await;
        for text in texts() {
            strings.client.echo(&text).await;
        }
        for case in valid(encoding) {
            strings.check(Use::Send, &case).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_are_none_end_the_call_and_nothing_else() {
    for encoding in ENCODINGS {
        let mut strings = Strings::start(&alone(encoding)).await;
        // As a message, as an error that is returned, and as an id.
        for case in hostile(encoding) {
            strings.check(Use::Send, &case).await;
            if case.means.is_none() {
                strings.check(Use::Refuse, &case).await;
                strings.check(Use::Address, &case).await;
            }
        }
        let modules = strings.gateway.gateway().modules().modules();
        let traps = modules[1].counters().failures.of("trap");
        assert_eq!(traps, strings.ended, "{encoding:?}");
        assert!(traps > 30, "{encoding:?}: only {traps}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_given_out_wrongly_for_texts_ends_the_call_and_nothing_else() {
    for encoding in ENCODINGS {
        let mut strings = Strings::start(&alone(encoding)).await;
        let ended = strings.misplace(Who::Itself, None).await;
        assert!(ended > 0, "{encoding:?}");
    }
}
