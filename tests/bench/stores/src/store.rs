//! What is asked of a store. Invariant: one writer, and no operation outside a group commit.

mod fjall_store;
mod redb_store;
mod sqlite_store;

use std::path::Path;

use anyhow::{Result, bail};

pub(crate) const STORES: [&str; 3] = ["redb", "fjall", "sqlite"];
/// Memory for pages, the same for each store.
const CACHE_BYTES: usize = 8 << 20;

/// What a commit that has returned survives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Whatever the store promises least.
    Least,
    /// The end of the process: the kernel has it.
    Process,
    /// The loss of power: the disk has it.
    Power,
}

impl Durability {
    pub(crate) const ALL: [(&str, Self); 3] =
        [("least", Self::Least), ("process", Self::Process), ("power", Self::Power)];

    pub(crate) fn named(name: &str) -> Result<Self> {
        match Self::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, durability)) => Ok(*durability),
            None => bail!("no durability {name}"),
        }
    }
}

pub(crate) enum Op<'a> {
    /// A message: its session's number above, its own number in the lower 32 bits.
    Put(u64, &'a [u8]),
    Delete(u64),
    /// The one record of a session.
    Record(u64, &'a [u8]),
}

pub(crate) trait Store {
    /// All or nothing.
    fn commit(&mut self, ops: &[Op]) -> Result<()>;
    /// Deletes all messages of a session.
    fn sweep(&mut self, session: u64) -> Result<()>;
    fn record(&self, session: u64) -> Result<Option<Vec<u8>>>;
    /// All messages in order.
    fn each(&self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<()>;
    /// The store's own check of everything.
    fn check(&mut self) -> Result<()>;
    /// Gives space back to the file system.
    fn shrink(&mut self) -> Result<()>;
}

pub(crate) fn open(name: &str, folder: &Path, durability: Durability) -> Result<Box<dyn Store>> {
    std::fs::create_dir_all(folder)?;
    Ok(match name {
        "redb" => Box::new(redb_store::Redb::open(folder, durability)?),
        "fjall" => Box::new(fjall_store::Fjall::open(folder, durability)?),
        "sqlite" => Box::new(sqlite_store::Sqlite::open(folder, durability)?),
        _ => bail!("no store {name}"),
    })
}

/// The keys of a session's messages.
fn keys(session: u64) -> std::ops::RangeInclusive<u64> {
    session << 32..=(session << 32) | u64::from(u32::MAX)
}
