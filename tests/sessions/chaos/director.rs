//! Starts, stops and kills the gateway, and says when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::client::{dial, next_json};
use super::world::{Order, Place, Random, World};
use super::{CLIENTS, WATCHER};
use crate::sessions::waiting;
use crate::support::{PATIENCE, Serving, Setup};

pub(super) struct Director {
    world: Arc<World>,
    folder: TempDir,
    serving: Option<Serving>,
    random: Random,
    generation: usize,
    /// Public ids that any gateway has told of in its log.
    logged: BTreeSet<String>,
    restarts: usize,
    /// Sessions that the gateway before has left to this one, if it said so.
    handed_over: Option<u64>,
}

fn setup(folder: &TempDir) -> Setup {
    let limits = "[limits]\nconnect_rate = 10000\noutbox_messages = 100000\noutbox_size = \"64MiB\"\n\
                  replay_messages = 100000\nreplay_size = \"64MiB\"\n";
    waiting("60s")
        .set(&format!("reconnect_folder = {:?}", folder.path().display().to_string()))
        .set("reconnect_memory = \"1GiB\"")
        .table(&format!("[log]\nlevel = \"debug\"\n{limits}"))
}

impl Director {
    pub(super) async fn start(world: Arc<World>) -> Self {
        let folder = TempDir::new().unwrap();
        let serving = Some(Serving::start(setup(&folder), &[]).await);
        let random = Random::of(world.seed, usize::MAX);
        let director = Self {
            world,
            folder,
            serving,
            random,
            generation: 0,
            logged: BTreeSet::new(),
            restarts: 0,
            handed_over: Some(0),
        };
        director.announce(true);
        director
    }

    /// Until there were so many cuts and everybody has left.
    pub(super) async fn run(mut self, cuts: u64) {
        while self.world.record().all_cuts() < cuts {
            tokio::time::sleep(Duration::from_millis(500) + self.random.millis(1_500)).await;
            self = match self.random.below(2) {
                0 => self.restart().await,
                _ => self.kill().await,
            };
        }
        self.end().await;
    }

    fn serving(&self) -> &Serving {
        self.serving.as_ref().unwrap()
    }

    fn announce(&self, there: bool) {
        let address = there.then(|| self.serving().address());
        self.world.place.send_replace(Place { address, generation: self.generation });
    }

    async fn again(mut self, log: &str) -> Self {
        self.logged.extend(connected(log));
        self.serving = Some(Serving::start(setup(&self.folder), &[]).await);
        self.generation += 1;
        self.announce(true);
        self
    }

    async fn restart(mut self) -> Self {
        self.restarts += 1;
        self.announce(false);
        let (status, log) = self.serving.take().unwrap().stop().await;
        assert!(status.success(), "{status}: {log}");
        self.handed_over = Some(balance(&log, self.handed_over));
        self.again(&log).await
    }

    /// Kills the gateway while some are away, the watcher one of them.
    async fn kill(mut self) -> Self {
        let mut away: BTreeSet<usize> =
            (0..CLIENTS).filter(|_| self.random.below(2) == 0).collect();
        away.insert(WATCHER);
        self.world.order.send_replace(Order::Away(away.clone()));
        let id = |index: usize| self.world.mail(index).id().map(str::to_owned);
        let waiting = async {
            loop {
                let last = last_lines(&self.serving().stderr());
                let is_away = |index: &&usize| {
                    id(**index).is_none_or(|id| last.get(&id).is_some_and(|line| line == "away"))
                };
                if away.iter().filter(is_away).count() == away.len() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("they do not leave");
        // From the next text that is accepted on, all before it is safe.
        let with_id: Vec<usize> =
            away.iter().copied().filter(|index| id(*index).is_some()).collect();
        let accepted = |index: &usize| self.world.mail(*index).accepted();
        let before: Vec<u64> = with_id.iter().map(accepted).collect();
        let waiting = async {
            while with_id.iter().zip(&before).any(|(index, before)| accepted(index) <= *before) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("nothing is accepted for them");
        let moment = Duration::from_micros(self.random.below(100_000));
        tokio::time::sleep(moment).await;
        self.serving().signal("KILL");
        self.announce(false);
        let log = self.dead().await;
        let last = last_lines(&log);
        let safe = with_id.into_iter().filter(|index| {
            id(*index).is_some_and(|id| last.get(&id).is_some_and(|line| line == "away"))
        });
        let safe: BTreeSet<usize> = safe.collect();
        assert!(safe.contains(&WATCHER), "it has come back early");
        self.world.record().kills.push((self.generation, safe));
        self.handed_over = None;
        let director = self.again(&log).await;
        director.world.order.send_replace(Order::Go);
        director
    }

    /// All that it has logged, once nobody writes to it any more.
    async fn dead(&self) -> String {
        let address = self.serving().address();
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.serving().stderr()
    }

    async fn end(mut self) {
        self.world.silence.send_replace(true);
        // Whoever sends has its answers by then, or never.
        let idle = Duration::from_millis(200);
        tokio::time::sleep(idle).await;
        self.world.order.send_replace(Order::Leave((0..CLIENTS).collect()));
        self.until("they have left", |world| world.record().left.len() == CLIENTS).await;
        self.close_others().await;
        self.until("all ends are told", |world| {
            let record = world.record();
            let watcher = world.mail(WATCHER).id().map(str::to_owned);
            record.ids.iter().all(|id| watcher.as_ref() == Some(id) || record.gone.contains_key(id))
        })
        .await;
        self.world.order.send_replace(Order::Leave([WATCHER].into()));
        self.until("the watcher has left", |world| world.record().left.len() > CLIENTS).await;
        let (status, log) = self.serving.take().unwrap().stop().await;
        assert!(status.success(), "{status}: {log}");
        assert_eq!(balance(&log, self.handed_over), 0, "all have ended");
        self.logged.extend(connected(&log));
        let record = self.world.record();
        for (id, times) in &record.gone {
            assert!(self.logged.contains(id), "nobody knows {id}");
            assert!(*times <= 1 + record.kills.len(), "{id} has gone {times} times");
        }
        let again = record.gone.values().filter(|times| **times > 1).count();
        let received: u64 = (0..=CLIENTS).map(|index| self.world.mail(index).received).sum();
        println!(
            "seed {}: cuts {:?}, {} restarts, {} kills, {} resumed, refused {:?}, {received} texts, \
             {} sessions, {} ends, {again} of them told again",
            self.world.seed,
            record.cuts,
            self.restarts,
            record.kills.len(),
            record.resumed,
            record.refused,
            record.ids.len(),
            record.gone.len(),
        );
    }

    /// Ends the sessions that those who send have left behind.
    async fn close_others(&self) {
        let (address, _) = self.world.gateway().await;
        let (_line, mut socket) = dial(address, "admin", "/probe/admin").await.unwrap();
        next_json(&mut socket).await.unwrap();
        let ids: Vec<String> = {
            let record = self.world.record();
            record.ids.iter().filter(|id| !record.gone.contains_key(*id)).cloned().collect()
        };
        let watcher = self.world.mail(WATCHER).id().map(str::to_owned);
        for id in ids.iter().filter(|id| watcher.as_ref() != Some(id)) {
            let call = json!({"do": "close", "to": id, "code": 4900, "reason": "the end"});
            socket.send(call.to_string().into()).await.unwrap();
            next_json(&mut socket).await.unwrap();
        }
        socket.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).await.unwrap();
        assert!(next_json(&mut socket).await.is_none());
    }

    async fn until(&self, what: &str, condition: impl Fn(&World) -> bool) {
        crate::support::until(what, || condition(&self.world)).await;
    }
}

/// Asserts of the last line of a gateway that the books of sessions balance to one: those that began or
/// were found have had their end told, or are left to the next gateway. Returns how many are left.
fn balance(log: &str, found: Option<u64>) -> u64 {
    let mut lines = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = lines.next().expect("it has said what it has done");
    assert_eq!(last["message"], "stopped", "{last}");
    let count = |name: &str| last[name].as_u64().unwrap_or_else(|| panic!("no {name}: {last}"));
    let (restored, left) = (count("sessions_restored"), count("sessions_handed_over"));
    assert_eq!(count("sessions_opened") + restored, count("sessions_ended") + left, "{last}");
    assert!(found.is_none_or(|found| found == restored), "{found:?} were left: {last}");
    left
}

/// The lines of a log that tell of a client, with its public id and what they say.
fn of_clients(log: &str) -> impl Iterator<Item = (String, String)> {
    log.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        let message = line["message"].as_str()?;
        let told = matches!(message, "connected" | "away");
        told.then(|| Some((line["client"].as_str()?.to_owned(), message.to_owned())))?
    })
}

/// What was said last of each client.
fn last_lines(log: &str) -> BTreeMap<String, String> {
    of_clients(log).collect()
}

fn connected(log: &str) -> impl Iterator<Item = String> {
    of_clients(log).map(|(id, _)| id)
}
