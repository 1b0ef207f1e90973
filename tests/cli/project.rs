//! `sporegate new`, `build` and `dev`: with a language whose tool is made up, so that all of it can be
//! seen anywhere, and with the real ones where they are installed.

mod dev;
mod go;
mod real;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sporegate::config::{Conversation, Language, ProjectConfig};

use super::program::{Ended, Program, run};
use crate::support::guest;

/// A project, and the tools that its builds find.
pub struct Project {
    folder: tempfile::TempDir,
    name: String,
}

/// Stands for Node: copies the guest that the source names to where the component goes, or complains.
/// It lets something run in the background first, as tools do.
const NODE: &str = r##"#!/bin/sh
# node SDK/bin/sporegate-js.mjs build SOURCE -o OUT
source=$3 out=$5
guest=$(sed -n 's/^guest //p' "$source")
if grep -q ^slow "$source"; then
  sleep 1000 & echo $! > "$TOOLS/pids"
  echo $$ >> "$TOOLS/pids"
  wait
fi
if [ ! -f "$TOOLS/$guest.wasm" ]; then
  echo "listener.js:1: I know no $guest" >&2
  exit 1
fi
cp "$TOOLS/$guest.wasm" "$out"
"##;

impl Project {
    /// A project in JavaScript whose source says which guest it is.
    pub async fn made_up(name: &str, source: &str) -> Self {
        let project = Self::new(name, Language::JavaScript).await;
        let tools = project.tools();
        std::fs::create_dir(&tools).unwrap();
        std::fs::write(tools.join("node"), NODE).unwrap();
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(tools.join("node"), runs).unwrap();
        for guest_name in ["echo", "chat", "greedy"] {
            std::fs::write(tools.join(format!("{guest_name}.wasm")), guest(guest_name)).unwrap();
        }
        // So that nothing is fetched.
        std::fs::create_dir_all(project.root().join("sdk/guest-sdk/js/node_modules/esbuild"))
            .unwrap();
        project.write(source);
        project
    }

    pub async fn new(name: &str, language: Language) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let new = Program::new(["new", name, "--lang", language.name()]);
        new.within(folder.path()).run("").await.ok();
        Self { folder, name: name.to_owned() }
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    fn tools(&self) -> PathBuf {
        self.folder.path().join("tools")
    }

    pub fn write(&self, source: &str) {
        std::fs::write(self.root().join("src/listener.js"), source).unwrap();
    }

    /// The command in the folder of the project, with its tools before all others.
    pub fn sporegate(&self, args: &[&str]) -> Program {
        let path = std::env::var("PATH").unwrap();
        let tools = self.tools().display().to_string();
        Program::new(args)
            .within(&self.root())
            .variable("PATH", &format!("{tools}:{path}"))
            .variable("TOOLS", &tools)
    }

    async fn build(&self) -> Ended {
        self.sporegate(&["build"]).run("").await
    }

    fn component(&self) -> Vec<u8> {
        std::fs::read(self.root().join(format!("build/{}.wasm", self.name))).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_project_of_each_language_is_whole() {
    for language in Language::ALL {
        let project = Project::new("tea-room", language).await;
        let root = project.root();
        let config = ProjectConfig::load(&root).unwrap();
        assert_eq!((config.name.as_str(), config.language), ("tea-room", language));
        assert!(config.sdk.is_dir(), "{language:?}");
        assert!(root.join("sdk/wit/sporegate.wit").is_file());
        let conversation = root.join("conversations/say.toml");
        assert!(Conversation::load(&conversation).unwrap().steps.len() > 4);
        let mut own = 0;
        for file in files(&root) {
            let shown = file.display().to_string();
            assert!(!shown.contains("{{") && !shown.contains("node_modules"), "{shown}");
            if !shown.contains("/sdk/") {
                own += 1;
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(!text.contains("{{"), "{shown}");
            }
        }
        assert!(own >= 5, "{language:?}: {own} files");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crate_is_named_so_that_cargo_takes_it() {
    for (name, of_crate) in [("tea-room", "tea-room"), ("1st_room", "module-1st_room")] {
        let project = Project::new(name, Language::Rust).await;
        let manifest = std::fs::read_to_string(project.root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{of_crate}\"\n")), "{manifest}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_anybody_is_overwritten_and_names_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let new = async |args: &[&str]| {
        let args = std::iter::once("new").chain(args.iter().copied());
        Program::new(args.collect::<Vec<_>>()).within(folder.path()).run("").await
    };
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/notes"), "dear").unwrap();
    std::fs::write(folder.path().join("file"), "dear").unwrap();
    new(&["mine", "--lang", "c"]).await.failed(1, &["mine: the folder is not empty", "--dir"]);
    new(&["file", "--lang", "c"]).await.failed(1, &["file: ", "choose another name"]);
    assert_eq!(std::fs::read_dir(folder.path().join("mine")).unwrap().count(), 1);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    new(&["other", "--lang", "c", "--dir", "empty"]).await.ok();
    assert!(folder.path().join("empty/sporegate.project.toml").is_file());
    for name in ["Tea", "../up", "tea room", "", "-x"] {
        let args = ["--lang=c", "--", name];
        new(&args).await.failed(2, &["cannot be the name of a module: 1 to 64 of a-z"]);
    }
    let unknown = new(&["tea", "--lang", "rus"]).await;
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `rust`?"), "{}", unknown.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_says_what_was_made_and_a_failed_one_leaves_it_as_it_was() {
    let project = Project::made_up("tea", "guest echo\n").await;
    std::fs::write(project.root().join("tea.toml"), "[limits]\nmemory = \"1MiB\"\n").unwrap();
    let built = project.build().await;
    let told = format!("built tea, a listener in JavaScript: {} bytes\n", guest("echo").len());
    assert!(built.ok().starts_with(&told), "{}", built.out);
    assert!(built.out.ends_with("  build/tea.wasm\n  build/tea.toml\n"), "{}", built.out);
    assert_eq!(project.component(), guest("echo"));
    // What the tools say is seen.
    project.write("guest nobody\n");
    let failed = project.build().await;
    failed.failed(1, &["`node` failed with exit code 1; see above"]);
    assert!(failed.err.contains("listener.js:1: I know no nobody"), "{}", failed.err);
    // What is no listener does not take the place of one.
    project.write("guest greedy\n");
    project.build().await.failed(1, &["not a listener of this gateway", "wasi:nn/"]);
    project.write("guest chat\n");
    std::fs::write(project.root().join("tea.toml"), "[limts]\n").unwrap();
    project.build().await.failed(1, &["tea.toml:1:2: unknown key `limts`; did you mean `limits`?"]);
    assert_eq!(project.component(), guest("echo"));
    std::fs::remove_file(project.root().join("tea.toml")).unwrap();
    project.build().await.ok();
    assert_eq!(project.component(), guest("chat"));
    assert!(!project.root().join("build/tea.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_with_what_to_do_about_it() {
    let project = Project::made_up("tea", "guest echo\n").await;
    let without_tools =
        Program::new(["build"]).within(&project.root()).variable("PATH", "/nowhere");
    without_tools.run("").await.failed(1, &["`node` is missing; install Node 20 or later"]);
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("tsconfig.json"), "").unwrap();
    let args = ["build".as_ref(), elsewhere.path().as_os_str()];
    run(args).await.failed(1, &["no sporegate.project.toml", "sporegate new NAME --lang ts"]);
    std::fs::remove_dir_all(project.root().join("sdk")).unwrap();
    project
        .build()
        .await
        .failed(1, &["sdk/guest-sdk/js: there is no SDK for JavaScript; put the one"]);
    // One of another language is none.
    std::fs::create_dir_all(project.root().join("sdk/guest-sdk/js/src")).unwrap();
    project.build().await.failed(1, &["there is no SDK for JavaScript"]);
    std::fs::write(project.root().join("sporegate.project.toml"), "name = \"tea\"\n").unwrap();
    project.build().await.failed(1, &["sporegate.project.toml", "`language`"]);
}
