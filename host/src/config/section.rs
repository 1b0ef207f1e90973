//! One section of a configuration while it is read. Whatever is wrong is noted and reading goes
//! on with a default, so that all problems are found in one go.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::{Place, Problem, ProblemKind};
use super::reader::{KnownSection, Reader, SettingRow, UnknownKey, variable_of};
use super::value::{Fault, FaultKind, Raw, Value, Written, plain_text};

/// Most unknown keys that are reported: each is compared with all known ones.
const MAX_UNKNOWN: usize = 100;

/// Most entries of a table whose keys are free.
const MAX_TEXTS: usize = 256;

/// A table of the file, or its absence, with the keys that were asked for so far.
pub(super) struct Section<'r, 'd> {
    reader: &'r mut Reader<'d>,
    table: Option<&'d DeTable<'d>>,
    /// Dotted name; empty at the top.
    name: String,
    /// One of a list of tables: its keys have no variables.
    repeated: bool,
    place: Place,
    keys: Vec<&'static str>,
    aliases: Vec<(&'static str, &'static str)>,
    places: Vec<(&'static str, Place)>,
}

impl<'r, 'd> Section<'r, 'd> {
    /// The top of the file.
    pub(super) fn top(reader: &'r mut Reader<'d>, table: &'d DeTable<'d>) -> Self {
        let place = reader.input.file.map_or(Place::Default, |file| Place::File(file.to_owned()));
        Self::new(reader, Some(table), String::new(), false, place)
    }

    fn new(
        reader: &'r mut Reader<'d>,
        table: Option<&'d DeTable<'d>>,
        name: String,
        repeated: bool,
        place: Place,
    ) -> Self {
        let (keys, aliases, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { reader, table, name, repeated, place, keys, aliases, places }
    }

    /// Reads the section, then notes every key in it that was not asked for.
    pub(super) fn finish_with<T>(mut self, read: impl FnOnce(&mut Section<'_, '_>) -> T) -> T {
        let value = read(&mut self);
        for (key, _) in self.table.into_iter().flatten() {
            let known = self.keys.contains(&key.get_ref().as_ref());
            if !known && self.reader.unknown.len() < MAX_UNKNOWN {
                self.reader.unknown.push(UnknownKey {
                    section: self.name.clone(),
                    key: key.get_ref().to_string(),
                    place: self.reader.place(key.span().start),
                });
            }
        }
        if !self.reader.sections.iter().any(|known| known.name == self.name) {
            let Self { name, repeated, keys, .. } = self;
            self.reader.sections.push(KnownSection { name, repeated, keys });
        }
        value
    }

    /// A table within this section; read all the same where it is absent, for its defaults.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'_, '_>) -> T,
    ) -> T {
        self.keys.push(key);
        let name = self.full(key);
        let (mut table, mut place) = (None, self.place.clone());
        if let Some(value) = self.in_file(key) {
            place = self.reader.place(value.span().start);
            match value.get_ref() {
                DeValue::Table(found) => table = Some(found),
                other => self.refuse_type(&place, key, "a table, written `[name]`", other),
            }
        }
        Section::new(self.reader, table, name, self.repeated, place).finish_with(read)
    }

    /// A table whose keys are free and whose values are texts, numbers or booleans: all as texts.
    pub(super) fn texts(&mut self, key: &'static str) -> BTreeMap<String, String> {
        self.keys.push(key);
        let default = "none".to_owned();
        let row = format!("{}.<name>", self.full(key));
        self.reader.note(SettingRow { key: row, variable: None, default, range: None });
        let Some(value) = self.in_file(key) else { return BTreeMap::new() };
        let place = self.reader.place(value.span().start);
        let DeValue::Table(table) = value.get_ref() else {
            self.refuse_type(&place, key, "a table, written `[name]`", value.get_ref());
            return BTreeMap::new();
        };
        if table.len() > MAX_TEXTS {
            let why = format!("it has more than {MAX_TEXTS} entries");
            self.problem(place, bad(&self.full(key), why));
        }
        let mut texts = BTreeMap::new();
        for (name, value) in table.iter().take(MAX_TEXTS) {
            let full = format!("{}.{}", self.full(key), name.get_ref());
            match plain_text(value.get_ref()) {
                Ok(text) => drop(texts.insert(name.get_ref().to_string(), text)),
                Err(why) => {
                    let place = self.reader.place(value.span().start);
                    self.problem(place, bad(&full, why));
                }
            }
        }
        texts
    }

    /// A list of tables, `[[key]]`, at most `most`.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        most: usize,
        mut read: impl FnMut(&mut Section<'_, '_>) -> T,
    ) -> Vec<T> {
        const EXPECTED: &str = "a list of tables, each written `[[name]]`";
        self.keys.push(key);
        let name = self.full(key);
        let Some(value) = self.in_file(key) else {
            // Known all the same, for hints.
            self.reader.sections.push(KnownSection { name, repeated: true, keys: Vec::new() });
            return Vec::new();
        };
        let place = self.reader.place(value.span().start);
        let DeValue::Array(items) = value.get_ref() else {
            self.refuse_type(&place, key, EXPECTED, value.get_ref());
            return Vec::new();
        };
        if items.len() > most {
            self.problem(place, bad(&name, format!("it has more than {most} entries")));
        }
        let mut list = Vec::with_capacity(items.len().min(most));
        for item in items.iter().take(most) {
            let place = self.reader.place(item.span().start);
            match item.get_ref() {
                DeValue::Table(table) => list.push(
                    Section::new(self.reader, Some(table), name.clone(), true, place)
                        .finish_with(&mut read),
                ),
                other => self.refuse_type(&place, key, EXPECTED, other),
            }
        }
        list
    }

    /// Accepts another name for a key that is read later.
    pub(super) fn alias(&mut self, key: &'static str, alias: &'static str) {
        self.keys.push(alias);
        self.aliases.push((key, alias));
    }

    /// A setting with a default.
    pub(super) fn read<T: Value>(&mut self, key: &'static str, default: T) -> T {
        self.resolve(key, default.text(), None, |_| None).unwrap_or(default)
    }

    /// A setting with a default and bounds.
    pub(super) fn read_in<T: Value + PartialOrd>(
        &mut self,
        key: &'static str,
        default: T,
        range: RangeInclusive<T>,
    ) -> T {
        let shown = default.text();
        self.resolve_in(key, shown, range).unwrap_or(default)
    }

    /// A setting whose default is not a plain value; `shown` describes it.
    pub(super) fn optional<T: Value>(&mut self, key: &'static str, shown: &str) -> Option<T> {
        self.resolve(key, shown.to_owned(), None, |_| None)
    }

    /// The same with bounds.
    pub(super) fn optional_in<T: Value + PartialOrd>(
        &mut self,
        key: &'static str,
        shown: &str,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        self.resolve_in(key, shown.to_owned(), range)
    }

    /// A setting that must be there.
    pub(super) fn required<T: Value>(&mut self, key: &'static str, hint: &str) -> Option<T> {
        let value = self.optional(key, "none");
        if value.is_none() && self.place_of(key).is_none() {
            self.missing(key, hint);
        }
        value
    }

    /// Notes that a key ought to be here.
    pub(super) fn missing(&mut self, key: &str, hint: &str) {
        let (key, section) = (key.to_owned(), self.name.clone());
        let kind = ProblemKind::Missing { key, section, hint: hint.to_owned() };
        self.problem(self.place.clone(), kind);
    }

    /// Where a key got its value; nothing if it has its default.
    pub(super) fn place_of(&self, key: &str) -> Option<&Place> {
        self.places.iter().find(|(known, _)| *known == key).map(|(_, place)| place)
    }

    /// Whether the file has this key here, whatever it is.
    pub(super) fn is_given(&self, key: &str) -> bool {
        self.in_file(key).is_some()
    }

    /// Whether the file has a key here that was not asked for so far.
    pub(super) fn has_unknown(&self) -> bool {
        let known = |key: &str| self.keys.contains(&key);
        self.table.into_iter().flatten().any(|(key, _)| !known(key.get_ref()))
    }

    /// The line where this section begins; 1 where it is not in a file.
    pub(super) fn line(&self) -> usize {
        match &self.place {
            Place::Line { line, .. } => *line,
            Place::File(_) | Place::Variable(_) | Place::Flag(_) | Place::Default => 1,
        }
    }

    /// Notes that the value of a key is not acceptable.
    pub(super) fn bad(&mut self, key: &str, why: impl Into<String>) {
        let place = self.place_of(key).unwrap_or(&self.place).clone();
        let kind = bad(&self.full(key), why.into());
        self.problem(place, kind);
    }

    /// Notes that settings exclude each other, at the first of `keys` that was set.
    pub(super) fn conflict(&mut self, keys: &[&str], why: impl Into<String>) {
        let place = keys.iter().find_map(|key| self.place_of(key)).unwrap_or(&self.place).clone();
        self.conflict_at(place, why);
    }

    /// The same at a given place.
    pub(super) fn conflict_at(&mut self, place: Place, why: impl Into<String>) {
        self.problem(place, ProblemKind::Conflict { why: why.into() });
    }

    /// A variable that a setting names and that others read.
    pub(super) fn foreign_variable(&mut self, name: &str) {
        self.reader.foreign_variables.push(name.to_owned());
    }

    fn resolve_in<T: Value + PartialOrd>(
        &mut self,
        key: &'static str,
        shown: String,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let (min, max) = (range.start().text(), range.end().text());
        let full = self.full(key);
        let bounds = format!("{min} to {max}");
        self.resolve(key, shown, Some(bounds), |value: &T| {
            let (min, max) = (min.replace('"', ""), max.replace('"', ""));
            let value_text = value.text().replace('"', "");
            (!range.contains(value)).then(|| ProblemKind::OutOfRange {
                key: full.clone(),
                value: value_text,
                min,
                max,
            })
        })
    }

    /// Validates every value given for a key, and takes the one of highest precedence.
    fn resolve<T: Value>(
        &mut self,
        key: &'static str,
        default: String,
        range: Option<String>,
        check: impl Fn(&T) -> Option<ProblemKind>,
    ) -> Option<T> {
        self.keys.push(key);
        let full = self.full(key);
        let input = self.reader.input;
        let variable = (!self.repeated && input.variables.is_some()).then(|| variable_of(&full));
        let mut given: Vec<(Place, Raw<'d>)> = Vec::new();
        let mut names = Vec::new();
        for name in self.names_of(key) {
            if let Some(value) = self.in_file(name) {
                names.push(name);
                given
                    .push((self.reader.place(value.span().start), self.raw(name, value.get_ref())));
            }
        }
        if let [_, (second, _), ..] = given.as_slice() {
            let names = names.join("` and `");
            let why = format!("`{names}` are two names of one setting; keep one of them");
            self.problem(second.clone(), ProblemKind::Conflict { why });
        }
        let text =
            |value| Raw { written: Written::Text(value), base: Path::new(""), seconds: false };
        if let Some(name) = &variable
            && let Some(value) = input.variable(name)
        {
            given.push((Place::Variable(name.clone()), text(value)));
        }
        if !self.repeated
            && let Some(flag) = input.flag(&full)
        {
            given.push((Place::Flag(flag.name), text(&flag.value)));
        }
        self.reader.note(SettingRow { key: full, variable, default, range });

        let mut winner = None;
        for (place, raw) in given {
            self.places.retain(|(known, _)| *known != key);
            self.places.push((key, place.clone()));
            winner = match T::read(raw) {
                Err(fault) => {
                    self.refuse(&place, key, fault);
                    None
                }
                Ok(value) => match check(&value) {
                    Some(kind) => {
                        self.problem(place, kind);
                        None
                    }
                    None => Some(value),
                },
            };
        }
        winner
    }

    fn names_of(&self, key: &'static str) -> Vec<&'static str> {
        let aliases = self.aliases.iter().filter(|(own, _)| *own == key).map(|(_, alias)| *alias);
        std::iter::once(key).chain(aliases).collect()
    }

    fn in_file(&self, key: &str) -> Option<&'d toml::Spanned<DeValue<'d>>> {
        self.table.and_then(|table| table.get(key))
    }

    fn raw(&self, key: &str, value: &'d DeValue<'d>) -> Raw<'d> {
        let base = self.reader.input.base();
        Raw { written: Written::Toml(value), base, seconds: key.ends_with("Sec") }
    }

    fn full(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn refuse_type(
        &mut self,
        place: &Place,
        key: &str,
        expected: &'static str,
        found: &'d DeValue<'d>,
    ) {
        let fault = self.raw(key, found).wrong_type(expected);
        self.refuse(place, key, fault);
    }

    fn refuse(&mut self, place: &Place, key: &str, fault: Fault) {
        let key = self.full(key);
        let place = match fault.offset {
            Some(offset) => self.reader.place(offset),
            None => place.clone(),
        };
        let kind = match fault.kind {
            FaultKind::WrongType { expected, found } => {
                ProblemKind::WrongType { key, expected, found }
            }
            FaultKind::Bad { value, why } => ProblemKind::BadValue { key, value, why },
        };
        self.problem(place, kind);
    }

    fn problem(&mut self, place: Place, kind: ProblemKind) {
        self.reader.problems.push(Problem { place, kind });
    }
}

fn bad(key: &str, why: String) -> ProblemKind {
    ProblemKind::BadValue { key: key.to_owned(), value: None, why }
}
