//! A child that compiles, seen from the gateway: started, fed, waited for, killed if it takes too
//! long, and reaped in any case. A thread stands by until it is gone: a child dies with the thread
//! that started it.

use std::io::{self, Read, Write};
use std::num::NonZero;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::answer::{self, Answer, Unanswered};
use super::order::{COMMAND, Order};
use super::{CompileLimits, Task, Urgency};
use crate::sandbox::load_error::LoadError;

/// What is kept of a child's complaints.
const MAX_COMPLAINT_BYTES: u64 = 16 << 10;

/// How the standard library complains when there is no memory, before it aborts.
const NO_MEMORY: &str = "memory allocation of ";

/// Where the library that the engine compiles with looks how many threads it is to have.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Reaped when dropped, if not before.
struct Reaped(Child);

/// What is left of a child.
struct Remains {
    status: ExitStatus,
    in_time: bool,
    answer: Result<Result<Answer, LoadError>, Unanswered>,
    complaint: String,
}

/// Has a child of this program work on a file.
pub(super) fn run(
    program: &Path,
    urgency: Urgency,
    task: Task,
    file: &[u8],
    limits: &CompileLimits,
) -> Result<Answer, LoadError> {
    let CompileLimits { memory_bytes, cpu_time, .. } = *limits;
    let order = Order { urgency, task, memory_bytes, cpu_time, parent: std::process::id() };
    let remains = start(program, &order).and_then(|child| attend(child, file, limits));
    let failed = |error| LoadError::Compiler(format!("running {}: {error}", program.display()));
    remains.map_err(failed)?.verdict(limits)
}

fn start(program: &Path, order: &Order) -> io::Result<Reaped> {
    Command::new(program)
        .arg0("sporegate")
        .arg(COMMAND)
        .args(order.arguments())
        .env_clear()
        .env(THREADS, threads(order.urgency).to_string())
        .current_dir("/")
        // What is typed on the gateway's terminal is for the gateway.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(Reaped)
}

/// Half of the processors, where others are served. A low priority is not enough: with all of them a
/// child doubled the 99th percentile of those who were served meanwhile, with half it added a tenth.
/// That costs time, less than twice as much for a module by itself.
fn threads(urgency: Urgency) -> usize {
    let all = thread::available_parallelism().map_or(1, NonZero::get);
    match urgency {
        Urgency::Usual => all,
        Urgency::Behind => (all / 2).max(1),
    }
}

/// Talks with a child until it is gone. Each pipe has a thread, so that none can block another.
fn attend(mut child: Reaped, file: &[u8], limits: &CompileLimits) -> io::Result<Remains> {
    let missing = || io::Error::other("a pipe is missing");
    let mut stdin = child.0.stdin.take().ok_or_else(missing)?;
    let mut stdout = child.0.stdout.take().ok_or_else(missing)?;
    let stderr = child.0.stderr.take().ok_or_else(missing)?;
    thread::scope(|scope| {
        // What becomes of it shows in how it ends.
        let feed = move || stdin.write_all(file).unwrap_or_default();
        let hear = move || answer::read(&mut stdout, limits.code_bytes());
        let attend = || {
            in_thread(scope, feed)?;
            let answer = in_thread(scope, hear)?;
            let complaint = in_thread(scope, move || complaint(stderr))?;
            let in_time = child.ends_within(limits.clock_time())?;
            Ok::<_, io::Error>((in_time, answer, complaint))
        };
        let attended = attend();
        // In time it is gone anyway; else the threads wait for its end.
        let ended = child.end();
        let (in_time, answer, complaint) = attended?;
        Ok(Remains {
            status: ended?,
            in_time,
            answer: answer.join().unwrap_or(Err(Unanswered::Garbled)),
            complaint: complaint.join().unwrap_or_default(),
        })
    })
}

fn in_thread<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().name("sporegate-load".into()).spawn_scoped(scope, work)
}

/// The beginning of what it says. The rest is read, so that it can say it, and forgotten.
fn complaint(mut stderr: ChildStderr) -> String {
    let mut said = Vec::new();
    let kept = (&mut stderr).take(MAX_COMPLAINT_BYTES).read_to_end(&mut said);
    let _ = kept.and_then(|_| io::copy(&mut stderr, &mut io::sink()));
    String::from_utf8_lossy(&said).trim().to_owned()
}

impl Reaped {
    fn ends_within(&self, time: Duration) -> io::Result<bool> {
        // It is not reaped yet, so this is it.
        let child = pidfd_open(Pid::from_child(&self.0), PidfdFlags::empty())?;
        let deadline = Instant::now() + time;
        loop {
            let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now()));
            let left = left.map_err(io::Error::other)?;
            match poll(&mut [PollFd::new(&child, PollFlags::IN)], Some(&left)) {
                Ok(ended) => return Ok(ended > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        // With whatever it may have started, which would hold its pipes. Fails if it is gone.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        self.0.wait()
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        // Where it was reaped before, its number may be that of another by now.
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.end();
        }
    }
}

impl Remains {
    /// What it means for the file.
    fn verdict(self, limits: &CompileLimits) -> Result<Answer, LoadError> {
        let Self { status, in_time, answer, complaint } = self;
        match (status.signal(), answer) {
            _ if !in_time => Err(LoadError::CompileTime { limit: limits.cpu_time }),
            (Some(libc::SIGXCPU), _) => Err(LoadError::CompileTime { limit: limits.cpu_time }),
            (Some(libc::SIGABRT), _) if complaint.contains(NO_MEMORY) => {
                Err(LoadError::CompileMemory { limit_bytes: limits.memory_bytes })
            }
            (Some(_), _) => Err(LoadError::CompilerCrash { how: status.to_string(), complaint }),
            (None, Err(Unanswered::TooLarge)) => {
                Err(LoadError::CodeSize { limit_bytes: limits.code_bytes() })
            }
            (None, Ok(answer)) if status.success() => answer,
            (None, _) => Err(LoadError::Compiler(format!("{status}: {complaint}"))),
        }
    }
}
