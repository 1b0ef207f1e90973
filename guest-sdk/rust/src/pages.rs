//! Client queries, page by page behind one iterator. It never holds more than one page.

use crate::{Client, Error, clients};

/// As many as the gateway gives at once, if it gives fewer.
const PAGE_CLIENTS: u32 = 256;

/// Clients on a path, or on all paths of a pattern. Those that come or go meanwhile may be missed.
///
/// # Errors
/// As [`clients::get_clients_on_path`]; the first one ends the iteration.
pub fn clients_on_path(path: &str) -> impl Iterator<Item = Result<Client, Error>> {
    pages(move |cursor| clients::get_clients_on_path(path, cursor, PAGE_CLIENTS))
}

/// All clients of a user. Those that come or go meanwhile may be missed.
///
/// # Errors
/// As [`clients::get_clients_of_user`]; the first one ends the iteration.
pub fn clients_of_user(username: &str) -> impl Iterator<Item = Result<Client, Error>> {
    pages(move |cursor| clients::get_clients_of_user(username, cursor, PAGE_CLIENTS))
}

type Page<T> = Result<(Vec<T>, Option<String>), Error>;

enum Next {
    First,
    After(String),
    None,
}

fn pages<T>(fetch: impl Fn(Option<&str>) -> Page<T>) -> impl Iterator<Item = Result<T, Error>> {
    let mut next = Next::First;
    let mut page = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(item) = page.next() {
                return Some(Ok(item));
            }
            let fetched = match &next {
                Next::First => fetch(None),
                Next::After(cursor) => fetch(Some(cursor)),
                Next::None => return None,
            };
            match fetched {
                Ok((items, cursor)) => {
                    page = items.into_iter();
                    next = cursor.map_or(Next::None, Next::After);
                }
                Err(error) => {
                    next = Next::None;
                    return Some(Err(error));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(cursor: Option<&str>) -> Page<u32> {
        match cursor {
            None => Ok((vec![1, 2], Some("a".to_owned()))),
            Some("a") => Ok((vec![], Some("b".to_owned()))),
            Some("b") => Ok((vec![3], None)),
            Some(other) => Err(Error::InvalidArgument(other.to_owned())),
        }
    }

    #[test]
    fn pages_follow_each_other_even_past_an_empty_one() {
        let all: Vec<u32> = pages(numbers).collect::<Result<_, _>>().unwrap();
        assert_eq!(all, [1, 2, 3]);
    }

    #[test]
    fn an_error_ends_the_iteration() {
        let mut pages = pages::<u32>(|_| Err(Error::NotFound));
        assert_eq!(pages.next(), Some(Err(Error::NotFound)));
        assert_eq!(pages.next(), None);
    }
}
