//! The module directory: what becomes a module, what is refused and why, while the others serve.

mod compiler;
mod confined;
mod damaged;
mod grants;
mod hostile;
mod kinds;
mod refused;
mod replaced;

use crate::support::TestGateway;

/// The names of the modules that serve.
fn serving(gateway: &TestGateway) -> Vec<String> {
    let modules = gateway.gateway().modules().modules();
    modules.iter().map(|module| module.name().to_string()).collect()
}

/// Why a file was refused.
fn reason(gateway: &TestGateway, file: &str) -> String {
    let refused = gateway.gateway().refused();
    match refused.iter().find(|refused| refused.path.ends_with(file)) {
        Some(refused) => refused.reason.clone(),
        None => panic!("{file} was not refused, but {refused:?}"),
    }
}
