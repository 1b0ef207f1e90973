//! Two components in one file, each with an encoding of its own. What one gives the other is
//! translated by code that the engine makes for the two, and by itself.

use wasm_encoder::{
    Alias, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, ComponentSection, ComponentSectionId, RawSection,
};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

use super::*;

/// What the first asks of the other. It comes last: what is included comes in its order.
const MORE: &str = "
    package test:strings;
    interface other {
        take: func(text: string) -> string;
        behave: func(manner: u32);
    }
    world asks {
        import other;
    }
    world more {
        include sporegate:gateway/listener@1.0.0;
        include asks;
    }
";

const IMPORT: &str = "test:strings/other";

const EXPORTS: [&str; 3] = [
    "sporegate:gateway/lifecycle@1.0.0",
    "sporegate:gateway/message-handler@1.0.0",
    "sporegate:gateway/disconnect-handler@1.0.0",
];

const IMPORTS: &str = r#"
  (import "test:strings/other" "take" (func $take (param i32 i32 i32)))
  (import "test:strings/other" "behave" (func $behave (param i32)))
"#;

/// Gives back what it takes.
fn other(encoding: StringEncoding) -> Vec<u8> {
    let name = match encoding {
        StringEncoding::UTF8 => "utf8",
        StringEncoding::UTF16 => "utf16",
        StringEncoding::CompactUTF16 => "latin1+utf16",
    };
    let text = format!(
        r#"(component
  (core module $code
    (memory (export "memory") 4)
    (global $next (mut i32) (i32.const 1024))
    (func $place (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32)
      (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get $bytes)))
      (memory.copy (local.get $at) (local.get $old) (local.get $old_bytes))
      (local.get $at))
    {PLACES}
    (func (export "take") (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 16) (local.get $at))
      (i32.store (i32.const 20) (local.get $length))
      (global.set $next (i32.const 1024))
      (i32.const 16))
    (func (export "behave") (param i32) (global.set $manner (local.get 0))))
  (core instance $it (instantiate $code))
  (func (export "take") (param "text" string) (result string)
    (canon lift (core func $it "take") (memory $it "memory")
      (realloc (func $it "cabi_realloc")) string-encoding={name}))
  (func (export "behave") (param "manner" u32) (canon lift (core func $it "behave"))))"#
    );
    wat::parse_str(text).unwrap()
}

/// A component that holds both, side by side: one within the other could not be called by it.
fn joined(encoding: StringEncoding, others: StringEncoding) -> Vec<u8> {
    let text = listener(MEMORY_BYTES >> 16, IMPORTS, &format!("{PLACES}{ASKED}"));
    let core = core_guest_with(&text, encoding, MORE);
    let first = ComponentEncoder::default().module(&core).unwrap().encode().unwrap();
    let (mut file, imports) = beginning(&first);
    section(&mut file, ComponentSectionId::Component, &other(others));
    section(&mut file, ComponentSectionId::Component, &first);
    let instance = ComponentExportKind::Instance;
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, [("", instance, 0); 0]);
    // What is imported, and then the other one.
    let names = imports.iter().map(String::as_str).chain([IMPORT]);
    let given: Vec<_> = names.zip(0..).map(|(name, index)| (name, instance, index)).collect();
    instances.instantiate(1, given);
    instances.append_to_component(&mut file);
    let (mut aliases, mut exports) = (ComponentAliasSection::new(), ComponentExportSection::new());
    let whole = u32::try_from(imports.len()).unwrap() + 1;
    for (name, index) in EXPORTS.into_iter().zip(whole + 1..) {
        aliases.alias(Alias::InstanceExport { instance: whole, kind: instance, name });
        exports.export(name, instance, index, None);
    }
    aliases.append_to_component(&mut file);
    exports.append_to_component(&mut file);
    wasmparser::validate(&file).unwrap();
    file
}

/// What a component imports of the gateway: its beginning up to there, and the names.
fn beginning(component: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (mut names, mut end) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ComponentImportSection(section) = payload.unwrap() {
            let until = section.range().end;
            for import in section {
                let name = import.unwrap().name.name;
                if name == IMPORT {
                    return (component[..end].to_vec(), names);
                }
                names.push(name.to_owned());
            }
            end = until;
        }
    }
    panic!("{IMPORT} is not imported")
}

fn section(file: &mut Vec<u8>, id: ComponentSectionId, data: &[u8]) {
    RawSection { id: id.into(), data }.append_to_component(file);
}

fn pairs() -> impl Iterator<Item = (StringEncoding, StringEncoding)> {
    ENCODINGS.into_iter().flat_map(|first| ENCODINGS.map(|second| (first, second)))
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_go_from_one_component_to_another_and_back_as_they_are() {
    for (encoding, others) in pairs() {
        let mut strings = Strings::start(&joined(encoding, others)).await;
        for case in valid(encoding) {
            strings.check(Use::Pass, &case).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_are_none_never_arrive_at_another_component() {
    for (encoding, others) in pairs() {
        let mut strings = Strings::start(&joined(encoding, others)).await;
        for case in hostile(encoding) {
            strings.check(Use::Pass, &case).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_is_given_out_wrongly_between_components_ends_the_call_and_nothing_else() {
    for (encoding, others) in pairs() {
        let mut strings = Strings::start(&joined(encoding, others)).await;
        for who in [Who::Itself, Who::Other] {
            let ended = strings.misplace(who, Some(encoding)).await;
            assert!(ended > 0, "{encoding:?}, {others:?}: {who:?}");
        }
    }
}
