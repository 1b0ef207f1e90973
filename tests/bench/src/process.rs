//! Figures of processes and of the machine, from `/proc`.
//!
//! Invariant: CPU time is user plus system time of the whole process, threads that have ended
//! included. Its resolution is a clock tick (mostly 10 ms).

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// CPU time since the start of a process or of the machine, in clock ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cpu {
    ticks: u64,
}

impl Cpu {
    /// What was spent since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let ticks = self.ticks.saturating_sub(earlier.ticks);
        let micros = 1_000_000 / rustix::param::clock_ticks_per_second().max(1);
        Duration::from_micros(ticks.saturating_mul(micros))
    }
}

/// CPU time of the process `pid` (proc_pid_stat(5), fields 14 and 15).
pub(crate) fn cpu(pid: u32) -> Result<Cpu> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = ticks_of_process(&stat).with_context(|| format!("/proc/{pid}/stat: {stat:?}"))?;
    Ok(Cpu { ticks })
}

/// CPU time that the whole machine was busy (proc_stat(5)); in a container of its host.
pub(crate) fn machine() -> Result<Cpu> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks = ticks_of_machine(&stat).context("/proc/stat has no line `cpu`")?;
    Ok(Cpu { ticks })
}

/// Resident memory of the process `pid`, bytes (`Rss` of smaps_rollup, which is exact; `VmRSS` of
/// status lags behind).
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    in_rollup(&rollup, "Rss:")
        .with_context(|| format!("/proc/{pid}/smaps_rollup has no line `Rss`"))
}

/// Memory that the process `pid` has written, bytes: resident, of no file, and a page that is mapped
/// several times counts once (`Pss_Anon` and `Pss_Shmem` of smaps_rollup). How much of its program
/// happens to be resident does not matter.
pub(crate) fn written(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let lines = ["Pss_Anon:", "Pss_Shmem:"].map(|name| in_rollup(&rollup, name));
    let sum: Option<u64> = lines.into_iter().sum();
    sum.with_context(|| format!("/proc/{pid}/smaps_rollup has no `Pss_Anon` or `Pss_Shmem`"))
}

/// Raises the soft limit of open files to the hard one and returns it; children inherit it.
pub(crate) fn raise_open_files() -> Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// The command name may contain spaces and brackets, so counting starts after its last bracket.
fn ticks_of_process(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn ticks_of_machine(stat: &str) -> Option<u64> {
    let mut fields = stat.lines().find(|line| line.starts_with("cpu "))?.split_whitespace().skip(1);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (user, nice, system) = (next()?, next()?, next()?);
    let (_idle, _iowait, irq, softirq) = (next()?, next()?, next()?, next()?);
    Some(user + nice + system + irq + softirq)
}

/// A line in KiB, in bytes.
fn in_rollup(rollup: &str, name: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_brackets_does_not_shift_the_fields() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194304 9 9 9 9 700 35 9 9 20 0 8 0 9 9 9";
        assert_eq!(ticks_of_process(stat), Some(735));
    }

    #[test]
    fn busy_time_leaves_out_idle_and_waiting() {
        assert_eq!(ticks_of_machine("cpu  1 2 3 1000 2000 4 5 0 0 0\ncpu0 9 9"), Some(15));
    }

    #[test]
    fn resident_memory_is_in_bytes() {
        let rollup = "5500-7fff ---p\nRss:      2048 kB\nPss_Anon: 1 kB";
        assert_eq!(in_rollup(rollup, "Rss:"), Some(2_097_152));
        assert_eq!(in_rollup(rollup, "Pss_Anon:"), Some(1024));
    }

    #[test]
    fn this_process_is_seen_to_spend_time() {
        let pid = std::process::id();
        let before = cpu(pid).unwrap();
        let begin = std::time::Instant::now();
        let mut sum = 0_u64;
        while cpu(pid).unwrap().since(before) < Duration::from_millis(20) {
            assert!(begin.elapsed() < Duration::from_secs(60), "it does not seem to work");
            for _ in 0..100_000 {
                sum = std::hint::black_box(sum.wrapping_add(1));
            }
        }
        assert!(resident(pid).unwrap() > 100_000);
    }
}
