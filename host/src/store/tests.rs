//! A store is written, closed or left, and opened again.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Instant;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;

fn record(id: u128, standing: Standing) -> SessionRecord {
    SessionRecord {
        id,
        order: id as u64,
        tokens: vec![Token(id + 1), Token(u128::MAX - id)],
        path: "/rooms/1".to_owned(),
        username: Some("alice".into()),
        roles: ["a".into(), "b".into()].into(),
        claims: Some("{}".into()),
        authenticator: "main".into(),
        received: 7,
        connection: 3,
        standing,
    }
}

fn away(replay: u64) -> Standing {
    Standing::Away { replay, last: 9, code: 1006, reason: "connection lost".to_owned() }
}

fn texts(range: std::ops::Range<u32>) -> Vec<Payload> {
    range.map(|number| Payload::text(number.to_string())).collect()
}

/// As a crash leaves it: nothing is closed.
fn copy(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

fn found(folder: &Path) -> Found {
    Store::open(folder).unwrap().1
}

#[tokio::test]
async fn what_is_settled_survives_a_crash_and_what_was_replaced_is_gone() {
    let folder = TempDir::new().unwrap();
    let (store, found_first) = Store::open(folder.path()).unwrap();
    assert!(found_first.sessions.is_empty() && !found_first.clean);
    store.put(record(1, away(2)), texts(0..3));
    store.append(1, Payload::Binary(Bytes::from_static(b"\0\xff")));
    store.put(record(2, Standing::Attached), Vec::new());
    store.put(record(3, away(0)), texts(0..5));
    store.put(record(3, away(0)), texts(7..9));
    store.put(record(4, away(0)), texts(0..2));
    store.forget(4);
    store.append(4, Payload::text("too late"));
    store.append(5, Payload::text("of nobody"));
    assert!(store.settled().await);
    let crashed = copy(folder.path());
    let Found { sessions, clean, damaged, .. } = found(crashed.path());
    assert!(!clean && damaged == 0);
    let mut first = texts(0..3);
    first.push(Payload::Binary(Bytes::from_static(b"\0\xff")));
    let expected = [
        StoredSession { record: record(1, away(2)), messages: first },
        StoredSession { record: record(2, Standing::Attached), messages: Vec::new() },
        StoredSession { record: record(3, away(0)), messages: texts(7..9) },
    ];
    assert_eq!(sessions, expected);
}

#[tokio::test]
async fn an_orderly_end_is_told_once_and_states_are_given_to_one_start_only() {
    let folder = TempDir::new().unwrap();
    let state = LeftState {
        module: "tally".to_owned(),
        run: "one instance".to_owned(),
        spread: u128::MAX - 5,
        place: 0,
        schema: 3,
        media_type: "text/plain".to_owned(),
        data: vec![0, 1, 2],
    };
    let (store, _) = Store::open(folder.path()).unwrap();
    store.put(record(1, away(0)), texts(0..2));
    assert!(store.close(vec![state.clone()]).await);
    assert!(!store.settled().await, "it is closed");
    let (store, found_then) = Store::open(folder.path()).unwrap();
    assert!(found_then.clean);
    assert_eq!((found_then.states, found_then.sessions.len()), (vec![state], 1));
    // Goes on where it was.
    store.append(1, Payload::text("2"));
    assert!(store.settled().await);
    let crashed = copy(folder.path());
    let found_last = found(crashed.path());
    assert!(!found_last.clean && found_last.states.is_empty());
    assert_eq!(found_last.sessions[0].messages, texts(0..3));
}

#[tokio::test]
async fn one_bit_in_a_record_or_message_costs_that_session_and_no_other() {
    let folder = TempDir::new().unwrap();
    let (store, _) = Store::open(folder.path()).unwrap();
    store.put(record(1, away(0)), vec![Payload::text("the first message of one")]);
    store.put(record(2, away(0)), vec![Payload::text("the first message of two")]);
    assert!(store.close(Vec::new()).await);
    let path = folder::file(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for needle in ["message of one", "/rooms/1"] {
        let mut bytes = whole.clone();
        let at = bytes.windows(needle.len()).position(|w| w == needle.as_bytes()).unwrap();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let Found { sessions, damaged, .. } = found(folder.path());
        assert_eq!(damaged, 1, "{needle}");
        let of = |id| sessions.iter().find(|session| session.record.id == id);
        // Nobody may go on with a session with a gap, as with one whose record is unknown.
        let lost = |session: &&StoredSession| session.record.standing == Standing::Attached;
        let whole_ones = sessions.iter().filter(|session| !lost(session)).count();
        assert_eq!(whole_ones, 1, "{needle}");
        assert!(of(1).or(of(2)).is_some());
    }
}

#[test]
fn a_file_that_is_none_of_a_store_is_put_aside() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder::file(folder.path()), vec![b'x'; 10_000]).unwrap();
    let Found { aside, sessions, .. } = found(folder.path());
    let aside = aside.unwrap();
    assert!(sessions.is_empty());
    assert_eq!(std::fs::read(aside).unwrap().len(), 10_000);
    assert!(found(folder.path()).aside.is_none());
}

#[test]
fn bits_that_are_flipped_anywhere_never_make_it_panic_or_stop_the_start() {
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (store, _) = Store::open(folder.path()).unwrap();
        for id in 1..40 {
            store.put(record(id, away(1)), texts(0..20));
        }
        assert!(store.close(Vec::new()).await);
    });
    let whole = std::fs::read(folder::file(folder.path())).unwrap();
    let messages: Vec<_> = texts(0..20);
    for step in 0..150 {
        let broken = TempDir::new().unwrap();
        let mut bytes = whole.clone();
        let at = (step * 7_919) % bytes.len();
        bytes[at] ^= 1 << (step % 8);
        std::fs::write(folder::file(broken.path()), bytes).unwrap();
        match Store::open(broken.path()) {
            Ok((_, found)) => {
                // What is not told as lost is whole.
                for StoredSession { record, messages: kept } in found.sessions {
                    assert!(record.standing == Standing::Attached || kept == messages, "{at}");
                }
            }
            Err(error) => assert!(error.to_string().contains("remove the file"), "{error}"),
        }
    }
}

#[test]
fn nobody_else_reads_it_and_nothing_but_plain_files_is_opened() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("a/b");
    drop(found(&folder));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder::file(&folder))), (0o700, 0o600));
    // A folder of others is not changed, and is no place for it where they may write.
    for (mode_before, accepted) in [(0o755, true), (0o770, false), (0o1777, false)] {
        let folder = TempDir::new().unwrap();
        let permissions = std::fs::Permissions::from_mode(mode_before);
        std::fs::set_permissions(folder.path(), permissions).unwrap();
        match Store::open(folder.path()) {
            Ok(_) => assert!(accepted, "{mode_before:o}"),
            Err(refused) => {
                assert!(!accepted && refused.to_string().contains("others may write to it"));
            }
        }
        assert_eq!(mode(folder.path()), mode_before & 0o777);
    }
    let elsewhere = parent.path().join("elsewhere");
    std::fs::write(&elsewhere, "").unwrap();
    let link = TempDir::new().unwrap();
    symlink(&elsewhere, folder::file(link.path())).unwrap();
    let refused = Store::open(link.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Folder(FolderError::NotAFile(_))), "{refused}");
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"");
    // Of a pipe that nobody writes, the answer comes at once.
    let pipe = TempDir::new().unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, folder::file(pipe.path()), rustix::fs::Mode::RUSR)
        .unwrap();
    let began = Instant::now();
    let refused = Store::open(pipe.path()).unwrap_err();
    assert!(refused.to_string().contains("no regular file"), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(1));
    let file = Store::open(&elsewhere).unwrap_err();
    assert!(file.to_string().contains("reconnect_folder"), "{file}");
}

#[test]
fn it_is_for_one_at_a_time() {
    let folder = TempDir::new().unwrap();
    let (_store, _) = Store::open(folder.path()).unwrap();
    let refused = Store::open(folder.path()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
}
