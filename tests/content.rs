//! What hostile messages say: JSON that readers disagree about, values of the wrong type, senders
//! that claim to be others, and text that is meant for a terminal, a log or a metric.

mod json;
mod labels;
mod logs;
mod sender;
