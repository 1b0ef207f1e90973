//! What stands in front of the gateway, and how it says for whom it asks.

use super::networks::Networks;
use super::section::Section;
use super::value::Word;

/// Proxies that are believed when they name a client's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxies {
    /// Their networks; empty: nobody is believed.
    pub networks: Networks,
    /// The header that they write. The other one is not looked at: a proxy hands on what a client
    /// makes up in it.
    pub header: ForwardedHeader,
}

/// A header that names the client of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Reads its part of the top of the file.
pub(super) fn read(top: &mut Section<'_, '_>) -> Proxies {
    let networks = top.read("proxies", Networks::default());
    let header = top.read("forwarded_header", ForwardedHeader::XForwardedFor);
    Proxies { networks, header }
}

impl Word for ForwardedHeader {
    const CHOICE: &'static str = "`x-forwarded-for` or `forwarded`";
    const WORDS: &'static [(&'static str, Self)] =
        &[("x-forwarded-for", Self::XForwardedFor), ("forwarded", Self::Forwarded)];
}
