//! What a client that comes back says in the query of its request: `?clientId=TOKEN&received=N`.
//! All else in a query is not the gateway's business.

use std::fmt;

use super::Rejection;
use crate::session::ReconnectToken;

const TOKEN: &str = "clientId";
const RECEIVED: &str = "received";

/// Longest number that is looked at, as long as the largest.
const MAX_DIGITS: usize = 20;

/// A client that wants its session back.
pub struct Returning {
    /// With what; none if it is no token of a gateway like this one, and so of no session.
    pub token: Option<ReconnectToken>,
    /// How many messages of the session it has; none if it does not count them.
    pub received: Option<u64>,
}

/// Reads a query.
///
/// # Errors
/// One of both is there twice, or the number is none.
pub(super) fn parse(query: Option<&str>) -> Result<Option<Returning>, Rejection> {
    let token = only(query, TOKEN)?;
    let received = only(query, RECEIVED)?.map(number).transpose()?;
    // The first connection of a client may say that it has received nothing.
    Ok(token.map(|token| Returning { token: ReconnectToken::parse(token), received }))
}

fn only<'q>(query: Option<&'q str>, name: &str) -> Result<Option<&'q str>, Rejection> {
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    let mut values = pairs.filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    });
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Rejection::Malformed(format!("the query has `{name}` more than once"))),
    }
}

fn number(text: &str) -> Result<u64, Rejection> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits && text.len() <= MAX_DIGITS { text.parse().ok() } else { None };
    number.ok_or_else(|| {
        Rejection::Malformed(format!(
            "`{RECEIVED}` must be how many messages the client has received, a whole number"
        ))
    })
}

impl fmt::Debug for Returning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returning").field("received", &self.received).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "00000000000000000000000000abcdef";

    fn read(query: &str) -> Option<(Option<String>, Option<u64>)> {
        let returning = parse(Some(query)).unwrap_or_else(|error| panic!("{query}: {error}"));
        returning.map(|r| (r.token.map(|token| token.reveal()), r.received))
    }

    #[test]
    fn a_token_and_a_number_are_found_among_anything() {
        let id = || Some(ID.to_owned());
        assert_eq!(read(&format!("clientId={ID}")), Some((id(), None)));
        assert_eq!(read(&format!("a&clientId={ID}&received=0&b=")), Some((id(), Some(0))));
        let most = format!("received={}&clientId={ID}", u64::MAX);
        assert_eq!(read(&most), Some((id(), Some(u64::MAX))));
        assert!(parse(None).unwrap().is_none());
        for nobody in ["", "received=1", "clientid=1", "xclientId=1", "&&=&"] {
            assert_eq!(read(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn what_is_no_token_is_that_of_no_session() {
        let long = "a".repeat(5_000);
        for odd in ["", "1", "../../x", "%2e%2e", "6f1c2f6a-4b1c-4c55-9ad3-1f0f0f0f0f0f", &long] {
            assert_eq!(read(&format!("clientId={odd}")), Some((None, None)), "{odd}");
        }
    }

    #[test]
    fn what_is_no_number_or_is_there_twice_is_an_error_that_says_so() {
        for bad in ["", "-1", "+1", "1.0", "x", "1e3", " 1", "18446744073709551616", "%31"] {
            let error = parse(Some(&format!("clientId={ID}&received={bad}"))).unwrap_err();
            assert!(error.to_string().contains("`received` must be"), "{bad}: {error}");
        }
        for twice in [format!("clientId={ID}&clientId={ID}"), "received=1&received=1".to_owned()] {
            let error = parse(Some(&twice)).unwrap_err().to_string();
            assert!(error.contains("more than once") && !error.contains(ID), "{error}");
        }
    }
}
