//! The queue against a simple model: lists, searched from end to end.

use proptest::prelude::*;

use super::*;

const POLICIES: [SlowClient; 4] =
    [SlowClient::Close, SlowClient::DropOldest, SlowClient::DropNewest, SlowClient::Latest];

fn policy(slow_client: SlowClient, messages: usize, bytes: usize) -> ConnectionPolicy {
    ConnectionPolicy {
        slow_client,
        outbox_messages: messages,
        outbox_bytes: bytes,
        ..ConnectionPolicy::default()
    }
}

/// A message; its key, if it has one, its number and its padding make it what it is.
fn message(number: usize, key: Option<u8>, padding: usize) -> Payload {
    let padding = "x".repeat(padding);
    Payload::text(match key {
        Some(key) => format!(r#"{{"n":{number},"topic":{key},"p":"{padding}"}}"#),
        None => format!("{number}:{padding}"),
    })
}

#[derive(Clone, Debug)]
enum Step {
    /// Sent without a promise, or dropped at once where the policy is to close.
    Push {
        key: Option<u8>,
        padding: usize,
    },
    /// Room promised, and kept or taken back later.
    Promise {
        bytes: usize,
    },
    Keep,
    TakeBack,
    Drain {
        bytes: usize,
    },
    Written,
}

fn any_step() -> impl Strategy<Value = Step> {
    let key = prop::option::weighted(0.7, 0_u8..4);
    prop_oneof![
        8 => (key, 0_usize..60).prop_map(|(key, padding)| Step::Push { key, padding }),
        1 => (0_usize..40).prop_map(|bytes| Step::Promise { bytes }),
        1 => Just(Step::Keep),
        1 => Just(Step::TakeBack),
        1 => prop_oneof![0_usize..80, Just(usize::MAX)].prop_map(|bytes| Step::Drain { bytes }),
        1 => Just(Step::Written),
    ]
}

/// As slow as can be, and as short.
#[derive(Default)]
struct Model {
    waiting: Vec<(Option<u8>, Payload)>,
    writing: Vec<Payload>,
    /// It was full since it was empty.
    conflating: bool,
    dropped: Dropped,
}

impl Model {
    fn size(&self) -> (usize, usize) {
        let waiting = self.waiting.iter().map(|(_, payload)| payload);
        let bytes = waiting.chain(&self.writing).map(Payload::len).sum();
        (self.waiting.len() + self.writing.len(), bytes)
    }

    fn over(&self, policy: &ConnectionPolicy) -> bool {
        let (messages, bytes) = self.size();
        messages > policy.outbox_messages || bytes > policy.outbox_bytes
    }

    fn take(&mut self, most: usize) -> Vec<Payload> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some((_, next)) = self.waiting.first() {
            bytes += next.len();
            if bytes > most && !taken.is_empty() {
                break;
            }
            taken.push(self.waiting.remove(0).1);
        }
        self.conflating &= !self.waiting.is_empty();
        self.writing.extend_from_slice(&taken);
        taken
    }

    fn push(&mut self, key: Option<u8>, payload: Payload, policy: &ConnectionPolicy) {
        if payload.len() > policy.outbox_bytes {
            self.dropped.newest += 1;
            return;
        }
        self.waiting.push((key, payload));
        if self.over(policy) && policy.slow_client == SlowClient::DropNewest {
            self.waiting.pop();
            self.dropped.newest += 1;
        }
        self.conflating |= self.over(policy) && policy.slow_client == SlowClient::Latest;
        if self.conflating {
            let all = std::mem::take(&mut self.waiting);
            for (at, (key, payload)) in all.iter().enumerate() {
                let later = key.is_some() && all[at + 1..].iter().any(|(other, _)| other == key);
                match later {
                    true => self.dropped.replaced += 1,
                    false => self.waiting.push((*key, payload.clone())),
                }
            }
        }
        while self.waiting.len() > 1 && self.over(policy) {
            self.waiting.remove(0);
            self.dropped.oldest += 1;
        }
    }
}

proptest! {
    #[test]
    fn a_dropping_queue_does_what_the_model_does(
        steps in prop::collection::vec(any_step(), 1..120),
        which in 1_usize..4,
        messages in 1_usize..8,
        bytes in 30_usize..300,
    ) {
        let policy = policy(POLICIES[which], messages, bytes);
        let mut queue = Queue::default();
        let mut model = Model::default();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push { key, padding } => {
                    let payload = message(number, key, padding);
                    queue.push_dropping(payload.clone(), &policy);
                    model.push(key, payload, &policy);
                }
                Step::Drain { bytes } => {
                    // What was taken before has been written by then.
                    queue.written();
                    model.writing.clear();
                    prop_assert_eq!(Vec::from(queue.take(bytes)), model.take(bytes));
                    prop_assert_eq!(queue.take_dropped(), std::mem::take(&mut model.dropped));
                }
                Step::Written => {
                    queue.written();
                    model.writing.clear();
                }
                Step::Promise { .. } | Step::Keep | Step::TakeBack => {}
            }
            prop_assert_eq!(queue.size(), model.size());
            // Whatever is being written, the newest is kept, if it alone has room.
            prop_assert!(queue.size().0 <= messages + 1 && queue.size().1 <= 2 * bytes);
            prop_assert!(model.waiting.len() <= 1 || !model.over(&policy));
            prop_assert_eq!(queue.is_empty(), model.waiting.is_empty());
        }
    }

    #[test]
    fn a_promise_is_kept_and_nothing_exceeds_the_limits(
        steps in prop::collection::vec(any_step(), 1..120),
        messages in 1_usize..8,
        bytes in 30_usize..300,
    ) {
        let policy = policy(SlowClient::Close, messages, bytes);
        let mut queue = Queue::default();
        let (mut promised, mut waiting, mut writing) = (Vec::new(), Vec::new(), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            let held = |promised: &[usize], waiting: &[Payload], writing: &[Payload]| {
                let bytes = waiting.iter().chain(writing).map(Payload::len).sum::<usize>();
                let count = promised.len() + waiting.len() + writing.len();
                (count, bytes + promised.iter().sum::<usize>())
            };
            let (count, size) = held(&promised, &waiting, &writing);
            match step {
                Step::Push { key, padding } => {
                    let payload = message(number, key, padding);
                    let fits = count < messages && size + payload.len() <= bytes;
                    prop_assert_eq!(queue.reserve(payload.len(), &policy), fits);
                    if fits {
                        queue.push_promised(payload.clone());
                        waiting.push(payload);
                    }
                }
                Step::Promise { bytes: wanted } => {
                    let fits = count < messages && size + wanted <= bytes;
                    prop_assert_eq!(queue.reserve(wanted, &policy), fits);
                    promised.extend(fits.then_some(wanted));
                }
                Step::Keep => if let Some(bytes) = promised.pop() {
                    let payload = Payload::text("y".repeat(bytes));
                    queue.push_promised(payload.clone());
                    waiting.push(payload);
                },
                Step::TakeBack => if let Some(bytes) = promised.pop() {
                    queue.release(bytes);
                },
                Step::Drain { bytes } => {
                    let taken = Vec::from(queue.take(bytes));
                    let rest = waiting.split_off(taken.len());
                    prop_assert_eq!(&taken, &waiting);
                    writing.extend(taken);
                    waiting = rest;
                }
                Step::Written => {
                    queue.written();
                    writing.clear();
                }
            }
            prop_assert_eq!(queue.size(), held(&promised, &waiting, &writing));
            prop_assert!(queue.size().0 <= messages && queue.size().1 <= bytes);
        }
        prop_assert_eq!(queue.take_dropped(), Dropped::default());
    }
}

#[test]
fn of_each_key_the_last_stays_in_its_place() {
    let policy = policy(SlowClient::Latest, 4, 1_000);
    let mut queue = Queue::default();
    for (number, key) in [(0, Some(1)), (1, None), (2, Some(2)), (3, Some(1)), (4, Some(3))] {
        queue.push_dropping(message(number, key, 0), &policy);
    }
    let left = [(1, None), (2, Some(2)), (3, Some(1)), (4, Some(3))];
    assert_eq!(queue.take(usize::MAX), left.map(|(number, key)| message(number, key, 0)));
    assert_eq!(queue.take_dropped(), Dropped { replaced: 1, ..Dropped::default() });
}

#[test]
fn before_it_is_full_nothing_is_replaced() {
    let policy = policy(SlowClient::Latest, 4, 1_000);
    let mut queue = Queue::default();
    for number in 0..4 {
        queue.push_dropping(message(number, Some(1), 0), &policy);
    }
    assert_eq!(queue.take(usize::MAX).len(), 4);
    assert_eq!(queue.take_dropped().count(), 0);
}

/// What is full of keys stays quick: this would take minutes if each push looked at all others.
#[test]
fn many_keys_do_not_slow_it_down() {
    let many = 20_000;
    let policy = policy(SlowClient::Latest, many, 1 << 30);
    let mut queue = Queue::default();
    for number in 0..many * 10 {
        let text = format!(r#"{{"topic":"{}"}}"#, number % (many + many / 2));
        queue.push_dropping(Payload::text(text), &policy);
    }
    assert_eq!(queue.size().0, many);
}
