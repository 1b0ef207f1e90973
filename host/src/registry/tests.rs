//! Queries against a naive evaluator, and paging while sessions come and go.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::counters::Counters;
use crate::limits::ConnectionPolicy;
use crate::path::ConnectPath;
use crate::principal::{Identity, Principal};

fn policy() -> Arc<ConnectionPolicy> {
    Arc::new(ConnectionPolicy::default())
}

fn registry(total: usize) -> Registry {
    Registry::new(ConnectionLimits { total, ..ConnectionLimits::default() }, AwayLimits::default())
}

fn join(registry: &Registry, path: &str) -> Arc<Session> {
    join_as(registry, path, Principal::anonymous())
}

fn join_as(registry: &Registry, path: &str, principal: Principal) -> Arc<Session> {
    let path = ConnectPath::parse(path).unwrap();
    let order = registry.next_order();
    let counters = Counters::default().path(None);
    let session =
        Session::new(order, path, principal, policy(), counters, Arc::clone(registry.kept()));
    let session = Arc::new(session.unwrap());
    registry.insert(&session);
    session
}

fn user(username: &str, roles: &[&str]) -> Principal {
    Principal::user(Identity {
        username: username.to_owned(),
        roles: roles.iter().map(ToString::to_string).collect(),
        claims: None,
        expires_at: None,
        authenticator: "test".into(),
    })
    .unwrap()
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
    // Nor is one that says the same in other words, or that no path can have.
    for text in ["+1/a", "01/a", "1/a/", "1//a", "1/a//b", "1/*", "1/{a}", "1/..", "1/a\0"] {
        assert_eq!(Cursor::parse(text), None, "{text}");
    }
    for text in ["1/", "1/a", "18446744073709551615/a b/\u{20ac}/50%?#"] {
        assert_eq!(Cursor::parse(text).unwrap().to_text(), text);
    }
}

/// What each kind of query of a module that sees `/probe/*` looks at. It sees two clients, of whom
/// alice is one; all others are `others` times alice elsewhere.
fn steps_with(others: usize) -> Vec<(&'static str, usize)> {
    let registry = registry(others);
    for other in 0..others {
        let path = format!("/other{}/{other}", other % 7);
        join_as(&registry, &path, user("alice", &["everybody"]));
    }
    join_as(&registry, "/probe/a", user("alice", &["everybody"]));
    join_as(&registry, "/probe/b", user("bob", &["everybody"]));
    let probe = scope(&["/probe/*"]);
    let overlapping = scope(&["/probe/*", "/{x}/nobody", "/probe/{x}"]);
    let found = |number: usize, expected: usize| assert_eq!(number, expected, "of {others}");
    vec![
        ("everything", steps::of(|| found(pages(&registry, &pattern("/*"), &probe, 9).len(), 2))),
        (
            "one",
            steps::of(|| {
                let page = registry.on_path(&pattern("/{any}/*"), &probe, None, 1);
                found(page.sessions.len(), 1);
                assert!(page.next.is_some());
            }),
        ),
        (
            "broadcast",
            steps::of(|| {
                let all = registry.on_path(&pattern("/*"), &probe, None, usize::MAX);
                found(all.sessions.len(), 2);
            }),
        ),
        ("user", steps::of(|| found(registry.of_user("alice", &probe, None, 9).sessions.len(), 1))),
        ("role", steps::of(|| found(registry.with_role("everybody", &probe).len(), 2))),
        ("count", steps::of(|| found(registry.count(&probe) as usize, 2))),
        // Seven names at the place of `{x}`, however many clients are below them.
        ("count, overlapping", steps::of(|| found(registry.count(&overlapping) as usize, 2))),
    ]
}

#[test]
fn clients_where_a_module_may_not_look_cost_its_queries_nothing() {
    let few = steps_with(14);
    assert_eq!(few, steps_with(1_500));
    for (query, steps) in few {
        assert!(steps <= 12, "{query}: {steps} steps");
    }
}

#[test]
fn a_page_costs_what_is_on_it_and_not_what_comes_before_or_after_it() {
    let registry = registry(1_000);
    for number in 0..1_000 {
        join_as(&registry, &format!("/room/{number}"), user("alice", &["everybody"]));
    }
    let all = scope(&["/*"]);
    let rooms = pattern("/room/*");
    let mut cursor = None;
    for page in 0..100 {
        let steps = steps::of(|| {
            let found = registry.on_path(&rooms, &all, cursor.as_ref(), 10);
            assert_eq!(found.sessions.len(), 10);
            cursor = found.next;
        });
        assert!(steps <= 15, "page {page}: {steps} steps");
    }
    assert!(cursor.is_none());
    for page in 0..100 {
        let steps = steps::of(|| {
            let found = registry.of_user("alice", &all, cursor.as_ref(), 10);
            assert_eq!(found.sessions.len(), 10);
            cursor = found.next;
        });
        assert!(steps <= 15, "page {page} of a user: {steps} steps");
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

/// Those who connect: more of alice than of bob, and more staff than guests.
const WHO: [(&str, &[&str]); 6] = [
    ("alice", &["staff"]),
    ("alice", &["staff", "guest"]),
    ("alice", &[]),
    ("bob", &["staff"]),
    ("carol", &["staff"]),
    ("dave", &["guest"]),
];

/// All pages of a user's clients, as ids.
fn user_pages(registry: &Registry, name: &str, scope: &PathSet, limit: usize) -> Vec<ClientId> {
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let page = registry.of_user(name, scope, cursor.as_ref(), limit);
        assert!(page.sessions.len() <= limit);
        found.extend(page.sessions.iter().map(|session| session.id()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

proptest! {
    #[test]
    fn the_tree_finds_what_a_linear_search_finds(
        paths in prop::collection::vec((any_path(), 0..6_usize), 0..40),
        gone in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        wanted in any_pattern(),
        granted in prop::collection::vec(any_pattern(), 1..4),
        limit in 1_usize..7,
    ) {
        let registry = registry(100);
        let mut sessions: Vec<_> = paths
            .iter()
            .map(|(path, who)| {
                let (name, roles) = WHO[*who];
                join_as(&registry, path, user(name, roles))
            })
            .collect();
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
        // And what is asked for users and roles, in order of admission.
        sessions.sort_by_key(|session| session.order());
        let is_visible = |s: &&Arc<Session>| granted.contains(s.path());
        for name in ["alice", "bob", "nobody"] {
            let of_user = |s: &&Arc<Session>| s.principal().username().is_some_and(|u| **u == *name);
            let naive: Vec<_> =
                sessions.iter().filter(is_visible).filter(of_user).map(|s| s.id()).collect();
            prop_assert_eq!(user_pages(&registry, name, &granted, limit), naive);
        }
        for role in ["staff", "guest", "nothing"] {
            let has_role = |s: &&Arc<Session>| s.principal().has_any_role(&[role]);
            let naive: Vec<_> =
                sessions.iter().filter(is_visible).filter(has_role).map(|s| s.id()).collect();
            let found = registry.with_role(role, &granted);
            prop_assert_eq!(found.iter().map(|s| s.id()).collect::<Vec<_>>(), naive);
        }
    }
}
