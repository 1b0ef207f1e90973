//! Clients without credentials: only where a path opts in. And the places where a token may come.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_there_is_no_way_in() {
    let gateway = TestGateway::with().module("probe", "probe").start().await;
    let bare = Handshake::new("/websocket/probe");
    for handshake in [
        bare.clone(),
        bare.clone().and("Authorization", "Basic YW5uOnNlY3JldA=="),
        bare.clone().and("Sec-WebSocket-Protocol", "sporegate"),
        bare.clone().and("Cookie", &format!("token={}", gateway.token("ann", &[]))),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_unauthorized(&answer, None);
        assert!(answer.body.contains("bearer token"), "says what is missing: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_may_admit_clients_that_nobody_knows() {
    let setup = TestGateway::with().module("probe", "probe");
    let gateway =
        setup.table("[[paths]]\npattern = \"/probe/lobby/*\"\nanonymous = true").start().await;
    let mut client = gateway.connect("/probe/lobby/1", None).await.unwrap();
    client.greeting().await;
    let seen = whoami(&mut client).await;
    assert_eq!((&seen["username"], &seen["roles"]), (&Value::Null, &json!([])));
    assert_eq!(client.ok(json!({"do": "claims"})).await, Value::Null);
    // Known where it says who it is.
    let known = gateway.token("ann", &["x"]);
    let mut known = gateway.connect("/probe/lobby", Some(&known)).await.unwrap();
    known.greeting().await;
    assert_eq!(whoami(&mut known).await["username"], "ann");
    // Only there.
    for path in ["/probe", "/probe/lobbyx", "/probe/Lobby"] {
        let bytes = Handshake::new(&format!("/websocket{path}")).bytes();
        assert_unauthorized(&raw_request(gateway.address(), &bytes).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_wrong_where_none_are_needed() {
    let gateway = TestGateway::with().table("[[paths]]\npattern = \"/*\"\nanonymous = true");
    let gateway = gateway.start().await;
    assert_eq!(answer(&gateway, "/any", &gateway.token("ann", &[])).await.status, 101);
    for token in ["", "x", "a.b.c"] {
        assert_unauthorized(&answer(&gateway, "/any", token).await, Some("invalid_token"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_counts_only_where_it_is_switched_on() {
    let off = TestGateway::with().start().await;
    let on = TestGateway::with().table("[auth]\naccess_token_query = true").start().await;
    let token = on.token("ann", &[]);
    let target = format!("/websocket/x?a=1&access_token={token}");
    let handshake = Handshake::new(&target);
    assert_unauthorized(&raw_request(off.address(), &handshake.bytes()).await, None);
    assert_eq!(raw_request(on.address(), &handshake.bytes()).await.status, 101);
    let wrong = Handshake::new("/websocket/x?access_token=wrong");
    assert_unauthorized(&raw_request(on.address(), &wrong.bytes()).await, Some("invalid_token"));
    assert_unauthorized(&raw_request(off.address(), &wrong.bytes()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tokens_are_refused_even_if_they_are_the_same() {
    let gateway = TestGateway::with().table("[auth]\naccess_token_query = true").start().await;
    let token = gateway.token("ann", &[]);
    let bearer = format!("sporegate, bearer.{token}");
    let protocol = |handshake: Handshake| handshake.and("Sec-WebSocket-Protocol", &bearer);
    let plain = Handshake::new("/websocket/x");
    let query = Handshake::new(&format!("/websocket/x?access_token={token}"));
    for handshake in [
        plain.clone().bearer(&token).bearer(&token),
        protocol(plain.clone().bearer(&token)),
        query.clone().bearer(&token),
        protocol(query),
        protocol(protocol(plain)),
    ] {
        let answer = raw_request(gateway.address(), &handshake.bytes()).await;
        assert_unauthorized(&answer, Some("error=\"invalid_request\""));
    }
}
