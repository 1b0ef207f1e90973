//! All modules with their listeners, as one router. Readers see a whole snapshot or the one
//! before it, never half of a change.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::module::Module;
use crate::aside::aside;
use crate::path::ConnectPath;
use crate::router::{DisconnectRoute, Route, Router, RoutesInForce, RoutesInUse};
use crate::sandbox::ModuleListeners;
use crate::session::Session;

/// Where a message goes.
pub(super) type Target = Arc<Module>;

/// Listeners from which on it may take long to find those of a path.
const MANY: usize = 32;

/// The modules and the router over their listeners.
#[derive(Debug)]
pub struct ModuleTable {
    snapshot: ArcSwap<Snapshot>,
    building: Mutex<()>,
}

struct Snapshot {
    modules: Arc<[Arc<Module>]>,
    router: Router<Target>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("modules", &self.modules).finish_non_exhaustive()
    }
}

/// The routes of one connection's path, looked up once and again only after a change.
#[derive(Debug, Default)]
pub struct RouteCache(Option<Arc<RoutesInForce<Target>>>);

impl ModuleTable {
    /// A table of started modules.
    pub fn new(mut modules: Vec<Arc<Module>>) -> Self {
        modules.sort_by(|a, b| a.name().cmp(b.name()));
        // Nobody calls them yet.
        modules.iter().for_each(|module| put_in_force(module));
        let snapshot = Snapshot { router: router(&modules), modules: modules.into() };
        Self { snapshot: ArcSwap::from_pointee(snapshot), building: Mutex::new(()) }
    }

    /// The modules, by name.
    pub fn modules(&self) -> Arc<[Arc<Module>]> {
        Arc::clone(&self.snapshot.load().modules)
    }

    /// Puts a module in the place of the one of its name, with its listeners in force.
    pub fn put(&self, module: Arc<Module>) {
        put_in_force(&module);
        self.rebuild(|modules| {
            match modules.binary_search_by(|other| other.name().cmp(module.name())) {
                Ok(at) => {
                    if let Some(place) = modules.get_mut(at) {
                        *place = module;
                    }
                }
                Err(at) => modules.insert(at, module),
            }
        });
    }

    /// Takes a module out; its listeners are in force no more.
    pub fn take_out(&self, name: &str) {
        self.rebuild(|modules| modules.retain(|module| &**module.name() != name));
    }

    fn rebuild(&self, change: impl FnOnce(&mut Vec<Arc<Module>>)) {
        aside(|| {
            let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
            let before = self.snapshot.load();
            let mut modules = before.modules.to_vec();
            change(&mut modules);
            self.store(modules.into());
        });
    }

    /// When this returns, no message that comes is brought to the routes of before.
    fn store(&self, modules: Arc<[Arc<Module>]>) {
        let router = router(&modules);
        let before = self.snapshot.swap(Arc::new(Snapshot { modules, router }));
        before.router.retire();
    }

    /// The listeners on the path of a session.
    pub fn routes(&self, session: &Session, cache: &mut RouteCache) -> RoutesInUse<Target> {
        loop {
            if let Some(routes) = cache.0.as_ref().and_then(|kept| kept.get()) {
                return routes;
            }
            // None where it was retired since it was loaded: another one is in force by now.
            let snapshot = self.snapshot.load();
            let find = || snapshot.router.on_path(session.path());
            cache.0 = if snapshot.router.routes().len() < MANY { find() } else { aside(find) };
        }
    }

    /// The listeners that want to know of the end of a session on this path, in order.
    pub fn disconnect_routes(&self, path: &ConnectPath) -> Vec<DisconnectRoute<Target>> {
        self.snapshot.load().router.disconnect_on_path(path).cloned().collect()
    }

    /// Puts a module's changed listeners in force, if it changed any. When this returns they are,
    /// whoever did it.
    pub fn refresh(&self, module: &Module) {
        let listeners = &module.context().listeners;
        if listeners.has_news() {
            aside(|| self.refresh_now(listeners));
        }
    }

    fn refresh_now(&self, listeners: &ModuleListeners) {
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if !listeners.has_news() {
            return;
        }
        let changes = listeners.changes();
        let before = self.snapshot.load();
        self.store(Arc::clone(&before.modules));
        listeners.put_in_force(changes);
    }
}

fn put_in_force(module: &Module) {
    let listeners = &module.context().listeners;
    listeners.put_in_force(listeners.changes());
}

fn router(modules: &[Arc<Module>]) -> Router<Target> {
    let mut routes = Vec::new();
    let mut disconnects = Vec::new();
    for module in modules {
        let context = module.context();
        let listeners = context.listeners.current();
        routes.extend(listeners.messages.iter().map(|(name, registration)| Route {
            target: Arc::clone(module),
            grants: Arc::clone(&context.grants),
            matcher: Arc::clone(&registration.matcher),
            priority: registration.priority,
            name: Arc::clone(name),
            module: Arc::clone(&context.name),
        }));
        disconnects.extend(listeners.disconnects.iter().map(|(name, registration)| {
            DisconnectRoute {
                target: Arc::clone(module),
                grants: Arc::clone(&context.grants),
                path: registration.path.clone(),
                name: Arc::clone(name),
                module: Arc::clone(&context.name),
            }
        }));
    }
    Router::new(routes, disconnects)
}
