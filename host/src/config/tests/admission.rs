//! Who is let in by other means than tokens: proxies, cookies, everybody; and by which name.

use super::*;

#[test]
fn proxies_cookies_and_hosts_are_read_with_their_defaults() {
    let config = load("").unwrap();
    assert!(config.hosts.is_empty() && config.auth.cookie.is_none() && !config.auth.insecure);
    let proxy = &config.auth.proxy;
    assert!(proxy.addresses.is_empty());
    assert_eq!(
        (&*proxy.user_header, &*proxy.roles_header),
        ("X-Forwarded-User", "X-Forwarded-Groups")
    );
    assert_eq!(proxy.roles_separator, ',');

    let config = load(
        "hosts = [\"Gate.example\", \"[::1]:8080\"]
        [auth]
        cookie = \"__Host-session\"
        [auth.proxy]
        addresses = [\"10.0.0.0/8\", \"::1\"]
        user_header = \"X-User\"
        roles_header = \"X-Roles\"
        roles_separator = \" \"",
    )
    .unwrap();
    let hosts: Vec<String> = config.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["gate.example", "[::1]:8080"]);
    assert_eq!(config.auth.cookie.as_deref(), Some("__Host-session"));
    let proxy = &config.auth.proxy;
    assert!(proxy.addresses.contains("10.1.2.3".parse().unwrap()));
    assert!(!proxy.addresses.contains("11.1.2.3".parse().unwrap()));
    assert_eq!(
        (&*proxy.user_header, &*proxy.roles_header, proxy.roles_separator),
        ("X-User", "X-Roles", ' ')
    );
    assert_eq!(config.warnings, [], "a proxy knows users");
    let env = [("SPOREGATE_AUTH_PROXY_ADDRESSES", "127.0.0.1,fd00::/8")];
    let by_variable = load_with("", &env, FlagOverrides::default()).unwrap();
    assert!(by_variable.auth.proxy.addresses.contains("fd12::1".parse().unwrap()));
}

#[test]
fn a_mistake_in_who_is_let_in_is_told_with_the_way_to_mend_it() {
    let proxy = |line: &str| format!("[auth.proxy]\n{line}");
    for (text, error) in [
        (
            proxy("addresses = [\"proxy.example\"]"),
            "2:14: `auth.proxy.addresses` cannot be `proxy.example`: it must be a network such as \
             `10.0.0.0/8` or `fd00::/8`, or an IP address; host names are not looked up",
        ),
        (
            proxy("addresses = [\"10.1.0.0/8\"]"),
            "2:14: `auth.proxy.addresses` cannot be `10.1.0.0/8`: the address has bits beyond the \
             prefix; write `10.0.0.0/8` for the network, or the address alone",
        ),
        (
            proxy("addresses = [\"0.0.0.0/0\"]"),
            "2:13: `auth.proxy.addresses`: a network of prefix 0 is everybody, and then anybody \
             can name any user; list the addresses of the proxies",
        ),
        (
            proxy("addresses = \"10.0.0.0/8\""),
            "2:13: `auth.proxy.addresses` must be a list in brackets, not a string",
        ),
        (
            proxy("user_header = \"X User\""),
            "2:15: `auth.proxy.user_header` cannot be `X User`: it must be the name of a header, \
             as in `X-User`",
        ),
        (
            proxy("roles_header = \"Cookie\""),
            "2:16: `auth.proxy.roles_header` cannot be `Cookie`: this header has a meaning of its \
             own; let the proxy use another",
        ),
        (
            proxy("roles_header = \"x-forwarded-user\""),
            "2:16: `user_header` and `roles_header` must differ; each has a header of its own",
        ),
        (
            proxy("roles_separator = \"::\""),
            "2:19: `auth.proxy.roles_separator` cannot be `::`: it must be one of `,`, `;`, `|`, a \
             space, or such",
        ),
        (
            "[auth]\ncookie = \"a b\"".to_owned(),
            "2:10: `auth.cookie` cannot be `a b`: it must be the name of a cookie, as in `session`",
        ),
        (
            "hosts = [\"https://gate.example\"]".to_owned(),
            "1:10: `hosts` cannot be `https://gate.example`: it must be a host, with or without a \
             port, such as `gateway.example.org`",
        ),
        (
            "hosts = [\"*\"]".to_owned(),
            "1:10: `hosts` cannot be `*`: list each host; `*` stands for nothing here",
        ),
    ] {
        assert_eq!(refused(&text), format!("conf/sporegate.toml:{error}"), "{text}");
    }
}

#[test]
fn everybody_is_let_in_from_this_machine_only_unless_said_twice() {
    let insecure = "[auth]\ninsecure = true\n";
    let local = load(insecure).unwrap();
    assert!(local.auth.insecure);
    let told = local.warnings[0].to_string();
    assert!(local.warnings.len() == 1 && told.starts_with("INSECURE: "), "{told}");
    let hosts: Vec<String> = local.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["localhost", "127.0.0.1", "[::1]"]);

    let public = format!("listen = \"0.0.0.0:80\"\n{insecure}");
    let error = refused(&public);
    assert!(
        error.starts_with("conf/sporegate.toml:3:12: `auth.insecure` admits everybody"),
        "{error}"
    );
    let flag = FlagOverrides { insecure: Some(true), ..FlagOverrides::default() };
    let error = load_with("listen = \"[::]:80\"", &[], flag).unwrap_err().to_string();
    assert!(error.starts_with("flag --insecure: `auth.insecure` admits everybody"), "{error}");
    let meant = load(&format!("{public}insecure_public = true")).unwrap();
    assert!(meant.auth.insecure && meant.hosts.is_empty());
    assert!(meant.warnings[0].to_string().contains("0.0.0.0:80"));
}

#[test]
fn metrics_have_an_address_of_their_own_and_a_public_one_is_told() {
    let same = "listen = \"127.0.0.1:80\"\n[metrics]\nlisten = \"127.0.0.1:80\"\n";
    let error = refused(same);
    assert!(error.contains("3:10: `metrics.listen`") && error.contains("of their own"), "{error}");
    // Port 0 is another one each time.
    assert!(load(&same.replace(":80", ":0")).unwrap().warnings.len() == 1);
    let public = load("[metrics]\nlisten = \"0.0.0.0:9090\"\n").unwrap().warnings;
    let listen = "0.0.0.0:9090".parse().unwrap();
    assert!(public.contains(&Warning::PublicMetrics { listen }), "{public:?}");
}
