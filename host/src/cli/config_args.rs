//! Flags that override settings. What a flag may be is decided where the file is read, so that
//! both follow the same rules.

use std::path::PathBuf;

use clap::Args;

use sporegate::config::{Config, FlagOverrides, Sources, own_variables};

/// Where the configuration comes from. A flag overrides a `SPOREGATE_*` variable, which overrides
/// the file.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    file: FileArg,
    /// Directory with the modules, `<name>.wasm` each [default: modules].
    #[arg(long, short, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// Address to listen on; port 0 takes any free port [default: 127.0.0.1:8080].
    #[arg(long, short, value_name = "ADDR")]
    listen: Option<String>,
    /// Path under which clients connect [default: /websocket].
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Follow changes of the module directory: swap what has changed, without closing a client.
    #[arg(long)]
    watch: bool,
    /// Unix socket for `sporegate modules`; only its owner can use it.
    #[arg(long, value_name = "SOCKET")]
    control: Option<PathBuf>,
    /// Most clients at a time [default: 2000].
    #[arg(long, value_name = "N", value_parser = count)]
    max_connections: Option<u32>,
    /// Serve the test page at `<path>/test`.
    #[arg(long)]
    test_page: bool,
    /// File with static tokens; `sporegate token --static` makes its entries.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Admit everybody without credentials, on a loopback address: for development only.
    #[arg(long)]
    insecure: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// The configuration file.
#[derive(Debug, Args)]
pub(super) struct FileArg {
    /// Configuration file [variable: SPOREGATE_CONFIG].
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// How to log, on standard error: text, json, or auto: text on a terminal, else json
    /// [default: auto].
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// What to log: off, error, warn, info, debug or trace; also by part, as in
    /// `warn,sporegate::auth=debug` [default: info].
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

/// Names the configuration file.
const FILE_VARIABLE: &str = "SPOREGATE_CONFIG";

/// The token of `sporegate connect`: a variable of this command, and no setting.
pub(super) const TOKEN_VARIABLE: &str = "SPOREGATE_TOKEN";

impl ConfigArgs {
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        self.file.load(FlagOverrides {
            listen: self.listen.clone(),
            path: self.path.clone(),
            modules: self.modules.clone(),
            watch: self.watch.then_some(true),
            control: self.control.clone(),
            max_connections: self.max_connections,
            test_page: self.test_page.then_some(true),
            token_file: self.token_file.clone(),
            insecure: self.insecure.then_some(true),
            ..self.log.flags()
        })
    }
}

/// Variables for the sandbox alone: what a developer's own gateway takes from its surroundings.
pub(super) fn sandbox_variables() -> Vec<(String, String)> {
    let mut env = own_variables(std::env::vars_os());
    env.retain(|(name, _)| name.starts_with("SPOREGATE_SANDBOX_"));
    env
}

impl FileArg {
    /// Whether a file is named, by the flag or by the variable.
    pub(super) fn is_given(&self) -> bool {
        self.config.is_some() || std::env::var_os(FILE_VARIABLE).is_some()
    }

    pub(super) fn load(&self, flags: FlagOverrides) -> anyhow::Result<Config> {
        let mut env = own_variables(std::env::vars_os());
        env.retain(|(name, _)| name != TOKEN_VARIABLE);
        Ok(Config::load(&Sources { file: self.config.clone(), env, flags })?)
    }
}

impl LogArgs {
    pub(super) fn flags(&self) -> FlagOverrides {
        FlagOverrides {
            log_format: self.log_format.clone(),
            log_level: self.log_level.clone(),
            ..FlagOverrides::default()
        }
    }
}

fn count(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "write a whole number, such as 2000")
}
