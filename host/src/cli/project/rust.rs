//! Rust: cargo, and a standard library for WebAssembly, which comes from rustup or is built from
//! Debian's sources.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::recipe::Recipe;
use super::tool::{Step, ask, find};

const TARGET: &str = "wasm32-unknown-unknown";

const NO_CARGO: &str = "install Rust: https://rustup.rs, or apt-get install cargo";

const NO_LIBRARY: &str = "no Rust standard library for wasm32-unknown-unknown; one of these mends it: \
                          `rustup target add wasm32-unknown-unknown`, or on Debian `apt-get install \
                          rustc-web rust-web-src lld`";

/// Where Debian puts the compiler, and the sources of the library.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

pub(super) async fn recipe(root: &Path) -> anyhow::Result<Recipe> {
    if find("cargo").is_none() {
        bail!("`cargo` is missing; {NO_CARGO}");
    }
    let made = artifact(root).await?;
    let mut command = Command::new("cargo");
    if !has_library().await {
        let linker = debian_linker().await.context(NO_LIBRARY)?;
        command
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
            .arg("-Zbuild-std=std,panic_abort");
    }
    command.args(["build", "--release", "--target", TARGET]);
    Ok(Recipe { steps: vec![Step { command, install: NO_CARGO }], made })
}

/// What cargo will make, as it says itself.
async fn artifact(root: &Path) -> anyhow::Result<PathBuf> {
    let manifest = root.join("Cargo.toml");
    let shown = manifest.display();
    let path = manifest.to_str().context("the path of the project is no text")?;
    let args = ["metadata", "--no-deps", "--format-version", "1", "--manifest-path", path];
    let said = ask("cargo", &args).await;
    let said = said.with_context(|| format!("{shown}: cargo cannot read it; run `cargo check`"))?;
    let metadata: Metadata = serde_json::from_str(&said).with_context(|| shown.to_string())?;
    let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    let package = package.with_context(|| format!("{shown}: it is the manifest of no package"))?;
    let is_module = |target: &&Target| target.crate_types.iter().any(|kind| kind == "cdylib");
    let target = package.targets.iter().find(is_module).with_context(|| {
        format!("{shown}: no library of type cdylib; add [lib] with crate-type = [\"cdylib\"]")
    })?;
    let file = format!("{}.wasm", target.name.replace('-', "_"));
    Ok(metadata.target_directory.join(TARGET).join("release").join(file))
}

/// Whether the compiler that cargo takes has the library.
async fn has_library() -> bool {
    let folder = ask("rustc", &["--print", "target-libdir", "--target", TARGET]).await;
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    entries.into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    })
}

/// The linker for Debian's compiler, if that and the sources of the library are there.
async fn debian_linker() -> Option<PathBuf> {
    if !Path::new(DEBIAN_RUSTC).is_file() || !Path::new(DEBIAN_LIBRARY).is_file() {
        return None;
    }
    let sysroot = ask("rustc", &["--print", "sysroot"]).await.map(PathBuf::from)?;
    let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).into_iter().flatten().flatten();
    let mut linkers = hosts.map(|host| host.path().join("bin/rust-lld"));
    linkers.find(|linker| linker.is_file()).or_else(|| find("rust-lld")).or_else(|| find("wasm-ld"))
}
