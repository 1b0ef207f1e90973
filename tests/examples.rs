//! The examples do what their README says.

mod chat;
mod echo;
mod messaging;
