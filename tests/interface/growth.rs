//! Within a major version the interface only grows: whoever was built for the version that is recorded
//! in `tests/fixtures` must find all of it, as it was, in the one that there is.

use std::collections::BTreeMap;

use wit_parser::{Function, Handle, Resolve, Type, TypeDefKind, WorldItem, WorldKey};

const RELEASED: &str = include_str!("../fixtures/wit-1.0.0/sporegate.wit");
const NOW: &str = include_str!("../../wit/sporegate.wit");

/// What a guest exports: nothing may be added to it either, for older guests do not have it.
const OF_GUESTS: [&str; 4] =
    ["lifecycle", "message-handler", "disconnect-handler", "state-handover"];

/// Every part of an interface by its name, each with its shape as a text.
type Parts = BTreeMap<String, String>;

#[test]
fn what_was_released_is_still_there_and_as_it_was() {
    let problems = problems(RELEASED, NOW);
    assert!(problems.is_empty(), "built for the released interface, and now broken: {problems:#?}");
}

#[test]
fn what_would_break_older_guests_is_found() {
    let broken = |from: &str, to: &str| {
        assert!(RELEASED.contains(from), "{from}");
        problems(RELEASED, &RELEASED.replacen(from, to, 1))
    };
    for (from, to, told) in [
        ("get-client-count: func() -> u64;", "", "clients#get-client-count: it is gone"),
        (
            "get-client-count: func() -> u64;",
            "get-client-count: func() -> u32;",
            "clients#get-client-count: it was ",
        ),
        ("limit: u32)", "most: u32)", "clients#get-clients-on-path: it was "),
        (
            "    roles: list<string>,\n  }\n\n  variant",
            "    roles: list<string>,\n    more: bool,\n  }\n\n  variant",
            "types#client: it was ",
        ),
        ("    closed,\n", "    closed,\n    tired,\n", "types#error: it was "),
        ("    stop,\n  }", "    stop,\n    later,\n  }", "message-handler#outcome: it was "),
        (
            "interface lifecycle {",
            "interface lifecycle {\n  finish: func();",
            "lifecycle#finish: it is new, and older guests do not export it",
        ),
        (
            "  export disconnect-handler;\n",
            "",
            "world listener exports disconnect-handler: it is gone",
        ),
        (
            "  export disconnect-handler;\n",
            "  export disconnect-handler;\n  export state-handover;\n",
            "world listener exports state-handover: it is new",
        ),
        ("  import clients;\n", "", "clients"),
    ] {
        let found = broken(from, to);
        assert!(found.iter().any(|problem| problem.contains(told)), "{told}: {found:#?}");
    }
}

#[test]
fn what_is_only_added_for_guests_to_call_is_no_problem() {
    let grown = RELEASED
        .replace(
            "get-client-count: func() -> u64;",
            "get-client-count: func() -> u64;\n  rename: func(id: client-id);",
        )
        .replace(
            "world imports {",
            "interface rooms { open: func(); }\n\nworld imports {\n  import rooms;",
        )
        .replace("package sporegate:gateway@1.0.0", "package sporegate:gateway@1.1.0");
    assert_ne!(grown, RELEASED);
    assert_eq!(problems(RELEASED, &grown), Vec::<String>::new());
}

fn problems(released: &str, now: &str) -> Vec<String> {
    let (released, now) = (parts(released), parts(now));
    let mut problems = Vec::new();
    for (name, shape) in &released {
        match now.get(name) {
            None => problems.push(format!("{name}: it is gone")),
            Some(other) if other != shape => {
                problems.push(format!("{name}: it was {shape}, and is {other}"));
            }
            Some(_) => {}
        }
    }
    for name in now.keys().filter(|name| !released.contains_key(*name)) {
        let of_guests = OF_GUESTS.iter().any(|known| name.starts_with(&format!("{known}#")));
        let known_world =
            name.strip_prefix("world ").and_then(|rest| rest.split_once(" exports ")).is_some_and(
                |(world, _)| released.keys().any(|old| old.starts_with(&format!("world {world} "))),
            );
        if of_guests || known_world {
            problems.push(format!("{name}: it is new, and older guests do not export it"));
        }
    }
    problems
}

fn parts(text: &str) -> Parts {
    let mut resolve = Resolve::default();
    let package = resolve.push_source("sporegate.wit", text).unwrap();
    let package = &resolve.packages[package];
    let mut parts = Parts::new();
    for (name, id) in &package.interfaces {
        let interface = &resolve.interfaces[*id];
        for (of, function) in &interface.functions {
            parts.insert(format!("{name}#{of}"), shape_of_function(&resolve, function));
        }
        for (of, id) in &interface.types {
            parts.insert(format!("{name}#{of}"), shape_of_kind(&resolve, &resolve.types[*id].kind));
        }
    }
    for (name, id) in &package.worlds {
        let world = &resolve.worlds[*id];
        for (does, items) in [("imports", &world.imports), ("exports", &world.exports)] {
            for (key, item) in items {
                let what = match key {
                    WorldKey::Name(name) => name.clone(),
                    WorldKey::Interface(id) => resolve.interfaces[*id].name.clone().unwrap(),
                };
                assert!(matches!(item, WorldItem::Interface { .. }), "{name}: {what}");
                parts.insert(format!("world {name} {does} {what}"), "an interface".to_owned());
            }
        }
    }
    parts
}

fn shape_of_function(resolve: &Resolve, function: &Function) -> String {
    let param =
        |param: &wit_parser::Param| format!("{}: {}", param.name, shape(resolve, &param.ty));
    let params: Vec<_> = function.params.iter().map(param).collect();
    let result = function.result.as_ref().map(|result| shape(resolve, result));
    format!("{:?} ({}) -> {}", function.kind, params.join(", "), result.unwrap_or_default())
}

/// A type by its name where it has one: what is behind the name is a part of its own.
fn shape(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Id(id) => match &resolve.types[*id] {
            named if named.name.is_some() => named.name.clone().unwrap(),
            unnamed => shape_of_kind(resolve, &unnamed.kind),
        },
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn shape_of_kind(resolve: &Resolve, kind: &TypeDefKind) -> String {
    let maybe = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), |ty| shape(resolve, ty));
    match kind {
        TypeDefKind::Record(record) => {
            let field = |field: &wit_parser::Field| {
                format!("{}: {}", field.name, shape(resolve, &field.ty))
            };
            format!(
                "record {{ {} }}",
                record.fields.iter().map(field).collect::<Vec<_>>().join(", ")
            )
        }
        TypeDefKind::Variant(variant) => {
            let case = |case: &wit_parser::Case| format!("{}({})", case.name, maybe(&case.ty));
            format!(
                "variant {{ {} }}",
                variant.cases.iter().map(case).collect::<Vec<_>>().join(", ")
            )
        }
        TypeDefKind::Enum(cases) => {
            let names: Vec<_> = cases.cases.iter().map(|case| case.name.as_str()).collect();
            format!("enum {{ {} }}", names.join(", "))
        }
        TypeDefKind::Flags(flags) => {
            let names: Vec<_> = flags.flags.iter().map(|flag| flag.name.as_str()).collect();
            format!("flags {{ {} }}", names.join(", "))
        }
        TypeDefKind::Tuple(tuple) => {
            let types: Vec<_> = tuple.types.iter().map(|ty| shape(resolve, ty)).collect();
            format!("tuple<{}>", types.join(", "))
        }
        TypeDefKind::Option(ty) => format!("option<{}>", shape(resolve, ty)),
        TypeDefKind::List(ty) => format!("list<{}>", shape(resolve, ty)),
        TypeDefKind::Result(result) => {
            format!("result<{}, {}>", maybe(&result.ok), maybe(&result.err))
        }
        TypeDefKind::Type(ty) => format!("= {}", shape(resolve, ty)),
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
            format!("{} {}", kind.as_str(), resolve.types[*id].name.clone().unwrap_or_default())
        }
        TypeDefKind::Resource => "resource".to_owned(),
        other => panic!("the comparison does not know {}: add it", other.as_str()),
    }
}
