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
}
