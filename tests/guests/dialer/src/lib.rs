//! Tries everything of `wasi:sockets` that would reach a network, and answers with what became of it.

use serde_json::json;
use sporegate_guest::{Listener, MessageEvent, MessageMatcher, Outcome, Result, export};

use bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};
use bindings::wasi::sockets::{
    instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket,
};

#[allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package sporegate:dialer;
            world sockets {
                import wasi:sockets/instance-network@0.2.12;
                import wasi:sockets/ip-name-lookup@0.2.12;
                import wasi:sockets/tcp-create-socket@0.2.12;
                import wasi:sockets/udp-create-socket@0.2.12;
            }
        ",
        world: "sporegate:dialer/sockets",
        generate_all,
    });
}

struct Dialer;

impl Listener for Dialer {
    fn start() -> Result<Self> {
        MessageMatcher::any().listen("dialer")?;
        Ok(Self)
    }

    fn on_message(&mut self, event: MessageEvent) -> Result<Outcome> {
        let tcp = |family| outcome(tcp_create_socket::create_tcp_socket(family));
        let udp = |family| outcome(udp_create_socket::create_udp_socket(family));
        event.reply_json(&json!({
            "tcp": [tcp(IpAddressFamily::Ipv4), tcp(IpAddressFamily::Ipv6)],
            "udp": [udp(IpAddressFamily::Ipv4), udp(IpAddressFamily::Ipv6)],
            "name": [look_up("localhost"), look_up("127.0.0.1")],
        }))?;
        Ok(Outcome::Stop)
    }
}

fn look_up(name: &str) -> String {
    let network = instance_network::instance_network();
    let found = ip_name_lookup::resolve_addresses(&network, name).and_then(|addresses| {
        addresses.subscribe().block();
        addresses.resolve_next_address()
    });
    outcome(found)
}

fn outcome<T>(result: Result<T, ErrorCode>) -> String {
    result.map_or_else(|error| error.name().to_owned(), |_| "made".to_owned())
}

export!(Dialer);
