//! Ids of sessions. Both kinds are 128 random bits from the operating system, so that neither can
//! be guessed, and neither tells anything about the other.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Public id of a session: what listeners see and pass around. 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(u128);

/// What the client itself gets in its greeting, to come back with. A secret: never shown to
/// listeners or logs, and not kept: see [`TokenHash`].
pub struct ReconnectToken(u128);

/// Half of the SHA-256 of a token (FIPS 180-4), by which it is found: how long that takes, and
/// whoever can read it, tells nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(u128);

/// The text is not a client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a client id: 32 lower-case hexadecimal digits")]
pub struct NotAClientId;

impl ClientId {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        random_bits().map(Self)
    }

    /// The bits, for spreading ids over shards, and to be stored.
    pub fn bits(self) -> u128 {
        self.0
    }

    /// From bits that were stored.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl FromStr for ClientId {
    type Err = NotAClientId;

    fn from_str(text: &str) -> Result<Self, NotAClientId> {
        let canonical = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !canonical {
            return Err(NotAClientId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| NotAClientId)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ReconnectToken {
    /// A new token.
    pub fn random() -> Result<Self, getrandom::Error> {
        random_bits().map(Self)
    }

    /// Reads the text of a token; none for anything else, such as an id that another gateway gave.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|ClientId(bits)| Self(bits))
    }

    /// The text that goes to the client.
    pub fn reveal(&self) -> String {
        format!("{:032x}", self.0)
    }

    /// By what it is found.
    pub fn hash(&self) -> TokenHash {
        let digest = Sha256::digest(self.0.to_be_bytes());
        let half = digest.iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        TokenHash(half)
    }
}

impl TokenHash {
    /// The bits, to be stored.
    pub fn bits(self) -> u128 {
        self.0
    }

    /// From bits that were stored.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for ReconnectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReconnectToken(secret)")
    }
}

fn random_bits() -> Result<u128, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text() {
        let id = ClientId::random().unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 32);
    }

    #[test]
    fn only_the_canonical_text_is_an_id() {
        let id = "00000000000000000000000000abcdef";
        assert!(id.parse::<ClientId>().is_ok());
        for bad in ["", "abcdef", &id.to_uppercase(), &format!("+{}", &id[1..]), &format!("{id}0")]
        {
            assert_eq!(bad.parse::<ClientId>(), Err(NotAClientId), "{bad}");
        }
    }

    #[test]
    fn a_reconnect_token_does_not_show_in_debug_output() {
        let token = ReconnectToken::random().unwrap();
        assert!(!format!("{token:?}").contains(&token.reveal()));
    }
}
