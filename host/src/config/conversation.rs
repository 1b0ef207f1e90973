//! A conversation: what some clients say to a module, and what they must hear, as a TOML file.
//!
//! Invariant: a conversation that was read makes sense by itself. Every step does one thing, and
//! nobody speaks before having connected, or after having left.

mod answer;
mod step;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use answer::HttpAnswer;
pub use step::{Action, Newcomer, Said, Step, Taken};

use super::error::ConfigError;
use super::file;
use super::reader::{Input, read_all};
use step::Cast;

/// Most steps of a conversation.
const MAX_STEPS: usize = 10_000;

/// Most answers of services.
const MAX_ANSWERS: usize = 1_000;

/// A script of several clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// Where it was read.
    pub file: PathBuf,
    /// Longest that a client waits for what it expects.
    pub patience: Duration,
    /// What services answer that the module calls.
    pub http: Vec<HttpAnswer>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Conversation {
    /// Reads a conversation.
    ///
    /// # Errors
    /// The file cannot be read, or [`Self::parse`] fails.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::parse(&file::read(file, file::Role::Main)?, file)
    }

    /// Reads the text of a conversation. `file` is for messages.
    ///
    /// # Errors
    /// All problems found in the text, each with its line.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let input = Input { file: Some(file), text, variables: None, flags: &[] };
        let (conversation, _) = read_all(input, |top| {
            let times = Duration::from_millis(1)..=Duration::from_secs(600);
            let patience = top.read_in("patience", Duration::from_secs(5), times);
            let http = top.tables("http", MAX_ANSWERS, answer::read);
            let http = http.into_iter().flatten().collect();
            let mut cast = Cast::default();
            let steps = top.tables("step", MAX_STEPS, |table| step::read(table, &mut cast));
            if !top.is_given("step") {
                top.missing("step", "add a table `[[step]]` for each thing that a client does");
            }
            let steps = steps.into_iter().flatten().collect();
            Self { file: file.to_owned(), patience, http, steps }
        })?;
        Ok(conversation)
    }
}

#[cfg(test)]
mod tests;
