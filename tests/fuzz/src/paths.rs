//! Paths, patterns and positions in queries. A path has one spelling, however it was asked for; what
//! a pattern matches, covers and overlaps is what its segments say; a query finds what a search of
//! all sessions finds, page by page, from wherever it goes on.
//!
//! Each line is taken for everything that it can be: the path of a request, a pattern, a cursor.

use std::sync::Arc;

use sporegate::admission::ConnectionLimits;
use sporegate::counters::Counters;
use sporegate::limits::ConnectionPolicy;
use sporegate::path::{
    ConnectPath, MAX_PATH_BYTES, MAX_PATH_SEGMENTS, PathPattern, PathSet, Segment,
};
use sporegate::principal::Principal;
use sporegate::registry::{AwayLimits, Cursor, Registry};
use sporegate::session::Session;

use super::lines::{assert_line, text};

const MAX_LINES: usize = 8;

pub fn check(data: &[u8]) {
    let lines: Vec<String> = data.split(|byte| *byte == b'\n').take(MAX_LINES).map(text).collect();
    let paths: Vec<_> = lines.iter().filter_map(|line| check_path(line)).collect();
    let patterns: Vec<_> = lines.iter().filter_map(|line| check_pattern(line)).collect();
    for pattern in &patterns {
        paths.iter().for_each(|path| check_match(pattern, path));
        patterns.iter().for_each(|other| check_pair(pattern, other, &paths));
    }
    for path in &paths {
        let exact = PathPattern::from(path);
        assert_eq!(Ok(&exact), PathPattern::parse(path.as_str()).as_ref());
        assert!(exact.is_exact());
        paths.iter().for_each(|other| assert_eq!(exact.matches(other), path == other));
    }
    let cursors: Vec<_> = lines.iter().filter_map(|line| check_cursor(line)).collect();
    check_queries(&paths, &patterns, &cursors);
}

/// The path of a request is what it says when it is decoded once, or refused.
fn check_path(raw: &str) -> Option<ConnectPath> {
    let expected = decoded(raw);
    let path = match ConnectPath::parse(raw) {
        Ok(path) => path,
        Err(error) => {
            assert_eq!(expected, None, "{raw:?}: {error}");
            let message = error.to_string();
            assert_line(&message);
            assert!(message.is_ascii() && message.len() < 200, "{message}");
            return None;
        }
    };
    assert_eq!(Some(path.segments().map(str::to_owned).collect()), expected, "{raw:?}");
    let joined: String = path.segments().flat_map(|segment| ["/", segment]).collect();
    assert_eq!(path.as_str(), if joined.is_empty() { "/" } else { &joined });
    let escaped = |c: char| c.to_string().bytes().map(|b| format!("%{b:02x}")).collect::<String>();
    let as_little = |c: char| if "%?#".contains(c) { escaped(c) } else { c.to_string() };
    let as_much = |c: char| if c == '/' { c.to_string() } else { escaped(c).to_uppercase() };
    let little: String = path.as_str().chars().map(as_little).collect();
    let much: String = path.as_str().chars().map(as_much).collect();
    for spelling in [format!("{}/", little.trim_end_matches('/')), little, much] {
        if spelling.len() <= MAX_PATH_BYTES {
            assert_eq!(ConnectPath::parse(&spelling).as_ref(), Ok(&path), "{spelling:?}");
        }
    }
    Some(path)
}

/// The segments of a path, by the words of the interface.
fn decoded(raw: &str) -> Option<Vec<String>> {
    let below = raw.strip_prefix('/').filter(|_| raw.len() <= MAX_PATH_BYTES)?;
    if below.is_empty() {
        return Some(Vec::new());
    }
    let raw = below.strip_suffix('/').unwrap_or(below);
    let segments: Vec<_> = raw.split('/').map(decoded_segment).collect::<Option<_>>()?;
    (segments.len() <= MAX_PATH_SEGMENTS).then_some(segments)
}

fn decoded_segment(raw: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = raw.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let hex = std::str::from_utf8(after.get(..2)?).ok()?;
            let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            bytes.extend(digits.then(|| u8::from_str_radix(hex, 16).unwrap()));
            rest = after.get(2..).filter(|_| digits)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    let segment = String::from_utf8(bytes).ok()?;
    let refused = |c: char| c.is_control() || "/\\*{}".contains(c);
    let good = !matches!(&*segment, "" | "." | "..") && !segment.contains(refused);
    (good && !raw.contains(['?', '#'])).then_some(segment)
}

/// A pattern is its own spelling, and made of the segments that it shows.
fn check_pattern(line: &str) -> Option<PathPattern> {
    let pattern = match PathPattern::parse(line) {
        Ok(pattern) => pattern,
        Err(error) => {
            let message = error.to_string();
            assert!((1..1_000).contains(&message.len()), "{message}");
            return None;
        }
    };
    assert_eq!(PathPattern::parse(pattern.as_str()).as_ref(), Ok(&pattern));
    let shown: String = pattern
        .segments()
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Param(name) => format!("/{{{name}}}"),
            Segment::Rest => "/*".to_owned(),
        })
        .collect();
    assert_eq!(pattern.as_str(), if shown.is_empty() { "/" } else { &shown });
    assert!(pattern.covers(&pattern) && pattern.overlaps(&pattern));
    Some(pattern)
}

fn check_match(pattern: &PathPattern, path: &ConnectPath) {
    let segments: Vec<_> = path.segments().collect();
    let expected = captures(pattern.segments(), &segments);
    let captured = pattern.captures(path);
    let owned = |captured: &[(&str, &str)]| -> Vec<(String, String)> {
        captured.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    assert_eq!(captured.as_deref().map(owned), expected, "{pattern} {path}");
    assert_eq!(pattern.matches(path), expected.is_some());
    assert_eq!(pattern.covers(&path.into()), expected.is_some());
    assert_eq!(pattern.overlaps(&path.into()), expected.is_some());
}

fn captures(pattern: &[Segment], path: &[&str]) -> Option<Vec<(String, String)>> {
    let mut captures = Vec::new();
    for (at, segment) in pattern.iter().enumerate() {
        match segment {
            Segment::Rest => {
                captures.push(("*".to_owned(), path.get(at..)?.join("/")));
                return Some(captures);
            }
            Segment::Param(name) => {
                captures.push((name.to_string(), (*path.get(at)?).to_owned()));
            }
            Segment::Literal(text) if **text == **path.get(at)? => {}
            Segment::Literal(_) => return None,
        }
    }
    (pattern.len() == path.len()).then_some(captures)
}

/// A text that is no segment of any pattern.
const FRESH: &str = "\0";

/// What covers and overlaps say, held against paths that would tell otherwise.
fn check_pair(a: &PathPattern, b: &PathPattern, paths: &[ConnectPath]) {
    let (covers, overlaps) = (a.covers(b), a.overlaps(b));
    assert_eq!(overlaps, b.overlaps(a), "{a} {b}");
    assert!(overlaps || !covers, "{a} {b}");
    for path in paths {
        assert!(!covers || !b.matches(path) || a.matches(path), "{a} covers {b}: {path}");
        assert!(overlaps || !b.matches(path) || !a.matches(path), "{a} overlaps {b}: {path}");
    }
    // Paths of `b` that have nothing of their own, of every length that matters.
    let fixed = |pattern: &PathPattern| -> Vec<Option<String>> {
        let segments = pattern.segments().iter().filter(|segment| **segment != Segment::Rest);
        segments
            .map(|segment| match segment {
                Segment::Literal(text) => Some(text.to_string()),
                _ => None,
            })
            .collect()
    };
    let open = |pattern: &PathPattern| pattern.segments().last() == Some(&Segment::Rest);
    let (of_a, of_b) = (fixed(a), fixed(b));
    let own = |at: usize| of_b.get(at).cloned().flatten().unwrap_or_else(|| FRESH.to_owned());
    let longest = if open(b) { of_a.len().max(of_b.len()) + 1 } else { of_b.len() };
    let all = (of_b.len()..=longest).all(|length| {
        let path: Vec<_> = (0..length).map(own).collect();
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        captures(a.segments(), &path).is_some()
    });
    assert_eq!(covers, all, "{a} covers {b}");
    // The one path that both must match if they have any in common.
    let both = |at: usize| of_a.get(at).cloned().flatten().unwrap_or_else(|| own(at));
    let path: Vec<_> = (0..of_a.len().max(of_b.len())).map(both).collect();
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let common = [a, b].iter().all(|pattern| captures(pattern.segments(), &path).is_some());
    assert_eq!(overlaps, common, "{a} overlaps {b}");
}

/// A cursor is only what a query returned, which has one spelling.
fn check_cursor(line: &str) -> Option<Cursor> {
    let cursor = Cursor::parse(line)?;
    assert_eq!(cursor.to_text(), line);
    Some(cursor)
}

/// Where a query goes on: behind this path and admission.
type Position = (Vec<String>, u64);

fn position(cursor: &Cursor) -> Position {
    let text = cursor.to_text();
    let (order, path) = text.split_once('/').unwrap();
    let segments = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned);
    (segments.collect(), order.parse().unwrap())
}

fn check_queries(paths: &[ConnectPath], patterns: &[PathPattern], cursors: &[Cursor]) {
    const LIMIT: usize = 2;
    let registry = Registry::new(
        ConnectionLimits { total: 100, ..ConnectionLimits::default() },
        AwayLimits::default(),
    );
    let (policy, counters) = (Arc::new(ConnectionPolicy::default()), Counters::default());
    let mut sessions: Vec<Arc<Session>> = Vec::new();
    for path in paths.iter().chain(paths) {
        let (order, counters) = (registry.next_order(), counters.path(None));
        let (path, who) = (path.clone(), Principal::anonymous());
        let session =
            Session::new(order, path, who, Arc::clone(&policy), counters, Arc::default()).unwrap();
        sessions.push(Arc::new(session));
        registry.insert(sessions.last().unwrap());
    }
    let place = |session: &Session| -> Position {
        (session.path().segments().map(str::to_owned).collect(), session.order())
    };
    sessions.sort_by_key(|session| place(session));
    let scope: PathSet = patterns.iter().take(3).cloned().collect();
    let visible = |session: &&Arc<Session>| scope.contains(session.path());
    assert_eq!(registry.count(&scope), sessions.iter().filter(visible).count() as u64);
    let starts = || std::iter::once(None).chain(cursors.iter().map(Some));
    for pattern in patterns.iter().rev().take(4) {
        for start in starts() {
            let from = start.map(position);
            let expected: Vec<_> = sessions
                .iter()
                .filter(visible)
                .filter(|session| pattern.matches(session.path()))
                .filter(|session| from.as_ref().is_none_or(|from| place(session) > *from))
                .map(|session| session.order())
                .collect();
            let (mut found, mut cursor) = (Vec::new(), start.cloned());
            loop {
                let page = registry.on_path(pattern, &scope, cursor.as_ref(), LIMIT);
                assert!(page.sessions.len() <= LIMIT);
                found.extend(page.sessions.iter().map(|session| session.order()));
                let Some(next) = page.next else { break };
                cursor = Some(Cursor::parse(&next.to_text()).unwrap());
            }
            assert_eq!(found, expected, "{pattern} in {scope} from {start:?}");
        }
    }
    for session in &sessions {
        assert!(registry.remove(session));
    }
    assert_eq!(registry.count(&scope), 0);
}
