//! A file that is another one by the time that it is compiled.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use crate::support::{TestGateway, guest};

/// Puts one file and the other in its place, over and over.
fn replace(place: &Path, files: [&[u8]; 2], until: &AtomicBool) {
    let new = place.with_extension("new");
    for file in files.iter().cycle() {
        std::fs::write(&new, file).unwrap();
        std::fs::rename(&new, place).unwrap();
        if until.load(Ordering::Relaxed) {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_what_was_read() {
    let (echo, clock) = (guest("echo"), guest("preview1"));
    let digest = |file: &[u8]| -> String {
        Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let digests = [digest(&echo), digest(&clock)];
    for _ in 0..20 {
        let setup = TestGateway::with().module("m", "echo");
        let place = setup.modules().join("m.wasm");
        let (done, files) = (AtomicBool::new(false), [&echo[..], &clock[..]]);
        let gateway = std::thread::scope(|scope| {
            scope.spawn(|| replace(&place, files, &done));
            let gateway = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(setup.start())
            });
            done.store(true, Ordering::Relaxed);
            gateway
        });
        let module = &gateway.gateway().modules().modules()[0];
        let digest = module.digest().to_string();
        let mut client = gateway.client("/m").await;
        client.send("which one is it?").await;
        let answer = client.message().await.into_data();
        let which = usize::from(answer.starts_with(b"preview 1 at "));
        assert_eq!(digest, digests[which]);
    }
}
