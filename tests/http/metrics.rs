//! `/metrics`: what it tells, to whom, and that it stays small.

use std::collections::BTreeMap;

use serde_json::json;

use super::ask_at;
use crate::support::raw_client::{PING, PONG, TEXT, close_frame, frame};
use crate::support::{Handshake, RawClient, TestGateway, raw_request, until};

/// The series of a scrape.
pub struct Scrape {
    pub text: String,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(gateway: &TestGateway) -> Self {
        let address = gateway.gateway().metrics_address().expect("metrics are on");
        let answer = ask_at(address, "GET /metrics").await;
        assert_eq!(answer.status, 200);
        let mut series = BTreeMap::new();
        for line in answer.body.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let again = series.insert(name.to_owned(), value.parse().unwrap());
            assert_eq!(again, None, "{name} is told twice");
        }
        Self { series, text: answer.body }
    }

    /// The value of a series, by its name with labels.
    pub fn get(&self, name: &str) -> f64 {
        *self.series.get(name).unwrap_or_else(|| panic!("no {name} in\n{}", self.text))
    }

    /// Names of all series.
    fn names(&self) -> Vec<&String> {
        self.series.keys().collect()
    }
}

const ON: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_clients_messages_and_calls_is_told() {
    let rooms = "[[paths]]\npattern = \"/probe/{room}\"\n";
    let setup = TestGateway::with().module("probe", "probe").module("echo", "echo");
    let gateway = setup.table(ON).table(rooms).start().await;
    let mut probe = gateway.client("/probe/a").await;
    let mut echo = gateway.client("/echo").await;
    echo.echo("12345").await;
    let command = json!({"do": "whoami"}).to_string();
    probe.send(command.as_str()).await;
    let answer = probe.text().await;
    probe.send("{\"do\":\"trap\"}").await;
    probe.handled().await;
    echo.stream();
    let refused = Handshake::new("/websocket/echo").bytes();
    assert_eq!(raw_request(gateway.address(), &refused).await.status, 401);

    let scrape = Scrape::of(&gateway).await;
    assert_eq!(scrape.get("sporegate_connections{path=\"/probe/{room}\"}"), 1.0);
    assert_eq!(scrape.get("sporegate_connections{path=\"default\"}"), 1.0);
    assert_eq!(scrape.get("mashroom_websocket_connections_total"), 2.0);
    assert_eq!(scrape.get("sporegate_connections_limit"), 2000.0);
    assert_eq!(scrape.get("sporegate_accepted_total{path=\"default\"}"), 1.0);
    assert_eq!(scrape.get("sporegate_rejected_total{reason=\"no-credentials\"}"), 1.0);
    assert_eq!(scrape.get("sporegate_messages_received_total{path=\"default\"}"), 1.0);
    assert_eq!(scrape.get("sporegate_received_bytes_total{path=\"default\"}"), 5.0);
    let room = "{path=\"/probe/{room}\"}";
    let received = scrape.get(&format!("sporegate_received_bytes_total{room}"));
    assert_eq!(received as usize, command.len() + "{\"do\":\"trap\"}".len());
    // The greeting and one answer each.
    assert_eq!(scrape.get("sporegate_messages_sent_total{path=\"default\"}"), 2.0);
    assert!(scrape.get(&format!("sporegate_sent_bytes_total{room}")) > answer.len() as f64);
    assert_eq!(scrape.get("sporegate_calls_total{module=\"probe\"}"), 2.0);
    assert_eq!(scrape.get("sporegate_calls_total{module=\"echo\"}"), 1.0);
    let failures = "sporegate_call_failures_total{module=\"probe\",cause=\"trap\"}";
    let failures_turned = "sporegate_call_failures_total{cause=\"trap\",module=\"probe\"}";
    assert!(scrape.text.contains(failures) || scrape.text.contains(failures_turned));
    assert_eq!(scrape.get("sporegate_call_duration_seconds_count{module=\"probe\"}"), 2.0);
    assert_eq!(scrape.get("sporegate_dispatch_duration_seconds_count"), 3.0);
    assert_eq!(scrape.get("sporegate_dispatch_duration_seconds_bucket{le=\"+Inf\"}"), 3.0);
    assert!(scrape.get("sporegate_dispatch_duration_seconds_sum") > 0.0);
    assert!(scrape.get("sporegate_module_memory_bytes") > 0.0);
    assert_eq!(scrape.get("sporegate_insecure"), 0.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(scrape.get(&format!("sporegate_build_info{{version=\"{version}\"}}")), 1.0);

    echo.close().await;
    until("counted", || gateway.counters().closed.get() == 1).await;
    let scrape = Scrape::of(&gateway).await;
    let closed = "sporegate_closes_total{code=\"1005\",reason=\"client\",initiator=\"client\"}";
    assert_eq!(scrape.get(closed), 1.0);
    assert_eq!(scrape.get("sporegate_connections{path=\"default\"}"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_clients_make_up_are_counted_by_class() {
    let gateway = TestGateway::with().module("echo", "echo").table(ON).start().await;
    for code in [3000, 3999, 4000, 4001, 4999] {
        let mut client = RawClient::connect(&gateway, "/echo").await;
        client.send(&close_frame(code, b"")).await;
        assert_eq!(client.close_code().await, code);
        client.ended().await;
    }
    until("counted", || gateway.counters().closed.get() == 5).await;
    let scrape = Scrape::of(&gateway).await;
    for (class, count) in [("3xxx", 2.0), ("4xxx", 3.0)] {
        let labels = format!("code=\"{class}\",reason=\"client\",initiator=\"client\"");
        assert_eq!(scrape.get(&format!("sporegate_closes_total{{{labels}}}")), count);
    }
    let all = gateway.counters().closed.all();
    assert_eq!(all.iter().filter(|(_, count)| *count > 0).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_happened_yet_is_told_as_zero() {
    let gateway = TestGateway::with().module("echo", "echo").table(ON).start().await;
    let scrape = Scrape::of(&gateway).await;
    for series in [
        "sporegate_rejected_total{reason=\"bad-signature\"}",
        "sporegate_rejected_total{reason=\"address-handshakes\"}",
        "sporegate_rejected_total{reason=\"handshake-silent\"}",
        "sporegate_rejected_total{reason=\"full\"}",
        "sporegate_closes_total{code=\"4102\",reason=\"slow-consumer\",initiator=\"gateway\"}",
        "sporegate_closes_total{code=\"4101\",reason=\"byte-rate\",initiator=\"gateway\"}",
        "sporegate_closes_total{code=\"1001\",reason=\"client\",initiator=\"client\"}",
        "sporegate_closes_total{code=\"49xx\",reason=\"listener\",initiator=\"listener\"}",
        "sporegate_closes_total{code=\"1006\",reason=\"lost\",initiator=\"nobody\"}",
        "sporegate_close_timeouts_total",
        "sporegate_accept_errors_total{reason=\"no-descriptors\"}",
        "sporegate_messages_dropped_total{reason=\"rate\"}",
        "sporegate_messages_dropped_total{reason=\"outbox-oldest\"}",
        "sporegate_sends_refused_total{reason=\"queue-full\"}",
        "sporegate_call_failures_total{module=\"echo\",cause=\"cpu-time\"}",
    ] {
        assert_eq!(scrape.get(series), 0.0, "{series}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_is_open_metrics() {
    let gateway = TestGateway::with().module("echo", "echo").table(ON).start().await;
    gateway.client("/echo").await.echo("x").await;
    let address = gateway.gateway().metrics_address().unwrap();
    let answer = ask_at(address, "GET /metrics").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(kind));
    assert!(answer.body.ends_with("\n# EOF\n"), "{}", answer.body);
    let mut family = String::new();
    for line in answer.body.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# ") {
            let name = rest.split(' ').nth(1).unwrap();
            assert!(name.starts_with("sporegate_") || name.starts_with("mashroom_"), "{line}");
            name.clone_into(&mut family);
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with(&family), "{line} is not of {family}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_not_on_the_port_of_clients_and_nothing_else_is_on_theirs() {
    let gateway = TestGateway::with().module("echo", "echo").table(ON).start().await;
    let metrics = gateway.gateway().metrics_address().unwrap();
    assert!(metrics.ip().is_loopback());
    for path in ["/metrics", "//metrics", "/metrics/", "/%6detrics", "/websocket/../metrics"] {
        let answer = ask_at(gateway.address(), &format!("GET {path}")).await;
        assert!(matches!(answer.status, 400 | 404 | 426), "{path}: {answer:?}");
        assert!(!answer.body.contains("sporegate_"), "{path}");
    }
    for path in ["/", "/websocket/echo", "/healthz", "/metrics/x"] {
        assert_eq!(ask_at(metrics, &format!("GET {path}")).await.status, 404, "{path}");
    }
    assert_eq!(ask_at(metrics, "POST /metrics").await.status, 405);
    let token = gateway.token("alice", &[]);
    let handshake = Handshake::new("/websocket/echo").bearer(&token).bytes();
    assert_eq!(raw_request(metrics, &handshake).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_second_listener_unless_it_is_asked_for() {
    let gateway = TestGateway::with().start().await;
    assert_eq!(gateway.gateway().metrics_address(), None);
    assert_eq!(ask_at(gateway.address(), "GET /metrics").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_series_does_not_depend_on_what_clients_ask_for() {
    let paths = "[[paths]]\npattern = \"/open/*\"\nanonymous = true\n";
    let gateway = TestGateway::with().module("echo", "echo").table(ON).table(paths).start().await;
    let visit = async |round: u32| {
        for number in 0..25 {
            let open = format!("/open/{round}/{number}");
            gateway.connect(&open, None).await.unwrap().close().await;
            let closed = format!("/closed-{round}-{number}");
            assert_eq!(gateway.connect(&closed, None).await.err().unwrap().status, 401);
            let user = format!("user-{round}-{number}");
            let token = gateway.token(&user, &[&user]);
            gateway.connect(&closed, Some(&token)).await.unwrap().close().await;
        }
        let all = u64::from(round + 1) * 50;
        until("all have gone", || gateway.counters().closed.get() == all).await;
    };
    visit(0).await;
    let before = Scrape::of(&gateway).await;
    visit(1).await;
    let after = Scrape::of(&gateway).await;
    assert_eq!(before.names(), after.names());
    for word in ["user-0", "closed-", "/open/0"] {
        assert!(!after.text.contains(word), "{word} is in the metrics");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_for_metrics_is_told_before_anything_starts() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let setup = TestGateway::with().table(&format!("[metrics]\nlisten = \"{address}\"\n"));
    let file = setup.write();
    let output = crate::support::sporegate().args(["serve", "--config"]).arg(file).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("cannot listen on {address}: the address is in use")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_round_trip_of_a_ping_is_told() {
    let setup = TestGateway::with().module("echo", "echo").table(ON);
    let gateway = setup.table("[limits]\nping_interval = \"1s\"").start().await;
    let mut client = RawClient::connect(&gateway, "/echo").await;
    let ping = client.frame().await.unwrap();
    assert_eq!(ping.first, PING);
    // Another sign of life, and a pong that nobody asked for, say nothing of the ping.
    client.send(&[frame(TEXT, b"alive"), frame(PONG, b"alive")].concat()).await;
    assert_eq!(client.text().await, "alive");
    client.send(&frame(PING, b"read?")).await;
    assert_eq!(client.frame().await.unwrap().payload, b"read?");
    assert_eq!(gateway.counters().ping.snapshot().count, 0);
    client.send(&frame(PONG, &ping.payload)).await;
    until("counted", || gateway.counters().ping.snapshot().count == 1).await;
    let scrape = Scrape::of(&gateway).await;
    assert_eq!(scrape.get("sporegate_ping_round_trip_seconds_count"), 1.0);
}
