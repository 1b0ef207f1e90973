//! Logs that nobody can write any more: the service goes on, and ends well.

use std::fs::File;

use super::program::Program;
use crate::support::{Client, Handshake, TestGateway, raw_request, token};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_a_reader_that_has_gone_and_a_closed_standard_error_end_nothing() {
    let full = |program: Program| {
        program.complaining_to(File::options().write(true).open("/dev/full").unwrap())
    };
    let gone = |program: Program| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        program.complaining_to(writer)
    };
    let ways: [(&str, &dyn Fn(Program) -> Program); 3] =
        [("full", &full), ("gone", &gone), ("closed", &|program| program.without_standard_error())];
    for (way, with) in ways {
        let setup = TestGateway::with().module("probe", "probe");
        let file = setup.write().display().to_string();
        let modules = setup.modules().display().to_string();
        // Also the tasks of connections have something to say then.
        let args =
            ["serve", "--config", &file, "--modules", &modules, "--log-level", "sporegate=debug"];
        let mut serving = with(Program::new(args)).start();
        let url = serving.url().await;
        let address = url.split('/').nth(2).unwrap().parse().unwrap();
        let token = token("alice", &[]);
        let mut client = Client::connect(&format!("{url}/probe"), Some(&token)).await.unwrap();
        client.greeting().await;
        // Told at `info`, at `warn` and by a task that ends.
        let refused = raw_request(address, &Handshake::new("/websocket/probe").bytes()).await;
        assert_eq!(refused.status, 401, "{way}");
        client.send("{\"do\":\"trap\"}").await;
        serving.signal("HUP");
        let other = Client::connect(&format!("{url}/probe"), Some(&token)).await.unwrap();
        other.close().await;
        assert_eq!(client.ok(serde_json::json!({"do": "count"})).await, 1, "{way}");
        serving.signal("TERM");
        assert_eq!(client.closed().await.0, 1001, "{way}");
        client.close().await;
        let ended = serving.ended().await;
        assert_eq!((ended.code, &*ended.out), (Some(0), ""), "{way}: {ended:?}");
    }
}
