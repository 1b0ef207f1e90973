//! What a store must hold after commit number k, so that any reader can tell.
//! Invariant: everything follows from k and the window; nothing is remembered elsewhere.

use anyhow::{Context as _, Result, ensure};

use crate::store::{Op, Store};

const SESSION: u64 = 1;

/// The messages from `low` to below `high` are held.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub commit: u64,
    pub low: u64,
    pub high: u64,
    /// Each commit deletes all but this many of the messages.
    pub window: u64,
}

impl Model {
    pub(crate) fn new(window: u64) -> Self {
        Self { commit: 0, low: 0, high: 0, window }
    }

    pub(crate) fn next(self) -> Self {
        let high = self.high + 1 + mixed(self.commit) % 64;
        let low = self.low.max(high.saturating_sub(self.window));
        Self { commit: self.commit + 1, low, high, ..self }
    }

    /// The next commit: new messages, old ones deleted, and its number in the session's record.
    pub(crate) fn advance(&mut self, store: &mut dyn Store) -> Result<()> {
        let next = self.next();
        let payloads: Vec<_> = (self.high..next.high).map(payload).collect();
        let mut ops: Vec<_> =
            (self.high..).zip(&payloads).map(|(n, bytes)| Op::Put(key(n), bytes)).collect();
        ops.extend((self.low..next.low).map(|number| Op::Delete(key(number))));
        let mut record = vec![0; 300];
        record[..8].copy_from_slice(&next.commit.to_le_bytes());
        ops.push(Op::Record(SESSION, &record));
        store.commit(&ops)?;
        *self = next;
        Ok(())
    }

    /// Deletes the oldest messages in a commit of their own.
    pub(crate) fn delete_oldest(&mut self, store: &mut dyn Store, count: u64) -> Result<()> {
        let low = self.low + count;
        store.commit(&(self.low..low).map(|number| Op::Delete(key(number))).collect::<Vec<_>>())?;
        self.low = low;
        Ok(())
    }

    /// What the store holds by its record.
    pub(crate) fn recorded(store: &dyn Store, window: u64) -> Result<Self> {
        let mut model = Self::new(window);
        if let Some(record) = store.record(SESSION)? {
            let number = record.get(..8).context("a short record")?.try_into()?;
            let commit = u64::from_le_bytes(number);
            ensure!(commit < 1 << 30, "a record of nonsense");
            while model.commit < commit {
                model = model.next();
            }
        }
        Ok(model)
    }

    /// How the store's messages differ.
    pub(crate) fn compare(&self, store: &dyn Store) -> Result<Difference> {
        let mut expected = self.low..self.high;
        let mut difference = Difference::default();
        store.each(&mut |found, bytes| {
            let number = expected.by_ref().find(|number| {
                difference.absent += u64::from(key(*number) != found);
                key(*number) == found
            });
            difference.changed += u64::from(number.is_none_or(|number| payload(number) != bytes));
        })?;
        difference.absent += expected.count() as u64;
        Ok(difference)
    }

    pub(crate) fn ensure(&self, store: &dyn Store) -> Result<()> {
        let Difference { absent, changed } = self.compare(store)?;
        ensure!(absent == 0 && changed == 0, "{absent} absent, {changed} changed");
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct Difference {
    pub absent: u64,
    pub changed: u64,
}

fn key(number: u64) -> u64 {
    (SESSION << 32) | number
}

fn payload(number: u64) -> Vec<u8> {
    let length = if number % 50 == 49 { 64 << 10 } else { 100 + mixed(number) % 400 };
    bytes(number, length as usize)
}

/// The same bytes for the same seed.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let words = (0..length.div_ceil(8) as u64).map(|word| mixed(seed << 20 | word));
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

/// SplitMix64's step.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
