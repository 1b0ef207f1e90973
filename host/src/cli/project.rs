//! A listener's project, and what becomes of it: a component in its folder `build`, that was checked
//! as `sporegate inspect` does.

mod go;
mod python;
mod recipe;
mod rust;
mod tool;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use sporegate::config::{
    Config, FlagOverrides, Language, ModuleConfig, PROJECT_FILE, ProjectConfig, Sources,
};
use sporegate::gateway;
use sporegate::sandbox::{Compiler, Granted, componentize, inspect};

use super::config_args::sandbox_variables;
use recipe::recipe;

/// Where the component is put, in the folder of the project.
const BUILD: &str = "build";

/// A project.
#[derive(Debug)]
pub(super) struct Project {
    root: PathBuf,
    config: ProjectConfig,
}

/// What came of building it.
#[derive(Debug)]
pub(super) struct Built {
    /// The component.
    pub(super) component: PathBuf,
    /// The sidecar beside it, if the project has one.
    pub(super) sidecar: Option<PathBuf>,
    /// Size of the component, in bytes.
    pub(super) bytes: usize,
    /// Whether it hands its state over on a swap.
    pub(super) hands_over_state: bool,
}

impl Project {
    /// The project in a folder.
    pub(super) fn find(folder: &Path) -> anyhow::Result<Self> {
        let root = folder.canonicalize().with_context(|| folder.display().to_string())?;
        let file = root.join(PROJECT_FILE);
        if !file.exists() {
            bail!(no_project(folder));
        }
        let config = ProjectConfig::load(&root)?;
        if !config.sdk.join(config.language.sdk_file()).is_file() {
            let (file, sdk) = (file.display(), config.sdk.display());
            let language = config.language.title();
            bail!(
                "{sdk}: there is no SDK for {language}; put the one that `sporegate new` writes there, or say where it is with `sdk` in {file}"
            );
        }
        Ok(Self { root, config })
    }

    /// Name of the module.
    pub(super) fn name(&self) -> &str {
        self.config.name.as_str()
    }

    /// Its folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Language that it is written in.
    pub(super) fn language(&self) -> Language {
        self.config.language
    }

    /// Runs the tools of the language, and makes a component of what they made. Ends them when it is
    /// dropped.
    ///
    /// # Errors
    /// A tool is missing or has failed, which has told why; or what came of it is no listener.
    pub(super) async fn build(&self) -> anyhow::Result<Built> {
        let out = self.root.join(BUILD);
        fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
        let recipe = recipe(&self.root, &self.config, &out).await?;
        for step in recipe.steps {
            tool::run(step, &self.root).await?;
        }
        self.finish(&recipe.made, &out)
    }

    fn finish(&self, made: &Path, out: &Path) -> anyhow::Result<Built> {
        let shown = made.display();
        let file = fs::read(made).with_context(|| shown.to_string())?;
        let component = componentize(&file).with_context(|| shown.to_string())?;
        let sidecar = self.copy_sidecar(out)?;
        let hands_over_state = self.check(&component).with_context(|| shown.to_string())?;
        let to = out.join(format!("{}.wasm", self.name()));
        put(&to, &component)?;
        Ok(Built { component: to, sidecar, bytes: component.len(), hands_over_state })
    }

    /// The sidecar of the project goes where the component is; one that is gone does not stay there.
    fn copy_sidecar(&self, out: &Path) -> anyhow::Result<Option<PathBuf>> {
        let name = format!("{}.toml", self.name());
        let (from, to) = (self.root.join(&name), out.join(&name));
        if !from.exists() {
            if to.exists() {
                fs::remove_file(&to).with_context(|| to.display().to_string())?;
            }
            return Ok(None);
        }
        let defaults = plain_config()?.sandbox.defaults;
        ModuleConfig::load(&self.config.name, &from, &defaults)?;
        let text = fs::read(&from).with_context(|| from.display().to_string())?;
        put(&to, &text)?;
        Ok(Some(to))
    }

    /// As `sporegate inspect` does; whether it hands its state over.
    fn check(&self, component: &[u8]) -> anyhow::Result<bool> {
        let inspection =
            inspect(component, &Compiler::this_program()?.in_foreground(), &limits()?)?;
        let sidecar = self.root.join(format!("{}.toml", self.name()));
        let defaults = plain_config()?.sandbox.defaults;
        let module = ModuleConfig::load(&self.config.name, &sidecar, &defaults)?;
        let granted = Granted::by(&module.grants);
        if inspection.is_listener(granted) {
            return Ok(inspection.hands_over_state);
        }
        let refused = inspection.imports.iter().filter(|import| import.granted.is_none());
        let refused = refused.map(|import| format!("it imports `{}`", import.name));
        let needed = inspection.needs(granted).map(|(name, [table, line])| {
            let sidecar = sidecar.display();
            format!("it imports `{name}`, which needs `{table}` and `{line}` in {sidecar}")
        });
        let missing = inspection.missing.iter().map(|name| format!("it does not export `{name}`"));
        let why: Vec<_> = refused.chain(needed).chain(missing).chain(inspection.advice()).collect();
        Err(anyhow!("not a listener of this gateway: {}", why.join("; ")))
    }
}

/// The configuration that holds where there is no file.
fn plain_config() -> anyhow::Result<Config> {
    let (env, flags) = (sandbox_variables(), FlagOverrides::default());
    Ok(Config::load(&Sources { file: None, env, flags })?)
}

fn limits() -> anyhow::Result<sporegate::sandbox::CompileLimits> {
    Ok(gateway::compile_limits(&plain_config()?))
}

/// Puts a file in its place, whole at once.
pub(super) fn put(to: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let new = to.with_extension("new");
    let put = fs::write(&new, bytes).and_then(|()| fs::rename(&new, to));
    put.with_context(|| to.display().to_string())
}

/// What tells the language of a folder that is no project yet.
const SIGNS: [(&str, Language); 5] = [
    ("Cargo.toml", Language::Rust),
    ("go.mod", Language::Go),
    ("tsconfig.json", Language::TypeScript),
    ("package.json", Language::JavaScript),
    ("pyproject.toml", Language::Python),
];

fn no_project(folder: &Path) -> String {
    let shown = folder.display();
    let sign = SIGNS.iter().find(|(sign, _)| folder.join(sign).exists());
    let language = sign.map_or(Language::Rust, |(_, language)| *language).name();
    format!(
        "{shown}: no {PROJECT_FILE} in this folder; `sporegate new NAME --lang {language}` makes a project, and for one that is there write the file: name = \"NAME\", language = \"{language}\", sdk = \"PATH/TO/guest-sdk/{language}\""
    )
}
