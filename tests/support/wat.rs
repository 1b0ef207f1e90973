//! Guests that are made for one test, from WebAssembly's text.

use std::path::{Path, PathBuf};

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A core module that says it is for the world `listener`: the gateway makes a component of it.
pub fn core_guest(text: &str) -> Vec<u8> {
    core_guest_of("listener", text)
}

/// The same for the world `stateful-listener`.
pub fn stateful_core_guest(text: &str) -> Vec<u8> {
    core_guest_of("stateful-listener", text)
}

fn core_guest_of(world: &str, text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

/// The text of a test guest.
pub fn guest_source(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/guests/text").join(name)).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
