//! Tests of the configuration as a whole.

mod admission;
mod clients;
mod complete;
mod issuers;
mod precedence;
mod refused;
mod sidecar;
mod variables;

use std::time::Duration;

use super::*;

/// Loads a text as the file `sporegate.toml` of an empty directory.
fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[], FlagOverrides::default())
}

/// The message that a text is refused with.
fn refused(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

fn load_with(
    text: &str,
    env: &[(&str, &str)],
    flags: FlagOverrides,
) -> Result<Config, ConfigError> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let env: Vec<_> = env.iter().map(own).collect();
    let flags = flags.as_flags();
    let file = Path::new("conf/sporegate.toml");
    let input = Input { file: Some(file), text, variables: Some(&env), flags: &flags };
    read_all(input, |top| read(top, input.base())).map(|(config, _)| config)
}

/// The same values, compared by their debug form: policies have no equality.
fn assert_same(left: &Config, right: &Config) {
    assert_eq!(format!("{left:#?}"), format!("{right:#?}"));
}
