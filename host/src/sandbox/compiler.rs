//! From a file to machine code, or to what the file asks for and offers. The compiler and the tools
//! for components were made for files that somebody means well with: one that is made to exhaust or
//! to crash them does that to the process that they run in. So that process is not the gateway.
//!
//! ```text
//! gateway: Order as arguments, the file on stdin  --> child: limits itself, reads, works
//!          Answer on stdout, complaints on stderr <--        ends
//! ```

mod answer;
mod child;
mod confine;
mod job;
mod order;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use job::{Types, invalid};
pub use order::{COMMAND, Order};

use super::artifact::Artifact;
use super::load_error::LoadError;
use answer::Answer;

/// By the clock a compilation may take so many times its processor time: it has a low priority, and
/// those who serve go first.
const MAX_SLOWDOWN: u32 = 10;

/// Machine code may be so many times as large as the largest file.
const MAX_GROWTH: u64 = 8;

/// Small limits of files say nothing about code: what belongs to it is not small.
const MIN_CODE_BYTES: u64 = 16 << 20;

/// The executable that runs. It stays the same if the file is replaced meanwhile.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Who reads and compiles modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// This process. Without limits, and a file that crashes the compiler crashes this process: for
    /// files that nobody else can have made.
    InProcess,
    /// A process of its own for each file: the `sporegate` command at this absolute path, or a
    /// program that calls [`compile_module`] as that does.
    Child(PathBuf),
    /// The same at the usual priority and with all processors: for those who serve nobody meanwhile.
    Foreground(PathBuf),
}

/// What compiling a module may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Largest file that is read as a module, in bytes.
    pub module_bytes: u64,
    /// Memory of the compiler, in bytes.
    pub memory_bytes: u64,
    /// Time of processors, rounded up to whole seconds.
    pub cpu_time: Duration,
}

/// Whether others go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Urgency {
    Usual,
    Behind,
}

/// What is to be made of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Compile,
    Inspect,
}

impl Compiler {
    /// The program that runs, which must be as [`Compiler::Child`] says.
    pub fn this_program() -> io::Result<Self> {
        let linked = Path::new(THIS_PROGRAM);
        Ok(Self::Child(if linked.exists() { linked.to_owned() } else { std::env::current_exe()? }))
    }

    /// The same, for who serves nobody meanwhile.
    #[must_use]
    pub fn in_foreground(self) -> Self {
        match self {
            Self::InProcess => Self::InProcess,
            Self::Child(program) | Self::Foreground(program) => Self::Foreground(program),
        }
    }

    /// Makes machine code of a file. Takes from milliseconds to minutes.
    pub(super) fn compile(
        &self,
        file: &[u8],
        limits: &CompileLimits,
    ) -> Result<Artifact, LoadError> {
        match self.ask(Task::Compile, file, limits)? {
            Answer::Code(artifact) => Ok(artifact),
            Answer::Types(_) => Err(LoadError::Compiler(UNASKED.into())),
        }
    }

    /// Reads what a file asks for and offers.
    pub(super) fn inspect(&self, file: &[u8], limits: &CompileLimits) -> Result<Types, LoadError> {
        match self.ask(Task::Inspect, file, limits)? {
            Answer::Types(types) => Ok(types),
            Answer::Code(_) => Err(LoadError::Compiler(UNASKED.into())),
        }
    }

    fn ask(&self, task: Task, file: &[u8], limits: &CompileLimits) -> Result<Answer, LoadError> {
        match self {
            Self::InProcess => job::run(task, file, limits.memory_bytes),
            Self::Child(program) => child::run(program, Urgency::Behind, task, file, limits),
            Self::Foreground(program) => child::run(program, Urgency::Usual, task, file, limits),
        }
    }
}

const UNASKED: &str = "its answer is not to what it was asked";

impl CompileLimits {
    fn clock_time(&self) -> Duration {
        self.cpu_time.saturating_mul(MAX_SLOWDOWN)
    }

    fn code_bytes(&self) -> u64 {
        self.module_bytes.saturating_mul(MAX_GROWTH).max(MIN_CODE_BYTES)
    }
}

/// What a child does that was started to compile: reads a module on standard input, and answers on
/// standard output. It limits itself first.
pub fn compile_module(order: &Order) -> io::Result<()> {
    confine::confine(order)?;
    let mut file = Vec::new();
    io::stdin().lock().read_to_end(&mut file)?;
    answer::write(&job::run(order.task, &file, order.memory_bytes), &mut io::stdout().lock())
}
