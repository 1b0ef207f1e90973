//! Configuration. Any text is a configuration or refused, and a refusal names places of that text,
//! in lines that can be shown; so for the file of the gateway, the sidecars of its modules, the
//! values of variables, and the file of static tokens.
//!
//! A comment `#SPOREGATE_..=..` stands for a variable of that name.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use sporegate::auth::{AuthSettings, Authenticator};
use sporegate::config::{
    Config, ConfigError, ModuleConfig, ModuleDefaults, ModuleName, Place, Sources,
};
use tempfile::TempDir;

use super::lines::assert_line;

thread_local! {
    /// Where the file is that is read: in memory, where there is such a place.
    static DIRECTORY: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

pub fn check(data: &[u8]) {
    let file = written(data);
    let text = std::str::from_utf8(data).ok();
    let env = text.map(variables).unwrap_or_default();
    let with_variables = (!env.is_empty()).then_some(env);
    for env in [Vec::new()].into_iter().chain(with_variables) {
        let sources = Sources { file: Some(file.clone()), env, ..Sources::default() };
        match Config::load(&sources) {
            Ok(config) => check_config(&config, text.unwrap()),
            Err(error) => check_error(&error, text),
        }
    }
    let name = ModuleName::parse("chat").unwrap();
    match ModuleConfig::load(&name, &file, &ModuleDefaults::default()) {
        Ok(module) => {
            assert!((1..=ModuleConfig::MAX_PATHS).contains(&module.paths.len()));
            assert!((1..=64).contains(&module.run.instances));
            assert!(module.limits.memory_bytes >= 64 << 10 && module.limits.cpu_ticks >= 1);
        }
        Err(error) => check_error(&error, text),
    }
    let tokens = AuthSettings { token_file: Some(file), ..AuthSettings::default() };
    if let Err(error) = Authenticator::new(tokens) {
        assert_line(&error.to_string());
    }
}

/// The file `sporegate.toml` with this in it.
fn written(data: &[u8]) -> PathBuf {
    DIRECTORY.with_borrow_mut(|directory| {
        let directory = directory.get_or_insert_with(|| {
            let memory = Path::new("/dev/shm");
            let within = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok()).flatten();
            within.unwrap_or_else(|| tempfile::tempdir().unwrap())
        });
        let file = directory.path().join("sporegate.toml");
        std::fs::write(&file, data).unwrap();
        file
    })
}

fn variables(text: &str) -> Vec<(String, String)> {
    let comments = text.lines().filter_map(|line| line.strip_prefix("#SPOREGATE_"));
    let pairs = comments.filter_map(|comment| comment.split_once('='));
    let named = pairs.filter(|(name, _)| *name != "CONFIG");
    named.map(|(name, value)| (format!("SPOREGATE_{name}"), value.to_owned())).take(8).collect()
}

fn check_config(config: &Config, text: &str) {
    assert!((1..=1_000_000).contains(&config.max_connections));
    assert!(config.path.as_str().starts_with('/'));
    for policy in config.paths.iter().map(|rule| &rule.policy).chain([&config.default_policy]) {
        assert!(!policy.anonymous || policy.restrict_to_roles.is_empty());
    }
    config.warnings.iter().for_each(|warning| assert_line(&warning.to_string()));
    // What was accepted is accepted again, and means the same, with a comment and an end of line.
    if !text.contains("#SPOREGATE_") {
        let file = Some(written(format!("# again\n{text}\n").as_bytes()));
        let again = Config::load(&Sources { file, ..Sources::default() }).unwrap();
        written(text.as_bytes());
        let shown = |config: &Config| {
            // They have places, which are one line further down.
            format!("{:?}", Config { warnings: Vec::new(), ..config.clone() })
        };
        assert_eq!(shown(&again), shown(config));
    }
}

fn check_error(error: &ConfigError, text: Option<&str>) {
    let mut problems = 0;
    for problem in error.problems() {
        problems += 1;
        let message = problem.to_string();
        assert_line(&message);
        assert!(message.len() < 4_000, "{message}");
        let Place::Line { line, column, .. } = &problem.place else { continue };
        let text = text.expect("only what is text has lines");
        let lines: Vec<_> = text.split('\n').collect();
        let written = lines.get(line - 1).unwrap_or_else(|| panic!("{message}: no such line"));
        assert!((1..=written.chars().count() + 1).contains(column), "{message}: no such column");
    }
    let shown = error.to_string().lines().count();
    assert_eq!(
        shown,
        problems.min(ConfigError::SHOWN) + usize::from(problems > ConfigError::SHOWN)
    );
}
