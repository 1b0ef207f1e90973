//! Whatever name is granted, only public addresses are connected to, and those that are granted.

use serde_json::json;

use super::{caller, fetch, results};
use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_name_that_leads_to_this_machine_is_refused_after_it_was_looked_up() {
    let service = Service::start().await;
    let port = service.address.port();
    let sidecar =
        format!("[http]\nhosts = [\"localhost:{port}\", \"127.0.0.1:{port}\", \"[::1]:{port}\"]");
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    for host in ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]", "[0:0::1]"] {
        let answer = fetch(&mut client, &format!("http://{host}:{port}/hello")).await;
        assert_eq!(answer, json!({"error": "DestinationIpProhibited"}), "{host}");
    }
    assert_eq!(service.accepted(), 0);
    assert_eq!(results(&gateway, "address-refused"), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_called_at_the_private_address_that_is_granted() {
    let service = Service::start().await;
    let port = service.address.port();
    let sidecar = format!("[http]\nhosts = [\"localhost:{port}\"]\nprivate = [\"127.0.0.1\"]");
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    for host in ["localhost", "LocalHost."] {
        let answer = fetch(&mut client, &format!("http://{host}:{port}/headers")).await;
        let headers = answer["body"].as_str().unwrap();
        assert!(headers.contains(&format!("[\"host\",\"localhost:{port}\"]")), "{headers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_of_an_address_are_no_hosts() {
    let service = Service::start().await;
    let port = service.address.port();
    let sidecar = super::calling(service.address, "");
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    for host in [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "127.0.0.1..",
        "user@127.0.0.1",
        "127.0.0.1@example.com",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::ffff:7f00:1]",
        "%31%32%37.0.0.1",
    ] {
        let raw = json!({"do": "raw", "scheme": "http", "authority": format!("{host}:{port}"), "path": "/hello"});
        let answer = client.ask(raw).await;
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{host}: {answer}"));
        let known = ["HttpRequestUriInvalid", "HttpRequestDenied", "authority"];
        assert!(known.contains(&error), "{host}: {answer}");
    }
    assert_eq!(service.accepted(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_of_a_cloud_and_private_networks_are_out_of_reach() {
    let hosts = [
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[64:ff9b::a9fe:a9fe]",
        "[::ffff:a9fe:a9fe]",
    ];
    let listed: Vec<String> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
    let sidecar = format!("[http]\nhosts = [{}]", listed.join(", "));
    let gateway = caller(&sidecar).start().await;
    let mut client = gateway.client("/grantee").await;
    for host in hosts {
        let answer = fetch(&mut client, &format!("http://{host}/latest/meta-data")).await;
        assert_eq!(answer, json!({"error": "DestinationIpProhibited"}), "{host}");
    }
}
