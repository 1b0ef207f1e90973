//! What the router costs per message: `cargo bench --bench router`.
//!
//! Prints the median and the best of many rounds, in nanoseconds per message. Trust the best
//! where other programs share the machine.

use std::fmt::Display;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sporegate::path::{ConnectPath, PathPattern, PathSet};
use sporegate::router::{
    Content, ContentTest, JsonMatch, JsonTest, Matcher, MatcherSpec, PathRoutes, Route, Router,
};

const ROUNDS: usize = 101;
const MESSAGES_PER_ROUND: usize = 2_000;
const MANY: usize = 1_000;
const FEW: usize = 10;
const NO_ROLES: [&str; 0] = [];

fn main() {
    println!("{:<58} {:>6} {:>7} {:>7}", "ns per message", "bytes", "median", "best");
    for (size, message) in [("short", short_message(7)), ("long", long_message(7))] {
        on_many_paths(size, &message);
        for matchers in [1, FEW, MANY] {
            let router = on_one_path(matchers, |i| json("/type", &format!("\"type-{i}\"")));
            let label = format!("{matchers} on one path by /type, {size}, one matches");
            report(&label, &router, &message, 1);
        }
        let nested = on_one_path(MANY, |i| json("/payload/room", &format!("\"room-{i}\"")));
        report(&format!("{MANY} by /payload/room, {size}, one matches"), &nested, &message, 1);
        let other = message.replace("type-7", "type-x");
        let router = on_one_path(MANY, |i| json("/type", &format!("\"type-{i}\"")));
        report(&format!("{MANY} by /type, {size}, none matches"), &router, &other, 0);
        let exists = on_one_path(MANY, |i| {
            let pointer = format!("/key-{i}");
            ContentTest::Json(JsonMatch { pointer, test: JsonTest::Exists })
        });
        report(&format!("{MANY} by as many keys, {size}, none matches"), &exists, &message, 0);
    }
    let message = "/command-7 and what it is given, so that the text is as long as it usually is";
    let prefixes = on_one_path(MANY, |i| ContentTest::TextPrefix(format!("/command-{i} ")));
    report(&format!("{MANY} text prefixes, one matches"), &prefixes, message, 1);
    let texts = on_one_path(MANY, |i| ContentTest::TextEquals(format!("{message} {i}")));
    report(&format!("{MANY} whole texts, one matches"), &texts, &format!("{message} 7"), 1);
    let contains = on_one_path(FEW, |i| ContentTest::TextContains(format!("needle-{i}")));
    report(&format!("{FEW} text-contains, not indexed, none matches"), &contains, message, 0);
}

/// Every matcher has its own path, and the connections are spread over all of them.
fn on_many_paths(size: &str, message: &str) {
    let route = |i: usize| route(&format!("/path-{i}/*"), i, json("/type", "\"type-7\""));
    let router = Router::new((0..MANY).map(route).collect(), Vec::new());
    let paths: Vec<_> = (0..MANY)
        .map(|i| ConnectPath::parse(&format!("/path-{i}/room")).expect("a path"))
        .collect();
    let connections: Vec<_> = paths.iter().map(|path| router.on_path(path)).collect();
    let mut next = (0..MANY).cycle();
    let label = format!("{MANY} on as many paths, {size}, one matches");
    print_line(&label, message.len(), || {
        let connection = next.next().and_then(|i| connections.get(i)).expect("a connection");
        assert_eq!(count(connection, message), 1);
    });
    if size == "short" {
        print_line(&format!("{MANY} paths, looking up the routes of one"), "-", || {
            let path = next.next().and_then(|i| paths.get(i)).expect("a path");
            assert_eq!(black_box(router.on_path(path)).iter().len(), 1);
        });
    }
}

fn on_one_path(matchers: usize, test: impl Fn(usize) -> ContentTest) -> Arc<PathRoutes<usize>> {
    let routes = (0..matchers).map(|i| {
        route("/chat/*", if matchers == 1 { 7 } else { i }, test(if matchers == 1 { 7 } else { i }))
    });
    let router = Router::new(routes.collect(), Vec::new());
    router.on_path(&ConnectPath::parse("/chat/room").expect("a path"))
}

fn report(label: &str, routes: &PathRoutes<usize>, message: &str, matches: usize) {
    print_line(label, message.len(), || assert_eq!(count(routes, message), matches));
}

fn count(routes: &PathRoutes<usize>, message: &str) -> usize {
    routes.find(&NO_ROLES, Content::Text(black_box(message))).map(black_box).count()
}

fn print_line(label: &str, bytes: impl Display, mut one: impl FnMut()) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            (0..MESSAGES_PER_ROUND).for_each(|_| one());
            begin.elapsed().as_secs_f64() * 1e9 / MESSAGES_PER_ROUND as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let median = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    let best = rounds.first().copied().unwrap_or_default();
    println!("{label:<58} {bytes:>6} {median:>7.0} {best:>7.0}");
}

fn route(grant: &str, target: usize, test: ContentTest) -> Route<usize> {
    let grant = PathPattern::parse(grant).expect("a pattern");
    let spec = MatcherSpec { content: vec![test], ..MatcherSpec::default() };
    Route {
        target,
        grants: Arc::new(PathSet::from_iter([grant])),
        matcher: Arc::new(Matcher::compile(spec).expect("a matcher")),
        priority: 0,
        name: format!("listener-{target}").into(),
        module: "bench".into(),
    }
}

fn json(pointer: &str, value: &str) -> ContentTest {
    let test = JsonTest::Equals(value.into());
    ContentTest::Json(JsonMatch { pointer: pointer.into(), test })
}

/// 102 bytes.
fn short_message(i: usize) -> String {
    format!(
        r#"{{"id":123456,"type":"type-{i}","payload":{{"room":"room-{i}","text":"hello, everybody out there","n":42}}}}"#
    )
}

/// About 1 KB: an application's record with short and long texts, numbers and a list.
fn long_message(i: usize) -> String {
    let item = r#"{"id":17,"title":"An item of the list","price":12.75,"tags":["new","sale"],"note":null}"#;
    let items = [item; 6].join(",");
    let text = "Some longer text, as people write it in a chat, with a \\\"quotation\\\" and a line break.\\n";
    format!(
        r#"{{"id":123456,"items":[{items}],"type":"type-{i}","payload":{{"room":"room-{i}","text":"{text}{text}{text}","n":42,"ok":true}}}}"#
    )
}
