//! Modules: named, configured, and kept running. This layer decides which instance answers a
//! call, and when a fresh one takes over; it knows nothing of sockets.

mod alone;
mod breaker;
mod change;
mod directory;
mod keeper;
mod kept;
mod left;
mod loader;
mod module;
mod orders;
mod outcome;
mod reload;
mod slot;
mod spread;
mod standing;
mod started;
mod status;
mod swap;
mod table;
mod turn;

pub use alone::Alone;
pub use breaker::Phase;
pub use directory::{FoundModule, Mark, Refused, Scan, scan};
pub use keeper::{Keeper, Watch};
pub use left::LeftStates;
pub use loader::{Loaded, LoadedModule, Loader};
pub use module::{Module, Parts, call_failures};
pub use orders::{Asked, KeeperHandle, Refusal};
pub use outcome::Kind as ChangeKind;
pub use reload::Upshot;
pub use spread::Spread;
pub use standing::Health;
pub use started::Started;
pub use status::{ModuleStatus, State};
pub use table::{ModuleTable, RouteCache};
pub use turn::{Missed, Turn};
