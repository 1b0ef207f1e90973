//! How long does it take until a component serves, compiled and from the cache?
//!
//! Invariant: each time that counts as compiled is the first of a gateway that has compiled nothing.

use anyhow::Result;
use serde_json::json;

use super::MODULE;
use crate::bench::{Bench, say};
use crate::home::Home;
use crate::language::{Component, Language};

/// Its first name, under which it is compiled.
const COLD: &str = "cold";

/// A language whose component serves, and a gateway that has it compiled.
#[derive(Debug)]
pub(super) struct Loaded<'a> {
    /// Which.
    pub(super) language: &'a Language,
    /// Its component.
    pub(super) component: &'a Component,
    /// A gateway with this module alone, which does not run.
    pub(super) home: Home,
    /// Compiled, each time, in ms.
    pub(super) cold_ms: Vec<f64>,
    /// From the cache, each time, in ms.
    pub(super) cached_ms: Vec<f64>,
}

/// Name of a language that is refused, and why.
pub(super) type Refused = (String, String);

/// Loads each component in each round; one that is refused, once.
pub(super) fn all<'a>(
    bench: &Bench,
    languages: &'a [Language],
) -> Result<(Vec<Loaded<'a>>, Vec<Refused>)> {
    let (mut loaded, mut refused) = (Vec::new(), Vec::new());
    for language in languages {
        let Ok(component) = &language.component else { continue };
        match repeatedly(bench, language, component)? {
            Ok(it) => loaded.push(it),
            Err(why) => {
                say(&format!("REFUSED {}: {why}", language.name));
                refused.push((language.name.clone(), why));
            }
        }
    }
    Ok((loaded, refused))
}

fn repeatedly<'a>(
    bench: &Bench,
    language: &'a Language,
    component: &'a Component,
) -> Result<Result<Loaded<'a>, String>> {
    let (mut cold_ms, mut cached_ms) = (Vec::new(), Vec::new());
    loop {
        let home = Home::new(bench, &language.name, "")?;
        let server = home.start()?;
        for (name, all) in [(COLD, &mut cold_ms), (MODULE, &mut cached_ms)] {
            match home.load(name, component)? {
                Ok(took) => all.push(took),
                Err(why) => return Ok(Err(why)),
            }
        }
        drop(server);
        home.remove(COLD)?;
        say(&format!("{}, loaded: {}", language.name, json!([cold_ms.last(), cached_ms.last()])));
        if cold_ms.len() == bench.rounds {
            return Ok(Ok(Loaded { language, component, home, cold_ms, cached_ms }));
        }
    }
}
