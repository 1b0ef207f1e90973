//! The control socket: who gets its place, and what people are told who cannot speak to it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Barrier};

use sporegate::control::Control;

use super::commands::{run, said};
use super::*;
use crate::support::{Serving, sporegate};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_gateways_that_start_at_once_one_gets_the_socket_and_it_answers() {
    const STARTS: usize = 24;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.sock");
    for round in 0..20 {
        // One that was killed has left its socket behind.
        if round % 2 == 1 {
            drop(UnixListener::bind(&path).unwrap());
        }
        let ready = Arc::new(Barrier::new(STARTS));
        let starting: Vec<_> = (0..STARTS)
            .map(|_| {
                let (path, ready) = (path.clone(), Arc::clone(&ready));
                let runtime = tokio::runtime::Handle::current();
                std::thread::spawn(move || {
                    let _runtime = runtime.enter();
                    ready.wait();
                    Control::bind(&path).map_err(|error| error.to_string())
                })
            })
            .collect();
        let started: Vec<_> = starting.into_iter().map(|it| it.join().unwrap()).collect();
        let won: Vec<_> = started.iter().filter(|it| it.is_ok()).collect();
        assert_eq!(won.len(), 1, "{started:?}");
        for lost in started.iter().filter_map(|it| it.as_ref().err()) {
            assert!(lost.contains("another gateway answers there; stop it"), "{lost}");
        }
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
        drop(started);
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn a_second_gateway_is_refused_with_one_line_and_a_killed_one_is_taken_over() {
    let setup = TestGateway::with().file("tally.wasm", &tally("first"));
    let at = setup.directory().join("control.sock").to_str().unwrap().to_owned();
    let file = setup.write();
    let serving = Serving::start(setup, &["--control", &at]).await;
    let second =
        || sporegate().args(["serve", "--control", &at, "--config"]).arg(&file).output().unwrap();
    let refused = second();
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("another gateway answers there; stop it"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(said(&run(&["--control", &at])).contains("active"), "the first one goes on");
    // Nothing of it is tidied up.
    serving.signal("KILL");
    crate::support::until("it is gone", || std::os::unix::net::UnixStream::connect(&at).is_err())
        .await;
    let told = said(&run(&["--control", &at]));
    assert!(told.contains("has ended; start it again"), "{told}");
    assert!(Path::new(&at).exists());
    let next = TestGateway::with().file("tally.wasm", &tally("first"));
    let next = Serving::start(next, &["--control", &at]).await;
    assert!(said(&run(&["--control", &at])).contains("active"));
    assert!(next.stop().await.0.success());
    assert!(!Path::new(&at).exists() && !Path::new(&format!("{at}.lock")).exists());
}

#[test]
fn what_is_no_socket_of_a_gateway_is_told_in_one_line_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("file"), "").unwrap();
    drop(UnixListener::bind(at("left")).unwrap());
    for (path, parts) in [
        (at("nothing"), &["no gateway answers at", "no such socket", "serve --control"][..]),
        (at("file"), &["is no socket; name the one"]),
        (at("left"), &["no gateway answers at", "it takes the socket over"]),
        (at(&"long".repeat(40)), &["at most 107 bytes"]),
    ] {
        let output = run(&["--control", &path]);
        let text = said(&output);
        assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?}: {text}");
    }
}

/// Answers one request with this.
fn answering(path: &Path, answer: &'static str) -> std::thread::JoinHandle<String> {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut asked = String::new();
        BufReader::new(&stream).read_line(&mut asked).unwrap();
        (&stream).write_all(answer.as_bytes()).unwrap();
        asked
    })
}

#[test]
fn a_gateway_of_another_version_and_one_that_ends_are_told_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    for (number, (answer, part)) in [
        ("{\"fully-reloaded\":[]}\n", "use the `sporegate` that the gateway runs"),
        ("HTTP/1.1 400 Bad Request\n", "does not speak as sporegate"),
        ("", "has hung up without an answer"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = directory.path().join(number.to_string());
        let asked = answering(&path, answer);
        let output = run(&["--control", path.to_str().unwrap(), "reload"]);
        let text = said(&output);
        assert_eq!(asked.join().unwrap(), "{\"command\":\"reload\"}\n");
        assert_eq!((output.status.code(), text.lines().count()), (Some(1), 1), "{text}");
        assert!(text.contains(part), "{text}");
    }
    // What a gateway before this one said.
    let path = directory.path().join("before");
    let asked = answering(&path, "{\"ok\":true}\n");
    assert_eq!(said(&run(&["--control", path.to_str().unwrap(), "reload"])), "done\n");
    asked.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_a_name_that_the_gateway_does_not_know_are_told_with_what_it_knows() {
    let setup = TestGateway::with();
    let socket = setup.directory().join("control.sock");
    let at = socket.to_str().unwrap();
    let gateway = setup.set(&format!("control = {at:?}")).module("tally", "tally").start().await;
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    stream.write_all(b"{\"command\":\"explain\"}\n").unwrap();
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply).unwrap();
    assert!(reply.contains("`explain`") && reply.contains("its own version"), "{reply}");
    for (name, part) in [
        ("taly", "there is no module `taly`; did you mean `tally`? known: tally"),
        ("tally.wasm", "did you mean `tally`?"),
        ("chat", "there is no module `chat`; known: tally"),
    ] {
        let text = said(&run(&["--control", at, "disable", name]));
        assert!(text.contains(part), "{text}");
    }
    assert!(gateway.stop().await);
}
