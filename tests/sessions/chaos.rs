//! Everything at once: clients whose lines break in every way, who come twice or whose token others
//! have, and a gateway that is started again and killed. What was told is what has happened: texts
//! come in order and once, what was accepted comes, and every session has its end told.
//!
//! Short here; `SPOREGATE_TEST_CUTS=5000 tests/run -- sessions::chaos` goes on for longer, and with
//! `SPOREGATE_TEST_SEED` it takes another way.

mod client;
mod director;
mod line;
mod sender;
mod world;

use std::sync::Arc;

use tokio::task::JoinSet;

use self::client::ChaosClient;
use self::director::Director;
use self::world::World;

const CLIENTS: usize = 20;

/// Another client, which listens to the ends of all sessions.
const WATCHER: usize = CLIENTS;

#[tokio::test(flavor = "multi_thread")]
async fn through_cuts_restarts_and_kills_nothing_is_lost_that_was_not_told() {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |it| it.parse().unwrap());
    let (cuts, seed) = (number("SPOREGATE_TEST_CUTS", 150), number("SPOREGATE_TEST_SEED", 7));
    let _seed = Seed(seed);
    let world = Arc::new(World::new(seed, CLIENTS + 1));
    let mut tasks = JoinSet::new();
    for index in 0..=CLIENTS {
        let path = if index == WATCHER { "/probe/watch" } else { "/probe/room" };
        tasks.spawn(ChaosClient::new(&world, index, path).run());
        tasks.spawn(sender::run(Arc::clone(&world), index));
    }
    let director = Director::start(Arc::clone(&world)).await;
    let mut directing = tokio::spawn(director.run(cuts));
    loop {
        // Whoever fails first is the one to be heard.
        tokio::select! {
            directed = &mut directing => break directed.unwrap(),
            Some(ended) = tasks.join_next() => ended.unwrap(),
        }
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

/// Said where the test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with SPOREGATE_TEST_SEED={}", self.0);
        }
    }
}
