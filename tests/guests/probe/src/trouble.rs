//! What a module must not do, on demand.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use sporegate_guest::clients;

const MIB: u64 = 1 << 20;

pub(crate) fn trap() -> ! {
    std::process::abort()
}

pub(crate) fn spin() -> ! {
    let mut round = 0_u64;
    loop {
        round = black_box(round.wrapping_add(1));
    }
}

pub(crate) fn busy(rounds: u64) -> u64 {
    (0..rounds).fold(0, |sum: u64, round| black_box(sum.wrapping_add(round)))
}

/// Memory that is really used, or `None` where there is no more.
pub(crate) fn grow(mib: u64) -> Option<Vec<u8>> {
    let bytes = usize::try_from(mib.checked_mul(MIB)?).ok()?;
    let mut memory = Vec::new();
    memory.try_reserve_exact(bytes).ok()?;
    memory.resize(bytes, 1);
    Some(memory)
}

static DEPTH: AtomicU64 = AtomicU64::new(0);

/// Each step depends on the one below it, so that no compiler makes a loop of it.
#[inline(never)]
pub(crate) fn recurse() -> u64 {
    match DEPTH.fetch_add(1, Ordering::Relaxed) {
        u64::MAX => 0,
        depth => depth ^ recurse().rotate_left(3),
    }
}

pub(crate) fn host_calls(count: u64) -> u64 {
    (0..count).fold(0, |_, _| clients::get_client_count())
}
