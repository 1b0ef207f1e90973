//! Settings from variables.

use super::*;

#[test]
fn every_variable_is_read_by_the_rules_of_the_file() {
    // Each value differs from the default, so that a variable without effect would be seen.
    let values = [
        ("SPOREGATE_LISTEN", "listen", "0.0.0.0:1"),
        ("SPOREGATE_PATH", "path", "/ws"),
        ("SPOREGATE_MODULES", "modules", "/m"),
        ("SPOREGATE_RESTRICT_TO_ROLES", "restrict_to_roles", "[\"a\", \"b\"]"),
        ("SPOREGATE_WATCH", "watch", "true"),
        ("SPOREGATE_CONTROL", "control", "/c"),
        ("SPOREGATE_MAX_CONNECTIONS", "max_connections", "7"),
        ("SPOREGATE_KEEP_ALIVE_INTERVAL", "keep_alive_interval", "7s"),
        ("SPOREGATE_KEEP_ALIVE", "keep_alive", "false"),
        ("SPOREGATE_GREETING", "greeting", "false"),
        ("SPOREGATE_RECONNECT_TIMEOUT", "reconnect_timeout", "7s"),
        ("SPOREGATE_RECONNECT_SESSIONS", "reconnect_sessions", "7"),
        ("SPOREGATE_RECONNECT_MEMORY", "reconnect_memory", "1GiB"),
        ("SPOREGATE_RECONNECT_FOLDER", "reconnect_folder", "/var/lib/x"),
        ("SPOREGATE_TEST_PAGE", "test_page", "true"),
        ("SPOREGATE_ALLOWED_ORIGINS", "allowed_origins", "[\"https://a\", \"http://b:1\"]"),
        ("SPOREGATE_CHECK_ORIGIN", "check_origin", "false"),
        ("SPOREGATE_HOSTS", "hosts", "[\"gate.example\", \"a:1\"]"),
        ("SPOREGATE_SUBPROTOCOLS", "subprotocols", "[\"a\", \"b\"]"),
        ("SPOREGATE_REQUIRE_SUBPROTOCOL", "require_subprotocol", "true"),
        ("SPOREGATE_LIMITS_MESSAGES", "limits.messages", "json"),
        ("SPOREGATE_LIMITS_MESSAGE_SIZE", "limits.message_size", "1KiB"),
        ("SPOREGATE_LIMITS_FRAGMENTS", "limits.fragments", "7"),
        ("SPOREGATE_LIMITS_MESSAGE_TIME", "limits.message_time", "7s"),
        ("SPOREGATE_LIMITS_CONTROL_RATE", "limits.control_rate", "7"),
        ("SPOREGATE_LIMITS_MESSAGE_RATE", "limits.message_rate", "7"),
        ("SPOREGATE_LIMITS_MESSAGE_BURST", "limits.message_burst", "7"),
        ("SPOREGATE_LIMITS_BYTE_RATE", "limits.byte_rate", "7KiB"),
        ("SPOREGATE_LIMITS_ON_MESSAGE_RATE", "limits.on_message_rate", "reply"),
        ("SPOREGATE_LIMITS_OUTBOX_MESSAGES", "limits.outbox_messages", "7"),
        ("SPOREGATE_LIMITS_OUTBOX_SIZE", "limits.outbox_size", "1GiB"),
        ("SPOREGATE_LIMITS_SLOW_CLIENT", "limits.slow_client", "drop-newest"),
        ("SPOREGATE_LIMITS_SLOW_CLIENT_KEY", "limits.slow_client_key", "/a/b"),
        ("SPOREGATE_LIMITS_REPLAY_MESSAGES", "limits.replay_messages", "7"),
        ("SPOREGATE_LIMITS_REPLAY_SIZE", "limits.replay_size", "1GiB"),
        ("SPOREGATE_LIMITS_IDLE_TIMEOUT", "limits.idle_timeout", "7s"),
        ("SPOREGATE_LIMITS_LIFETIME", "limits.lifetime", "7h"),
        ("SPOREGATE_LIMITS_HANDSHAKE_TIMEOUT", "limits.handshake_timeout", "7s"),
        ("SPOREGATE_MAX_CONNECTIONS_PER_USER", "max_connections_per_user", "7"),
        ("SPOREGATE_MAX_CONNECTIONS_PER_ADDRESS", "max_connections_per_address", "7"),
        ("SPOREGATE_MAX_MEMORY", "max_memory", "7GiB"),
        ("SPOREGATE_PROXIES", "proxies", "[\"10.0.0.0/8\", \"fd00::1\"]"),
        ("SPOREGATE_FORWARDED_HEADER", "forwarded_header", "forwarded"),
        ("SPOREGATE_LIMITS_CONNECT_RATE", "limits.connect_rate", "7"),
        ("SPOREGATE_LIMITS_CONNECT_BURST", "limits.connect_burst", "7"),
        ("SPOREGATE_LIMITS_FAILED_LOGINS", "limits.failed_logins", "7"),
        ("SPOREGATE_LIMITS_HANDSHAKES", "limits.handshakes", "7"),
        ("SPOREGATE_LIMITS_HANDSHAKES_PER_ADDRESS", "limits.handshakes_per_address", "7"),
        ("SPOREGATE_LIMITS_URI_SIZE", "limits.uri_size", "1KiB"),
        ("SPOREGATE_METRICS_LISTEN", "metrics.listen", "127.0.0.1:9"),
        ("SPOREGATE_LIMITS_PING_INTERVAL", "limits.ping_interval", "7s"),
        ("SPOREGATE_LIMITS_PONG_TIMEOUT", "limits.pong_timeout", "7s"),
        ("SPOREGATE_LIMITS_WRITE_TIMEOUT", "limits.write_timeout", "7s"),
        ("SPOREGATE_LIMITS_CLOSE_TIMEOUT", "limits.close_timeout", "7s"),
        ("SPOREGATE_LIMITS_HEADER_SIZE", "limits.header_size", "8KiB"),
        ("SPOREGATE_LIMITS_HEADER_COUNT", "limits.header_count", "50"),
        ("SPOREGATE_SHUTDOWN_TIMEOUT", "shutdown.timeout", "0s"),
        ("SPOREGATE_SHUTDOWN_DELAY", "shutdown.delay", "7s"),
        ("SPOREGATE_SHUTDOWN_WINDOW", "shutdown.window", "7s"),
        ("SPOREGATE_SHUTDOWN_CODE", "shutdown.code", "1012"),
        ("SPOREGATE_LOG_FORMAT", "log.format", "json"),
        ("SPOREGATE_LOG_LEVEL", "log.level", "debug"),
        ("SPOREGATE_AUTH_TOKEN_FILE", "auth.token_file", "/t"),
        ("SPOREGATE_AUTH_ACCESS_TOKEN_QUERY", "auth.access_token_query", "true"),
        ("SPOREGATE_AUTH_COOKIE", "auth.cookie", "session"),
        ("SPOREGATE_AUTH_INSECURE", "auth.insecure", "true"),
        ("SPOREGATE_AUTH_INSECURE_PUBLIC", "auth.insecure_public", "true"),
        (
            "SPOREGATE_AUTH_PROXY_ADDRESSES",
            "auth.proxy.addresses",
            "[\"10.0.0.0/8\", \"127.0.0.1\"]",
        ),
        ("SPOREGATE_AUTH_PROXY_USER_HEADER", "auth.proxy.user_header", "X-User"),
        ("SPOREGATE_AUTH_PROXY_ROLES_HEADER", "auth.proxy.roles_header", "X-Roles"),
        ("SPOREGATE_AUTH_PROXY_ROLES_SEPARATOR", "auth.proxy.roles_separator", "|"),
        ("SPOREGATE_OUTBOUND_REQUESTS", "outbound.requests", "7"),
        ("SPOREGATE_OUTBOUND_CA_FILE", "outbound.ca_file", "/ca.pem"),
        ("SPOREGATE_SANDBOX_MEMORY", "sandbox.memory", "2GiB"),
        ("SPOREGATE_SANDBOX_CACHE", "sandbox.cache", "/c"),
        ("SPOREGATE_SANDBOX_MAX_MODULE_SIZE", "sandbox.max_module_size", "1MiB"),
        ("SPOREGATE_SANDBOX_COMPILE_MEMORY", "sandbox.compile_memory", "1GiB"),
        ("SPOREGATE_SANDBOX_COMPILE_TIME", "sandbox.compile_time", "7s"),
        ("SPOREGATE_SANDBOX_DEFAULTS_RUN_INSTANCES", "sandbox.defaults.run.instances", "7"),
        ("SPOREGATE_SANDBOX_DEFAULTS_RUN_AFFINITY", "sandbox.defaults.run.affinity", "user"),
        ("SPOREGATE_SANDBOX_DEFAULTS_RUN_LIFETIME", "sandbox.defaults.run.lifetime", "call"),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_RUN_PROBATION_CALLS",
            "sandbox.defaults.run.probation_calls",
            "7",
        ),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_RUN_PROBATION_TIME",
            "sandbox.defaults.run.probation_time",
            "7s",
        ),
        ("SPOREGATE_SANDBOX_DEFAULTS_RUN_DROP_STATE", "sandbox.defaults.run.drop_state", "true"),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_RUN_BREAKER_FAILURES",
            "sandbox.defaults.run.breaker_failures",
            "7",
        ),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_RUN_BREAKER_PAUSE",
            "sandbox.defaults.run.breaker_pause",
            "7s",
        ),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_STATE", "sandbox.defaults.limits.state", "7B"),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_LIMITS_HANDOVER_TIMEOUT",
            "sandbox.defaults.limits.handover_timeout",
            "7s",
        ),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_MEMORY", "sandbox.defaults.limits.memory", "1MiB"),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_CPU", "sandbox.defaults.limits.cpu", "7ms"),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_TIMEOUT", "sandbox.defaults.limits.timeout", "7s"),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_LIMITS_START_TIMEOUT",
            "sandbox.defaults.limits.start_timeout",
            "7s",
        ),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_HOST_CALLS", "sandbox.defaults.limits.host_calls", "7"),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_SENDS", "sandbox.defaults.limits.sends", "7"),
        (
            "SPOREGATE_SANDBOX_DEFAULTS_LIMITS_SEND_BYTES",
            "sandbox.defaults.limits.send_bytes",
            "7B",
        ),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_LISTENERS", "sandbox.defaults.limits.listeners", "7"),
        ("SPOREGATE_SANDBOX_DEFAULTS_LIMITS_LOG_RATE", "sandbox.defaults.limits.log_rate", "7"),
    ];
    let default = format!("{:#?}", load("").unwrap());
    for (variable, key, value) in values {
        let bare = matches!(value, "true" | "false")
            || value.starts_with('[')
            || value.bytes().all(|b| b.is_ascii_digit());
        let file = if bare { format!("{key} = {value}") } else { format!("{key} = \"{value}\"") };
        let text = value.replace(['[', ']', '"'], "");
        // An address in brackets is the one value that keeps them.
        // This one demands that there are some.
        let others = match key {
            "require_subprotocol" => "subprotocols = [\"a\"]\n",
            _ => "",
        };
        let by_variable = load_with(others, &[(variable, &text)], FlagOverrides::default());
        let by_variable = by_variable.unwrap();
        assert_same(&by_variable, &load(&format!("{others}{file}")).unwrap());
        assert_ne!(format!("{by_variable:#?}"), default, "{variable} has no effect");
    }
    let mut tested: Vec<_> = values.iter().map(|(variable, ..)| (*variable).to_owned()).collect();
    let mut all: Vec<_> = Config::settings().into_iter().filter_map(|row| row.variable).collect();
    tested.sort();
    all.sort();
    assert_eq!(tested, all);
}

#[test]
fn an_empty_variable_is_an_empty_list() {
    let file = "restrict_to_roles = [\"admin\"]";
    let env = [("SPOREGATE_RESTRICT_TO_ROLES", "")];
    let config = load_with(file, &env, FlagOverrides::default()).unwrap();
    assert!(config.default_policy.restrict_to_roles.is_empty());
}

#[test]
fn other_variables_are_left_alone() {
    let env = [
        ("SPOREGATE_CONFIG", "elsewhere.toml"),
        ("SPOREGATE_TEST_ANYTHING", "1"),
        ("PATH", "/bin"),
        ("SPOREGATE_JWT_SECRET", "of the issuer below"),
    ];
    let file = "[[auth.jwt]]\nname = \"a\"\nsecret_env = \"SPOREGATE_JWT_SECRET\"\n";
    assert!(load_with(file, &env, FlagOverrides::default()).is_ok());
}

#[test]
fn only_the_gateway_s_own_variables_are_taken() {
    let all = [("SPOREGATE_PATH", "/a"), ("PATH", "/bin"), ("XSPOREGATE_PATH", "x")];
    let own = own_variables(all.map(|(name, value)| (name.into(), value.into())));
    assert_eq!(own, [("SPOREGATE_PATH".to_owned(), "/a".to_owned())]);
}
