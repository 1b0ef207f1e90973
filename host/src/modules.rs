//! Modules: named, configured, and kept running. This layer decides which instance answers a
//! call, and when a fresh one takes over; it knows nothing of sockets.

mod directory;
mod loader;
mod module;
mod slot;
mod table;

pub use directory::{FoundModule, Refused, Scan, scan};
pub use loader::{Loaded, Loader};
pub use module::{Module, Turn};
pub use table::{ModuleTable, RouteCache};
