//! Who subscribed to what. Patterns are kept in the order of their texts, so that all that begin
//! alike are neighbours: a topic is found by walking its own levels, however many patterns there
//! are. What all of them take is bounded far below the memory of an instance, for who exceeds
//! that ends the instance, and with it everybody's subscriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use sporegate_guest::Client;

use crate::topic::{self, ONE_LEVEL, REST};

/// Patterns that one client may subscribe to, and the bytes of them all.
const MAX_PATTERNS: usize = 256;
const MAX_PATTERN_BYTES: usize = 16 << 10;

/// What all subscriptions may take, in bytes of memory: a quarter of what an instance has.
const MAX_BYTES: usize = 16 << 20;

/// What a subscription takes besides the text of its pattern, and a client that has some: at most,
/// in trees whose nodes are only half full.
const SUBSCRIPTION_BYTES: usize = 256;
const CLIENT_BYTES: usize = 256;

#[derive(Default)]
pub(crate) struct Subscriptions {
    /// By pattern; none is empty.
    subscribers: BTreeMap<Rc<str>, Subscribers>,
    /// By client; none is empty.
    of_client: BTreeMap<Rc<str>, Patterns>,
    /// What everything takes.
    bytes: usize,
}

/// Ids of clients.
pub(crate) type Subscribers = BTreeSet<Rc<str>>;

#[derive(Default)]
struct Patterns {
    texts: BTreeSet<Rc<str>>,
    bytes: usize,
}

impl Subscriptions {
    /// Whether the client is subscribed now. Twice is once.
    pub(crate) fn add(&mut self, client: &Client, pattern: &str) -> bool {
        if !topic::is_pattern(pattern) || !is_open_to(pattern, client.username.as_deref()) {
            return false;
        }
        let held = self.of_client.get(client.id.as_str());
        if held.is_some_and(|held| held.texts.contains(pattern)) {
            return true;
        }
        let cost = cost(pattern) + if held.is_some() { 0 } else { CLIENT_BYTES };
        if self.bytes + cost > MAX_BYTES || held.is_some_and(|held| !held.has_room(pattern)) {
            return false;
        }
        self.bytes += cost;
        let id = match self.of_client.get_key_value(client.id.as_str()) {
            Some((id, _)) => Rc::clone(id),
            None => Rc::from(client.id.as_str()),
        };
        let text = match self.subscribers.get_key_value(pattern) {
            Some((text, _)) => Rc::clone(text),
            None => Rc::from(pattern),
        };
        self.subscribers.entry(Rc::clone(&text)).or_default().insert(Rc::clone(&id));
        let held = self.of_client.entry(id).or_default();
        held.bytes += pattern.len();
        held.texts.insert(text);
        true
    }

    /// Whether the client was subscribed.
    pub(crate) fn remove(&mut self, client: &str, pattern: &str) -> bool {
        let Some(held) = self.of_client.get_mut(client) else { return false };
        if !held.texts.remove(pattern) {
            return false;
        }
        held.bytes -= pattern.len();
        if held.texts.is_empty() {
            self.of_client.remove(client);
            self.bytes -= CLIENT_BYTES;
        }
        self.leave(client, pattern);
        true
    }

    /// Drops all that the client has subscribed to.
    pub(crate) fn forget(&mut self, client: &str) {
        let Some(held) = self.of_client.remove(client) else { return };
        self.bytes -= CLIENT_BYTES;
        for pattern in &held.texts {
            self.leave(client, pattern);
        }
    }

    /// Each pattern that matches the topic, with the clients that subscribed to it.
    pub(crate) fn matching(&self, topic: &str) -> Vec<(&str, &Subscribers)> {
        let mut found = Vec::new();
        let mut levels = topic.split('/');
        // No pattern begins with a wildcard.
        let mut beginning = levels.next().unwrap_or_default().to_owned();
        self.find(&mut beginning, &levels.collect::<Vec<_>>(), &mut found);
        found
    }

    /// Adds the patterns that begin so and match the levels that are left.
    fn find<'a>(
        &'a self,
        beginning: &mut String,
        levels: &[&str],
        found: &mut Vec<(&'a str, &'a Subscribers)>,
    ) {
        let end = beginning.len();
        let mut add = |pattern: &str| {
            let entry = self.subscribers.get_key_value(pattern);
            found.extend(entry.map(|(pattern, subscribers)| (&**pattern, subscribers)));
        };
        push(beginning, REST);
        add(beginning);
        beginning.truncate(end);
        let Some((first, others)) = levels.split_first() else {
            add(beginning);
            return;
        };
        for name in [*first, ONE_LEVEL] {
            push(beginning, name);
            if self.has_beginning(beginning) {
                self.find(beginning, others, found);
            }
            beginning.truncate(end);
        }
    }

    fn has_beginning(&self, beginning: &str) -> bool {
        let from = (Bound::Included(beginning), Bound::Unbounded);
        let next = self.subscribers.range::<str, _>(from).next();
        next.is_some_and(|(pattern, _)| pattern.starts_with(beginning))
    }

    fn leave(&mut self, client: &str, pattern: &str) {
        self.bytes -= cost(pattern);
        let Some(subscribers) = self.subscribers.get_mut(pattern) else { return };
        subscribers.remove(client);
        if subscribers.is_empty() {
            self.subscribers.remove(pattern);
        }
    }
}

impl Patterns {
    fn has_room(&self, pattern: &str) -> bool {
        self.texts.len() < MAX_PATTERNS && self.bytes + pattern.len() <= MAX_PATTERN_BYTES
    }
}

fn cost(pattern: &str) -> usize {
    SUBSCRIPTION_BYTES + pattern.len()
}

fn push(beginning: &mut String, level: &str) {
    beginning.push('/');
    beginning.push_str(level);
}

/// Whether nobody owns what the pattern matches, or this user does. No other pattern matches a
/// topic with an owner: its first two levels would have to be the same.
fn is_open_to(pattern: &str, username: Option<&str>) -> bool {
    match topic::owner(pattern) {
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
            .map(|(pattern, clients)| {
                let clients: Vec<&str> = clients.iter().map(|client| &**client).collect();
                format!("{pattern}: {}", clients.join(" "))
            })
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
        assert!(subscriptions.remove("1", "a/b"));
        assert!(!subscriptions.remove("1", "a/b"));
        assert!(!subscriptions.remove("3", "a/b"));
        assert_eq!(found(&subscriptions, "a/b"), ["a/#: 1 2", "a/b: 2"]);
        subscriptions.forget("1");
        assert_eq!(found(&subscriptions, "a/b"), ["a/#: 2", "a/b: 2"]);
        subscriptions.forget("2");
        assert!(subscriptions.subscribers.is_empty() && subscriptions.of_client.is_empty());
        assert_eq!(subscriptions.bytes, 0);
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

    #[test]
    fn a_client_has_a_limited_number_of_bytes_of_patterns() {
        let mut subscriptions = Subscriptions::default();
        let kim = client("1", None);
        let long = |number: usize| format!("{number:0>512}");
        for number in 0..MAX_PATTERN_BYTES / 512 {
            assert!(subscriptions.add(&kim, &long(number)));
        }
        assert!(!subscriptions.add(&kim, "b"));
        assert!(subscriptions.add(&client("2", None), "b"));
        assert!(subscriptions.remove(&kim.id, &long(0)));
        assert!(subscriptions.add(&kim, "b"));
    }

    #[test]
    fn all_clients_together_have_a_limited_number_of_bytes() {
        let mut subscriptions = Subscriptions::default();
        let mut clients = 0;
        let full = loop {
            let id = format!("{clients}");
            if !(0..MAX_PATTERNS).all(|n| subscriptions.add(&client(&id, None), &format!("a/{n}")))
            {
                break id;
            }
            clients += 1;
        };
        assert!((200..260).contains(&clients), "{clients}");
        assert!(subscriptions.bytes <= MAX_BYTES);
        assert!(!subscriptions.add(&client("new", None), "b"));
        // What there is stays, and what is given back is there for others.
        assert!(subscriptions.add(&client("0", None), "a/0"));
        assert_eq!(subscriptions.matching("a/0")[0].1.len(), clients + 1);
        subscriptions.forget("0");
        assert!(subscriptions.add(&client("new", None), "b"));
        for number in 1..=clients {
            subscriptions.forget(&format!("{number}"));
        }
        assert!(subscriptions.add(&client(&full, None), "b"));
        subscriptions.forget("new");
        subscriptions.forget(&full);
        assert_eq!((subscriptions.bytes, subscriptions.subscribers.len()), (0, 0));
    }

    #[test]
    fn a_topic_is_matched_by_a_limited_number_of_patterns() {
        let mut subscriptions = Subscriptions::default();
        let topic: Vec<String> = (0..topic::MAX_LEVELS).map(|level| level.to_string()).collect();
        let mut patterns = 0;
        for levels in 1..=topic::MAX_LEVELS {
            for wild in 0..1 << (levels - 1) {
                let name = |at: usize| match at > 0 && wild >> (at - 1) & 1 == 1 {
                    true => ONE_LEVEL.to_owned(),
                    false => topic[at].clone(),
                };
                let pattern = (0..levels).map(name).collect::<Vec<_>>().join("/");
                for pattern in [format!("{pattern}/#"), pattern] {
                    let client = client(&format!("{}", patterns / MAX_PATTERNS), None);
                    patterns += usize::from(subscriptions.add(&client, &pattern));
                }
            }
        }
        assert_eq!(subscriptions.subscribers.len(), patterns);
        assert_eq!(subscriptions.matching(&topic.join("/")).len(), 255);
    }
}
