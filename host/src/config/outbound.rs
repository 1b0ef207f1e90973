//! What holds for the HTTP requests of all modules together: the `[outbound]` section.

use std::path::PathBuf;

use super::section::Section;

/// The `[outbound]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboundConfig {
    /// Requests of all modules at a time.
    pub requests: u32,
    /// PEM file of certificate authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

pub(super) fn read(outbound: &mut Section<'_, '_>) -> OutboundConfig {
    let requests = outbound.read_in("requests", 256, 1..=100_000);
    let ca_file = outbound.optional("ca_file", "none");
    OutboundConfig { requests, ca_file }
}
