//! How many lines a source has that are neither blank nor comments.
//!
//! Invariant: only files whose language is known count; of none there is no number.

use std::fs;
use std::path::Path;

/// How comments look that have lines of their own.
#[derive(Clone, Copy, Debug)]
struct Comments {
    line: &'static str,
    begin: &'static str,
    end: &'static str,
}

const LIKE_C: Comments = Comments { line: "//", begin: "/*", end: "*/" };
/// A text that is no value documents what follows.
const LIKE_PYTHON: Comments = Comments { line: "#", begin: "\"\"\"", end: "\"\"\"" };

/// All sources in a folder, but for those below it.
pub(super) fn of_folder(folder: &Path) -> Option<usize> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let counts: Vec<usize> = entries.filter_map(|entry| of_file(&entry.path())).collect();
    if counts.is_empty() { None } else { Some(counts.iter().sum()) }
}

fn of_file(file: &Path) -> Option<usize> {
    let comments = match file.extension()?.to_str()? {
        "c" | "h" | "cc" | "cpp" | "cs" | "go" | "js" | "mjs" | "rs" | "ts" | "zig" => LIKE_C,
        "py" => LIKE_PYTHON,
        _ => return None,
    };
    Some(count(&fs::read_to_string(file).ok()?, comments))
}

fn count(text: &str, comments: Comments) -> usize {
    let mut lines = 0;
    let mut within = false;
    for line in text.lines().map(str::trim) {
        if within {
            within = !line.contains(comments.end);
        } else if let Some(rest) = line.strip_prefix(comments.begin) {
            within = !rest.contains(comments.end);
        } else if !line.is_empty() && !line.starts_with(comments.line) {
            lines += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_comments_are_no_code() {
        let c =
            "/* Answers. */\n#include <a.h>\n\n/* Over\n   lines. */\nint a; /* beside */\n// b\n";
        assert_eq!(count(c, LIKE_C), 2);
        let rust = "//! Answers.\n\nuse a::B;\n/// Of it.\nstruct A;\n";
        assert_eq!(count(rust, LIKE_C), 2);
        let python = "\"\"\"Answers.\"\"\"\n\nimport a\n# b\n\"\"\"Over\nlines.\n\"\"\"\na.b()\n";
        assert_eq!(count(python, LIKE_PYTHON), 2);
    }

    #[test]
    fn a_folder_without_sources_has_no_number() {
        let folder = empty_folder();
        assert_eq!(of_folder(&folder), None);
        fs::write(folder.join("go.mod"), "module echo\n").unwrap();
        assert_eq!(of_folder(&folder), None);
        fs::write(folder.join("echo.go"), "package main\n\n// a\nfunc main() {}\n").unwrap();
        assert_eq!(of_folder(&folder), Some(2));
        fs::remove_dir_all(folder).unwrap();
    }

    fn empty_folder() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("sporegate-lines-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}
