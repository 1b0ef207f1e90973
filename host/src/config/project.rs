//! A listener's project: the folder that `sporegate new` makes and `sporegate build` builds.

use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::file;
use super::module_name::ModuleName;
use super::nearest::did_you_mean;
use super::reader::{Input, read_all};
use super::value::Word;

/// Name of the file that makes a folder a project.
pub const PROJECT_FILE: &str = "sporegate.project.toml";

/// What a project file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectConfig {
    /// Name of the module that comes of it.
    pub name: ModuleName,
    /// Language that it is written in.
    pub language: Language,
    /// Where its SDK lies: a folder as `guest-sdk/LANG` of the sources of Sporegate.
    pub sdk: PathBuf,
}

/// A language that there is an SDK for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust.
    Rust,
    /// JavaScript.
    JavaScript,
    /// TypeScript.
    TypeScript,
    /// Python.
    Python,
    /// C.
    C,
    /// Go.
    Go,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] =
        [Self::Rust, Self::JavaScript, Self::TypeScript, Self::Python, Self::C, Self::Go];

    /// The language of a short name.
    ///
    /// # Errors
    /// There is no such language; says which may be meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|language| language.name() == text)
            .ok_or_else(|| did_you_mean(text, &names))
    }

    /// The short name: `js`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "js",
            Self::TypeScript => "ts",
            Self::Python => "python",
            Self::C => "c",
            Self::Go => "go",
        }
    }

    /// The name as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
            Self::C => "C",
            Self::Go => "Go",
        }
    }

    /// A file that its SDK has, and no other.
    pub fn sdk_file(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript | Self::TypeScript => "bin/sporegate-js.mjs",
            Self::Python => "src/sporegate_build/__main__.py",
            Self::C => "sporegate-cc",
            Self::Go => "sporegate-go",
        }
    }

    /// Name of the folder of its SDK.
    pub fn sdk(self) -> &'static str {
        match self {
            // One for both.
            Self::TypeScript => "js",
            other => other.name(),
        }
    }
}

impl Word for Language {
    const CHOICE: &'static str = "a language such as \"rust\"";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("rust", Self::Rust),
        ("js", Self::JavaScript),
        ("ts", Self::TypeScript),
        ("python", Self::Python),
        ("c", Self::C),
        ("go", Self::Go),
    ];
}

impl ProjectConfig {
    /// Reads the project file in a folder.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(PROJECT_FILE);
        Self::parse(&file::read(&path, file::Role::Main)?, &path)
    }

    /// Reads the text of a project file.
    ///
    /// # Errors
    /// All problems found in it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let input = Input { file: Some(path), text, variables: None, flags: &[] };
        let (read, _) = read_all(input, |top| {
            let name: Option<String> = top.required("name", "the name of the module");
            let name = name.and_then(|name| match ModuleName::parse(&name) {
                Ok(name) => Some(name),
                Err(error) => {
                    top.bad("name", error.to_string());
                    None
                }
            });
            let language = top.required("language", "such as language = \"rust\"");
            let sdk: Option<PathBuf> = top.optional("sdk", "\"sdk/guest-sdk/<language>\"");
            Some((name?, language?, sdk))
        })?;
        // What is missing has been a problem.
        let (name, language, sdk) = read.ok_or_else(|| {
            ConfigError::from(super::error::Problem {
                place: super::error::Place::File(path.to_owned()),
                kind: super::error::ProblemKind::Conflict { why: "it is not complete".to_owned() },
            })
        })?;
        let language: Language = language;
        let beside = || {
            let folder = path.parent().unwrap_or(Path::new(""));
            folder.join("sdk/guest-sdk").join(language.sdk())
        };
        Ok(Self { name, language, sdk: sdk.unwrap_or_else(beside) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_says_its_name_and_language() {
        let parse = |text: &str| ProjectConfig::parse(text, Path::new("p/sporegate.project.toml"));
        let read = parse("name = \"tea-room\"\nlanguage = \"ts\"\n").unwrap();
        assert_eq!(read.name.as_str(), "tea-room");
        assert_eq!(read.language, Language::TypeScript);
        assert_eq!(read.sdk, Path::new("p/sdk/guest-sdk/js"));
        let read = parse("name = \"x\"\nlanguage = \"c\"\nsdk = \"../c\"\n").unwrap();
        assert_eq!(read.sdk, Path::new("p/../c"));
        for (text, told) in [
            ("name = \"x\"\n", "`language`"),
            ("name = \"X y\"\nlanguage = \"c\"\n", "`name`"),
            ("name = \"x\"\nlanguage = \"rus\"\n", "did you mean `rust`?"),
            ("name = \"x\"\nlang = \"c\"\n", "unknown key `lang`"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn every_language_has_its_word() {
        assert_eq!(Language::WORDS.len(), Language::ALL.len());
        for (word, language) in Language::WORDS {
            assert_eq!((*word, Ok(*language)), (language.name(), Language::parse(word)));
        }
    }
}
