//! Makes the manifest of a crate of this workspace one that stands by itself: what it takes from the
//! workspace is put in its place.

use anyhow::{Context, bail};
use toml::{Table, Value};

/// The manifest of a crate, with everything in it that it takes from its workspace. Lints stay behind.
pub(super) fn alone(manifest: &str, workspace: &str) -> anyhow::Result<String> {
    let mut manifest: Table = manifest.parse().context("the manifest of the SDK")?;
    let workspace: Table = workspace.parse().context("the manifest of the workspace")?;
    let workspace = workspace.get("workspace").and_then(Value::as_table).context("no workspace")?;
    manifest.remove("lints");
    resolve(&mut manifest, "package", workspace)?;
    resolve(&mut manifest, "dependencies", workspace)?;
    Ok(toml::to_string(&manifest)?)
}

fn resolve(manifest: &mut Table, part: &str, workspace: &Table) -> anyhow::Result<()> {
    let Some(entries) = manifest.get_mut(part).and_then(Value::as_table_mut) else { return Ok(()) };
    let common = workspace.get(part).and_then(Value::as_table);
    for (key, value) in entries.iter_mut() {
        let is_common = value.get("workspace").and_then(Value::as_bool) == Some(true);
        if !is_common {
            continue;
        }
        let Some(found) = common.and_then(|common| common.get(key)) else {
            bail!("the workspace has no {part}.{key}");
        };
        *value = merged(found, value.as_table())?;
    }
    Ok(())
}

/// What the workspace says, with the features that the crate adds.
fn merged(common: &Value, own: Option<&Table>) -> anyhow::Result<Value> {
    let own = own.into_iter().flatten().filter(|(key, _)| *key != "workspace");
    let own: Vec<_> = own.collect();
    if own.is_empty() {
        return Ok(common.clone());
    }
    let mut table = match common {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    for (key, value) in own {
        match (table.get_mut(key), value) {
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.iter().cloned()),
            (None, value) => drop(table.insert(key.clone(), value.clone())),
            (Some(_), _) => bail!("`{key}` of a dependency is in both manifests"),
        }
    }
    Ok(Value::Table(table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crate_takes_from_its_workspace_is_put_in_its_place() {
        let workspace = "[workspace.package]\nversion = \"1.2.3\"\n\
                         [workspace.dependencies]\na = \"1\"\nb = { version = \"2\", features = [\"x\"] }\n";
        let crate_ = "[package]\nname = \"c\"\nversion.workspace = true\n\
                      [dependencies]\na.workspace = true\nb = { workspace = true, features = [\"y\"] }\n\
                      d = \"4\"\n[lints]\nworkspace = true\n";
        let alone: Table = alone(crate_, workspace).unwrap().parse().unwrap();
        let expected: Table = "[package]\nname = \"c\"\nversion = \"1.2.3\"\n\
                               [dependencies]\na = \"1\"\n\
                               b = { version = \"2\", features = [\"x\", \"y\"] }\nd = \"4\"\n"
            .parse()
            .unwrap();
        assert_eq!(alone, expected);
        assert!(super::alone("[dependencies]\nz.workspace = true\n", workspace).is_err());
    }
}
