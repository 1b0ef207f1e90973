//! Spellings of a path: none leads around the rules of a path, whatever it is written like.

use super::*;

/// Below `/admin` only admins are admitted, below `/public` everybody, elsewhere users.
async fn gateway() -> TestGateway {
    let setup = TestGateway::with().module("probe", "probe").sidecar("probe", "paths = [\"/*\"]");
    setup
        .set("restrict_to_roles = [\"user\"]")
        .table("[[paths]]\npattern = \"/admin/*\"\nrestrict_to_roles = [\"admin\"]")
        .table("[[paths]]\npattern = \"/public/*\"\nrestrict_to_roles = []\nanonymous = true")
        .start()
        .await
}

async fn status(gateway: &TestGateway, path: &str, token: Option<&str>) -> u16 {
    let handshake = Handshake::new(&format!("/websocket{path}"));
    let handshake = token.into_iter().fold(handshake, Handshake::bearer);
    raw_request(gateway.address(), &handshake.bytes()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_leads_a_user_to_what_is_for_admins() {
    let gateway = gateway().await;
    let user = gateway.token("mallory", &["user"]);
    for (path, expected) in [
        // The same place, which is closed.
        ("/admin", 403),
        ("/admin/", 403),
        ("/admin/x", 403),
        ("/admin/x/", 403),
        ("/%61dmin/x", 403),
        ("/%61%64%6D%69%6e", 403),
        ("/admin?/public", 403),
        ("/admin?access_token=x", 403),
        ("/admin/%3b", 403),
        ("/admin/;x=y", 403),
        ("/admin/x;/../../public", 400),
        // Two meanings, so none.
        ("//admin", 400),
        ("///admin", 400),
        ("/public//admin", 400),
        ("//", 400),
        ("/admin//", 400),
        ("/./admin", 400),
        ("/admin/.", 400),
        ("/admin/..", 400),
        ("/public/../admin", 400),
        ("/public/%2e%2e/admin", 400),
        ("/public/.%2e/admin", 400),
        ("/public/%2E./admin", 400),
        ("/public/..%2fadmin", 400),
        ("/public/..\\admin", 400),
        ("/public\\..\\admin", 400),
        ("/public%5c..%5cadmin", 400),
        ("/%2fadmin", 400),
        ("/%2e/admin", 400),
        ("/public%2f..%2fadmin", 400),
        ("%2fadmin", 404),
        ("/admin%00", 400),
        ("/admin%00.html", 400),
        ("/%00/admin", 400),
        ("/admin%0a", 400),
        ("/admin%0d%0aHost:x", 400),
        ("/admin%7f", 400),
        ("/admin%", 400),
        ("/admin%2", 400),
        ("/admin%zz", 400),
        ("/admin%u0061", 400),
        ("/%c1%a1dmin", 400),
        ("/%e0%81%a1dmin", 400),
        ("/adm%ff", 400),
        ("/admin/*", 400),
        ("/*", 400),
        ("/{room}", 400),
        // Other places, open to users: case counts, an escape is decoded once, what looks alike
        // is not the same, and parameters of a segment belong to it.
        ("/Admin", 101),
        ("/ADMIN/x", 101),
        ("/%41dmin", 101),
        ("/%2561dmin", 101),
        ("/admin%2520", 101),
        ("/admin%20", 101),
        ("/admin;x=y", 101),
        ("/admin;/x", 101),
        ("/admin%3bx", 101),
        ("/admin%3f", 101),
        ("/admin%23", 101),
        ("/admin.", 101),
        ("/admin...", 101),
        ("/.../admin", 101),
        ("/xadmin", 101),
        ("/admi%6e%6e", 101),
        ("/%d0%b0dmin", 101),
        ("/%ef%bd%81dmin", 101),
        ("/x/admin", 101),
    ] {
        assert_eq!(status(&gateway, path, Some(&user)).await, expected, "{path}");
    }
    let mut admin = gateway.client_as("ann", &["admin"], "/admin/x").await;
    let found = json!({"do": "clients-on-path", "path": "/admin/*", "limit": 100});
    let found = admin.ok(found).await;
    let found = found["clients"].as_array().unwrap();
    assert!(found.iter().all(|client| client["username"] == "ann"), "{found:?}");
    assert_eq!(found.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_leads_around_credentials() {
    let gateway = gateway().await;
    for (path, expected) in [
        ("/public", 101),
        ("/public/x", 101),
        ("/%70ublic/x/", 101),
        ("/Public", 401),
        ("/publi", 401),
        ("/publicx", 401),
        ("/public.", 401),
        ("/public;", 401),
        ("/public%20", 401),
        ("/x/public", 401),
        ("/%2570ublic", 401),
        ("/room?x=/public", 401),
        ("/admin?x=/../public", 401),
        ("/public/../room", 400),
        ("/public/%2e%2e/room", 400),
        ("/public/..%2f..%2froom", 400),
        ("//public", 400),
        ("/public%00", 400),
    ] {
        assert_eq!(status(&gateway, path, None).await, expected, "{path}");
    }
}
