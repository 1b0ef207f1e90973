//! Queries against a naive evaluator, and paging while sessions come and go.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::counters::Counters;
use crate::limits::ConnectionPolicy;
use crate::path::ConnectPath;
use crate::principal::Principal;

fn policy() -> Arc<ConnectionPolicy> {
    Arc::new(ConnectionPolicy::default())
}

fn registry(total: usize) -> Registry {
    Registry::new(ConnectionLimits { total, ..ConnectionLimits::default() })
}

fn join(registry: &Registry, path: &str) -> Arc<Session> {
    let path = ConnectPath::parse(path).unwrap();
    let order = registry.next_order();
    let counters = Counters::default().path(None);
    let session = Session::new(order, path, Principal::anonymous(), policy(), counters).unwrap();
    let session = Arc::new(session);
    registry.insert(&session);
    session
}

fn pattern(text: &str) -> PathPattern {
    PathPattern::parse(text).unwrap()
}

fn scope(patterns: &[&str]) -> PathSet {
    patterns.iter().map(|text| pattern(text)).collect()
}

/// All pages of a query, one after the other, as ids.
fn pages(
    registry: &Registry,
    wanted: &PathPattern,
    scope: &PathSet,
    limit: usize,
) -> Vec<ClientId> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = registry.on_path(wanted, scope, cursor.as_ref(), limit);
        assert!(page.sessions.len() <= limit);
        found.extend(page.sessions.iter().map(|session| session.id()));
        match page.next {
            Some(next) => cursor = Some(Cursor::parse(&next.to_text()).unwrap()),
            None => return found,
        }
    }
}

#[test]
fn exactly_as_many_are_admitted_as_allowed() {
    let registry = registry(2);
    let here = AddressKey::V4(1);
    let first = registry.admit(here, None).unwrap();
    let _second = registry.admit(here, None).unwrap();
    assert_eq!(registry.admit(here, None).err(), Some(NoRoom::Gateway));
    drop(first);
    assert!(registry.admit(here, None).is_ok());
}

#[test]
fn a_removed_session_is_in_no_query_and_leaves_nothing_behind() {
    let registry = registry(10);
    let session = join(&registry, "/a/b");
    assert!(registry.remove(&session));
    assert!(!registry.remove(&session));
    assert!(registry.get(session.id()).is_none());
    assert_eq!(registry.count(&scope(&["/*"])), 0);
    assert!(pages(&registry, &pattern("/*"), &scope(&["/*"]), 1).is_empty());
}

#[test]
fn paging_goes_on_after_a_session_that_left() {
    let registry = registry(10);
    let sessions: Vec<_> = (0..4).map(|_| join(&registry, "/room")).collect();
    let all = scope(&["/*"]);
    let first = registry.on_path(&pattern("/room"), &all, None, 2);
    registry.remove(&sessions[1]);
    let second = registry.on_path(&pattern("/room"), &all, first.next.as_ref(), 2);
    let ids: Vec<_> = second.sessions.iter().map(|session| session.id()).collect();
    assert_eq!(ids, [sessions[2].id(), sessions[3].id()]);
    assert!(second.next.is_none());
}

#[test]
fn a_cursor_is_only_what_a_query_returned() {
    for text in ["", "x", "/a", "-1/a", "1", "1a", "99999999999999999999999/a"] {
        assert_eq!(Cursor::parse(text), None, "{text}");
    }
}

fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c-c"]), 0..4)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

fn any_pattern() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "c-c", "{x}"]);
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, rest)| {
        let mut names = ["{x}", "{y}", "{z}", "{w}"].into_iter();
        for segment in &mut segments {
            if segment.starts_with('{') {
                *segment = names.next().unwrap();
            }
        }
        segments.extend(rest.then_some("*"));
        format!("/{}", segments.join("/"))
    })
}

proptest! {
    #[test]
    fn the_tree_finds_what_a_linear_search_finds(
        paths in prop::collection::vec(any_path(), 0..40),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        wanted in any_pattern(),
        granted in prop::collection::vec(any_pattern(), 1..4),
        limit in 1_usize..7,
    ) {
        let registry = registry(100);
        let mut sessions: Vec<_> = paths.iter().map(|path| join(&registry, path)).collect();
        for index in gone {
            if !sessions.is_empty() {
                let left = sessions.swap_remove(index.index(sessions.len()));
                prop_assert!(registry.remove(&left));
            }
        }
        let wanted = pattern(&wanted);
        let granted: PathSet = granted.iter().map(|text| pattern(text)).collect();
        let mut naive: Vec<_> = sessions
            .iter()
            .filter(|s| wanted.matches(s.path()) && granted.contains(s.path()))
            .collect();
        naive.sort_by_key(|s| {
            (s.path().segments().map(str::to_owned).collect::<Vec<_>>(), s.order())
        });
        let naive: Vec<_> = naive.into_iter().map(|s| s.id()).collect();
        prop_assert_eq!(pages(&registry, &wanted, &granted, limit), naive);
        let visible = sessions.iter().filter(|s| granted.contains(s.path())).count();
        prop_assert_eq!(registry.count(&granted), visible as u64);
    }
}
