//! The tokens with which the client of a session may come back: the newest, and the one before as
//! long as it is not known that the newest has arrived.

use std::sync::{Mutex, PoisonError};

use super::id::TokenHash;

/// At most two tokens.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<Hashes>);

#[derive(Debug, Default)]
struct Hashes {
    newest: Option<TokenHash>,
    before: Option<TokenHash>,
}

impl Tokens {
    /// Those that were stored, the oldest first.
    pub fn of(hashes: impl DoubleEndedIterator<Item = TokenHash>) -> Self {
        let mut newest_first = hashes.rev();
        let (newest, before) = (newest_first.next(), newest_first.next());
        Self(Mutex::new(Hashes { newest, before }))
    }

    /// All that count, the oldest first.
    pub fn all(&self) -> impl Iterator<Item = TokenHash> + use<> {
        let [before, newest] = self.with(|hashes| [hashes.before, hashes.newest]);
        before.into_iter().chain(newest)
    }

    /// Adds a new one, for a client that has come back with `used`, which goes on to count. Returns
    /// what does not count any more: who has not used it may never have got it.
    pub fn push(&self, hash: TokenHash, used: Option<TokenHash>) -> Option<TokenHash> {
        self.with(|hashes| {
            let mut all = [hashes.before, hashes.newest].into_iter().flatten();
            let unused = all.find(|hash| Some(*hash) != used);
            *hashes = Hashes { newest: Some(hash), before: used };
            unused
        })
    }

    /// The newest has arrived. Returns the one that does not count any more.
    pub fn confirm(&self) -> Option<TokenHash> {
        self.with(|hashes| hashes.before.take())
    }

    /// Takes all of them away.
    pub fn take(&self) -> impl Iterator<Item = TokenHash> + use<> {
        let Hashes { newest, before } = self.with(std::mem::take);
        [before, newest].into_iter().flatten()
    }

    fn with<T>(&self, change: impl FnOnce(&mut Hashes) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
