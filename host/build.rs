//! Puts what `sporegate new` writes into the command: the templates, the SDKs of all languages, and
//! the interface. What is there is found, not listed, so that nothing is forgotten.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Folders that are embedded, from the root of the repository.
const FOLDERS: [&str; 3] = ["guest-sdk", "wit", "host/src/cli/new/templates"];

/// What a project has no use for: tests of the SDKs, and what was built or installed in place.
const LEFT_OUT: [&str; 9] = [
    "target",
    "node_modules",
    "dist",
    "test",
    "tests",
    "build-examples",
    "__pycache__",
    ".pytest_cache",
    ".venv",
];

fn main() -> std::io::Result<()> {
    let host = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = host.parent().map(Path::to_owned).unwrap_or_default();
    let mut files = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut code = String::from("static EMBEDDED: &[File] = &[\n");
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file).display().to_string();
        let runs = file.metadata()?.permissions().mode() & 0o100 != 0;
        let file = file.display().to_string();
        // Writing to a string cannot fail.
        let _ = writeln!(
            code,
            "    File {{ path: {name:?}, bytes: include_bytes!({file:?}), runs: {runs} }},"
        );
    }
    code.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("embedded.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Templates are named as what they become.
        let is_template = path.components().any(|part| part.as_os_str() == "templates");
        let is_left_out = LEFT_OUT.contains(&name.as_str()) || name.ends_with("_test.go");
        if is_left_out && !is_template {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}
