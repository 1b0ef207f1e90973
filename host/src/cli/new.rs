//! `sporegate new`: a folder with a listener that builds, is tested, and depends on nothing outside:
//! the SDK of its language lies in it.

mod embedded;
mod manifest;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use sporegate::config::{Language, ModuleName, PROJECT_FILE};

use super::{Outcome, UsageError, output};
use embedded::File;

pub(super) const HELP: &str = "\
Makes a folder NAME with a listener that answers what is said on /NAME, a conversation that tests
it, the SDK of its language, and a README. Then:

  cd NAME
  sporegate build                                 makes build/NAME.wasm
  sporegate test build/NAME.wasm conversations    plays its conversations
  sporegate dev                                   serves it, and swaps it when a source changes";

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Name of the module, and of the folder that is made.
    name: String,
    /// Language of the listener: rust, js, ts, python, go or c.
    #[arg(long, short, value_name = "LANG", value_parser = language)]
    lang: Language,
    /// Make this folder instead; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Where a project has its SDK; inside, all is as in the repository.
pub(super) const SDK: &str = "sdk";

const TEMPLATES: &str = "host/src/cli/new/templates";

fn language(text: &str) -> Result<Language, String> {
    Language::parse(text)
}

pub(super) fn run(args: &NewArgs) -> Outcome {
    let Ok(name) = ModuleName::parse(&args.name) else {
        let why = format!(
            "{:?} cannot be the name of a module: 1 to 64 of a-z, 0-9, `_` and `-`, beginning with a letter or digit",
            args.name
        );
        return Err(UsageError(why).into());
    };
    let folder = args.dir.clone().unwrap_or_else(|| args.name.clone().into());
    let shown = folder.display();
    refuse_occupied(&folder)?;
    write(&folder, name.as_str(), args.lang).with_context(|| shown.to_string())?;
    output::line(format_args!(
        "made {shown}: a listener in {language}\n\nnext:\n  \
         cd {shown}\n  sporegate build\n  sporegate test build/{name}.wasm conversations\n  \
         sporegate dev",
        language = args.lang.title(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Nothing of anybody is overwritten.
fn refuse_occupied(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => bail!("{shown}: {error}; choose another name, or another folder with --dir"),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => bail!(
                "{shown}: the folder is not empty, and nothing in it is changed; choose another name, or another folder with --dir"
            ),
        },
    }
}

fn write(folder: &Path, name: &str, language: Language) -> anyhow::Result<()> {
    let own = format!("{TEMPLATES}/{}/", language.name());
    let common = format!("{TEMPLATES}/common/");
    for (file, to) in embedded::below(&common).chain(embedded::below(&own)) {
        let text = std::str::from_utf8(file.bytes).context("a template is not text")?;
        let filled = |text: &str| fill(text, name, language);
        put(folder, &filled(to), filled(text).as_bytes(), file.runs)?;
    }
    let project = format!(
        "# What `sporegate build` and `sporegate dev` make of this folder.\n\
         name = \"{name}\"\nlanguage = \"{}\"\n",
        language.name()
    );
    put(folder, PROJECT_FILE, project.as_bytes(), false)?;
    if language == Language::Rust {
        // The versions that the SDK is tested with; cargo takes out what is not needed.
        put(folder, "Cargo.lock", embedded::get("Cargo.lock")?.bytes, false)?;
    }
    let sdk = format!("guest-sdk/{}/", language.sdk());
    for part in [sdk.as_str(), "wit/"] {
        for (file, _) in embedded::below(part) {
            put_sdk(folder, file)?;
        }
    }
    Ok(())
}

/// A file of the SDK, which does not lie in its workspace any more.
fn put_sdk(folder: &Path, file: &File) -> anyhow::Result<()> {
    let to = format!("{SDK}/{}", file.path);
    if file.path == "guest-sdk/rust/Cargo.toml" {
        let alone = manifest::alone(file.text()?, embedded::get("Cargo.toml")?.text()?)?;
        return put(folder, &to, alone.as_bytes(), false);
    }
    put(folder, &to, file.bytes, file.runs)
}

fn put(folder: &Path, name: &str, bytes: &[u8], runs: bool) -> anyhow::Result<()> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes));
    written.with_context(|| name.to_owned())?;
    if runs {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .with_context(|| name.to_owned())?;
    }
    Ok(())
}

/// A template with the name in it.
fn fill(text: &str, name: &str, language: Language) -> String {
    // The name of a crate begins with a letter.
    let of_crate = match name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        true => name.to_owned(),
        false => format!("module-{name}"),
    };
    text.replace("{{name}}", name)
        .replace("{{crate}}", &of_crate)
        .replace("{{name_}}", &name.replace('-', "_"))
        .replace("{{language}}", language.title())
        .replace("{{dot}}", ".")
}
