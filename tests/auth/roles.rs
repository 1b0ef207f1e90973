//! `restrictToRoles`, for all paths and for some.

use super::*;
use crate::support::until;

/// The status that a client with these roles gets on a path.
async fn status(gateway: &TestGateway, path: &str, roles: &[&str]) -> u16 {
    answer(gateway, path, &gateway.token("ann", roles)).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_needs_one_of_the_roles() {
    let setup = TestGateway::with().set("restrictToRoles = [\"staff\", \"ops\"]");
    let gateway = setup.start().await;
    assert_eq!(status(&gateway, "/x", &["staff"]).await, 101);
    assert_eq!(status(&gateway, "/x", &["a", "ops", "z"]).await, 101);
    for roles in [&[][..], &["user"], &["Staff"], &["staff "], &["staf"], &["staff,ops"]] {
        let answer = answer(&gateway, "/x", &gateway.token("ann", roles)).await;
        assert_eq!(answer.status, 403, "{roles:?}");
        assert_eq!(answer.header("www-authenticate"), None, "no other token would help: {roles:?}");
    }
    let nobody = Handshake::new("/websocket/x").bytes();
    assert_unauthorized(&raw_request(gateway.address(), &nobody).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_path_entry_that_matches_replaces_the_roles() {
    let setup = TestGateway::with().set("restrict_to_roles = [\"staff\"]");
    let path = |pattern: &str, roles: &str| {
        format!("[[paths]]\npattern = \"{pattern}\"\nrestrict_to_roles = {roles}")
    };
    let gateway = setup
        .table(&path("/admin/status", "[]"))
        .table(&path("/admin/*", "[\"admin\"]"))
        .table(&path("/{room}/private", "[\"member\"]"))
        .table("[[paths]]\npattern = \"/large\"\nmessage_size = \"1MiB\"")
        .table("[[paths]]\npattern = \"/lobby\"\nrestrict_to_roles = []\nanonymous = true")
        .start()
        .await;
    for (path, role, expected) in [
        ("/admin/status", "none", 101),
        ("/admin", "admin", 101),
        ("/admin/a/b", "admin", 101),
        ("/admin", "staff", 403),
        ("/admin/a/b", "staff", 403),
        ("/admin/private", "member", 403),
        ("/kitchen/private", "member", 101),
        ("/kitchen/private", "staff", 403),
        ("/kitchen/private/x", "member", 403),
        ("/large", "staff", 101),
        ("/large", "none", 403),
        ("/elsewhere", "staff", 101),
        ("/elsewhere", "admin", 403),
        ("/lobby", "none", 101),
    ] {
        assert_eq!(status(&gateway, path, &[role]).await, expected, "{role} on {path}");
    }
    let nobody = |path: &str| Handshake::new(&format!("/websocket{path}")).bytes();
    assert_eq!(raw_request(gateway.address(), &nobody("/lobby")).await.status, 101);
    assert_eq!(raw_request(gateway.address(), &nobody("/admin/status")).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_the_roles_it_came_with_until_it_is_closed() {
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut guard = gateway.client("/probe").await;
    let mut before = gateway.client_as("ann", &["editor"], "/probe").await;
    // Elsewhere ann has lost the role, and gets other tokens from now on.
    let mut after = gateway.client_as("ann", &["reader"], "/probe").await;
    assert_eq!(whoami(&mut before).await["roles"], json!(["editor"]));
    assert_eq!(whoami(&mut after).await["roles"], json!(["reader"]));
    let id = before.id().await;
    let close = json!({"do": "close", "to": id, "code": 4900, "reason": "come again"});
    guard.ok(close).await;
    assert_eq!(before.closed().await, (4900, "come again".to_owned()));
    before.close().await;
    let registry = gateway.gateway().server().registry();
    until("ann's first session has left", || registry.all().len() == 2).await;
    assert_eq!(whoami(&mut after).await["roles"], json!(["reader"]));
    let found = guard.ok(json!({"do": "clients-of-user", "user": "ann", "limit": 9})).await;
    assert_eq!(found["clients"].as_array().unwrap().len(), 1);
}
