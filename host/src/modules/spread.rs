//! How keys are spread over the instances of a module: so that nobody can choose the one that serves
//! it, and alike for as long as the state of each has to be found again.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip::SipHasher13;

/// The secret key of the hash (SipHash 1-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread(u128);

impl Spread {
    /// A new one.
    pub fn random() -> Self {
        // Each has keys of its own from the operating system, or of one that has.
        let half = || u128::from(RandomState::new().hash_one(()));
        Self(half() << 64 | half())
    }

    /// One that was written down.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// To be written down.
    pub fn bits(self) -> u128 {
        self.0
    }

    /// A number for a key.
    pub(super) fn of(self, key: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0.to_le_bytes());
        hasher.write(key);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_number_for_as_long_as_the_spread_is_known() {
        let spread = Spread::random();
        let again = Spread::from_bits(spread.bits());
        assert_eq!(spread.of(b"alice"), again.of(b"alice"));
        assert_ne!(spread, Spread::random());
        // What is written down by one version is read by the next.
        assert_eq!(Spread::from_bits(0).of(b"alice"), 1_274_268_231_354_930_753);
    }
}
