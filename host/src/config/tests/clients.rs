//! Settings of clients that cannot be, with the whole message they get.

use super::*;

#[test]
fn what_no_client_could_use_is_refused() {
    for (text, error) in [
        (
            "subprotocols = [\"a b\"]",
            "1:17: `subprotocols` cannot be `a b`: a name has letters, digits and any of \
             !#$%&'*+-.^_`|~ only (RFC 9110)",
        ),
        (
            "subprotocols = [\"Bearer.x\"]",
            "1:17: `subprotocols`: a name must not begin with `bearer.`: that is where tokens are",
        ),
        ("subprotocols = [\"\"]", "1:17: `subprotocols` cannot be ``: a name has 1 to 64 bytes"),
        ("subprotocols = [\"a\", \"b\", \"a\"]", "1:16: `subprotocols`: `a` is in it twice"),
        (
            "require_subprotocol = true",
            "1:23: `require_subprotocol` needs names in `subprotocols`: no client could connect",
        ),
        (
            "[limits]\nmessages = \"xml\"",
            "2:12: `limits.messages` cannot be `xml`: known here: any, text, json, binary",
        ),
        (
            "[limits]\non_message_rate = \"wait\"",
            "2:19: `limits.on_message_rate` cannot be `wait`: known here: close, drop, reply",
        ),
        (
            "[limits]\nslow_client = \"drop-oldst\"",
            "2:15: `limits.slow_client` cannot be `drop-oldst`: did you mean `drop-oldest`?",
        ),
        (
            "[limits]\nslow_client_key = \"topic\"",
            "2:19: `limits.slow_client_key` cannot be `topic`: it must be empty (the whole message) or \
             start with `/`, as in `/type` (RFC 6901)",
        ),
        ("[limits]\nfragments = 0", "2:13: `limits.fragments` is 0; it must be from 1 to 1048576"),
        (
            "[limits]\nlifetime = \"721h\"",
            "2:12: `limits.lifetime` is 721h; it must be from 0s to 720h",
        ),
    ] {
        let refused = refused(text);
        let told = refused.trim().strip_prefix("conf/sporegate.toml:").unwrap_or(&refused);
        assert_eq!(told, error, "{text}");
    }
    let many: Vec<String> = (0..17).map(|number| format!("\"p{number}\"")).collect();
    let many = refused(&format!("subprotocols = [{}]", many.join(",")));
    assert!(many.contains("it has more than 16 entries"), "{many}");
}

#[test]
fn an_entry_without_names_may_not_require_one_either() {
    let text = "subprotocols = [\"a\"]\n[[paths]]\npattern = \"/a\"\nsubprotocols = []\n\
                require_subprotocol = true\n";
    assert!(refused(text).contains("5:23: `require_subprotocol` needs names"), "{}", refused(text));
}
