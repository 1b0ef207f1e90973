//! What all parts of the chaos share: where the gateway is, what was sent to whom, and what must
//! have arrived.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

/// Numbers of Knuth's MMIX: what is chosen depends on the seed alone.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn of(seed: u64, part: usize) -> Self {
        let mut random = Self(seed ^ (part as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.below(1);
        random
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }

    pub(super) fn millis(&mut self, end: u64) -> Duration {
        Duration::from_millis(self.below(end))
    }
}

/// The gateway of the moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// None while there is none.
    pub(super) address: Option<SocketAddr>,
    /// How many were started before.
    pub(super) generation: usize,
}

/// What the clients are to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    Go,
    /// These are to leave and to stay away; the others go on.
    Away(BTreeSet<usize>),
    /// These are to check that nothing is missing and to end their sessions; the others go on.
    Leave(BTreeSet<usize>),
}

/// What became of a text, as far as its sender knows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// No answer yet, or none ever.
    Open,
    Accepted,
    Refused,
}

/// The texts for one client. They are numbered from zero in each of its sessions.
#[derive(Default)]
pub(super) struct Mail {
    /// How many sessions it has had.
    session: u64,
    id: Option<String>,
    next: u64,
    /// Of those that were sent and did not arrive, in order.
    missing: VecDeque<(u64, Verdict)>,
    /// In all sessions.
    accepted: u64,
    pub(super) received: u64,
}

impl Mail {
    /// A session begins; what was under way in the one before is lost.
    pub(super) fn begin(&mut self) {
        let (session, accepted, received) = (self.session + 1, self.accepted, self.received);
        *self = Self { session, accepted, received, ..Self::default() };
    }

    /// The client knows its public id.
    pub(super) fn is(&mut self, id: &str) {
        let known = self.id.get_or_insert_with(|| id.to_owned());
        assert_eq!(known, id, "a session has one id");
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// The next text, for whom and what; and what tells it from all others.
    pub(super) fn next(&mut self) -> Option<(String, String, (u64, u64))> {
        let id = self.id.clone()?;
        let key = (self.session, self.next);
        self.missing.push_back((self.next, Verdict::Open));
        self.next += 1;
        Some((id, format!("{}:{}", key.0, key.1), key))
    }

    /// A text was answered.
    pub(super) fn answered(&mut self, (session, number): (u64, u64), accepted: bool) {
        self.accepted += u64::from(accepted);
        if session != self.session {
            return;
        }
        let verdict = if accepted { Verdict::Accepted } else { Verdict::Refused };
        match self.missing.iter_mut().find(|(missing, _)| *missing == number) {
            Some(text) => text.1 = verdict,
            None => assert!(accepted, "{number} was refused, and arrived"),
        }
    }

    /// A text arrived: the next one, but for those that nobody was told were accepted.
    pub(super) fn arrived(&mut self, text: &str, who: &str) {
        let (session, number) = text.split_once(':').unwrap_or_else(|| panic!("{who} got {text}"));
        let (session, number): (u64, u64) = (session.parse().unwrap(), number.parse().unwrap());
        assert_eq!(session, self.session, "{who} got {text} of another session");
        loop {
            match self.missing.pop_front() {
                Some((missing, Verdict::Accepted)) if missing < number => {
                    panic!("{who} got {text} and not {missing}, which was accepted: a gap")
                }
                Some((missing, _)) if missing < number => {}
                Some((missing, verdict)) if missing == number => {
                    assert_ne!(verdict, Verdict::Refused, "{who} got {text}, which was refused");
                    self.received += 1;
                    return;
                }
                next => panic!("{who} got {text} again or too late; next is {next:?}"),
            }
        }
    }

    /// Everything that was accepted has arrived.
    pub(super) fn assert_complete(&self, who: &str) {
        let lost: Vec<_> = self.missing.iter().filter(|it| it.1 == Verdict::Accepted).collect();
        assert!(lost.is_empty(), "{who} never got {lost:?}");
    }
}

/// What has happened so far.
#[derive(Default)]
pub(super) struct Record {
    /// By kind.
    pub(super) cuts: BTreeMap<&'static str, u64>,
    pub(super) resumed: u64,
    /// By what the client was told.
    pub(super) refused: BTreeMap<String, u64>,
    /// Public ids that somebody was told to be its own.
    pub(super) ids: BTreeSet<String>,
    /// How often each was said to have gone.
    pub(super) gone: BTreeMap<String, usize>,
    /// Which clients have ended their sessions.
    pub(super) left: BTreeSet<usize>,
    /// The generation of each gateway that was killed, and who was away for certain.
    pub(super) kills: Vec<(usize, BTreeSet<usize>)>,
}

impl Record {
    pub(super) fn all_cuts(&self) -> u64 {
        self.cuts.values().sum()
    }
}

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) place: watch::Sender<Place>,
    pub(super) order: watch::Sender<Order>,
    /// Nobody sends any more.
    pub(super) silence: watch::Sender<bool>,
    mails: Vec<Mutex<Mail>>,
    record: Mutex<Record>,
}

impl World {
    pub(super) fn new(seed: u64, clients: usize) -> Self {
        Self {
            seed,
            place: watch::Sender::new(Place { address: None, generation: 0 }),
            order: watch::Sender::new(Order::Go),
            silence: watch::Sender::new(false),
            mails: (0..clients).map(|_| Mutex::default()).collect(),
            record: Mutex::default(),
        }
    }

    pub(super) fn mail(&self, index: usize) -> MutexGuard<'_, Mail> {
        self.mails[index].lock().unwrap()
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap()
    }

    /// Waits until there is a gateway.
    pub(super) async fn gateway(&self) -> (SocketAddr, usize) {
        let mut place = self.place.subscribe();
        let place = *place.wait_for(|place| place.address.is_some()).await.unwrap();
        (place.address.unwrap(), place.generation)
    }

    /// Whether the session of this client, which it last had from the gateway `since`, may be
    /// refused by the gateway `now`: it was connected, perhaps, when one in between was killed.
    pub(super) fn may_have_lost(&self, index: usize, since: usize, now: usize) -> bool {
        let record = self.record();
        let mut between = record.kills.iter().filter(|(killed, _)| (since..now).contains(killed));
        between.any(|(_, away)| !away.contains(&index))
    }
}
