//! Requests with TLS: only who is certified for its host is spoken to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use sporegate::config::{Config, FlagOverrides, Sources};
use sporegate::gateway::Gateway;
use tokio_rustls::TlsAcceptor;

use super::{caller, calling, fetch, results};
use crate::support::service::Service;
use crate::support::{TestGateway, compiler};

/// Certificates that are valid for a hundred years: `leaf` for `localhost` and 127.0.0.1, by `ca`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/outbound").join(name)
}

async fn service() -> Service {
    let certificate = CertificateDer::from_pem_file(fixture("leaf.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("leaf.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Service::start_with(Some(TlsAcceptor::from(Arc::new(config)))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_the_file_is_trusted_for_the_host_that_it_certifies() {
    let service = service().await;
    let port = service.address.port();
    let hosts = format!(
        "[http]\nhosts = [\"localhost:{port}\", \"127.0.0.1:{port}\", \"127.0.0.2:{port}\"]\nprivate = [\"127.0.0.0/8\"]"
    );
    let ca = format!("[outbound]\nca_file = {:?}", fixture("ca.pem").display().to_string());
    let gateway = caller(&hosts).table(&ca).start().await;
    let mut client = gateway.client("/grantee").await;
    for host in ["localhost", "127.0.0.1"] {
        let answer = fetch(&mut client, &format!("https://{host}:{port}/hello")).await;
        assert_eq!(answer["body"], "hello", "{host}: {answer}");
    }
    // The port of TLS, spoken to without it.
    let answer = fetch(&mut client, &format!("http://127.0.0.1:{port}/hello")).await;
    assert!(answer["error"].is_string(), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_authority_certifies_is_told_nothing() {
    let service = service().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    let answer = fetch(&mut client, &format!("https://{}/hello", service.address)).await;
    assert_eq!(answer, json!({"error": "TlsCertificateError"}));
    assert_eq!((service.asked("/hello"), results(&gateway, "tls")), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_speaks_no_tls_is_told_nothing_either() {
    let service = Service::start().await;
    let gateway = caller(&calling(service.address, "")).start().await;
    let mut client = gateway.client("/grantee").await;
    let answer = fetch(&mut client, &format!("https://{}/hello", service.address)).await;
    assert_eq!(answer, json!({"error": "TlsProtocolError"}));
    assert_eq!(service.asked("/hello"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_certificates_is_refused_at_the_start() {
    for (name, text) in [("empty.pem", ""), ("key.pem", "no certificate"), ("gone.pem", "-")] {
        let setup = TestGateway::with().table(&format!("[outbound]\nca_file = {name:?}"));
        if text != "-" {
            std::fs::write(setup.directory().join(name), text).unwrap();
        }
        let (file, flags) = (Some(setup.write()), FlagOverrides::default());
        let config = Config::load(&Sources { file, env: Vec::new(), flags }).unwrap();
        let refused = Gateway::start(&config, &compiler(), Default::default()).await.unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("outbound.ca_file") && refused.contains(name), "{refused}");
    }
}
