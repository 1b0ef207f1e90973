//! What is logged while a conversation is played: by the module, and by the gateway about it.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::output;

/// Lines that are kept of a conversation; the first ones go.
const MOST_LINES: usize = 200;

/// Where lines of modules come from.
const GUEST: &str = "sporegate::guest";

/// The lines of one conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Recording {
    lines: Arc<Mutex<Vec<String>>>,
    verbose: bool,
}

impl Recording {
    /// Records from now on; called once. Verbose: every line is also shown as it comes.
    pub(super) fn start(verbose: bool) -> anyhow::Result<Self> {
        let recording = Self { lines: Arc::default(), verbose };
        tracing_subscriber::registry().with(recording.clone()).try_init()?;
        Ok(recording)
    }

    /// What was recorded, in order.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what was recorded.
    pub(super) fn clear(&self) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<S: Subscriber> Layer<S> for Recording {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let wanted = target == GUEST || (target.starts_with("sporegate") && level <= Level::WARN);
        if !wanted {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let who = if target == GUEST { "module " } else { "gateway" };
        let line = format!("{who} {level:>5}  {}{}", text.message, text.fields);
        if self.verbose {
            output::note(format_args!("       {line}"));
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= MOST_LINES {
            lines.remove(0);
        }
        lines.push(line);
    }
}

/// The words of one event.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

/// Fields that say nothing where there is one module only.
const LEFT_OUT: [&str; 3] = ["module", "revision", "more"];

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name if LEFT_OUT.contains(&name) => Ok(()),
            name => write!(self.fields, "  {name}={value:?}"),
        };
    }
}
