//! Tests of snapshots: routes outlive them, and are there only where granted.

use super::*;
use crate::path::{PathPattern, PathSet};
use crate::router::{Matcher, MatcherSpec};

fn path(text: &str) -> ConnectPath {
    ConnectPath::parse(text).unwrap()
}

fn set(pattern: &str) -> Arc<PathSet> {
    Arc::new([PathPattern::parse(pattern).unwrap()].into_iter().collect())
}

fn route(grant: &str, name: &str) -> Route<()> {
    Route {
        target: (),
        grants: set(grant),
        matcher: Arc::new(Matcher::compile(MatcherSpec::default()).unwrap()),
        priority: 0,
        name: name.into(),
        module: "m".into(),
    }
}

fn disconnect(grant: &str, pattern: Option<&str>, name: &str, module: &str) -> DisconnectRoute<()> {
    DisconnectRoute {
        target: (),
        grants: set(grant),
        path: pattern.map(|p| PathPattern::parse(p).unwrap()),
        name: name.into(),
        module: module.into(),
    }
}

fn kept<T>(router: &Router<T>, text: &str) -> Arc<RoutesInForce<T>> {
    router.on_path(&path(text)).unwrap()
}

fn len<T>(kept: &RoutesInForce<T>) -> usize {
    kept.get().unwrap().iter().len()
}

#[test]
fn paths_with_the_same_routes_share_one_index() {
    let router = Router::new(vec![route("/rooms/*", "a"), route("/rooms/{x}", "b")], vec![]);
    let one = kept(&router, "/rooms/1");
    assert_eq!(len(&one), 2);
    assert!(Arc::ptr_eq(&one, &kept(&router, "/rooms/2")));
    assert!(!Arc::ptr_eq(&one, &kept(&router, "/rooms/1/2")));
    assert_eq!(len(&kept(&router, "/other")), 0);
}

#[test]
fn what_is_in_use_outlives_its_snapshot_and_keeps_only_its_own_routes() {
    let router = Router::new(vec![route("/a", "a"), route("/b", "b")], vec![]);
    let other = Arc::downgrade(router.routes().nth(1).unwrap());
    let own = Arc::downgrade(router.routes().next().unwrap());
    let kept = kept(&router, "/a");
    let routes = kept.get().unwrap();
    router.retire();
    drop(router);
    assert_eq!(other.strong_count(), 0);
    let found: Vec<_> =
        routes.find::<&str>(&[], crate::router::Content::Text("x")).map(|r| &*r.name).collect();
    assert_eq!(found, ["a"]);
    drop(routes);
    assert_eq!(own.strong_count(), 0);
}

#[test]
fn what_is_kept_is_taken_back_when_the_snapshot_is_retired_shared_or_not() {
    let many = MAX_CACHED_SETS + 3;
    let router = Router::new(
        (0..many).map(|i| route(&format!("/p{i}"), &format!("l{i}"))).collect(),
        vec![],
    );
    let all: Vec<_> = (0..many).map(|i| kept(&router, &format!("/p{i}"))).collect();
    let routes: Vec<_> = router.routes().map(Arc::downgrade).collect();
    router.retire();
    assert!(all.iter().all(|kept| kept.get().is_none()));
    assert!(router.on_path(&path("/p0")).is_none());
    drop(router);
    assert!(routes.iter().all(|route| route.strong_count() == 0));
}

#[test]
fn a_snapshot_without_listeners_finds_nothing() {
    let router = Router::<()>::default();
    assert_eq!(len(&kept(&router, "/")), 0);
    assert_eq!(router.disconnect_on_path(&path("/")).count(), 0);
    assert_eq!(router.routes().len() + router.disconnect_routes().len(), 0);
}

#[test]
fn disconnect_routes_come_by_listener_then_module_and_only_where_granted() {
    let router = Router::new(
        vec![],
        vec![
            disconnect("/a/*", None, "bye", "z"),
            disconnect("/a/*", Some("/a/{x}"), "audit", "m"),
            disconnect("/*", None, "bye", "b"),
            disconnect("/b/*", Some("/*"), "all", "m"),
        ],
    );
    let names = |text: &str| -> Vec<String> {
        let path = path(text);
        router.disconnect_on_path(&path).map(|r| format!("{}.{}", r.name, r.module)).collect()
    };
    assert_eq!(names("/a/1"), ["audit.m", "bye.b", "bye.z"]);
    assert_eq!(names("/a"), ["bye.b", "bye.z"]);
    assert_eq!(names("/b"), ["all.m", "bye.b"]);
    assert_eq!(names("/"), ["bye.b"]);
}

#[test]
fn the_cache_is_bounded_by_sets_and_gives_up_those_out_of_use() {
    let many = MAX_CACHED_SETS + 10;
    let router = Router::new(
        (0..many).map(|i| route(&format!("/p{i}"), &format!("l{i}"))).collect(),
        vec![],
    );
    let on = |i: usize| kept(&router, &format!("/p{i}"));
    let held: Vec<_> = (0..many).map(on).collect();
    assert_eq!(router.sets().ready.len(), MAX_CACHED_SETS);
    assert!(held.iter().all(|routes| len(routes) == 1));
    assert!(Arc::ptr_eq(&held[0], &on(0)));
    // All are in use: a further one is given, but not kept.
    assert!(!Arc::ptr_eq(&on(many - 1), &held[many - 1]));
    drop(held);
    on(many - 1);
    assert_eq!(router.sets().ready.len(), 1);
    assert_eq!(router.sets().routes, 1);
}

#[test]
fn the_cache_is_bounded_by_routes() {
    let everywhere = (0..500).map(|i| route("/*", &format!("all{i}")));
    let own = (0..200).map(|i| route(&format!("/p{i}"), "own"));
    let router = Router::new(everywhere.chain(own).collect(), vec![]);
    let held: Vec<_> = (0..200).map(|i| kept(&router, &format!("/p{i}"))).collect();
    assert!(held.iter().all(|routes| len(routes) == 501));
    assert_eq!(router.sets().ready.len(), MAX_CACHED_ROUTES / 501);
    assert!(router.sets().routes <= MAX_CACHED_ROUTES);
}
