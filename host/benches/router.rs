//! What the router costs per message: `cargo bench --bench router`.
//!
//! Prints the median and the best of many rounds, in nanoseconds per message. Trust the best
//! where other programs share the machine.

use std::error::Error;
use std::fmt::Display;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use sporegate::path::{ConnectPath, PathPattern, PathSet};
use sporegate::router::{
    Content, ContentTest, JsonMatch, JsonTest, Matcher, MatcherSpec, Route, Router, RoutesInForce,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 101;
const MESSAGES_PER_ROUND: usize = 2_000;
const MANY: usize = 1_000;
const FEW: usize = 10;
const NO_ROLES: [&str; 0] = [];

fn main() -> Outcome<()> {
    println!("{:<58} {:>6} {:>7} {:>7}", "ns per message", "bytes", "median", "best");
    for (size, message) in [("short", short_message()), ("long", long_message())] {
        on_many_paths(size, &message)?;
        by_json(size, &message)?;
    }
    by_text()
}

/// Every matcher has its own path, and the connections are spread over all of them.
fn on_many_paths(size: &str, message: &str) -> Outcome<()> {
    let routes = (0..MANY).map(|i| route(&format!("/path-{i}/*"), i, equals("/type", "type-7")));
    let router = Router::new(routes.collect::<Outcome<_>>()?, Vec::new());
    let paths = (0..MANY).map(|i| ConnectPath::parse(&format!("/path-{i}/room")));
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    let connections: Vec<_> = paths.iter().filter_map(|path| router.on_path(path)).collect();
    let mut connections = connections.iter().cycle();
    print(&format!("{MANY} on as many paths, {size}, one matches"), message.len(), || {
        connections.next().map(|connection| count(connection, message)) == Some(1)
    });
    let mut paths = paths.iter().cycle();
    print(&format!("{MANY} paths, the routes of one (per connection)"), "-", || {
        paths.next().map(|path| black_box(router.on_path(path)).is_some()) == Some(true)
    });
    Ok(())
}

/// All matchers are on one path and differ in a part of the message.
fn by_json(size: &str, message: &str) -> Outcome<()> {
    let by_type = |i: usize| equals("/type", &format!("type-{i}"));
    for matchers in [7..8, 0..FEW, 0..MANY] {
        let label = format!("{} by /type, {size}, one matches", matchers.len());
        let routes = on_one_path(matchers, by_type)?;
        report(&label, &routes, message, 1);
    }
    let routes = on_one_path(0..MANY, |i| equals("/payload/room", &format!("room-{i}")))?;
    report(&format!("{MANY} by /payload/room, {size}, one matches"), &routes, message, 1);
    let other = message.replace("type-7", "type-x");
    let routes = on_one_path(0..MANY, by_type)?;
    report(&format!("{MANY} by /type, {size}, none matches"), &routes, &other, 0);
    let routes = on_one_path(0..MANY, |i| {
        ContentTest::Json(JsonMatch { pointer: format!("/key-{i}"), test: JsonTest::Exists })
    })?;
    report(&format!("{MANY} by as many keys, {size}, none matches"), &routes, message, 0);
    Ok(())
}

/// All matchers are on one path and differ in the text they look for.
fn by_text() -> Outcome<()> {
    let message = "/command-7 and what it is given, so that the text is as long as usual";
    let routes = on_one_path(0..MANY, |i| ContentTest::TextPrefix(format!("/command-{i} ")))?;
    report(&format!("{MANY} text prefixes, one matches"), &routes, message, 1);
    let routes = on_one_path(0..MANY, |i| ContentTest::TextEquals(format!("{message} {i}")))?;
    report(&format!("{MANY} whole texts, one matches"), &routes, &format!("{message} 7"), 1);
    let routes = on_one_path(0..FEW, |i| ContentTest::TextContains(format!("needle-{i}")))?;
    report(&format!("{FEW} text-contains (no index), none matches"), &routes, message, 0);
    Ok(())
}

fn on_one_path(
    matchers: std::ops::Range<usize>,
    test: impl Fn(usize) -> ContentTest,
) -> Outcome<Arc<RoutesInForce<usize>>> {
    let routes = matchers.map(|i| route("/chat/*", i, test(i))).collect::<Outcome<_>>()?;
    let router = Router::new(routes, Vec::new());
    router.on_path(&ConnectPath::parse("/chat/room")?).ok_or_else(|| "retired".into())
}

fn report(label: &str, routes: &RoutesInForce<usize>, message: &str, matches: usize) {
    print(label, message.len(), || count(routes, message) == matches);
}

fn count(routes: &RoutesInForce<usize>, message: &str) -> usize {
    let Some(routes) = routes.get() else { return 0 };
    routes.find(&NO_ROLES, Content::Text(black_box(message))).map(black_box).count()
}

/// Measures something that must always give the right answer, and prints the result.
fn print(label: &str, bytes: impl Display, mut right: impl FnMut() -> bool) {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            let all_right = (0..MESSAGES_PER_ROUND).all(|_| right());
            assert!(all_right, "{label}: a wrong answer");
            begin.elapsed().as_secs_f64() * 1e9 / MESSAGES_PER_ROUND as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let median = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    let best = rounds.first().copied().unwrap_or_default();
    println!("{label:<58} {bytes:>6} {median:>7.0} {best:>7.0}");
}

fn route(grant: &str, target: usize, test: ContentTest) -> Outcome<Route<usize>> {
    let spec = MatcherSpec { content: vec![test], ..MatcherSpec::default() };
    Ok(Route {
        target,
        grants: Arc::new(PathSet::from_iter([PathPattern::parse(grant)?])),
        matcher: Arc::new(Matcher::compile(spec)?),
        priority: 0,
        name: format!("listener-{target}").into(),
        module: "bench".into(),
    })
}

fn equals(pointer: &str, text: &str) -> ContentTest {
    let test = JsonTest::Equals(format!("\"{text}\""));
    ContentTest::Json(JsonMatch { pointer: pointer.into(), test })
}

fn short_message() -> String {
    let payload = r#"{"room":"room-7","text":"hello, everybody out there!","n":42}"#;
    format!(r#"{{"id":123456,"type":"type-7","payload":{payload}}}"#)
}

/// An application's record: short and long texts, numbers, and a list of objects.
fn long_message() -> String {
    let item = r#"{"id":17,"title":"An item of the list","price":12.75,"tags":["new","sale"],"note":null}"#;
    let items = [item; 7].join(",");
    let text = r#"Longer text, as people write it, with a \"quotation\" and a line break.\n"#;
    let payload =
        format!(r#"{{"room":"room-7","text":"{text}{text}{text}{text}","n":42,"ok":true}}"#);
    format!(r#"{{"id":123456,"items":[{items}],"type":"type-7","payload":{payload}}}"#)
}
