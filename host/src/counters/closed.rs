//! Why a session ended, as labels. What clients and listeners make up is told by its class only:
//! else they would decide how many series there are.

use std::fmt;

use crate::close::{CloseCause, CloseReason};

/// Why a session ended, as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closed {
    /// The close code.
    pub code: ClosedCode,
    /// Stable name of the reason.
    pub reason: &'static str,
    /// Who closed: `client`, `listener`, `gateway`, or `nobody` where the connection broke.
    pub initiator: &'static str,
}

/// A close code as it is counted; prints as the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedCode {
    /// One of the gateway or of RFC 6455.
    Exactly(u16),
    /// One that a client made up: `3xxx` or `4xxx`.
    Thousand(u16),
    /// One that a listener made up: `49xx`.
    OfListener,
}

/// Codes of RFC 6455 and its registry that a client may send, and that it sent none.
const OF_CLIENTS: [u16; 12] =
    [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013];

impl Closed {
    /// All there are.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let own = CloseReason::ALL.iter().map(Self::from);
        let exactly = OF_CLIENTS.into_iter().map(ClosedCode::Exactly);
        let of_clients = exactly.chain([3, 4].map(ClosedCode::Thousand));
        let client = CloseCause::Client.name();
        let of_clients =
            of_clients.map(move |code| Self { code, reason: client, initiator: "client" });
        let listener = CloseCause::Listener.name();
        let of_listeners =
            Self { code: ClosedCode::OfListener, reason: listener, initiator: "listener" };
        own.chain(of_clients).chain([of_listeners])
    }
}

impl From<&CloseReason> for Closed {
    fn from(reason: &CloseReason) -> Self {
        let (initiator, code) = match (reason.cause(), reason.code()) {
            (CloseCause::Client, code @ 3000..) => ("client", ClosedCode::Thousand(code / 1_000)),
            (CloseCause::Client, code) => ("client", ClosedCode::Exactly(code)),
            (CloseCause::Listener, 4900..) => ("listener", ClosedCode::OfListener),
            (CloseCause::Listener, code) => ("listener", ClosedCode::Exactly(code)),
            // Nobody said a word.
            (CloseCause::Lost, code) => ("nobody", ClosedCode::Exactly(code)),
            (_, code) => ("gateway", ClosedCode::Exactly(code)),
        };
        Self { code, reason: reason.name(), initiator }
    }
}

impl fmt::Display for ClosedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(code) => write!(f, "{code}"),
            Self::Thousand(thousand) => write!(f, "{thousand}xxx"),
            Self::OfListener => f.write_str("49xx"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_others_make_up_are_told_by_their_class() {
        let label = |reason: &CloseReason| {
            let Closed { code, reason, initiator } = Closed::from(reason);
            format!("{code} {reason} {initiator}")
        };
        for (reason, expected) in [
            (CloseReason::SLOW_CONSUMER, "4102 slow-consumer gateway"),
            (CloseReason::LOST, "1006 lost nobody"),
            (CloseReason::NO_STATUS, "1005 client client"),
            (CloseReason::from_peer(1001, "bye"), "1001 client client"),
            (CloseReason::from_peer(3999, ""), "3xxx client client"),
            (CloseReason::from_peer(4102, ""), "4xxx client client"),
            (CloseReason::NORMAL, "1000 listener listener"),
            (CloseReason::from_module(4999, "go").unwrap(), "49xx listener listener"),
        ] {
            assert_eq!(label(&reason), expected);
            assert!(Closed::all().any(|known| known == Closed::from(&reason)), "{expected}");
        }
    }
}
