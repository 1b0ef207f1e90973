//! The cache in a directory of its own: what leaves it is what was put in, or nothing.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn directory(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    fn open(&self) -> Cache {
        Cache::open(&self.directory()).unwrap()
    }

    fn key(&self) -> PathBuf {
        self.directory().join("key")
    }

    /// Names of all entries.
    fn entries(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut entries: Vec<_> = names.filter(|name| is_entry(name)).collect();
        entries.sort();
        entries
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn name_of(cache: &Cache, file: &[u8]) -> EntryName {
    cache.name(Digest256::of(file), &Engine::default())
}

/// Stores these bytes as the code of a file.
fn store(cache: &Cache, file: &[u8], code: &[u8]) -> EntryName {
    let name = name_of(cache, file);
    cache.store(&name, &Artifact::trusted(code.to_vec()));
    name
}

fn loaded(cache: &Cache, name: &EntryName) -> Option<Vec<u8>> {
    cache.load(name).map(|artifact| artifact.bytes().to_vec())
}

#[test]
fn what_was_stored_is_loaded_also_after_it_was_opened_again() {
    let place = Place::new();
    let name = store(&place.open(), b"file", b"code");
    let again = place.open();
    assert_eq!(loaded(&again, &name).unwrap(), b"code");
    assert_eq!(name_of(&again, b"file"), name);
    assert!(loaded(&again, &name_of(&again, b"another file")).is_none());
}

#[test]
fn nobody_else_can_reach_what_it_makes() {
    let place = Place::new();
    store(&place.open(), b"file", b"code");
    assert_eq!((mode(&place.directory()), mode(&place.key())), (0o700, 0o600));
    let [entry] = &place.entries()[..] else { panic!("one entry") };
    assert_eq!(mode(&place.directory().join(entry)), 0o600);
}

#[test]
fn a_directory_that_others_can_reach_is_refused_and_left_as_it_is() {
    for others in [0o701, 0o710, 0o722, 0o755, 0o777] {
        let place = Place::new();
        fs::create_dir(place.directory()).unwrap();
        set_mode(&place.directory(), others);
        let error = Cache::open(&place.directory()).err().unwrap().to_string();
        assert!(error.contains("other users can reach it"), "{error}");
        assert_eq!(mode(&place.directory()), others);
    }
    let place = Place::new();
    fs::write(place.directory(), "a file").unwrap();
    assert!(Cache::open(&place.directory()).is_err());
}

#[test]
fn an_entry_with_any_byte_changed_or_missing_is_removed() {
    let place = Place::new();
    let cache = place.open();
    let name = name_of(&cache, b"file");
    let path = cache.path(&name);
    store(&cache, b"file", b"code");
    let whole = fs::read(&path).unwrap();
    let flipped = (0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    });
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let longer = [whole.clone(), b"x".to_vec()].concat();
    for bytes in flipped.chain(cut).chain([longer]) {
        fs::write(&path, &bytes).unwrap();
        assert!(loaded(&cache, &name).is_none(), "{bytes:?}");
        assert!(!path.exists());
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(loaded(&cache, &name).unwrap(), b"code");
}

#[test]
fn an_entry_under_the_name_of_another_is_removed() {
    let place = Place::new();
    let cache = place.open();
    let (one, two) = (store(&cache, b"one", b"code of one"), store(&cache, b"two", b"code of two"));
    fs::copy(cache.path(&one), cache.path(&two)).unwrap();
    assert!(loaded(&cache, &two).is_none());
    assert_eq!(loaded(&cache, &one).unwrap(), b"code of one");
}

#[test]
fn an_entry_of_another_key_is_removed() {
    let (place, other) = (Place::new(), Place::new());
    let (cache, foreign) = (place.open(), other.open());
    let name = name_of(&cache, b"file");
    // As if the names were known: the content is what the other key vouches for.
    foreign.store(&name, &Artifact::trusted(b"code".to_vec()));
    fs::copy(foreign.path(&name), cache.path(&name)).unwrap();
    assert!(loaded(&cache, &name).is_none());
    assert_ne!(name_of(&foreign, b"file"), name);
}

#[test]
fn a_link_a_directory_or_a_pipe_is_no_entry() {
    let place = Place::new();
    let cache = place.open();
    let name = store(&cache, b"file", b"code");
    let (path, moved) = (cache.path(&name), place.0.path().join("moved"));
    fs::rename(&path, &moved).unwrap();
    symlink(&moved, &path).unwrap();
    assert!(loaded(&cache, &name).is_none());
    assert!(path.symlink_metadata().is_err(), "the link is gone");
    fs::create_dir(&path).unwrap();
    assert!(loaded(&cache, &name).is_none());
    fs::remove_dir(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(loaded(&cache, &name).is_none());
}

#[test]
fn a_key_that_others_can_read_or_that_is_not_whole_is_replaced_with_all_it_vouched_for() {
    let place = Place::new();
    let spoil: [fn(&Path); 4] = [
        |key| set_mode(key, 0o640),
        |key| File::options().write(true).open(key).unwrap().set_len(31).unwrap(),
        |key| fs::write(key, [0; 33]).unwrap(),
        |key| {
            fs::rename(key, key.with_extension("moved")).unwrap();
            symlink(key.with_extension("moved"), key).unwrap();
        },
    ];
    for spoil in spoil {
        let before = place.open();
        let name = store(&before, b"file", b"code");
        spoil(&place.key());
        let after = place.open();
        assert!(loaded(&after, &name).is_none());
        assert_ne!(name_of(&after, b"file"), name);
        assert_eq!(mode(&place.key()), 0o600);
    }
}

#[test]
fn two_that_open_it_at_once_have_one_key() {
    for _ in 0..20 {
        let place = Place::new();
        let names: Vec<_> = std::thread::scope(|scope| {
            let open = || scope.spawn(|| name_of(&place.open(), b"file"));
            let opening: Vec<_> = (0..8).map(|_| open()).collect();
            opening.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    }
}

#[test]
fn those_that_were_not_used_for_longest_make_room_and_other_files_stay() {
    let place = Place::new();
    let code = [7; 1_000];
    let most = 3 * (code.len() + MAC_BYTES) as u64;
    let cache = Cache::bounded(&place.directory(), most).unwrap();
    fs::write(place.directory().join("notes.code"), [0; 10_000]).unwrap();
    let old = |name: &EntryName, seconds| {
        let file = File::open(cache.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    let names: Vec<_> = [b"a", b"b", b"c"].iter().map(|file| store(&cache, *file, &code)).collect();
    [300, 200, 100].iter().zip(&names).for_each(|(seconds, name)| old(name, *seconds));
    assert!(loaded(&cache, &names[0]).is_some(), "used: now it is the newest");
    let new = store(&cache, b"d", &code);
    let kept = |name: &EntryName| cache.path(name).exists();
    assert_eq!(names.iter().map(kept).collect::<Vec<_>>(), [true, false, true]);
    assert!(kept(&new));
    assert!(place.directory().join("notes.code").exists());
    // What has no room at all is not kept.
    let large = store(&cache, b"e", &[7; 4_000]);
    assert!(!kept(&large) && kept(&new));
}

#[test]
fn what_was_left_half_written_is_removed_after_a_while() {
    let place = Place::new();
    let cache = place.open();
    let (fresh, left) = (place.directory().join(".new-1"), place.directory().join(".new-2"));
    fs::write(&fresh, "half").unwrap();
    fs::write(&left, "half").unwrap();
    let age = SystemTime::now() - MAX_WRITE_TIME - Duration::from_secs(1);
    File::open(&left).unwrap().set_modified(age).unwrap();
    store(&cache, b"file", b"code");
    assert_eq!((fresh.exists(), left.exists()), (true, false));
}
