//! What is done in a process of its own, so that it can be measured, killed, or panic.
//! Answers are words on standard output.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Signal, getpid, kill_process};
use rustix::time::{ClockId, clock_gettime};

use crate::model::{Model, bytes};
use crate::store::{self, Durability, Op, Store};

const WINDOW: u64 = 500;
const SESSIONS: u64 = 100;
/// How `damaged` ends.
pub(crate) const EQUAL: i32 = 0;
pub(crate) const REFUSED: i32 = 10;
pub(crate) const READ_FAILS: i32 = 11;
pub(crate) const CHANGED: i32 = 12;
pub(crate) const ABSENT: i32 = 13;
/// Added when the store's own check sees it.
pub(crate) const SEEN: i32 = 20;

pub(crate) fn run(words: &[String]) -> Result<()> {
    let [task, name, durability, folder, numbers @ ..] = words else { bail!("too few words") };
    let folder = PathBuf::from(folder);
    let durability = Durability::named(durability)?;
    let number = |index: usize| -> Result<u64> {
        Ok(numbers.get(index).context("a number is missing")?.parse()?)
    };
    let begin = Instant::now();
    let opened = store::open(name, &folder, durability);
    let opening = begin.elapsed();
    if task == "damaged" {
        std::process::exit(damaged(opened));
    }
    let mut store = opened?;
    match task.as_str() {
        "speed" => speed(&mut *store, number(0)?, number(1)?, number(2)?),
        "space" => space(&mut *store, &folder),
        "fill" => fill(&mut *store),
        "read" => read(&*store, opening),
        "write" => write(&mut *store),
        "verify" => verify(&*store),
        "full" => full(store, || store::open(name, &folder, durability)),
        "make" => make(&mut *store, number(0)? == 1),
        _ => bail!("no task {task}"),
    }
}

/// CPU and wall time in us of one message put, and of one deleted, in commits of `batch`.
fn speed(store: &mut dyn Store, batch: u64, length: u64, count: u64) -> Result<()> {
    let payloads: Vec<_> = (0..batch).map(|seed| bytes(seed, length as usize)).collect();
    put(store, 0..5_000, 500, &payloads)?;
    let numbers = 5_000..5_000 + count;
    let span = Span::begin();
    put(store, numbers.clone(), batch, &payloads)?;
    print!("{}", span.per(count));
    let span = Span::begin();
    for first in numbers.step_by(batch as usize) {
        store.commit(&(first..first + batch).map(|n| Op::Delete(key(n))).collect::<Vec<_>>())?;
    }
    println!(" {} {}", span.per(count), resident()?);
    Ok(())
}

fn put(
    store: &mut dyn Store,
    numbers: std::ops::Range<u64>,
    batch: u64,
    payloads: &[Vec<u8>],
) -> Result<()> {
    for first in numbers.step_by(batch as usize) {
        let ops = (first..first + batch).zip(payloads.iter().cycle());
        store.commit(&ops.map(|(n, bytes)| Op::Put(key(n), bytes)).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// MiB on the disk: written, deleted, shrunk, written again; and the memory.
fn space(store: &mut dyn Store, folder: &Path) -> Result<()> {
    let payloads: Vec<_> = (0..1_000).map(|seed| bytes(seed, 512)).collect();
    put(store, 0..200_000, 1_000, &payloads)?;
    print!("{:.1}", disk_mib(folder)?);
    for session in 0..SESSIONS {
        store.sweep(session)?;
    }
    print!(" {:.1}", disk_mib(folder)?);
    let span = Instant::now();
    store.shrink()?;
    print!(" {:.1}", disk_mib(folder)?);
    let shrinking = span.elapsed().as_millis();
    put(store, 200_000..400_000, 1_000, &payloads)?;
    println!(" {:.1} {shrinking} {}", disk_mib(folder)?, resident()?);
    Ok(())
}

fn fill(store: &mut dyn Store) -> Result<()> {
    let payloads: Vec<_> = (0..256).map(|seed| bytes(seed, 106)).collect();
    put(store, 0..100_096, 256, &payloads)?;
    Ok(kill_process(getpid(), Signal::KILL)?)
}

fn read(store: &dyn Store, opening: Duration) -> Result<()> {
    let begin = Instant::now();
    let mut count = 0;
    store.each(&mut |_, _| count += 1)?;
    let reading = begin.elapsed().as_millis();
    println!("{} {reading} {count} {}", opening.as_millis(), resident()?);
    Ok(())
}

/// Commits until it is killed, and says each number once the commit has returned.
fn write(store: &mut dyn Store) -> Result<()> {
    let mut model = Model::recorded(store, WINDOW)?;
    let mut output = std::io::stdout().lock();
    loop {
        model.advance(store)?;
        writeln!(output, "{}", model.commit)?;
        output.flush()?;
    }
}

fn verify(store: &dyn Store) -> Result<()> {
    let model = Model::recorded(store, WINDOW)?;
    model.ensure(store)?;
    println!("{}", model.commit);
    Ok(())
}

/// Writes until the disk is full, waits for room, and goes on.
fn full(mut store: Box<dyn Store>, open: impl Fn() -> Result<Box<dyn Store>>) -> Result<()> {
    let mut model = Model::new(u64::MAX);
    let error = loop {
        if let Err(error) = model.advance(&mut *store) {
            break error;
        }
    };
    let say = |what: &str, result: Result<()>| match result {
        Ok(()) => println!("- {what}: works"),
        Err(error) => println!("- {what}: {error:#}"),
    };
    println!("- first error after {} commits: {error:#}", model.commit);
    say("reading while full", model.ensure(&*store));
    say("deleting while full", model.delete_oldest(&mut *store, 50));
    println!("room");
    std::io::stdin().lock().read_line(&mut String::new())?;
    let resumed = model.advance(&mut *store);
    let stuck = resumed.is_err();
    say("the next commit with room, without opening again", resumed);
    if stuck {
        drop(store);
        store = open()?;
        say("all there after opening again", model.ensure(&*store));
        say("the next commit after opening again", model.advance(&mut *store));
    }
    drop(store);
    store = open()?;
    say("all there at the end", model.ensure(&*store));
    say("the store's own check", store.check());
    Ok(())
}

fn make(store: &mut dyn Store, kill: bool) -> Result<()> {
    let mut model = Model::new(u64::MAX);
    while model.high < 2_000 {
        model.advance(store)?;
    }
    if kill {
        kill_process(getpid(), Signal::KILL)?;
    }
    Ok(())
}

fn damaged(opened: Result<Box<dyn Store>>) -> i32 {
    let Ok(mut store) = opened else {
        return REFUSED;
    };
    let mut model = Model::new(u64::MAX);
    while model.high < 2_000 {
        model = model.next();
    }
    let code = match model.compare(&*store) {
        Err(_) => return READ_FAILS,
        Ok(difference) if difference.absent > 0 => ABSENT,
        Ok(difference) if difference.changed > 0 => CHANGED,
        Ok(_) => EQUAL,
    };
    if store.check().is_err() { code + SEEN } else { code }
}

fn key(number: u64) -> u64 {
    ((number % SESSIONS) << 32) | (number / SESSIONS)
}

struct Span {
    wall: Instant,
    cpu: Duration,
}

impl Span {
    fn begin() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    fn per(&self, count: u64) -> String {
        let per = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
        format!("{:.3} {:.3}", per(cpu().saturating_sub(self.cpu)), per(self.wall.elapsed()))
    }
}

/// Of all threads.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The most memory so far, in MiB.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}

/// What the files take, holes excepted.
fn disk_mib(folder: &Path) -> Result<f64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = 0.0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() {
            disk_mib(&entry.path())?
        } else {
            metadata.blocks() as f64 / 2048.0
        };
    }
    Ok(sum)
}
