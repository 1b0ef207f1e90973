//! Topics are levels divided by `/`. Patterns may have MQTT's wildcards: `+` is one level, a final
//! `#` is the level above it and all below. Topics below `user/` belong to the user named next.

/// Longest topic or pattern, in bytes.
pub(crate) const MAX_BYTES: usize = 512;

/// Most levels of a topic or pattern. A topic of so many is matched by 255 patterns at most (each
/// level but the first as it is or `+`, or cut short by `#`), and each may take a message of its
/// own: with two levels more they could be more than a call may send.
pub(crate) const MAX_LEVELS: usize = 8;

pub(crate) const ONE_LEVEL: &str = "+";
pub(crate) const REST: &str = "#";

const USERS: &str = "user";

/// Whether a message can be published to it.
pub(crate) fn is_topic(text: &str) -> bool {
    is_framed(text) && !text.contains(['+', '#'])
}

/// Whether a client can subscribe to it.
pub(crate) fn is_pattern(text: &str) -> bool {
    let levels: Vec<&str> = text.split('/').collect();
    let last = levels.len() - 1;
    is_framed(text)
        && levels.iter().enumerate().all(|(at, level)| match *level {
            ONE_LEVEL => at > 0,
            REST => at > 0 && at == last,
            name => !name.contains(['+', '#']),
        })
}

/// The user who alone may subscribe to a topic or pattern, and gets what is published to it.
pub(crate) fn owner(text: &str) -> Option<&str> {
    let (first, below) = text.split_once('/')?;
    (first == USERS).then(|| below.split('/').next().unwrap_or(below))
}

/// Whether a user can have topics of their own: other names would reach into those of others.
pub(crate) fn can_own(username: &str) -> bool {
    !username.is_empty() && !username.contains(['/', '+', '#'])
}

fn is_framed(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_BYTES
        && !text.starts_with('/')
        && !text.ends_with('/')
        && text.split('/').count() <= MAX_LEVELS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_no_wildcards_and_no_slash_at_an_end() {
        for good in ["a", "a/b", "a//b", "user/kim/inbox", "ä/ö"] {
            assert!(is_topic(good), "{good}");
        }
        for bad in ["", "/", "/a", "a/", "a/+", "a/#", "#", "+", "a+b", "a#"] {
            assert!(!is_topic(bad), "{bad}");
        }
        assert!(is_topic(&"x".repeat(MAX_BYTES)));
        assert!(!is_topic(&"x".repeat(MAX_BYTES + 1)));
    }

    #[test]
    fn topics_and_patterns_have_a_limited_number_of_levels() {
        assert!(is_topic("1/2/3/4/5/6/7/8") && is_pattern("1/2/3/4/5/6/7/#"));
        assert!(!is_topic("1/2/3/4/5/6/7/8/9") && !is_topic("1////////9"));
        assert!(!is_pattern("1/2/3/4/5/6/7/8/#"));
    }

    #[test]
    fn patterns_have_wildcards_as_whole_levels_after_the_first() {
        for good in ["a", "a/+", "a/+/b", "a/#", "a/+/#", "user/kim/#"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in ["", "/a", "a/", "+", "#", "+/a", "#/a", "a/#/b", "a/b+", "a/+b", "a/b#"] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn what_lies_below_user_has_an_owner() {
        assert_eq!(owner("user/kim"), Some("kim"));
        assert_eq!(owner("user/kim/inbox/#"), Some("kim"));
        assert_eq!(owner("user/+/inbox"), Some("+"));
        assert_eq!(owner("user"), None);
        assert_eq!(owner("users/kim"), None);
        assert_eq!(owner("a/user/kim"), None);
    }

    #[test]
    fn a_name_with_a_slash_or_a_wildcard_owns_nothing() {
        assert!(can_own("kim"));
        for name in ["", "kim/inbox", "+", "#", "k+m"] {
            assert!(!can_own(name), "{name}");
        }
    }
}
