//! How many clients there may be: in all, of one address and of one user. Each number is exact,
//! and what was taken is given back by a drop. A table has an entry only for who is connected, so
//! that it is never larger than the number of clients.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// How many connections there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// At a time.
    pub total: usize,
    /// Of one user; none: as many as there are.
    pub per_user: Option<usize>,
    /// Of one address; none: as many as there are.
    pub per_address: Option<usize>,
}

/// What there is no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Any more clients.
    Gateway,
    /// Anything more: the process has too much memory.
    Memory,
    /// More of this user.
    User,
    /// More from this address.
    Address,
}

/// Whom limits of addresses are about. Of IPv6 it is the /64 network: a single machine has all of
/// it (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressKey {
    /// One IPv4 address.
    V4(u32),
    /// The upper half of an IPv6 address.
    V6(u64),
}

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    limits: ConnectionLimits,
    total: AtomicUsize,
    /// Whether nobody may come who is not there already.
    out_of_memory: AtomicBool,
    users: Tally<Arc<str>>,
    addresses: Tally<AddressKey>,
}

/// One place among the allowed connections, given back when nobody has it any more.
#[derive(Debug)]
pub struct Admission(Arc<Place>);

/// The place of a session's connection, as another connection finds it that comes to replace this
/// one. Whoever has a place keeps it that way: nobody else gets in between.
#[derive(Debug, Default)]
pub(crate) struct OwnPlace(Weak<Place>);

/// Connections of a session with one place at most: those that are replaced close meanwhile.
const MOST_IN_A_PLACE: usize = 4;

#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    /// Every connection has a place, and few gateways limit users and addresses.
    held: Option<Box<Held>>,
}

/// What is counted by limits of users and addresses.
#[derive(Debug, Default)]
struct Held {
    user: Option<Arc<str>>,
    address: Option<AddressKey>,
}

/// How many of each there are.
#[derive(Debug)]
pub(crate) struct Tally<K>(Mutex<HashMap<K, usize>>);

impl Places {
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let (users, addresses) = Default::default();
        let total = AtomicUsize::new(0);
        let out_of_memory = AtomicBool::new(false);
        let (users, addresses) = (Tally(users), Tally(addresses));
        Arc::new(Self { limits, total, out_of_memory, users, addresses })
    }

    pub(crate) fn out_of_memory(&self) -> &AtomicBool {
        &self.out_of_memory
    }

    pub(crate) fn limits(&self) -> ConnectionLimits {
        self.limits
    }

    pub(crate) fn taken(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    /// Takes one place for a client; whatever was taken before a refusal is given back.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: AddressKey,
        user: Option<&Arc<str>>,
    ) -> Result<Admission, NoRoom> {
        if self.out_of_memory.load(Ordering::Relaxed) {
            return Err(NoRoom::Memory);
        }
        let room = |taken| (taken < self.limits.total).then_some(taken + 1);
        let taken = self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        taken.map_err(|_| NoRoom::Gateway)?;
        let mut place = Place { places: Arc::clone(self), held: None };
        if let Some(most) = self.limits.per_address {
            self.addresses.take(&address, most).ok_or(NoRoom::Address)?;
            place.held.get_or_insert_default().address = Some(address);
        }
        if let (Some(most), Some(user)) = (self.limits.per_user, user) {
            self.users.take(user, most).ok_or(NoRoom::User)?;
            place.held.get_or_insert_default().user = Some(Arc::clone(user));
        }
        Ok(Admission(Arc::new(place)))
    }
}

impl Admission {
    /// The place, for those who replace whoever has it.
    pub(crate) fn place(&self) -> OwnPlace {
        OwnPlace(Arc::downgrade(&self.0))
    }
}

impl OwnPlace {
    /// The same place for one more connection, if somebody has it, and not too many do.
    pub(crate) fn share(&self) -> Option<Admission> {
        let place = self.0.upgrade()?;
        (Arc::strong_count(&place) <= MOST_IN_A_PLACE).then_some(Admission(place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(user) = self.held.as_ref().and_then(|held| held.user.as_ref()) {
            self.places.users.give_back(user);
        }
        if let Some(address) = self.held.as_ref().and_then(|held| held.address.as_ref()) {
            self.places.addresses.give_back(address);
        }
        self.places.total.fetch_sub(1, Ordering::Relaxed);
    }
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// One more, if there are not as many as there may be.
    pub(crate) fn take(&self, key: &K, most: usize) -> Option<()> {
        let mut tally = self.lock();
        match tally.get_mut(key) {
            Some(count) if *count >= most => return None,
            Some(count) => *count += 1,
            None if most == 0 => return None,
            None => {
                tally.insert(key.clone(), 1);
            }
        }
        Some(())
    }

    /// One less.
    pub(crate) fn give_back(&self, key: &K) {
        let mut tally = self.lock();
        match tally.get_mut(key) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => drop(tally.remove(key)),
            None => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: AddressKey = AddressKey::V4(1);
    const THERE: AddressKey = AddressKey::V4(2);

    fn places(total: usize, per_user: usize, per_address: usize) -> Arc<Places> {
        let (per_user, per_address) = (Some(per_user), Some(per_address));
        Places::new(ConnectionLimits { total, per_user, per_address })
    }

    #[test]
    fn each_limit_is_exact_and_names_itself() {
        let places = places(4, 2, 3);
        let [alice, bob]: [Arc<str>; 2] = ["alice".into(), "bob".into()];
        let first = places.admit(HERE, Some(&alice)).unwrap();
        let _second = places.admit(THERE, Some(&alice)).unwrap();
        assert_eq!(places.admit(THERE, Some(&alice)).err(), Some(NoRoom::User));
        let _third = places.admit(HERE, Some(&bob)).unwrap();
        let _fourth = places.admit(HERE, None).unwrap();
        assert_eq!(places.admit(THERE, None).err(), Some(NoRoom::Gateway));
        drop(first);
        assert_eq!(places.taken(), 3);
        let again = places.admit(HERE, Some(&alice)).unwrap();
        drop(again);
        assert!(places.admit(THERE, Some(&alice)).is_ok());
    }

    #[test]
    fn a_refusal_takes_nothing_and_nobody_is_remembered_who_has_gone() {
        let places = places(10, 1, 2);
        let user: Arc<str> = "alice".into();
        let one = places.admit(HERE, Some(&user)).unwrap();
        for _ in 0..5 {
            assert_eq!(places.admit(HERE, Some(&user)).err(), Some(NoRoom::User));
        }
        let two = places.admit(HERE, None).unwrap();
        assert_eq!(places.admit(HERE, None).err(), Some(NoRoom::Address));
        assert_eq!(places.taken(), 2);
        drop((one, two));
        assert_eq!(places.taken(), 0);
        assert!(places.users.lock().is_empty() && places.addresses.lock().is_empty());
    }

    #[test]
    fn a_place_is_shared_by_few_and_given_back_by_the_last() {
        let places = places(1, 1, 1);
        let user: Arc<str> = "alice".into();
        let first = places.admit(HERE, Some(&user)).unwrap();
        let own = first.place();
        let mut others: Vec<_> = (1..MOST_IN_A_PLACE).map(|_| own.share().unwrap()).collect();
        assert!(own.share().is_none());
        drop(first);
        others.push(own.share().unwrap());
        assert_eq!(places.taken(), 1);
        assert_eq!(places.admit(THERE, None).err(), Some(NoRoom::Gateway));
        drop(others);
        assert_eq!(places.taken(), 0);
        assert!(own.share().is_none());
        assert!(places.admit(HERE, Some(&user)).is_ok());
    }

    #[test]
    fn anonymous_clients_are_no_user() {
        let places = places(10, 1, 10);
        let admitted: Vec<_> = (0..5).map(|_| places.admit(HERE, None).unwrap()).collect();
        assert_eq!(admitted.len(), 5);
    }

    #[test]
    fn an_ipv6_network_of_one_machine_counts_as_one_address() {
        let key = |text: &str| AddressKey::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:1:2"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
    }
}
