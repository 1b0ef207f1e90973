//! The nearest right name for a wrong one. Never guesses where nothing is near: a wrong guess
//! costs more than none.

/// Longest name that is compared, in bytes: the time grows with it, and no right name is longer.
const LONGEST: usize = 128;

/// The candidate that `given` most probably means: equal but for case and separators, or at most a
/// third of its letters away. Ties go to the one that looks most alike as written.
pub(crate) fn nearest<'c>(
    given: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if given.len() > LONGEST {
        return None;
    }
    let plain_given = plain(given);
    let most = (plain_given.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let far = strsim::damerau_levenshtein(&plain_given, &plain(candidate));
            (far, strsim::damerau_levenshtein(&flat(given), &flat(candidate)), candidate)
        })
        .filter(|(far, _, _)| *far <= most)
        .min()
        .map(|(_, _, candidate)| candidate)
}

/// A hint that names the nearest candidate, or else all of them in their order.
pub(super) fn did_you_mean(given: &str, candidates: &[&str]) -> String {
    match nearest(given, candidates.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", candidates.join(", ")),
    }
}

fn plain(name: &str) -> String {
    flat(name).replace(['_', '.'], "")
}

fn flat(name: &str) -> String {
    name.replace('-', "_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_as_it_was_meant() {
        let known = ["restrict_to_roles", "restrictToRoles", "listen", "path", "max_connections"];
        for (given, meant) in [
            ("restrictToRole", Some("restrictToRoles")),
            ("restrict_to_role", Some("restrict_to_roles")),
            ("RESTRICT-TO-ROLES", Some("restrict_to_roles")),
            ("listne", Some("listen")),
            ("paht", Some("path")),
            ("maxConnection", Some("max_connections")),
            ("colour", None),
            ("x", None),
            ("", None),
            ("listen".repeat(30).as_str(), None),
        ] {
            assert_eq!(nearest(given, known), meant, "{given}");
        }
    }

    #[test]
    fn without_a_near_name_all_are_listed() {
        assert_eq!(did_you_mean("colour", &["path", "listen"]), "known here: path, listen");
        assert_eq!(did_you_mean("lisen", &["path", "listen"]), "did you mean `listen`?");
    }
}
