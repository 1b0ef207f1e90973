//! Measures embedded stores side by side. See README.md beside this crate.

mod child;
mod model;
mod store;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::model::mixed;
use crate::store::{Durability, STORES};

const ROUNDS: usize = 3;
const KILLS: u64 = 60;
const FLIPS: u64 = 200;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["child", ..] => child::run(words.get(1..).unwrap_or_default()),
        [] => ["kill", "full", "flip", "open", "space", "speed"].into_iter().try_for_each(part),
        parts => parts.iter().copied().try_for_each(part),
    }
}

fn part(name: &str) -> Result<()> {
    println!("\n## {name}\n");
    match name {
        "speed" => speed(),
        "kill" => kills(),
        "open" => opening(),
        "space" => space(),
        "full" => full(),
        "flip" => flips(),
        _ => bail!("no part {name}"),
    }
}

fn folder(name: &str) -> Result<PathBuf> {
    let folder = std::env::var_os("STORES_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("stores-{}", std::process::id())).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn child(task: &str, store: &str, durability: &str, folder: &Path, numbers: &[u64]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.args(["child", task, store, durability]).arg(folder);
    command.args(numbers.iter().map(u64::to_string));
    command
}

/// The words that a child says, if it ends well.
fn answer(mut command: Command) -> Result<Vec<String>> {
    let output = command.output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {errors}", output.status);
    Ok(String::from_utf8(output.stdout)?.split_whitespace().map(str::to_owned).collect())
}

fn speed() -> Result<()> {
    println!("us a message, CPU / wall; and the most memory, MiB\n");
    println!("| store | durability | bytes | in a commit | put | delete | memory |");
    println!("|---|---|---|---|---|---|---|");
    for (length, batch) in [106, 4096].into_iter().flat_map(|l| [1, 16, 256, 4096].map(|b| (l, b)))
    {
        let mut rounds = BTreeMap::<_, Vec<Vec<f64>>>::new();
        for _ in 0..ROUNDS {
            for (mode, (durability, kind)) in Durability::ALL.into_iter().enumerate() {
                let most = if kind == Durability::Power { 16_384 } else { 32_768 };
                let count = (batch * 100).clamp(400, if length > 1000 { 8_192 } else { most });
                for store in STORES {
                    let folder = folder(store)?;
                    let words = answer(child(
                        "speed",
                        store,
                        durability,
                        &folder,
                        &[batch, length, count],
                    ))?;
                    let figures = words.iter().map(|word| Ok(word.parse()?)).collect::<Result<_>>();
                    rounds.entry((mode, durability, store)).or_default().push(figures?);
                }
            }
        }
        for ((_, durability, store), rounds) in rounds {
            let [c1, w1, c2, w2, memory] = [0, 1, 2, 3, 4].map(|column| {
                let mut figures: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
                figures.sort_by(f64::total_cmp);
                figures[figures.len() / 2]
            });
            println!(
                "| {store} | {durability} | {length} | {batch} | {c1:.1} / {w1:.1} | {c2:.1} / {w2:.1} | {memory} |"
            );
        }
    }
    Ok(())
}

/// Ends a writing child at any moment, again and again in the same folder.
fn kills() -> Result<()> {
    println!(
        "| store | durability | kills | commits | kills with lost commits | most lost | torn or not opened |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (durability, _) in Durability::ALL {
        for store in STORES {
            let folder = folder(store)?;
            let (mut reached, mut losses, mut most_lost, mut broken) = (0, 0, 0, Vec::new());
            for kill in 0..KILLS {
                let said = write_until_killed(store, durability, &folder, kill)?.unwrap_or(reached);
                match answer(child("verify", store, durability, &folder, &[])) {
                    Ok(words) => {
                        let held: u64 = words.first().context("no word")?.parse()?;
                        losses += u64::from(held < said);
                        most_lost = most_lost.max(said.saturating_sub(held));
                        reached = held;
                    }
                    Err(error) => {
                        broken.push(format!("{error:#}"));
                        break;
                    }
                }
            }
            println!(
                "| {store} | {durability} | {KILLS} | {reached} | {losses} | {most_lost} | {broken:?} |"
            );
        }
    }
    Ok(())
}

/// The last commit that the child said had returned.
fn write_until_killed(
    store: &str,
    durability: &str,
    folder: &Path,
    kill: u64,
) -> Result<Option<u64>> {
    let mut writer = child("write", store, durability, folder, &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut output = BufReader::new(writer.stdout.take().context("no output")?);
    let mut said = String::new();
    // One in five while it opens and recovers.
    let milliseconds = if kill % 5 == 4 {
        mixed(kill) % 30
    } else {
        output.read_line(&mut said)?;
        mixed(kill) % 150
    };
    std::thread::sleep(Duration::from_millis(milliseconds));
    writer.kill()?;
    writer.wait()?;
    output.read_to_string(&mut said)?;
    Ok(said.rsplit_once('\n').and_then(|(whole, _)| whole.lines().last()?.parse().ok()))
}

fn opening() -> Result<()> {
    println!("| store | open, ms | read all, ms | messages | memory, MiB |\n|---|---|---|---|---|");
    for store in STORES {
        let folder = folder(store)?;
        let status = child("fill", store, "process", &folder, &[]).status()?;
        ensure!(status.signal() == Some(9), "{store}: {status}");
        let words = answer(child("read", store, "process", &folder, &[]))?;
        println!("| {store} | {} |", words.join(" | "));
    }
    Ok(())
}

fn space() -> Result<()> {
    println!("200,000 messages of 512 bytes, MiB on the disk\n");
    println!(
        "| store | written | all deleted | shrunk | written again | shrinking, ms | memory, MiB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for store in STORES {
        let words = answer(child("space", store, "process", &folder(store)?, &[]))?;
        println!("| {store} | {} |", words.join(" | "));
    }
    Ok(())
}

/// Needs the right to mount.
fn full() -> Result<()> {
    for (store, durability) in STORES.into_iter().flat_map(|s| [(s, "process"), (s, "power")]) {
        println!("\n{store}, {durability}, 24 MiB:\n");
        let folder = folder(store)?;
        mount(&["-t", "tmpfs", "-o", "size=24M", "none"], &folder)?;
        let mut writer = child("full", store, durability, &folder, &[])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = writer.stdin.take().context("no input")?;
        for line in BufReader::new(writer.stdout.take().context("no output")?).lines() {
            let line = line?;
            if line == "room" {
                mount(&["-o", "remount,size=256M"], &folder)?;
                input.write_all(b"\n")?;
            } else {
                println!("{line}");
            }
        }
        println!("- end: {}", writer.wait()?);
        ensure!(Command::new("umount").arg(&folder).status()?.success(), "no umount");
    }
    Ok(())
}

fn mount(options: &[&str], folder: &Path) -> Result<()> {
    ensure!(Command::new("mount").args(options).arg(folder).status()?.success(), "no mount");
    Ok(())
}

/// Changes one byte of what is not zero, and reads everything.
fn flips() -> Result<()> {
    for (store, killed) in STORES.into_iter().flat_map(|store| [(store, 0), (store, 1)]) {
        let (whole, copy) = (folder(store)?, folder("copy")?);
        child("make", store, "process", &whole, &[killed]).status()?;
        let mut outcomes = BTreeMap::<String, u64>::new();
        for flip in 0..FLIPS {
            std::fs::remove_dir_all(&copy)?;
            ensure!(Command::new("cp").arg("-r").args([&whole, &copy]).status()?.success());
            flip_one(&copy, mixed(flip))?;
            *outcomes.entry(outcome(store, &copy)?).or_default() += 1;
        }
        println!("- {store}, {}: {outcomes:?}", ["closed", "killed"][killed as usize]);
    }
    Ok(())
}

fn flip_one(folder: &Path, seed: u64) -> Result<()> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let contents = files.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let places: usize = contents.iter().flatten().filter(|byte| **byte != 0).count();
    // Half of them where the first pages are: there the trees' roots and headers are.
    let within = if seed & 1 << 60 == 0 { places } else { places.min(16 << 10) };
    let mut place = (seed % within as u64) as usize;
    for (path, mut bytes) in files.iter().zip(contents) {
        let nonzero = bytes.iter().filter(|byte| **byte != 0).count();
        if place < nonzero {
            let byte = bytes.iter_mut().filter(|byte| **byte != 0).nth(place);
            *byte.context("no byte")? ^= 1 << (seed >> 61);
            return Ok(std::fs::write(path, bytes)?);
        }
        place -= nonzero;
    }
    bail!("nothing to flip")
}

fn outcome(store: &str, folder: &Path) -> Result<String> {
    let mut reader = child("damaged", store, "process", folder, &[])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = reader.try_wait()? {
            break status;
        }
        if begin.elapsed() > Duration::from_secs(10) {
            reader.kill()?;
            reader.wait()?;
            return Ok("hangs".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let Some(code) = status.code() else {
        return Ok(format!("aborts: {status}"));
    };
    let (code, seen) = if code != 101 && code >= child::SEEN {
        (code - child::SEEN, ", seen by its check")
    } else {
        (code, "")
    };
    let what = match code {
        child::EQUAL => "reads all right",
        child::REFUSED => "refuses to open",
        child::READ_FAILS => "error when read",
        child::CHANGED => "changed payload unnoticed",
        child::ABSENT => "messages absent unnoticed",
        101 => "panics",
        _ => "other",
    };
    Ok(format!("{what}{seen}"))
}
