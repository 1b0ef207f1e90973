//! Who subscribed to what, as a tree of levels: a topic is found by walking its own levels,
//! however many patterns there are. No branch is empty.

use std::collections::{BTreeMap, BTreeSet};

use sporegate_guest::{Client, ClientId};

use crate::topic::{self, ONE_LEVEL, REST};

/// Patterns that one client may subscribe to.
const MAX_PATTERNS: usize = 256;

#[derive(Default)]
pub(crate) struct Subscriptions {
    root: Node,
    of_client: BTreeMap<ClientId, BTreeSet<String>>,
}

#[derive(Default)]
struct Node {
    below: BTreeMap<String, Node>,
    subscribers: Subscribers,
}

/// With their user names.
type Subscribers = BTreeMap<ClientId, Option<String>>;

impl Subscriptions {
    /// Whether the client is subscribed now. Twice is once.
    pub(crate) fn add(&mut self, client: &Client, pattern: &str) -> bool {
        let username = client.username.as_deref();
        if !topic::is_pattern(pattern) || !owner_is(pattern, username) {
            return false;
        }
        let patterns = self.of_client.entry(client.id.clone()).or_default();
        if patterns.len() >= MAX_PATTERNS && !patterns.contains(pattern) {
            return false;
        }
        patterns.insert(pattern.to_owned());
        let levels = pattern.split('/');
        let node = levels
            .fold(&mut self.root, |node, level| node.below.entry(level.to_owned()).or_default());
        node.subscribers.insert(client.id.clone(), client.username.clone());
        true
    }

    /// Whether the client was subscribed.
    pub(crate) fn remove(&mut self, client: &ClientId, pattern: &str) -> bool {
        let Some(patterns) = self.of_client.get_mut(client) else { return false };
        let was = patterns.remove(pattern);
        if patterns.is_empty() {
            self.of_client.remove(client);
        }
        if was {
            self.root.remove(pattern.split('/'), client);
        }
        was
    }

    /// Drops all that the client has subscribed to.
    pub(crate) fn forget(&mut self, client: &ClientId) {
        for pattern in self.of_client.remove(client).unwrap_or_default() {
            self.root.remove(pattern.split('/'), client);
        }
    }

    /// Each pattern that matches the topic, with the clients that subscribed to it.
    pub(crate) fn matching(&self, topic: &str) -> Vec<(String, Vec<ClientId>)> {
        let levels: Vec<&str> = topic.split('/').collect();
        let mut found = Vec::new();
        self.root.find(&levels, &mut Vec::new(), &mut |pattern, subscribers| {
            let reached = subscribers.iter().filter(|(_, user)| owner_is(topic, user.as_deref()));
            let reached: Vec<ClientId> = reached.map(|(client, _)| client.clone()).collect();
            if !reached.is_empty() {
                found.push((pattern.join("/"), reached));
            }
        });
        found
    }
}

impl Node {
    fn find<'a>(
        &'a self,
        levels: &[&str],
        pattern: &mut Vec<&'a str>,
        found: &mut impl FnMut(&[&'a str], &Subscribers),
    ) {
        if let Some(rest) = self.below.get(REST) {
            pattern.push(REST);
            found(pattern, &rest.subscribers);
            pattern.pop();
        }
        let Some((first, others)) = levels.split_first() else {
            found(pattern, &self.subscribers);
            return;
        };
        for name in [*first, ONE_LEVEL] {
            if let Some((name, node)) = self.below.get_key_value(name) {
                pattern.push(name);
                node.find(others, pattern, found);
                pattern.pop();
            }
        }
    }

    /// Removes the client there, and the branch if nothing is left on it.
    fn remove<'p>(&mut self, mut levels: impl Iterator<Item = &'p str>, client: &ClientId) {
        let Some(level) = levels.next() else {
            self.subscribers.remove(client);
            return;
        };
        if let Some(node) = self.below.get_mut(level) {
            node.remove(levels, client);
            if node.below.is_empty() && node.subscribers.is_empty() {
                self.below.remove(level);
            }
        }
    }
}

/// Whether nobody owns the topic or pattern, or this user does.
fn owner_is(text: &str, username: Option<&str>) -> bool {
    match topic::owner(text) {
        None => true,
        owner => username.is_some_and(topic::can_own) && owner == username,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str, username: Option<&str>) -> Client {
        Client {
            id: id.to_owned(),
            connect_path: "/messages".to_owned(),
            username: username.map(str::to_owned),
            roles: Vec::new(),
        }
    }

    fn found(subscriptions: &Subscriptions, topic: &str) -> Vec<String> {
        let mut found: Vec<String> = subscriptions
            .matching(topic)
            .into_iter()
            .map(|(pattern, clients)| format!("{pattern}: {}", clients.join(" ")))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn wildcards_match_as_in_mqtt() {
        let matches = |pattern: &str, topic: &str| {
            let mut subscriptions = Subscriptions::default();
            assert!(subscriptions.add(&client("1", None), pattern));
            !subscriptions.matching(topic).is_empty()
        };
        for (pattern, topic) in [
            ("a", "a"),
            ("a/b", "a/b"),
            ("a/+", "a/b"),
            ("a/+/c", "a/b/c"),
            ("a/+/b", "a//b"),
            ("a/#", "a"),
            ("a/#", "a/b"),
            ("a/#", "a/b/c"),
            ("a/+/#", "a/b"),
        ] {
            assert!(matches(pattern, topic), "{pattern} {topic}");
        }
        for (pattern, topic) in [
            ("a", "b"),
            ("a", "a/b"),
            ("a/b", "a"),
            ("a/+", "a"),
            ("a/+", "a/b/c"),
            ("a/#", "ab"),
            ("a/+/#", "a"),
            ("A", "a"),
        ] {
            assert!(!matches(pattern, topic), "{pattern} {topic}");
        }
    }

    #[test]
    fn each_matching_pattern_is_found_once_with_its_clients() {
        let mut subscriptions = Subscriptions::default();
        for (id, pattern) in [("1", "a/+"), ("2", "a/+"), ("2", "a/+"), ("1", "a/#"), ("3", "b")] {
            assert!(subscriptions.add(&client(id, None), pattern));
        }
        assert_eq!(found(&subscriptions, "a/x"), ["a/#: 1", "a/+: 1 2"]);
    }

    #[test]
    fn what_is_removed_or_forgotten_is_not_found_and_leaves_nothing_behind() {
        let mut subscriptions = Subscriptions::default();
        for pattern in ["a/b/c", "a/b", "a/#"] {
            assert!(subscriptions.add(&client("1", None), pattern));
            assert!(subscriptions.add(&client("2", None), pattern));
        }
        assert!(subscriptions.remove(&"1".to_owned(), "a/b"));
        assert!(!subscriptions.remove(&"1".to_owned(), "a/b"));
        assert!(!subscriptions.remove(&"3".to_owned(), "a/b"));
        assert_eq!(found(&subscriptions, "a/b"), ["a/#: 1 2", "a/b: 2"]);
        subscriptions.forget(&"1".to_owned());
        assert_eq!(found(&subscriptions, "a/b"), ["a/#: 2", "a/b: 2"]);
        subscriptions.forget(&"2".to_owned());
        assert!(subscriptions.root.below.is_empty() && subscriptions.of_client.is_empty());
    }

    #[test]
    fn private_topics_are_for_their_user_only() {
        let mut subscriptions = Subscriptions::default();
        let kim = client("1", Some("kim"));
        for own in ["user/kim", "user/kim/inbox", "user/kim/#"] {
            assert!(subscriptions.add(&kim, own), "{own}");
        }
        for other in ["user/lee", "user/lee/inbox", "user/#", "user/+/inbox", "user/kimono"] {
            assert!(!subscriptions.add(&kim, other), "{other}");
        }
        assert!(!subscriptions.add(&client("2", None), "user/kim"));
        assert_eq!(found(&subscriptions, "user/kim/inbox"), ["user/kim/#: 1", "user/kim/inbox: 1"]);
        assert_eq!(found(&subscriptions, "user/lee/inbox"), [""; 0]);
    }

    #[test]
    fn a_strange_name_opens_nobody_elses_topics() {
        let mut subscriptions = Subscriptions::default();
        assert!(!subscriptions.add(&client("1", Some("+")), "user/+/inbox"));
        assert!(!subscriptions.add(&client("1", Some("#")), "user/#"));
        assert!(!subscriptions.add(&client("1", Some("kim/inbox")), "user/kim/inbox"));
        assert!(!subscriptions.add(&client("1", Some("")), "user//x"));
    }

    #[test]
    fn a_client_has_a_limited_number_of_patterns() {
        let mut subscriptions = Subscriptions::default();
        let kim = client("1", None);
        for number in 0..MAX_PATTERNS {
            assert!(subscriptions.add(&kim, &format!("a/{number}")));
        }
        assert!(!subscriptions.add(&kim, "b"));
        assert!(subscriptions.add(&kim, "a/0"));
        assert!(subscriptions.remove(&kim.id, "a/0"));
        assert!(subscriptions.add(&kim, "b"));
    }
}
