//! TLS to the hosts that modules call: the certificate authorities of the system, and those of a
//! file. The system's are read when they are needed first: most gateways never need them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;

/// What is spoken inside.
const PROTOCOL: &[u8] = b"http/1.1";

/// Makes TLS connections.
pub(super) struct Tls {
    extra: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

/// Why the file of certificate authorities cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("outbound.ca_file {}: {why}; name a PEM file with `BEGIN CERTIFICATE`", .path.display())]
pub struct CaFileError {
    path: PathBuf,
    why: String,
}

impl Tls {
    /// Trusts the authorities of the system, and those of this file.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, CaFileError> {
        let extra = ca_file.map(read).transpose()?.unwrap_or_default();
        Ok(Self { extra, config: OnceCell::new() })
    }

    /// Agrees on TLS, and sees to it that it is `host` who answers: a name, or an IP address.
    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| Failure::Tls)?;
        let config = self.config.get_or_try_init(|| self.make()).await?;
        let connector = TlsConnector::from(Arc::clone(config));
        connector.connect(name, stream).await.map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            tracing::debug!(host, "no TLS: {error}");
            match inner {
                Some(rustls::Error::InvalidCertificate(_)) => Failure::Certificate,
                Some(_) => Failure::Tls,
                None => Failure::Broken,
            }
        })
    }

    async fn make(&self) -> Result<Arc<ClientConfig>, Failure> {
        let extra = self.extra.clone();
        let made = tokio::task::spawn_blocking(move || configure(extra)).await;
        made.ok().and_then(Result::ok).ok_or(Failure::Tls)
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("extra", &self.extra.len()).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, CaFileError> {
    let refuse = |why: String| CaFileError { path: path.to_owned(), why };
    let pem = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let all = all.map_err(|error| refuse(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in &all {
        store.add(certificate.clone()).map_err(|error| refuse(error.to_string()))?;
    }
    match all.is_empty() {
        true => Err(refuse("no certificate is in it".to_owned())),
        false => Ok(all),
    }
}

fn configure(extra: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(system.certs);
    if added == 0 {
        let errors: Vec<String> = system.errors.iter().map(ToString::to_string).collect();
        let errors = errors.join("; ");
        tracing::warn!(
            errors,
            "the system names no certificate authorities (package `ca-certificates`, or \
             SSL_CERT_FILE): modules can call by https only who is certified by outbound.ca_file"
        );
    }
    roots.add_parsable_certificates(extra);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(Arc::new(config))
}
