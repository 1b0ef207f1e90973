//! Properties: of all changes to a token, none makes another valid token.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_token_with_one_other_character_is_refused(at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.~+/-]") {
        let good = token(&json!({"alg": "HS256"}), &payload(), &Signers::new().secret, Algorithm::HS256);
        let gate = gate(vec![secret_issuer()]);
        let at = at.index(good.len());
        prop_assume!(good[at..=at] != *other);
        let mut changed = good.clone();
        changed.replace_range(at..=at, &other);
        prop_assert!(ask(&gate, &good).is_ok());
        prop_assert!(ask(&gate, &changed).is_err());
    }

    #[test]
    fn no_text_is_a_token_or_a_panic(text in r"[ -~]{0,200}", query in r"[ -~é%]{0,60}") {
        let settings = AuthSettings { jwt: vec![secret_issuer()], access_token_query: true, ..AuthSettings::default() };
        let gate = Authenticator::new(settings).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {text}")).unwrap());
        prop_assert!(present(&gate, &headers, Some(&query)).is_err());
        let query = format!("access_token={query}");
        prop_assert!(present(&gate, &HeaderMap::new(), Some(&query)).is_err());
    }

    #[test]
    fn no_cookie_gets_in_or_is_a_panic(
        cookies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4),
        near in r#"[; "=]{0,3}session[; "=]{0,3}[ -~]{0,20}[;" ]{0,3}"#,
    ) {
        let settings = AuthSettings {
            jwt: vec![secret_issuer()],
            cookie: Some("session".to_owned()),
            ..AuthSettings::default()
        };
        let gate = Authenticator::new(settings).unwrap();
        let mut headers = HeaderMap::new();
        for line in cookies.iter().map(Vec::as_slice).chain([near.as_bytes()]) {
            if let Ok(line) = HeaderValue::from_bytes(line) {
                headers.append(hyper::header::COOKIE, line);
            }
        }
        let asked = gate.authenticate(Presented {
            headers: &headers,
            query: None,
            vouched: &Vouched::default(),
            sender: Sender::OwnPage,
        });
        prop_assert!(!matches!(asked, Ok(Some(_))));
    }

    #[test]
    fn of_strangers_no_header_is_believed_and_of_proxies_none_is_a_panic(
        user in prop::collection::vec(any::<u8>(), 0..300),
        roles in prop::collection::vec(any::<u8>(), 0..300),
        peer in any::<std::net::IpAddr>(),
    ) {
        let proxies = crate::config::Networks::parse(&["10.0.0.0/8"]).unwrap();
        let settings = ProxySettings {
            proxies: proxies.clone(),
            user_header: "X-User".to_owned(),
            roles_header: "X-Roles".to_owned(),
            roles_separator: ',',
        };
        let settings = AuthSettings { proxy: Some(settings), ..AuthSettings::default() };
        let gate = Authenticator::new(settings).unwrap();
        for peer in [peer, "10.1.2.3".parse().unwrap()] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("x-user", &user), ("x-roles", &roles)] {
                headers.extend(HeaderValue::from_bytes(value).map(|value| {
                    (hyper::header::HeaderName::from_static(name), value)
                }));
            }
            let vouched = gate.take_vouched(&mut headers, peer);
            prop_assert!(headers.is_empty());
            let presented =
                Presented { headers: &headers, query: None, vouched: &vouched, sender: Sender::OwnPage };
            let asked = gate.authenticate(presented);
            prop_assert!(proxies.contains(peer) || matches!(asked, Ok(None)));
        }
    }
}
