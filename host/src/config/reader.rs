//! Reads settings out of a file, variables and flags, by their precedence. Each key is named
//! exactly once, where it is read: unknown keys, variable names, hints and the table of all
//! settings follow from that. Knows no key itself.

use std::path::Path;

use toml::de::DeTable;

use super::error::{ConfigError, Lines, Place, Problem, ProblemKind};
use super::nearest::{did_you_mean, nearest};
use super::section::Section;

/// Where settings come from, in ascending precedence.
#[derive(Clone, Copy)]
pub(super) struct Input<'d> {
    /// Name of the file, for messages and as the base of relative paths; none without a file.
    pub(super) file: Option<&'d Path>,
    /// Its text.
    pub(super) text: &'d str,
    /// Environment variables; none where variables do not apply.
    pub(super) variables: Option<&'d [(String, String)]>,
    /// Flags given.
    pub(super) flags: &'d [Flag],
}

/// A flag of the command line that was given.
pub(super) struct Flag {
    /// The key it overrides.
    pub(super) key: &'static str,
    /// The flag with its dashes.
    pub(super) name: &'static str,
    /// Its value.
    pub(super) value: String,
}

/// One setting, for documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// The key with its section.
    pub key: String,
    /// Its environment variable, where it has one.
    pub variable: Option<String>,
    /// Its default as it would be written in the file; `none` where it has none.
    pub default: String,
    /// Least and greatest value, where it has bounds.
    pub range: Option<String>,
}

/// What reading left behind.
pub(super) struct Reader<'d> {
    pub(super) input: Input<'d>,
    lines: Lines<'d>,
    pub(super) problems: Vec<Problem>,
    pub(super) rows: Vec<SettingRow>,
    /// Variables that are read by others, by names given in settings.
    pub(super) foreign_variables: Vec<String>,
    pub(super) sections: Vec<KnownSection>,
    pub(super) unknown: Vec<UnknownKey>,
}

/// A section that was read, with all its keys.
pub(super) struct KnownSection {
    pub(super) name: String,
    pub(super) repeated: bool,
    pub(super) keys: Vec<&'static str>,
}

/// A key that nobody read.
pub(super) struct UnknownKey {
    pub(super) section: String,
    pub(super) key: String,
    pub(super) place: Place,
}

/// How the names of all variables begin.
pub(super) const VARIABLE_PREFIX: &str = "SPOREGATE_";
/// Names the file itself.
pub(super) const FILE_VARIABLE: &str = "SPOREGATE_CONFIG";
const TEST_PREFIX: &str = "SPOREGATE_TEST_";

/// Reads all settings by `read`, which sees the top of the file.
///
/// # Errors
/// Every problem found, those of the file in its order.
pub(super) fn read_all<'d, T>(
    input: Input<'d>,
    read: impl FnOnce(&mut Section<'_, '_>) -> T,
) -> Result<(T, Vec<SettingRow>), ConfigError> {
    let lines = Lines::new(input.text);
    let document = DeTable::parse(input.text).map_err(|error| {
        let why = error.message().replace('\n', ", ");
        let place = place(&input, &lines, error.span().map_or(0, |span| span.start));
        Problem { place, kind: ProblemKind::Syntax { why } }
    })?;
    let mut reader = Reader {
        input,
        lines,
        problems: Vec::new(),
        rows: Vec::new(),
        foreign_variables: Vec::new(),
        sections: Vec::new(),
        unknown: Vec::new(),
    };
    let value = Section::top(&mut reader, document.get_ref()).finish_with(read);
    reader.report_unknown_keys();
    reader.report_unknown_variables();
    reader.problems.sort_by_key(|problem| match &problem.place {
        Place::File(_) => (0, 0, 0),
        Place::Line { line, column, .. } => (0, *line, *column),
        Place::Variable(_) => (1, 0, 0),
        Place::Flag(_) => (2, 0, 0),
        Place::Default => (3, 0, 0),
    });
    ConfigError::check(reader.problems)?;
    Ok((value, reader.rows))
}

/// The variable of a key: `limits.message_size` is `SPOREGATE_LIMITS_MESSAGE_SIZE`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

fn place(input: &Input<'_>, lines: &Lines<'_>, offset: usize) -> Place {
    input.file.map_or(Place::Default, |file| lines.place(file, offset))
}

impl<'d> Input<'d> {
    /// What relative paths in the file are relative to.
    pub(super) fn base(&self) -> &'d Path {
        self.file.and_then(Path::parent).unwrap_or(Path::new(""))
    }

    pub(super) fn variable(&self, name: &str) -> Option<&'d str> {
        let variables = self.variables.unwrap_or_default();
        variables.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn flag(&self, key: &str) -> Option<&'d Flag> {
        self.flags.iter().find(|flag| flag.key == key)
    }
}

impl Reader<'_> {
    /// The place of a byte offset in the file.
    pub(super) fn place(&self, offset: usize) -> Place {
        place(&self.input, &self.lines, offset)
    }

    pub(super) fn note(&mut self, row: SettingRow) {
        if !self.rows.iter().any(|known| known.key == row.key) {
            self.rows.push(row);
        }
    }

    fn report_unknown_keys(&mut self) {
        for UnknownKey { section, key, place } in std::mem::take(&mut self.unknown) {
            let own = self.sections.iter().find(|known| known.name == section);
            let own: &[_] = own.map_or(&[], |known| &known.keys);
            let elsewhere = self
                .sections
                .iter()
                .find(|known| known.name != section && known.keys.contains(&key.as_str()));
            let hint = match (nearest(&key, own.iter().copied()), elsewhere) {
                (None, Some(known)) if known.name.is_empty() => {
                    format!("`{key}` belongs at the top of the file, before the first [section]")
                }
                (None, Some(known)) => format!("`{key}` belongs in {}", known.header()),
                _ => did_you_mean(&key, own),
            };
            let kind = ProblemKind::UnknownKey { key, section, hint };
            self.problems.push(Problem { place, kind });
        }
    }

    fn report_unknown_variables(&mut self) {
        let known: Vec<&str> = self
            .rows
            .iter()
            .filter_map(|row| row.variable.as_deref())
            .chain(self.foreign_variables.iter().map(String::as_str))
            .chain([FILE_VARIABLE])
            .collect();
        for (name, _) in self.input.variables.unwrap_or_default() {
            let ours = name.starts_with(VARIABLE_PREFIX) && !name.starts_with(TEST_PREFIX);
            if !ours || known.contains(&name.as_str()) {
                continue;
            }
            let section = self.sections.iter().find(|known| variable_of(&known.name) == *name);
            let hint = match (section, nearest(name, known.iter().copied())) {
                (Some(section), _) => {
                    format!("{} is a table and can be set in the file only", section.header())
                }
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => "the variable of a key is `SPOREGATE_`, its section and its name \
                     in capitals, joined by `_`; unset it if it belongs to something else"
                    .to_owned(),
            };
            let place = Place::Variable(name.clone());
            self.problems.push(Problem { place, kind: ProblemKind::UnknownVariable { hint } });
        }
    }
}

impl KnownSection {
    fn header(&self) -> String {
        if self.repeated { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}
