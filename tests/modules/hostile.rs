//! Files that are made to exhaust the compiler: each is refused for the limit that it meets, the
//! others serve, and the gateway's own memory does not notice.

use std::fs::File;

use super::{reason, serving};
use crate::support::{Serving, Setup, TestGateway, hostile};

/// Starts with `echo` beside this file, under these limits.
async fn beside_echo(file: &[u8], limits: &str) -> TestGateway {
    let setup = TestGateway::with().sandbox(limits).file("m.wasm", file).module("echo", "echo");
    let gateway = setup.start().await;
    gateway.client("/echo").await.echo("the other serves").await;
    gateway
}

/// Expects a refusal with these parts.
async fn refuse(file: &[u8], limits: &str, parts: &[&str]) {
    let gateway = beside_echo(file, limits).await;
    assert_eq!(serving(&gateway), ["echo"]);
    let said = reason(&gateway, "m.wasm");
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_functions_have_their_time() {
    let file = hostile::many_functions(50_000);
    let parts = &["more than 1s of processor time", "sandbox.compile_time"];
    refuse(&file, "compile_time = \"1s\"", parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_of_seven_megabytes_has_its_time() {
    let file = hostile::large_function(7_000_000);
    let parts = &["more than 1s of processor time", "sandbox.compile_time"];
    refuse(&file, "compile_time = \"1s\"", parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_of_seven_megabytes_has_its_memory() {
    let file = hostile::large_function(7_000_000);
    let parts = &["more than 256MiB of memory", "sandbox.compile_memory"];
    refuse(&file, "compile_memory = \"256MiB\"", parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_components_within_each_other_are_refused() {
    let parts = &["more than 32 components within each other"];
    refuse(&hostile::nested_components(1_000), "", parts).await;
    refuse(&hostile::nested_types(100_000), "", &["types within each other"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_within_blocks_end_within_the_limits() {
    for levels in [1_000, 300_000] {
        let gateway = beside_echo(&hostile::deep_blocks(levels), "compile_time = \"2s\"").await;
        assert_eq!(serving(&gateway), ["echo"]);
        let said = reason(&gateway, "m.wasm");
        // The first is compiled; it is no listener.
        assert_eq!(levels == 1_000, said.contains("does not export"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_images_larger_than_any_listener_are_refused() {
    // What they claim is in no relation to the file.
    let file = hostile::memory_images(20);
    assert!(file.len() < 10_000);
    let parts = &["compiled, it has more than 256MiB", "sandbox.max_module_size"];
    refuse(&file, "", parts).await;
    let parts = &["more than 256MiB of memory", "sandbox.compile_memory"];
    refuse(&file, "compile_memory = \"256MiB\"", parts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_gigabyte_is_not_read() {
    let setup = TestGateway::with().module("echo", "echo");
    let file = File::create(setup.modules().join("m.wasm")).unwrap();
    file.set_len(1 << 30).unwrap();
    let serving = serve(setup).await;
    assert!(serving.stderr().contains("larger than 33554432 bytes"), "{}", serving.stderr());
    assert!(serving.peak_kib() < MOST_KIB, "{} KiB", serving.peak_kib());
}

/// More than a gateway with `echo` takes, and less than any of these files would.
const MOST_KIB: u64 = 250 << 10;

async fn serve(setup: Setup) -> Serving {
    Serving::start(setup, &["--log-format", "json"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_the_gateway_does_not_depend_on_what_compiling_takes() {
    let setup = TestGateway::with()
        .sandbox("compile_memory = \"512MiB\"\ncompile_time = \"5s\"")
        .file("function.wasm", &hostile::large_function(7_000_000))
        .file("functions.wasm", &hostile::many_functions(50_000))
        .file("blocks.wasm", &hostile::deep_blocks(300_000))
        .module("echo", "echo");
    let serving = serve(setup).await;
    for name in ["function", "functions", "blocks"] {
        assert!(serving.stderr().contains(&format!("{name}.wasm")), "{}", serving.stderr());
    }
    assert!(serving.peak_kib() < MOST_KIB, "{} KiB", serving.peak_kib());
}
