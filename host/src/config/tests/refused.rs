//! Every kind of mistake, with the whole message it gets.

use super::*;

fn refused_by_variable(name: &str, value: &str) -> String {
    load_with("", &[(name, value)], FlagOverrides::default()).unwrap_err().to_string()
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line_and_the_way_to_mend_it() {
    for (text, error) in [
        // Not TOML.
        (
            "listen = \n",
            "1:10: not valid TOML: string values must be quoted, expected literal string",
        ),
        ("path = \"/a\"\npath = \"/b\"", "2:1: not valid TOML: duplicate key"),
        // Unknown keys.
        (
            "\nrestrictToRole = []",
            "2:1: unknown key `restrictToRole`; did you mean `restrictToRoles`?",
        ),
        ("[limts]\nmessage_size = 1", "1:2: unknown key `limts`; did you mean `limits`?"),
        (
            "[limits]\nmesage_size = 1",
            "2:1: unknown key `mesage_size` in [limits]; did you mean `message_size`?",
        ),
        (
            "[[paths]]\npatern = \"/\"\npattern = \"/\"",
            "2:1: unknown key `patern` in [paths]; did you mean `pattern`?",
        ),
        ("message_size = 1", "1:1: unknown key `message_size`; `message_size` belongs in [limits]"),
        (
            "pattern = \"/\"\n[[paths]]\npattern = \"/\"",
            "1:1: unknown key `pattern`; `pattern` belongs in [[paths]]",
        ),
        (
            "[limits]\ntest_page = true",
            "2:1: unknown key `test_page` in [limits]; `test_page` belongs at the top of the \
             file, before the first [section]",
        ),
        (
            "[shutdown]\nfoo = 1",
            "2:1: unknown key `foo` in [shutdown]; known here: timeout, delay, window, code",
        ),
        (
            "[shutdown]\n\"a\\u001b\" = 1",
            "2:1: unknown key `a\\u{1b}` in [shutdown]; known here: timeout, delay, window, code",
        ),
        // Wrong types.
        (
            "listen = 8080",
            "1:10: `listen` must be an address and port such as \"127.0.0.1:8080\", not an integer",
        ),
        ("test_page = \"yes\"", "1:13: `test_page` must be `true` or `false`, not a string"),
        ("max_connections = \"5\"", "1:19: `max_connections` must be an integer, not a string"),
        ("max_connections = 5.0", "1:19: `max_connections` must be an integer, not a fraction"),
        (
            "restrict_to_roles = \"a\"",
            "1:21: `restrict_to_roles` must be a list in brackets, not a string",
        ),
        (
            "restrict_to_roles = [\n  \"a\",\n  1]",
            "3:3: `restrict_to_roles` must be a role, as a string, not an integer",
        ),
        ("path = 1979-05-27", "1:8: `path` must be a path such as \"/websocket\", not a date"),
        (
            "keep_alive_interval = 15",
            "1:23: `keep_alive_interval` must be a duration such as \"15s\", not an integer",
        ),
        (
            "keepAliveIntervalSec = \"15s\"",
            "1:24: `keep_alive_interval` must be an integer number of seconds, not a string",
        ),
        (
            "[limits]\nmessage_size = true",
            "2:16: `limits.message_size` must be a size such as \"64KiB\", or an integer number \
             of bytes, not a boolean",
        ),
        ("limits = 1", "1:10: `limits` must be a table, written `[name]`, not an integer"),
        ("[[limits]]", "1:1: `limits` must be a table, written `[name]`, not a list"),
        (
            "[auth.jwt]\nname = \"a\"",
            "1:1: `auth.jwt` must be a list of tables, each written `[[name]]`, not a table",
        ),
        (
            "paths = [1]",
            "1:10: `paths` must be a list of tables, each written `[[name]]`, not an integer",
        ),
        (
            "tmpFileStorePath = 1",
            "1:20: `reconnect_folder` must be a path of the file system, as a string, not an integer",
        ),
        // Bad values.
        (
            "listen = \"localhost:80\"",
            "1:10: `listen` cannot be `localhost:80`: it must be an IP address and a port, such as \
             `127.0.0.1:8080`, `[::1]:8080` or `0.0.0.0:8080` (port 0 takes a free one); host \
             names are not looked up",
        ),
        ("path = \"/ws/\"", "1:8: `path` cannot be `/ws/`: it must not end with `/`"),
        ("modules = \"\"", "1:11: `modules`: it must not be empty; leave the setting out instead"),
        ("restrict_to_roles = [\"a\", \"\"]", "1:27: `restrict_to_roles`: a role is empty"),
        (
            "allowed_origins = [\"https://a/\"]",
            "1:20: `allowed_origins` cannot be `https://a/`: an origin has no path: it ends after \
             the host and port, without a slash",
        ),
        ("max_connections = -1", "1:19: `max_connections` cannot be `-1`: it must not be negative"),
        (
            "max_connections = 4294967296",
            "1:19: `max_connections` cannot be `4294967296`: it must be below 4294967296",
        ),
        (
            "[limits]\nmessage_size = \"64KB\"",
            "2:16: `limits.message_size` cannot be `64KB`: `KB` is not a unit; use an integer \
             directly followed by B, KiB, MiB, GiB or TiB",
        ),
        (
            "[limits]\nping_interval = \"25\"",
            "2:17: `limits.ping_interval` cannot be `25`: it has no unit; write `25s` for seconds \
             or `25ms` for milliseconds",
        ),
        ("[log]\nformat = \"jsn\"", "2:10: `log.format` cannot be `jsn`: did you mean `json`?"),
        (
            "[log]\nlevel = \"inof\"",
            "2:9: `log.level` cannot be `inof`: write a level (off, error, warn, info, debug, \
             trace) or `target=level`, with commas between",
        ),
        // Out of bounds.
        ("max_connections = 0", "1:19: `max_connections` is 0; it must be from 1 to 1000000"),
        ("keepAliveIntervalSec = 0", "1:24: `keep_alive_interval` is 0s; it must be from 1s to 1h"),
        (
            "[limits]\nping_interval = \"999ms\"",
            "2:17: `limits.ping_interval` is 999ms; it must be from 1s to 1h",
        ),
        (
            "[limits]\nmessage_size = 67108865\noutbox_size = \"1GiB\"",
            "2:16: `limits.message_size` is 67108865B; it must be from 1B to 64MiB",
        ),
        (
            "[limits]\nmessage_size = \"16B\"\noutbox_size = \"1023B\"",
            "3:15: `limits.outbox_size` is 1023B; it must be from 1KiB to 1GiB",
        ),
        (
            "[limits]\nheader_size = \"4KiB\"",
            "2:15: `limits.header_size` is 4KiB; it must be from 8KiB to 1MiB",
        ),
        // Missing.
        (
            "[[paths]]\nanonymous = true",
            "1:1: `pattern` is missing in [paths]; write the paths it holds for: pattern = \
             \"/rooms/*\"",
        ),
        // Contradictions.
        (
            "restrict_to_roles = []\nrestrictToRoles = []",
            "2:19: `restrict_to_roles` and `restrictToRoles` are two names of one setting; keep \
             one of them",
        ),
        (
            "keepAliveIntervalSec = 15\nkeep_alive_interval = \"15s\"",
            "1:24: `keep_alive_interval` and `keepAliveIntervalSec` are two names of one setting; \
             keep one of them",
        ),
        (
            "reconnectMessageBufferFolder = \"a\"\ntmpFileStorePath = \"a\"",
            "2:20: `reconnectMessageBufferFolder` and `tmpFileStorePath` are two names of one \
             setting; keep one of them",
        ),
        (
            "[limits]\nmessage_size = \"2MiB\"",
            "2:16: `outbox_size` (1MiB) must not be smaller than `message_size` (2MiB); raise the \
             one or lower the other",
        ),
        (
            "[[paths]]\npattern = \"/a\"\noutbox_size = \"1KiB\"",
            "3:15: `outbox_size` (1KiB) must not be smaller than `message_size` (64KiB); raise \
             the one or lower the other",
        ),
        (
            "restrict_to_roles = [\"a\"]\n[[paths]]\npattern = \"/a\"\nanonymous = true",
            "4:13: anonymous clients have no roles, and `restrict_to_roles` demands one here; \
             keep one of the two, or write restrict_to_roles = [] in this entry",
        ),
        (
            "[sandbox]\nmemory = \"32MiB\"\n[sandbox.defaults.limits]\nmemory = \"33MiB\"",
            "4:10: `sandbox.defaults.limits.memory`: one instance cannot have more than [sandbox] \
             memory (32MiB)",
        ),
    ] {
        assert_eq!(refused(text), format!("conf/sporegate.toml:{error}"), "{text}");
    }
}

#[test]
fn a_mistake_in_a_variable_names_it() {
    for (name, value, error) in [
        ("SPOREGATE_LISTN", "x", "unknown variable; did you mean `SPOREGATE_LISTEN`?"),
        (
            "SPOREGATE_MESSAGE_SIZE",
            "1",
            "unknown variable; did you mean `SPOREGATE_LIMITS_MESSAGE_SIZE`?",
        ),
        (
            "SPOREGATE_LIMITS__MESSAGE_SIZE",
            "1",
            "unknown variable; did you mean `SPOREGATE_LIMITS_MESSAGE_SIZE`?",
        ),
        (
            "SPOREGATE_SOMETHING_ELSE_ALTOGETHER",
            "canary",
            "unknown variable; the variable of a key is `SPOREGATE_`, its section and its name in \
             capitals, joined by `_`; unset it if it belongs to something else",
        ),
        (
            "SPOREGATE_AUTH_JWT",
            "canary",
            "unknown variable; [[auth.jwt]] is a table and can be set in the file only",
        ),
        (
            "SPOREGATE_LIMITS",
            "canary",
            "unknown variable; [limits] is a table and can be set in the file only",
        ),
        ("SPOREGATE_TEST_PAGE", "yes", "`test_page` cannot be `yes`: it must be `true` or `false`"),
        (
            "SPOREGATE_MAX_CONNECTIONS",
            "many",
            "`max_connections` cannot be `many`: it must be an integer",
        ),
        ("SPOREGATE_MAX_CONNECTIONS", "", "`max_connections` cannot be ``: it must be an integer"),
        (
            "SPOREGATE_MAX_CONNECTIONS",
            "99999999999999999999",
            "`max_connections` cannot be `99999999999999999999`: it is too large to count",
        ),
        (
            "SPOREGATE_LIMITS_PING_INTERVAL",
            "2h",
            "`limits.ping_interval` is 2h; it must be from 1s to 1h",
        ),
        ("SPOREGATE_RESTRICT_TO_ROLES", "a,,b", "`restrict_to_roles`: a role is empty"),
        (
            "SPOREGATE_AUTH_TOKEN_FILE",
            "",
            "`auth.token_file`: it must not be empty; leave the setting out instead",
        ),
        ("SPOREGATE_MODULES", "a\nb", "`modules`: it must not contain control characters"),
        ("SPOREGATE_MODULES", "a\u{fffd}", "`modules`: it must be UTF-8 text"),
    ] {
        assert_eq!(refused_by_variable(name, value), format!("variable {name}: {error}"));
    }
}

#[test]
fn a_variable_that_nobody_can_have_meant_is_told_in_one_line() {
    let error = refused_by_variable("SPOREGATE_A\n\u{1b}[31m", "1");
    assert!(error.starts_with("variable SPOREGATE_A\\n\\u{1b}[31m: unknown variable"), "{error}");
}

#[test]
fn a_mistake_in_a_flag_names_it() {
    let none = FlagOverrides::default;
    for (flags, error) in [
        (
            FlagOverrides { path: Some("ws".to_owned()), ..none() },
            "flag --path: `path` cannot be `ws`: it must start with `/`",
        ),
        (
            FlagOverrides { max_connections: Some(0), ..none() },
            "flag --max-connections: `max_connections` is 0; it must be from 1 to 1000000",
        ),
        (
            FlagOverrides { log_format: Some("xml".to_owned()), ..none() },
            "flag --log-format: `log.format` cannot be `xml`: known here: auto, text, json",
        ),
    ] {
        assert_eq!(load_with("", &[], flags).unwrap_err().to_string(), error);
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "lisen = 1\npath = \"x\"\n[limits]\nmessage_size = \"1\"\nping_interval = 5\n[log]\nlevle = 1\n";
    let env = [("SPOREGATE_TEST_PAGE", "maybe"), ("SPOREGATE_LOGLEVEL", "info")];
    let flags = FlagOverrides { listen: Some("nowhere".to_owned()), ..FlagOverrides::default() };
    let error = load_with(text, &env, flags).unwrap_err();
    let places: Vec<String> = error.problems().map(|problem| problem.place.to_string()).collect();
    assert_eq!(
        places,
        [
            "conf/sporegate.toml:1:1",
            "conf/sporegate.toml:2:8",
            "conf/sporegate.toml:5:17",
            "conf/sporegate.toml:7:1",
            "variable SPOREGATE_TEST_PAGE",
            "variable SPOREGATE_LOGLEVEL",
            "flag --listen",
        ]
    );
    assert_eq!(error.to_string().lines().count(), 7);
}

#[test]
fn a_wrong_value_is_told_even_where_another_source_overrides_it() {
    let env = [("SPOREGATE_MAX_CONNECTIONS", "5")];
    let error = load_with("max_connections = 0", &env, FlagOverrides::default()).unwrap_err();
    assert!(error.to_string().starts_with("conf/sporegate.toml:1:19: "), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let file = Some(PathBuf::from("nowhere/sporegate.toml"));
    let error = Config::load(&Sources { file, ..Sources::default() }).unwrap_err().to_string();
    assert_eq!(
        error,
        "nowhere/sporegate.toml: cannot be read: there is no such file; check the path given with \
         --config or SPOREGATE_CONFIG"
    );
}

#[test]
fn lists_of_tables_and_values_are_bounded() {
    let paths = "[[paths]]\npattern = \"/a\"\n".repeat(MAX_PATHS + 1);
    assert!(refused(&paths).ends_with("`paths`: it has more than 1000 entries"));
    let issuers: String =
        (0..=MAX_JWT).map(|n| format!("[[auth.jwt]]\nname = \"n{n}\"\njwks = \"a\"\n")).collect();
    assert!(refused(&issuers).ends_with("`auth.jwt`: it has more than 16 entries"));
    let roles = format!("restrict_to_roles = [{}]", "\"a\",".repeat(1_001));
    assert!(refused(&roles).ends_with("`restrict_to_roles`: it has more than 1000 entries"));
    let long = format!("modules = \"{}\"", "a".repeat(4_097));
    assert!(refused(&long).ends_with("`modules`: it is longer than 4096 bytes"));
}

#[test]
fn unknown_keys_are_told_up_to_a_bound() {
    let unknown: String = (0..1_000).map(|n| format!("nothing_like_it_{n} = 1\n")).collect();
    let text = refused(&unknown);
    assert!(
        text.starts_with("conf/sporegate.toml:1:1: unknown key `nothing_like_it_0`; known here: ")
    );
    assert!(text.ends_with("\n... and 80 more"), "{text}");
}
