//! What one client may do and use up: the settings of `[limits]`, each of which a `[[paths]]` entry
//! may have of its own, but for the times of the line that concern the gateway more than the path.

use std::num::{NonZeroU32, NonZeroU64};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::policy::INTERVALS;
use super::section::Section;
use super::units::ByteSize;
use super::value::{Fault, Raw, Value, Word};
use crate::json::Pointer;
use crate::limits::{ConnectionPolicy, MessageKind, MessageRate, OnExcess, SlowClient};

const MESSAGE_SIZES: (ByteSize, ByteSize) = (ByteSize::bytes(1), ByteSize::mib(64));
/// Not less than the greeting has, which would never leave.
const OUTBOX_SIZES: (ByteSize, ByteSize) = (ByteSize::kib(1), ByteSize::gib(1));
const REPLAY_SIZES: (ByteSize, ByteSize) = (ByteSize::bytes(0), ByteSize::gib(1));
const WAITS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(600));
/// Zero: no limit.
const AGES: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(30 * 24 * 3_600));

/// Reads all limits of a client. `above` holds where one is absent, which `shown` says; without it
/// this is `[limits]`, and `above` is what is built in.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    above: &ConnectionPolicy,
    shown: Option<&'static str>,
) -> ConnectionPolicy {
    let mut limits = Limits { section, shown };
    let kind = limits.any("messages", above.messages);
    let message = limits.within("message_size", size(above.message_bytes), MESSAGE_SIZES);
    let fragments = limits.within("fragments", above.fragments, (1, 1 << 20));
    let message_time = limits.within("message_time", above.message_time, WAITS);
    let controls = limits.within("control_rate", above.controls_per_second, (1, 1_000_000));
    let rate = read_rate(&mut limits, &above.rate);
    let messages = u32::try_from(above.outbox_messages).unwrap_or(u32::MAX);
    let messages = limits.within("outbox_messages", messages, (1, 1_000_000));
    let outbox = limits.within("outbox_size", size(above.outbox_bytes), OUTBOX_SIZES);
    check_room(limits.section, message, outbox);
    let slow_client = limits.any("slow_client", above.slow_client);
    let slow_client_key = limits.any("slow_client_key", above.slow_client_key.clone());
    let replayed = u32::try_from(above.replay_messages).unwrap_or(u32::MAX);
    let replayed = limits.within("replay_messages", replayed, (0, 1_000_000));
    let replay = limits.within("replay_size", size(above.replay_bytes), REPLAY_SIZES);
    let idle_timeout = limits.within("idle_timeout", above.idle_timeout.unwrap_or_default(), AGES);
    let lifetime = limits.within("lifetime", above.lifetime.unwrap_or_default(), AGES);
    let mut policy = ConnectionPolicy {
        messages: kind,
        message_bytes: message.as_len(),
        fragments,
        message_time,
        controls_per_second: controls,
        rate,
        outbox_messages: usize::try_from(messages).unwrap_or(usize::MAX),
        outbox_bytes: outbox.as_len(),
        slow_client,
        slow_client_key,
        replay_messages: usize::try_from(replayed).unwrap_or(usize::MAX),
        replay_bytes: replay.as_len(),
        idle_timeout: Some(idle_timeout).filter(|time| !time.is_zero()),
        lifetime: Some(lifetime).filter(|time| !time.is_zero()),
        ..above.clone()
    };
    if shown.is_none() {
        read_times(&mut limits, &mut policy);
    }
    policy
}

fn read_rate(limits: &mut Limits<'_, '_, '_>, above: &MessageRate) -> MessageRate {
    const MOST: u32 = 1_000_000;
    let messages = above.messages_per_second.map_or(0, NonZeroU32::get);
    let messages = limits.within("message_rate", messages, (0, MOST));
    let shown = limits.shown.unwrap_or("as `message_rate`");
    let burst = limits.section.optional_in("message_burst", shown, 1..=MOST);
    let bytes = ByteSize::bytes(above.bytes_per_second.map_or(0, NonZeroU64::get));
    let bytes = limits.within("byte_rate", bytes, (ByteSize::bytes(0), ByteSize::gib(1)));
    MessageRate {
        messages_per_second: NonZeroU32::new(messages),
        burst: burst.and_then(NonZeroU32::new).or(above.burst),
        bytes_per_second: u64::try_from(bytes.as_len()).ok().and_then(NonZeroU64::new),
        on_excess: limits.any("on_message_rate", above.on_excess),
    }
}

fn read_times(limits: &mut Limits<'_, '_, '_>, policy: &mut ConnectionPolicy) {
    policy.ping_interval = limits.within("ping_interval", policy.ping_interval, INTERVALS);
    policy.pong_timeout = limits.within("pong_timeout", policy.pong_timeout, WAITS);
    policy.write_timeout = limits.within("write_timeout", policy.write_timeout, WAITS);
    policy.close_timeout = limits.within("close_timeout", policy.close_timeout, WAITS);
}

/// A section whose settings have the defaults of another, or their own.
struct Limits<'s, 'r, 'd> {
    section: &'s mut Section<'r, 'd>,
    shown: Option<&'static str>,
}

impl Limits<'_, '_, '_> {
    fn within<T: Value + PartialOrd>(
        &mut self,
        key: &'static str,
        above: T,
        (least, most): (T, T),
    ) -> T {
        let range: RangeInclusive<T> = least..=most;
        match self.shown {
            None => self.section.read_in(key, above, range),
            Some(shown) => self.section.optional_in(key, shown, range).unwrap_or(above),
        }
    }

    fn any<T: Value>(&mut self, key: &'static str, above: T) -> T {
        match self.shown {
            None => self.section.read(key, above),
            Some(shown) => self.section.optional(key, shown).unwrap_or(above),
        }
    }
}

/// An outbox that holds no largest message could never send one.
fn check_room(section: &mut Section<'_, '_>, message: ByteSize, outbox: ByteSize) {
    let keys = ["outbox_size", "message_size"];
    if outbox < message && keys.iter().any(|key| section.place_of(key).is_some()) {
        section.conflict(
            &keys,
            format!(
                "`outbox_size` ({outbox}) must not be smaller than `message_size` ({message}); \
                 raise the one or lower the other"
            ),
        );
    }
}

fn size(bytes: usize) -> ByteSize {
    ByteSize::bytes(u64::try_from(bytes).unwrap_or(u64::MAX))
}

impl Value for Pointer {
    const EXPECTED: &'static str = "a JSON pointer such as \"/topic\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        Self::parse(text).map_err(|fault| Fault::refuse(text, format!("it {fault}")))
    }

    fn text(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Word for OnExcess {
    const CHOICE: &'static str = "`close`, `drop` or `reply`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("close", Self::Close), ("drop", Self::Drop), ("reply", Self::Reply)];
}

impl Word for SlowClient {
    const CHOICE: &'static str = "`close`, `drop-oldest`, `drop-newest` or `latest`";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("close", Self::Close),
        ("drop-oldest", Self::DropOldest),
        ("drop-newest", Self::DropNewest),
        ("latest", Self::Latest),
    ];
}

impl Word for MessageKind {
    const CHOICE: &'static str = "`any`, `text`, `json` or `binary`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("any", Self::Any), ("text", Self::Text), ("json", Self::Json), ("binary", Self::Binary)];
}
