//! From a message to the listeners it is for.
//!
//! Invariant: pure. Nothing here knows clients, modules, time or input and output; the same routes
//! and the same message always give the same answer.
//!
//! A [`Router`] is a snapshot of all listeners. A connection asks it once for the routes of its
//! path ([`Router::on_path`]) and then asks these for each message ([`PathRoutes::find`]): a few
//! lookups by what the message holds give the candidates, and the rest of their tests decides.

mod error;
mod held;
mod index;
mod key;
mod matcher;
mod pass;
mod path_routes;
mod path_tree;
mod prefix;
mod route;
mod snapshot;
mod spec;
mod value;

pub use error::{MatcherError, TestFault};
pub use held::held_by_pattern;
pub use matcher::{
    MAX_ONE_OF, MAX_OPERAND_BYTES, MAX_REGEX_BYTES, MAX_REGEX_COMPILED_BYTES, MAX_REGEX_TEXT_BYTES,
    MAX_ROLE_BYTES, MAX_ROLES, MAX_TESTS, Matcher,
};
pub use path_routes::{Content, Matches, PathRoutes, RoutesInForce, RoutesInUse};
pub use route::{DisconnectRoute, Route};
pub use snapshot::{MAX_CACHED_ROUTES, MAX_CACHED_SETS, Router};
pub use spec::{ContentTest, JsonMatch, JsonTest, MatcherSpec};
pub use value::{MAX_VALUE_BYTES, MAX_VALUE_DEPTH, ValueFault};

#[cfg(test)]
mod tests;
