//! Compiled modules, kept between runs in a directory of their own. Nothing leaves it that was not
//! put there by a gateway with the same key: an entry begins with a MAC over its name and its
//! content, and its name says what it was made of, and by what.
//!
//! ```text
//! key                 32 random bytes, 0600
//! <name>.code         MAC of name and code, then the code
//! .new-*              not whole yet
//! ```

mod private;
#[cfg(test)]
mod tests;

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use wasmtime::Engine;

use super::artifact::Artifact;
use super::component::Digest256;

/// All entries together; then those that were not used for longest go.
const MAX_BYTES: u64 = 512 << 20;

/// What is not whole after this long is what somebody left who was killed.
const MAX_WRITE_TIME: Duration = Duration::from_secs(3_600);

const EXTENSION: &str = ".code";
const MAC_BYTES: usize = 32;

/// Raised when the same file would be compiled to something else, by the same engine in the same
/// version of the gateway.
const RECIPE: u32 = 1;

// No input of one purpose is one of the other.
const NAME: &[u8] = b"sporegate name\0";
const CONTENT: &[u8] = b"sporegate content\0";

/// The directory and its key.
pub(super) struct Cache {
    directory: PathBuf,
    key: hmac::Key,
    max_bytes: u64,
}

/// Where the code of one module is, made by this engine in this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntryName(String);

impl Cache {
    /// Opens the cache in a directory, which is made if there is none.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::bounded(path, MAX_BYTES)
    }

    fn bounded(path: &Path, max_bytes: u64) -> io::Result<Self> {
        let directory = private::directory(path)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &private::key(&directory)?);
        Ok(Self { directory, key, max_bytes })
    }

    /// The name for the file of this digest.
    pub(super) fn name(&self, digest: Digest256, engine: &Engine) -> EntryName {
        let mut name = Fingerprint(hmac::Context::with_key(&self.key));
        name.0.update(NAME);
        name.0.update(&digest.bytes());
        name.0.update(env!("CARGO_PKG_VERSION").as_bytes());
        name.0.update(&RECIPE.to_le_bytes());
        engine.precompile_compatibility_hash().hash(&mut name);
        let tag = name.0.sign();
        EntryName(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What was stored under the name. What does not hold is removed.
    pub(super) fn load(&self, name: &EntryName) -> Option<Artifact> {
        match self.read(name) {
            Ok(artifact) => Some(artifact),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.reject(name, &error);
                None
            }
        }
    }

    /// Takes an entry out, and says why.
    pub(super) fn reject(&self, name: &EntryName, why: &dyn std::fmt::Display) {
        let path = self.path(name);
        tracing::warn!(entry = %path.display(), reason = %why, "an entry of the compile cache is not used: it is removed, and its module compiled anew");
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(entry = %path.display(), %error, "the entry cannot be removed");
        }
    }

    /// Keeps an artifact, if there is room. That it cannot be kept costs time, later, and is no
    /// failure.
    pub(super) fn store(&self, name: &EntryName, artifact: &Artifact) {
        if artifact.bytes().len() as u64 > self.max_bytes {
            return;
        }
        if let Err(error) = self.write(name, artifact).and_then(|()| self.make_room()) {
            tracing::warn!(directory = %self.directory.display(), %error, "the compile cache cannot be written: modules will be compiled anew at each start");
        }
    }

    fn read(&self, name: &EntryName) -> io::Result<Artifact> {
        let file = private::open(&self.path(name))?;
        let mut mac = [0; MAC_BYTES];
        (&file).read_exact(&mut mac)?;
        let mut code = Vec::new();
        let read = (&file).take(self.max_bytes.saturating_add(1)).read_to_end(&mut code)?;
        if read as u64 > self.max_bytes {
            return Err(io::Error::other("it is larger than all entries may be"));
        }
        if !bool::from(self.mac(name, &code).as_ref().ct_eq(&mac)) {
            return Err(io::Error::other("it is not as a gateway with this key wrote it"));
        }
        // The oldest go first, and what is used is not old. If this fails, it counts as older.
        let _ = file.set_modified(SystemTime::now());
        Ok(Artifact::trusted(code))
    }

    fn write(&self, name: &EntryName, artifact: &Artifact) -> io::Result<()> {
        let mut file = private::new_file(&self.directory)?;
        file.write_all(self.mac(name, artifact.bytes()).as_ref())?;
        file.write_all(artifact.bytes())?;
        file.persist(self.path(name)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes the oldest entries until the others are within the bound. What is not ours stays.
    fn make_room(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            // It may be gone by now: others make room as well.
            let Ok(metadata) = entry.metadata() else { continue };
            let Ok(modified) = metadata.modified() else { continue };
            if is_entry(name) && metadata.is_file() {
                entries.push((modified, metadata.len(), entry.path()));
            } else if name.starts_with(private::NEW)
                && modified.elapsed().is_ok_and(|age| age > MAX_WRITE_TIME)
            {
                remove(&entry.path())?;
            }
        }
        entries.sort();
        let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in &entries {
            if total <= self.max_bytes {
                break;
            }
            remove(path)?;
            total = total.saturating_sub(*bytes);
        }
        Ok(())
    }

    fn mac(&self, name: &EntryName, code: &[u8]) -> hmac::Tag {
        let mut mac = hmac::Context::with_key(&self.key);
        mac.update(CONTENT);
        mac.update(name.0.as_bytes());
        mac.update(code);
        mac.sign()
    }

    fn path(&self, name: &EntryName) -> PathBuf {
        self.directory.join(format!("{}{EXTENSION}", name.0))
    }
}

fn is_entry(name: &str) -> bool {
    let stem = name.strip_suffix(EXTENSION).unwrap_or_default();
    stem.len() == 2 * MAC_BYTES && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whoever was faster has removed it as well.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What the engine hashes, as input of the MAC: 64 bits would be too few.
struct Fingerprint(hmac::Context);

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Nobody asks: the MAC is signed instead.
        0
    }
}
