//! Flags of the command line that override settings. Their values follow the rules of the file.

use std::path::PathBuf;

use super::reader::Flag;

/// Flags that were given; all others stay `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagOverrides {
    /// `--listen`: address and port.
    pub listen: Option<String>,
    /// `--path`: base path.
    pub path: Option<String>,
    /// `--modules`: directory, relative to the working directory.
    pub modules: Option<PathBuf>,
    /// `--watch`.
    pub watch: Option<bool>,
    /// `--control`: socket, relative to the working directory.
    pub control: Option<PathBuf>,
    /// `--max-connections`.
    pub max_connections: Option<u32>,
    /// `--test-page`.
    pub test_page: Option<bool>,
    /// `--token-file`, relative to the working directory.
    pub token_file: Option<PathBuf>,
    /// `--insecure`.
    pub insecure: Option<bool>,
    /// `--log-format`.
    pub log_format: Option<String>,
    /// `--log-level`.
    pub log_level: Option<String>,
}

impl FlagOverrides {
    pub(super) fn as_flags(&self) -> Vec<Flag> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let given = [
            ("listen", "--listen", self.listen.clone()),
            ("path", "--path", self.path.clone()),
            ("modules", "--modules", self.modules.as_ref().map(path)),
            ("watch", "--watch", self.watch.map(|on| on.to_string())),
            ("control", "--control", self.control.as_ref().map(path)),
            ("max_connections", "--max-connections", self.max_connections.map(|n| n.to_string())),
            ("test_page", "--test-page", self.test_page.map(|on| on.to_string())),
            ("auth.token_file", "--token-file", self.token_file.as_ref().map(path)),
            ("auth.insecure", "--insecure", self.insecure.map(|on| on.to_string())),
            ("log.format", "--log-format", self.log_format.clone()),
            ("log.level", "--log-level", self.log_level.clone()),
        ];
        let flag = |(key, name, value): (_, _, Option<String>)| {
            value.map(|value| Flag { key, name, value })
        };
        given.into_iter().filter_map(flag).collect()
    }
}
