//! Where metrics are told. The listener is one of its own, so that no client of the public one
//! reaches it.

use std::net::SocketAddr;

use super::section::Section;

/// The `[metrics]` section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricsConfig {
    /// Address of the second listener, with `/metrics`; none: there is none, and durations are
    /// not measured.
    pub listen: Option<SocketAddr>,
}

pub(super) fn read(metrics: &mut Section<'_, '_>, clients: SocketAddr) -> MetricsConfig {
    let listen = metrics.optional("listen", "none");
    if listen == Some(clients) && clients.port() != 0 {
        let why = "clients connect there (`listen`); metrics need an address or port of their own";
        metrics.bad("listen", why);
    }
    MetricsConfig { listen }
}
