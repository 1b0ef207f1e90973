//! Guests that are made for one test, from WebAssembly's text.

use std::path::{Path, PathBuf};

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

/// A core module that says it is for the world `listener`: the gateway makes a component of it.
pub fn core_guest(text: &str) -> Vec<u8> {
    core_guest_with(text, StringEncoding::UTF8, "")
}

/// The same for the world `stateful-listener`.
pub fn stateful_core_guest(text: &str) -> Vec<u8> {
    let (resolve, package) = interface();
    embedded(text, &resolve, package, "stateful-listener", StringEncoding::UTF8)
}

/// The same of one whose texts are encoded like this, and that imports these interfaces too.
pub fn core_guest_with(text: &str, encoding: StringEncoding, more: &str) -> Vec<u8> {
    let (mut resolve, package) = interface();
    let (package, name) = match more {
        "" => (package, "listener"),
        more => (resolve.push_str("more.wit", more).unwrap(), "more"),
    };
    embedded(text, &resolve, package, name, encoding)
}

fn interface() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(root().join("wit")).unwrap();
    (resolve, package)
}

fn embedded(
    text: &str,
    resolve: &Resolve,
    package: PackageId,
    world: &str,
    encoding: StringEncoding,
) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, resolve, world, encoding).unwrap();
    module
}

/// Gives memory to a [`listener`] as it should.
pub const REALLOC: &str = r#"(export "cabi_realloc" (func $place))"#;

/// The text of a test guest.
pub fn guest_source(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/guests/text").join(name)).unwrap()
}

/// The text of a listener for every message on its paths, with so many pages of memory. `fields` are
/// what is its own: `cabi_realloc`, which may leave all to `$place`, and `$asked`, which is called
/// with the address of each message event and returns that of its result, 64 if that is `stop`. It may use `$answer`, and the memory from 512 to 1024 and above 128 KiB.
pub fn listener(pages: u32, imports: &str, fields: &str) -> String {
    format!(
        r#"(module
  {imports}
  ;; name, path, content, roles, priority, where the result goes
  (import "sporegate:gateway/listeners@1.0.0" "add-message-listener"
    (func $add_message_listener (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  ;; client id, message, where the result goes
  (import "sporegate:gateway/clients@1.0.0" "send-message"
    (func $send_message (param i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") {pages})
  ;; A name that has the same length in every encoding, and what an export returns: the ok case and
  ;; `stop`, the second case of `outcome`.
  (data (i32.const 16) "l\00")
  (data (i32.const 64) "\00\00\00\00" "\01")
  ;; Arguments lie from here on, until the call returns.
  (global $next (mut i32) (i32.const 1024))
  (func $place (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32)
    (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $bytes)))
    (if (i32.gt_u (global.get $next) (i32.const 131072)) (then unreachable))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_bytes))
    (local.get $at))
  ;; Sends a message, of this case, to who has sent the event.
  (func $answer (param $event i32) (param $case i32) (param $at i32) (param $length i32)
    (call $send_message
      (i32.load offset=8 (local.get $event)) (i32.load offset=12 (local.get $event))
      (local.get $case) (local.get $at) (local.get $length)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable)))
  (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32)
    (call $add_message_listener
      (i32.const 16) (i32.const 1)
      (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    (i32.const 64))
  (func (export "sporegate:gateway/message-handler@1.0.0#on-message")
    (param $event i32) (result i32)
    (call $asked (local.get $event))
    (global.set $next (i32.const 1024)))
  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (global.set $next (i32.const 1024))
    (i32.const 64))
  {fields}
)"#
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
