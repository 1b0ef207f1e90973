//! The same listeners in every language: the conversations in `tests/languages` are played with each
//! component that was built, over real sockets and without a network. What was not built is listed
//! as skipped; `tests/languages/build` builds it.

mod agreement;
mod answering;
mod components;
mod endurance;
mod enrich;
mod first_answer;
mod handover;
mod served;

use std::fmt::Write as _;
use std::path::Path;

use sporegate::config::{Config, Conversation, FlagOverrides, Sources};
use sporegate::conversation::play;
use sporegate::gateway::Rehearsals;

use crate::support::compiler;
use components::{Component, LISTENERS, components, conversations, missing, tell_skipped};
use served::Served;

/// Where a conversation is played.
#[derive(Clone, Copy, Debug)]
enum Runner {
    Sockets,
    Memory,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listener_of_every_language_does_the_same_over_real_sockets() {
    tell_skipped(&missing());
    play_all(Runner::Sockets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_listener_of_every_language_does_the_same_without_a_network() {
    play_all(Runner::Memory).await;
}

#[test]
fn each_listener_has_a_conversation_and_each_conversation_a_listener() {
    for listener in LISTENERS {
        assert!(!conversations(listener).is_empty(), "{listener} has no conversation");
    }
    let all: usize = LISTENERS.map(|listener| conversations(listener).len()).iter().sum();
    assert_eq!(all, components::all_conversations().len());
}

/// Plays every conversation with every component, and fails with all that failed.
async fn play_all(runner: Runner) {
    let components = components();
    let rust = components.iter().filter(|component| component.language == "rust").count();
    assert!(rust > 0, "not even those that come with the sources are there: {components:?}");
    let mut failures = String::new();
    for component in &components {
        for file in conversations(&component.name) {
            if let Err(failure) = play_one(runner, component, &file).await {
                // Writing to a string cannot fail.
                let _ = writeln!(failures, "{component}: {failure}");
            }
        }
    }
    assert!(failures.is_empty(), "{runner:?}:\n{failures}");
}

async fn play_one(runner: Runner, component: &Component, file: &Path) -> Result<(), String> {
    let conversation = Conversation::load(file).unwrap_or_else(|error| panic!("{error}"));
    match runner {
        Runner::Sockets => {
            let mut served = Served::start(component, &conversation).await?;
            play(&conversation, &mut served, |_| {})
                .await
                .map_err(|failure| failure.to_string())?;
            match served.stop().await {
                true => Ok(()),
                false => Err("the gateway did not stop in time".to_owned()),
            }
        }
        Runner::Memory => {
            let rehearsals = Rehearsals::of(&config(), &compiler(), &component.file).await;
            let rehearsals = rehearsals.map_err(|error| error.to_string())?;
            let mut rehearsal =
                rehearsals.begin(&conversation.http).await.map_err(|error| error.to_string())?;
            let played = play(&conversation, &mut rehearsal, |_| {}).await;
            played.map_err(|failure| failure.to_string())?;
            rehearsal.end().await;
            Ok(())
        }
    }
}

/// What `sporegate test` uses where no file is named; compiled once for all tests.
fn config() -> Config {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    let cache = ("SPOREGATE_SANDBOX_CACHE".to_owned(), cache.display().to_string());
    let sources = Sources { file: None, env: vec![cache], flags: FlagOverrides::default() };
    let mut config = Config::load(&sources).unwrap();
    config.auth.insecure = true;
    config
}
