//! What hostile messages say: JSON that readers disagree about, values of the wrong type, senders
//! that claim to be others, and text that is meant for a terminal or a log.

mod json;
mod logs;
mod sender;
