//! What the module's sidecar says in its table `[config]`, as texts. A change of it starts the
//! module anew, so what `start` has read stays true.

use crate::Failure;
use crate::bindings::config::wasi::config::store;

pub use store::Error;

/// The value of a key; none where the sidecar has none.
///
/// # Errors
/// The interface has errors; the gateway gives none.
pub fn get(key: &str) -> Result<Option<String>, Error> {
    store::get(key)
}

/// The value of a key that must be there.
///
/// # Errors
/// One that says which key to set, fit to be returned from `start`.
pub fn required(key: &str) -> Result<String, Failure> {
    get(key)?
        .ok_or_else(|| format!("config.{key} is not set; set it in the module's sidecar").into())
}

/// All keys and values, sorted by key.
///
/// # Errors
/// As [`get`].
pub fn all() -> Result<Vec<(String, String)>, Error> {
    store::get_all()
}
