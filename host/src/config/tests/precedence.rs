//! Defaults, spellings, and which source wins.

use super::*;
use crate::limits::{ConnectionPolicy, MessageKind, OnExcess, SlowClient};

#[test]
fn defaults_hold_where_nothing_is_said() {
    let config = load("").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.path.as_str(), "/websocket");
    assert_eq!(config.modules, Path::new("conf/modules"));
    assert_eq!(config.max_connections, 2_000);
    assert!(!config.test_page && config.check_origin);
    let policy = &config.default_policy;
    assert!(!policy.anonymous && policy.restrict_to_roles.is_empty());
    assert!(policy.allowed_origins.is_empty());
    let limits = &policy.connection;
    assert_eq!((limits.message_bytes, limits.outbox_bytes), (65_536, 1_048_576));
    assert_eq!(limits.outbox_messages, 1_024);
    assert_eq!(limits.keep_alive_interval, Some(Duration::from_secs(15)));
    assert_eq!(limits.ping_interval, Duration::from_secs(25));
    assert!(limits.greeting);
    assert_eq!(format!("{limits:?}"), format!("{:?}", ConnectionPolicy::default()));
    assert_eq!(config.handshake.header_bytes, 16_384);
    assert_eq!(config.shutdown.timeout, Duration::from_secs(30));
    let log = LogConfig { format: LogFormat::Auto, level: "info".to_owned() };
    assert_eq!(config.log, log);
    assert_eq!(config.sandbox.memory_bytes, 1 << 30);
    assert_eq!(config.sandbox.cache, CompileCache::Auto);
    assert_eq!(config.sandbox.max_module_bytes, 32 << 20);
    assert_eq!(config.sandbox.compile_memory_bytes, 2 << 30);
    assert_eq!(config.sandbox.compile_time, Duration::from_secs(60));
    assert_eq!(config.sandbox.defaults, ModuleDefaults::default());
}

#[test]
fn the_original_names_mean_the_same() {
    let original = "
        path = \"/ws\"
        restrictToRoles = [\"admin\"]
        enableKeepAlive = true
        keepAliveIntervalSec = 20
        maxConnections = 100
    ";
    let own = "
        path = \"/ws\"
        restrict_to_roles = [\"admin\"]
        keep_alive = true
        keep_alive_interval = \"20s\"
        max_connections = 100
    ";
    assert_same(&load(original).unwrap(), &load(own).unwrap());
    let off = load("enableKeepAlive = false").unwrap();
    assert_eq!(off.default_policy.connection.keep_alive_interval, None);
}

#[test]
fn the_original_names_of_the_folder_are_accepted() {
    for name in ["tmpFileStorePath", "reconnectMessageBufferFolder", "reconnect_folder"] {
        let config = load(&format!("{name} = \"/tmp/x\"")).unwrap();
        assert_eq!(config.reconnect.folder, Some("/tmp/x".into()), "{name}");
    }
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let file = "max_connections = 2\n[log]\nformat = \"text\"\n";
    let env = [("SPOREGATE_MAX_CONNECTIONS", "3"), ("SPOREGATE_LOG_FORMAT", "json")];
    let flags = FlagOverrides { max_connections: Some(4), ..FlagOverrides::default() };
    let none = FlagOverrides::default;
    assert_eq!(load("").unwrap().max_connections, 2_000);
    assert_eq!(load(file).unwrap().max_connections, 2);
    let by_variable = load_with(file, &env, none()).unwrap();
    assert_eq!((by_variable.max_connections, by_variable.log.format), (3, LogFormat::Json));
    assert_eq!(load_with(file, &env, flags.clone()).unwrap().max_connections, 4);
    assert_eq!(load_with("", &[], flags).unwrap().max_connections, 4);
    let alias = load_with("maxConnections = 2", &env, none()).unwrap();
    assert_eq!(alias.max_connections, 3);
}

#[test]
fn every_flag_has_its_effect() {
    let flags = FlagOverrides {
        listen: Some("[::1]:0".to_owned()),
        path: Some("/".to_owned()),
        modules: Some("m".into()),
        watch: Some(true),
        control: Some("c".into()),
        max_connections: Some(1),
        test_page: Some(true),
        token_file: Some("t".into()),
        insecure: Some(true),
        log_format: Some("json".to_owned()),
        log_level: Some("debug".to_owned()),
    };
    let config = load_with("", &[], flags).unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:0");
    assert_eq!((config.path.as_str(), config.max_connections), ("/", 1));
    assert_eq!(config.modules, Path::new("m"));
    assert_eq!((config.watch, config.control.as_deref()), (true, Some(Path::new("c"))));
    assert!(config.test_page);
    assert_eq!(config.auth.token_file.as_deref(), Some(Path::new("t")));
    assert!(config.auth.insecure);
    assert_eq!(config.log, LogConfig { format: LogFormat::Json, level: "debug".to_owned() });
}

#[test]
fn a_table_has_many_spellings() {
    let header = load("[limits]\nmessage_size = \"1KiB\"\n[[paths]]\npattern = \"/a\"\n").unwrap();
    for text in [
        "limits.message_size = \"1KiB\"\npaths = [{ pattern = \"/a\" }]",
        "limits = { message_size = \"1KiB\" }\npaths = [{ pattern = \"/a\" }]",
        "\u{feff}[limits]\r\nmessage_size = 0x4_00\r\n[[paths]]\r\npattern = '/a'\r\n",
    ] {
        assert_same(&load(text).unwrap(), &header);
    }
}

#[test]
fn relative_paths_belong_to_where_they_are_written() {
    let file = "modules = \"m\"\n[auth]\ntoken_file = \"../t\"\n[sandbox]\ncache = \"/c\"\n";
    let config = load(file).unwrap();
    assert_eq!(config.modules, Path::new("conf/m"));
    assert_eq!(config.auth.token_file.as_deref(), Some(Path::new("conf/../t")));
    assert_eq!(config.sandbox.cache, CompileCache::Dir("/c".into()));
    let env = [("SPOREGATE_MODULES", "m")];
    let by_variable = load_with(file, &env, FlagOverrides::default()).unwrap();
    assert_eq!(by_variable.modules, Path::new("m"));
}

#[test]
fn the_file_is_named_by_the_source_or_else_by_a_variable() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (one, two) =
        (write("1.toml", "max_connections = 1"), write("2.toml", "max_connections = 2"));
    let env = vec![("SPOREGATE_CONFIG".to_owned(), two.display().to_string())];
    let load = |file, env| Config::load(&Sources { file, env, ..Sources::default() }).unwrap();
    assert_eq!(load(Some(one), env.clone()).max_connections, 1);
    assert_eq!(load(None, env).max_connections, 2);
    let none = load(None, Vec::new());
    assert_eq!((none.max_connections, none.modules.as_path()), (2_000, Path::new("modules")));
}

#[test]
fn a_path_has_the_first_entry_that_matches_or_the_default() {
    let config = load(
        "restrict_to_roles = [\"user\"]
        allowed_origins = [\"https://a\"]
        [[paths]]
        pattern = \"/open/admin\"
        restrict_to_roles = [\"admin\"]
        message_size = \"1KiB\"
        [[paths]]
        pattern = \"/open/*\"
        anonymous = true
        restrict_to_roles = []
        allowed_origins = [\"*\"]
        outbox_messages = 3
        outbox_size = \"2MiB\"
        on_failure = \"close\"
        [[paths]]
        pattern = \"/{any}/admin\"
        ",
    )
    .unwrap();
    let at = |path: &str| config.policy_of(&ConnectPath::parse(path).unwrap());
    let admin = at("/open/admin");
    assert_eq!(
        (admin.anonymous, admin.restrict_to_roles.as_slice()),
        (false, &["admin".to_owned()][..])
    );
    assert_eq!(admin.connection.message_bytes, 1_024);
    assert_eq!(admin.allowed_origins, at("/other").allowed_origins);
    let open = at("/open");
    assert!(open.anonymous && open.restrict_to_roles.is_empty());
    assert_eq!(open.allowed_origins, [AllowedOrigin::Any]);
    assert_eq!(open.connection.outbox_messages, 3);
    assert_eq!(open.connection.outbox_bytes, 2 << 20);
    assert_eq!(open.connection.on_failure, crate::limits::OnFailure::Close);
    assert_eq!(open.connection.ping_interval, Duration::from_secs(25));
    assert_eq!(at("/x/admin").restrict_to_roles, ["user"]);
    assert_eq!(at("/other").restrict_to_roles, ["user"]);
}

#[test]
fn an_entry_that_never_holds_is_told() {
    let text = "[[paths]]\npattern = \"/a/*\"\nanonymous = true\n[[paths]]\npattern = \"/a/{b}\"\n";
    let config = load(text).unwrap();
    let texts: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["[[paths]] `/a/{b}` never holds, because `/a/*` comes first and takes all its paths; \
          move it up or remove it"]
    );
}

#[test]
fn an_entry_has_the_limits_of_its_own_and_the_others_of_the_file() {
    let config = load(
        "subprotocols = [\"a\"]
        [limits]
        messages = \"text\"
        fragments = 5
        message_rate = 10
        message_burst = 30
        on_message_rate = \"drop\"
        slow_client = \"latest\"
        slow_client_key = \"/a~1b\"
        idle_timeout = \"1m\"
        lifetime = \"1h\"
        ping_interval = \"7s\"
        [[paths]]
        pattern = \"/own\"
        messages = \"json\"
        require_subprotocol = true
        fragments = 6
        message_rate = 0
        byte_rate = \"1KiB\"
        slow_client = \"drop-newest\"
        idle_timeout = \"0s\"
        lifetime = \"2h\"
        ",
    )
    .unwrap();
    let own = config.policy_of(&ConnectPath::parse("/own").unwrap());
    let top = &config.default_policy;
    assert_eq!((own.subprotocols.names.len(), own.subprotocols.required), (1, true));
    assert!(!top.subprotocols.required);
    let (own, top) = (&own.connection, &top.connection);
    assert_eq!((top.messages, own.messages), (MessageKind::Text, MessageKind::Json));
    assert_eq!((top.fragments, own.fragments), (5, 6));
    assert_eq!(top.rate.messages_per_second.unwrap().get(), 10);
    assert_eq!(own.rate.messages_per_second, None);
    assert_eq!(own.rate.burst, top.rate.burst);
    assert_eq!((top.rate.bytes_per_second, top.rate.on_excess), (None, OnExcess::Drop));
    assert_eq!(own.rate.bytes_per_second.unwrap().get(), 1024);
    assert_eq!(own.rate.on_excess, OnExcess::Drop);
    assert_eq!((top.slow_client, own.slow_client), (SlowClient::Latest, SlowClient::DropNewest));
    assert_eq!(own.slow_client_key.to_string(), "/a~1b");
    assert_eq!((top.idle_timeout, own.idle_timeout), (Some(Duration::from_secs(60)), None));
    assert_eq!(own.lifetime, Some(Duration::from_secs(7_200)));
    assert_eq!(own.ping_interval, Duration::from_secs(7));
}
