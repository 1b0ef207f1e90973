//! What WASI gives to a listener: coarse clocks, random numbers, and output that ends up in the module's
//! log. Nothing is behind the rest: no files, no sockets, no environment, no arguments.

use std::sync::{Arc, PoisonError};

use tokio::time::Instant;
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtxView;

use super::clocks::{MonotonicClock, WallClock};
use super::http::Http;
use super::module_log::{About, LogStream, ModuleLog};
use super::state::{InstanceState, ModuleContext};

const MAX_RESOURCES: usize = 1_024;
const MAX_RANDOM_BYTES: u64 = 64 << 10;

/// Interfaces of `wasi:*@0.2` that a module may import. Files and sockets are among them because
/// standard libraries and language runtimes import them: there is no directory behind them, and
/// each socket and each look-up of a name is refused before the system is asked.
pub(super) const ALLOWED: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// Those among them with functions that can wait.
pub(super) const WAITING: [&str; 4] =
    ["wasi:filesystem/", "wasi:http/", "wasi:io/", "wasi:sockets/"];

/// Made when a guest first touches WASI: most listeners never do.
pub(super) struct Wasi {
    table: ResourceTable,
    context: Option<Box<WasiCtx>>,
    http: Option<Box<Http>>,
    log: Arc<ModuleLog>,
    printed: Option<[LogStream; 2]>,
    about: About,
}

impl Wasi {
    pub(super) fn new(module: &ModuleContext) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let log = Arc::clone(&module.log);
        Self { table, context: None, http: None, log, printed: None, about: About::default() }
    }

    /// What the module has of HTTP, for a call that can do something with it until then.
    pub(super) fn http(
        &mut self,
        module: &ModuleContext,
        until: Option<Instant>,
    ) -> WasiHttpCtxView<'_> {
        let Self { table, http, .. } = self;
        http.get_or_insert_with(|| Box::new(Http::new(module))).view(table, until)
    }

    /// What the guest has handles of.
    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// A call is over, and what it began with it.
    pub(super) fn end_call(&mut self) {
        if let Some(http) = &mut self.http {
            http.end_call();
        }
        self.printed.iter().flatten().for_each(LogStream::end_line);
    }

    /// The module goes on under other limits.
    pub(super) fn adopt(&mut self, module: &ModuleContext) {
        self.log = Arc::clone(&module.log);
        self.http = None;
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let about = self.about();
        let Wasi { table, context, log, printed, about: told, .. } = &mut self.wasi;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = about;
        let ctx = context.get_or_insert_with(|| {
            let [out, err] = [LogStream::stdout(log, told), LogStream::stderr(log, told)];
            *printed = Some([out.clone(), err.clone()]);
            Box::new(build(out, err))
        });
        WasiCtxView { ctx, table }
    }
}

fn build(out: LogStream, err: LogStream) -> WasiCtx {
    WasiCtx::builder()
        .wall_clock(WallClock)
        .monotonic_clock(MonotonicClock::new())
        .stdout(out)
        .stderr(err)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}
