//! What a message that is published makes the gateway send, decided before any of it is sent: it
//! reaches everybody who subscribed, or the publisher is told that it reached nobody.

use sporegate_guest::{Audience, ClientId, Payload, Result};

use crate::protocol::{Delivery, Request};
use crate::subscriptions::Subscribers;

/// What the gateway takes from one call, unless it is configured otherwise.
const MAX_SENDS: usize = 1_000;
const MAX_SEND_BYTES: usize = 4 << 20;

/// Ids that the gateway takes for one send.
const MAX_IDS: usize = 10_000;

/// A text for each pattern, with whom it is for.
#[derive(Debug)]
pub(crate) struct Publication<'a> {
    texts: Vec<(String, &'a Subscribers)>,
}

impl<'a> Publication<'a> {
    /// None if it is more than a call may send, an answer of `answer_bytes` at most included.
    pub(crate) fn new<'p>(
        request: &Request<'_>,
        matching: impl IntoIterator<Item = (&'p str, &'a Subscribers)>,
        answer_bytes: usize,
    ) -> Option<Self> {
        let (mut sends, mut bytes) = (1, answer_bytes);
        let mut texts = Vec::new();
        for (pattern, subscribers) in matching {
            let text = serde_json::to_string(&Delivery::new(request, pattern)).ok()?;
            let parts = subscribers.len().div_ceil(MAX_IDS);
            sends += parts;
            bytes += parts * text.len();
            if sends > MAX_SENDS || bytes > MAX_SEND_BYTES {
                return None;
            }
            texts.push((text, subscribers));
        }
        Some(Self { texts })
    }

    /// Queues all of it.
    ///
    /// # Errors
    /// Where the gateway takes less than it does by default. What is queued then is to be undone.
    pub(crate) fn send(self) -> Result<()> {
        for (text, subscribers) in self.texts {
            let message = Payload::Text(text);
            for ids in parts(subscribers) {
                Audience::Ids(ids).send(&message, &[])?;
            }
        }
        Ok(())
    }
}

fn parts(subscribers: &Subscribers) -> impl Iterator<Item = Vec<ClientId>> {
    let mut left = subscribers.iter();
    std::iter::from_fn(move || {
        let ids: Vec<ClientId> = left.by_ref().take(MAX_IDS).map(|id| id.to_string()).collect();
        (!ids.is_empty()).then_some(ids)
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn subscribers(count: usize) -> Subscribers {
        (0..count).map(|id| Rc::from(id.to_string())).collect()
    }

    fn fits(message_bytes: usize, patterns: usize, subscribers: &Subscribers) -> bool {
        let message = "x".repeat(message_bytes);
        let text =
            format!(r#"{{"messageId":1,"command":"publish","topic":"a","message":"{message}"}}"#);
        let request = Request::parse(&text).unwrap();
        let matching = (0..patterns).map(|_| ("a/+", subscribers));
        Publication::new(&request, matching, text.len()).is_some()
    }

    #[test]
    fn a_publication_and_its_answer_are_no_more_than_a_call_may_send() {
        let one = subscribers(1);
        assert!(fits(0, MAX_SENDS - 1, &one));
        assert!(!fits(0, MAX_SENDS, &one));
        assert!(fits(60_000, 68, &one));
        assert!(!fits(60_000, 69, &one));
    }

    #[test]
    fn each_ten_thousand_subscribers_are_a_send() {
        let many = subscribers(2 * MAX_IDS + 1);
        assert!(fits(0, (MAX_SENDS - 1) / 3, &many));
        assert!(!fits(0, MAX_SENDS / 3 + 1, &many));
        assert!(!fits(60_000, 23, &many) && fits(60_000, 22, &many));
        let lengths: Vec<usize> = parts(&many).map(|ids| ids.len()).collect();
        assert_eq!(lengths, [MAX_IDS, MAX_IDS, 1]);
        let ids: Subscribers = parts(&many).flatten().map(Rc::from).collect();
        assert_eq!(ids, many);
    }
}
