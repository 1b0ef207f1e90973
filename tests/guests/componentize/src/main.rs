//! From a core module or its text to a component, and a look at what came out. It writes nothing
//! that does not validate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasm_encoder::{Module, RawSection};
use wasmparser::Payload;
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Turns a core module into a component, and prints what that imports and exports.
#[derive(Parser)]
struct Arguments {
    /// A core module or a component: `.wasm`, or its text as `.wat`.
    input: PathBuf,
    /// Where to write the component. Without it the input is only shown.
    output: Option<PathBuf>,
    /// Folder with the WIT of the world that the module is for, where it does not say itself.
    #[arg(long, requires = "world")]
    wit: Option<PathBuf>,
    /// The world of that WIT.
    #[arg(long, requires = "wit")]
    world: Option<String>,
    /// Write the core module with the world's description in it, not a component.
    #[arg(long)]
    core: bool,
    /// Fail if the output is larger than this many bytes.
    #[arg(long)]
    max_bytes: Option<usize>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("componentize: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let wasm = make(arguments).with_context(|| arguments.input.display().to_string())?;
    wasmparser::validate(&wasm).context("the output does not validate")?;
    if let Some(limit) = arguments.max_bytes.filter(|limit| wasm.len() > *limit) {
        bail!("{}: {} bytes, more than {limit}", arguments.input.display(), wasm.len());
    }
    if let Some(output) = &arguments.output {
        fs::write(output, &wasm).with_context(|| output.display().to_string())?;
    }
    show(arguments.output.as_deref().unwrap_or(&arguments.input), &wasm)
}

fn make(arguments: &Arguments) -> Result<Vec<u8>> {
    let mut wasm = wat::parse_file(&arguments.input)?;
    if !wasmparser::Parser::is_component(&wasm) {
        wasm = without_names(&wasm)?;
    }
    if let (Some(wit), Some(world)) = (&arguments.wit, &arguments.world) {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(wit)?;
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(&mut wasm, &resolve, world, StringEncoding::UTF8)?;
    }
    if arguments.core || wasmparser::Parser::is_component(&wasm) {
        return Ok(wasm);
    }
    ComponentEncoder::default()
        .module(&wasm)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
        .validate(true)
        .encode()
}

/// A core module without what only a debugger reads.
fn without_names(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut kept = Module::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::CustomSection(section) = &payload
            && (section.name() == "name" || section.name().starts_with(".debug"))
        {
            continue;
        }
        if let Some((id, range)) = payload.as_section() {
            let data = wasm.get(range).context("a section lies outside of the file")?;
            kept.section(&RawSection { id, data });
        }
    }
    Ok(kept.finish())
}

fn show(path: &Path, wasm: &[u8]) -> Result<()> {
    println!("{}: {} bytes", path.display(), wasm.len());
    if !wasmparser::Parser::is_component(wasm) {
        println!("  a core module");
        return Ok(());
    }
    let DecodedWasm::Component(resolve, world) = wit_component::decode(wasm)? else {
        bail!("{}: a WIT package, not a component", path.display());
    };
    let Some(world) = resolve.worlds.get(world) else { bail!("no world in what was decoded") };
    for key in world.imports.keys() {
        println!("  import {}", resolve.name_world_key(key));
    }
    for key in world.exports.keys() {
        println!("  export {}", resolve.name_world_key(key));
    }
    Ok(())
}
