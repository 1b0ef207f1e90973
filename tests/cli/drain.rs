//! Signals to a gateway that drains: what operators see of it, and how it is cut short.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::net::TcpStream;

use super::program::{Ended, Program, Running};
use crate::support::{
    Handshake, PATIENCE, RawClient, Setup, TestGateway, raw_request, sporegate, token,
};

fn probe(tables: &str) -> Setup {
    TestGateway::with().module("probe", "probe").table(tables)
}

/// `serve` with these settings, and its address.
async fn serve(setup: &Setup, more: &[&str]) -> (Running, SocketAddr) {
    let file = setup.write().display().to_string();
    let modules = setup.modules().display().to_string();
    let args = ["serve", "--config", &file, "--modules", &modules];
    let mut serving = Program::new(args.iter().chain(more)).start();
    let url = serving.url().await;
    (serving, url.split('/').nth(2).unwrap().parse().unwrap())
}

/// A client that answers nothing.
async fn silent(address: SocketAddr) -> RawClient {
    let handshake = Handshake::new("/websocket/probe").bearer(&token("alice", &[]));
    let stream = TcpStream::connect(address).await.unwrap();
    let mut client = RawClient::open(stream, &handshake.bytes()).await;
    assert_eq!(client.json().await["type"], "setClientId");
    client
}

async fn status(address: SocketAddr, path: &str) -> u16 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_request(address, request.as_bytes()).await.status
}

async fn until_not_ready(address: SocketAddr) {
    let waiting = async { while status(address, "/readyz").await != 503 {} };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is still ready");
}

/// The fields of the log lines with this message.
fn said(ended: &Ended, message: &str) -> Vec<Value> {
    let lines = ended.err.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["message"] == message).collect()
}

const CUT_OFF: &str = "cut off: clients left, disconnects not told";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_in_the_middle_of_a_drain_cuts_off_at_once_and_says_what() {
    let setup = probe("[shutdown]\ntimeout = \"1h\"\ndelay = \"30m\"");
    for second in ["TERM", "INT"] {
        let (serving, address) = serve(&setup, &[]).await;
        let _clients = [silent(address).await, silent(address).await];
        serving.signal("TERM");
        until_not_ready(address).await;
        serving.signal(second);
        let ended = serving.ended().await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(said(&ended, "stopping")[0]["clients"], 2);
        assert_eq!(said(&ended, "stopping")[0]["window"], "10s");
        assert_eq!(said(&ended, "stopping at once")[0]["signal"], format!("SIG{second}"));
        let cut_off = &said(&ended, CUT_OFF)[0];
        assert_eq!((&cut_off["clients"], &cut_off["disconnects"]), (&2.into(), &2.into()));
        assert_eq!(said(&ended, "stopped").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_not_enough_is_told_with_what_was_cut_off_and_how_far_it_was() {
    let setup = probe("[limits]\nclose_timeout = \"10m\"\n[shutdown]\ntimeout = \"2500ms\"");
    let (serving, address) = serve(&setup, &[]).await;
    let mut silent = silent(address).await;
    serving.signal("TERM");
    assert_eq!(silent.close_code().await, 1001);
    let ended = serving.ended().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let progress = said(&ended, "draining");
    assert!((1..=3).contains(&progress.len()), "once a second: {ended:?}");
    assert_eq!((&progress[0]["clients"], &progress[0]["disconnects"]), (&1.into(), &1.into()));
    let cut_off = &said(&ended, CUT_OFF)[0];
    assert_eq!((&cut_off["clients"], &cut_off["disconnects"]), (&1.into(), &1.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_drains_a_hangup_changes_nothing_and_operators_are_told_that_it_stops() {
    let setup = probe("[shutdown]\ntimeout = \"1h\"\ndelay = \"30m\"");
    let socket = setup.directory().join("control.sock");
    let at = socket.to_str().unwrap();
    let (serving, address) = serve(&setup, &["--control", at, "--watch"]).await;
    serving.signal("TERM");
    until_not_ready(address).await;
    // What would be refused, and told in the log.
    std::fs::write(setup.modules().join("broken.wasm"), "no module").unwrap();
    serving.signal("HUP");
    for command in [&["reload"][..], &["disable", "probe"], &[]] {
        let asked = sporegate().args(["modules", "--control", at]).args(command).output().unwrap();
        let told = String::from_utf8(asked.stderr).unwrap();
        assert_eq!(asked.status.code(), Some(1), "{told}");
        assert_eq!(told, "error: the gateway is stopping\n");
    }
    assert_eq!(status(address, "/healthz").await, 200);
    serving.signal("TERM");
    let ended = serving.ended().await;
    assert_eq!(said(&ended, "modules are not looked at: the gateway stops").len(), 1, "{ended:?}");
    assert!(!ended.err.contains("module refused"), "{ended:?}");
    assert_eq!(said(&ended, CUT_OFF)[0]["clients"], 0);
}
