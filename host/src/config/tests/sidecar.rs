//! Sidecars of modules.

use super::*;
use crate::limits::ModuleLimits;
use crate::path::PathPattern;

fn parse_with(text: &str, defaults: &ModuleDefaults) -> Result<ModuleConfig, ConfigError> {
    let name = ModuleName::parse("chat").unwrap();
    ModuleConfig::parse(&name, text, Path::new("modules/chat.toml"), defaults)
}

fn parse(text: &str) -> Result<ModuleConfig, ConfigError> {
    parse_with(text, &ModuleDefaults::default())
}

fn patterns(texts: &[&str]) -> Vec<PathPattern> {
    texts.iter().map(|text| PathPattern::parse(text).unwrap()).collect()
}

#[test]
fn without_a_sidecar_the_convention_holds() {
    let config = parse("").unwrap();
    assert_eq!(config.paths, patterns(&["/chat/*"]));
    let run = Run {
        instances: 1,
        affinity: Affinity::Client,
        lifetime: Lifetime::Instance,
        probation_calls: 100,
        probation_time: Duration::from_secs(30),
        drop_state: false,
        breaker_failures: 5,
        breaker_pause: Duration::from_secs(30),
    };
    assert_eq!(config.run, run);
    let limits = ModuleLimits {
        memory_bytes: 64 << 20,
        cpu_ticks: 50,
        call_timeout: Duration::from_secs(5),
        start_timeout: Duration::from_secs(10),
        state_bytes: 16 << 20,
        handover_timeout: Duration::from_secs(1),
        host_calls: 10_000,
        sends: 1_000,
        send_bytes: 4 << 20,
        listeners: 1_024,
        log_lines_per_second: 100,
    };
    assert_eq!(config.limits, limits);

    let dir = tempfile::tempdir().unwrap();
    let name = ModuleName::parse("chat").unwrap();
    let sidecar = dir.path().join("chat.toml");
    let defaults = ModuleDefaults::default();
    assert_eq!(ModuleConfig::load(&name, &sidecar, &defaults).unwrap(), config);
    std::fs::write(&sidecar, "paths = [\"/x\"]").unwrap();
    let loaded = ModuleConfig::load(&name, &sidecar, &defaults).unwrap();
    assert_eq!(loaded.paths, patterns(&["/x"]));
}

#[test]
fn the_conventional_path_includes_the_one_without_a_rest() {
    let config = parse("").unwrap();
    for (path, granted) in [("/chat", true), ("/chat/a/b", true), ("/chats", false), ("/", false)] {
        let path = ConnectPath::parse(path).unwrap();
        assert_eq!(config.paths[0].matches(&path), granted, "{path:?}");
    }
}

#[test]
fn a_sidecar_changes_what_it_names() {
    let config = parse(
        "paths = [\"/a\", \"/b/{c}\"]
        [run]
        instances = 4
        affinity = \"user\"
        lifetime = \"call\"
        probation_calls = 3
        probation_time = \"4s\"
        drop_state = true
        breaker_failures = 6
        breaker_pause = \"7s\"
        [limits]
        memory = \"128MiB\"
        cpu = \"1s\"
        timeout = \"2s\"
        start_timeout = \"3s\"
        state = 4
        handover_timeout = \"5s\"
        host_calls = 5
        sends = 6
        send_bytes = 7
        listeners = 8
        log_rate = 9
        ",
    )
    .unwrap();
    assert_eq!(config.paths, patterns(&["/a", "/b/{c}"]));
    let run = Run {
        instances: 4,
        affinity: Affinity::User,
        lifetime: Lifetime::Call,
        probation_calls: 3,
        probation_time: Duration::from_secs(4),
        drop_state: true,
        breaker_failures: 6,
        breaker_pause: Duration::from_secs(7),
    };
    assert_eq!(config.run, run);
    let limits = ModuleLimits {
        memory_bytes: 128 << 20,
        cpu_ticks: 1_000,
        call_timeout: Duration::from_secs(2),
        start_timeout: Duration::from_secs(3),
        state_bytes: 4,
        handover_timeout: Duration::from_secs(5),
        host_calls: 5,
        sends: 6,
        send_bytes: 7,
        listeners: 8,
        log_lines_per_second: 9,
    };
    assert_eq!(config.limits, limits);
}

#[test]
fn what_a_sidecar_leaves_out_is_as_in_the_gateway_s_file() {
    let text = "[sandbox.defaults.run]\ninstances = 3\n[sandbox.defaults.limits]\ncpu = \"9ms\"\n";
    let defaults = load(text).unwrap().sandbox.defaults;
    let config = parse_with("[limits]\nsends = 2\n", &defaults).unwrap();
    assert_eq!((config.run.instances, config.limits.cpu_ticks, config.limits.sends), (3, 9, 2));
}

#[test]
fn a_wrong_sidecar_is_refused_with_place_and_reason() {
    for (text, error) in [
        ("path = [\"/a\"]", "1:1: unknown key `path`; did you mean `paths`?"),
        (
            "[log]\nlevel = \"info\"",
            "1:2: unknown key `log`; known here: paths, run, limits, http, keyvalue, config",
        ),
        ("memory = \"1MiB\"", "1:1: unknown key `memory`; `memory` belongs in [limits]"),
        (
            "[limits]\npaths = [\"/a\"]",
            "2:1: unknown key `paths` in [limits]; `paths` belongs at the top of the file, before \
             the first [section]",
        ),
        ("[limits]\ncpus = \"1s\"", "2:1: unknown key `cpus` in [limits]; did you mean `cpu`?"),
        ("[limits]\ncpu = \"0s\"", "2:7: `limits.cpu` is 0s; it must be from 1ms to 1m"),
        (
            "[limits]\ncpu = \"100us\"",
            "2:7: `limits.cpu` cannot be `100us`: `us` is not a unit; use an integer directly \
             followed by ms, s, m or h",
        ),
        (
            "[limits]\nmemory = \"1KiB\"",
            "2:10: `limits.memory` is 1KiB; it must be from 64KiB to 4GiB",
        ),
        ("[run]\ninstances = 0", "2:13: `run.instances` is 0; it must be from 1 to 64"),
        ("[run]\ninstances = 65", "2:13: `run.instances` is 65; it must be from 1 to 64"),
        (
            "[run]\naffinity = \"users\"",
            "2:12: `run.affinity` cannot be `users`: did you mean `user`?",
        ),
        (
            "[run]\nlifetime = \"forever\"",
            "2:12: `run.lifetime` cannot be `forever`: known here: instance, call",
        ),
        (
            "paths = []",
            "1:9: `paths`: it must grant at least one path; leave it out for `/<name>/*`",
        ),
        ("run = 1", "1:7: `run` must be a table, written `[name]`, not an integer"),
    ] {
        let given = parse(text).unwrap_err().to_string();
        assert_eq!(given, format!("modules/chat.toml:{error}"), "{text}");
    }
    let many = format!("paths = [{}]", "\"/a\",".repeat(ModuleConfig::MAX_PATHS + 1));
    assert!(parse(&many).unwrap_err().to_string().ends_with("it has more than 64 entries"));
    let wild = parse("paths = [\"/ok\",\n \"/a/*/b\"]").unwrap_err().to_string();
    assert!(wild.starts_with("modules/chat.toml:2:2: `paths` cannot be `/a/*/b`: "), "{wild}");
}

#[test]
fn grants_are_given_by_their_lists_and_have_limits() {
    assert_eq!(parse("").unwrap().grants, Grants::default());
    let text = "[http]\nhosts = [\"API.example.com\", \"*.example.org:8443\"]\n\
                private = [\"10.0.0.0/8\"]\nrequests = 2\nheader_size = \"8KiB\"\n\
                [keyvalue]\nbuckets = [\"a\"]\nkeys = 3\n\
                [config]\nurl = \"x\"\nsize = 0x10\nfast = true\nratio = 0.5\n";
    let Grants { http, keyvalue, values } = parse(text).unwrap().grants;
    let http = http.unwrap();
    let hosts: Vec<String> = http.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["api.example.com", "*.example.org:8443"]);
    assert!(http.private.contains("10.1.2.3".parse().unwrap()));
    assert_eq!((http.limits.requests, http.limits.header_bytes), (2, 8 << 10));
    let keyvalue = keyvalue.unwrap();
    assert_eq!((keyvalue.buckets[0].as_str(), keyvalue.limits.keys), ("a", 3));
    let values: Vec<_> = values.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(values, [("fast", "true"), ("ratio", "0.5"), ("size", "16"), ("url", "x")]);
    // Limits without a list grant nothing.
    let none = parse("[http]\nrequests = 1\n[keyvalue]\nkeys = 1\n").unwrap().grants;
    assert_eq!(none, Grants::default());
}

#[test]
fn wrong_grants_are_refused_with_place_and_reason() {
    for (text, error) in [
        ("[http]\nhosts = [\"http://a/\"]", "2:10: `http.hosts` cannot be `http://a/`: "),
        ("[http]\nhosts = [\"*\"]", "2:10: `http.hosts` cannot be `*`: "),
        ("[http]\nhosts = [\"127.1\"]", "2:10: `http.hosts` cannot be `127.1`: "),
        ("[http]\nhost = []", "2:1: unknown key `host` in [http]; did you mean `hosts`?"),
        ("[keyvalue]\nbuckets = [\"a/b\"]", "2:12: `keyvalue.buckets` cannot be `a/b`: "),
        ("[keyvalue]\nkeys = 0", "2:8: `keyvalue.keys` is 0; "),
        ("[config]\na = [1]", "2:5: `config.a`: it must be a string, a number or a boolean, "),
        ("config = 1", "1:10: `config` must be a table, written `[name]`, not an integer"),
    ] {
        let given = parse(text).unwrap_err().to_string();
        assert!(given.starts_with(&format!("modules/chat.toml:{error}")), "{text}: {given}");
    }
}

#[test]
fn variables_do_not_reach_sidecars() {
    assert!(ModuleConfig::settings().iter().all(|row| row.variable.is_none()));
}
