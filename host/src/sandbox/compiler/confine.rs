//! What a child takes from itself before it reads the first byte. Nothing gives it back.

use std::io;

use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getppid, getrlimit, nice,
    set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};

use super::Urgency;
use super::order::Order;

/// Less often than those who serve, by a factor of ten; often enough to come to an end.
const NICENESS: i32 = 10;

/// It has its three pipes, and reads how many processors there are.
const MAX_FILES: u64 = 32;

pub(super) fn confine(order: &Order) -> io::Result<()> {
    // If the gateway is gone, or goes, nobody waits for the answer. It may have gone just before.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let parent = i32::try_from(order.parent).ok().and_then(Pid::from_raw);
    if parent.is_none() || getppid() != parent {
        return Err(io::Error::other("whoever started this is gone"));
    }
    // A core would be a file as large as the limit. A handler of cores heeds only the second.
    limit(Resource::Core, 0, 0)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Nofile, MAX_FILES, MAX_FILES)?;
    // What can be written to. The address space in all would count what the executable and its
    // threads only reserve, which depends on the machine.
    let memory = order.memory_bytes;
    limit(Resource::Data, memory, memory)?;
    // First a signal that says why, then one that cannot be caught.
    let seconds = order.cpu_time.as_secs();
    limit(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    if order.urgency == Urgency::Behind {
        nice(NICENESS)?;
    }
    Ok(())
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let present = getrlimit(resource);
    let lower = |present: Option<u64>, new| Some(present.map_or(new, |present| present.min(new)));
    let new =
        Rlimit { current: lower(present.current, soft), maximum: lower(present.maximum, hard) };
    Ok(setrlimit(resource, new)?)
}
