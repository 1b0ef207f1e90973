//! How much memory the process may have before new clients are turned away: those who are connected
//! shall not be lost with it when the kernel finds that it has too much.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Server;

/// Time between two looks: what may come meanwhile is far below the tenth that is left.
const LOOKS: Duration = Duration::from_millis(100);

/// Files of a control group that name its limit: version 2 and 1.
const LIMIT_FILES: [&str; 2] = ["memory.max", "memory.limit_in_bytes"];

impl Server {
    /// Turns new clients away while the process has more than `limit` bytes of memory, and until it
    /// has a twentieth less.
    pub async fn watch_memory(self: Arc<Self>, limit: u64) {
        let mut looks = interval(LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.stopping.cancelled() => return,
            }
            let Some(resident) = resident_bytes() else { continue };
            let full = self.registry.is_out_of_memory();
            if !full && resident > limit {
                tracing::error!(resident, limit, "too much memory is in use: new clients get 503");
                self.registry.set_out_of_memory(true);
            } else if full && resident <= limit - limit / 20 {
                tracing::info!(resident, limit, "there is memory again: new clients are welcome");
                self.registry.set_out_of_memory(false);
            }
        }
    }
}

/// Nine tenths of the memory that the system, or the control group of the process, has. None where
/// neither says.
pub fn default_memory_limit() -> Option<u64> {
    let system = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let system = field_kib(&system, "MemTotal:");
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group_limit(&groups, Path::new("/sys/fs/cgroup"));
    let least = [system, group].into_iter().flatten().min()?;
    Some(least / 10 * 9)
}

/// Memory of the process that is in the machine's.
fn resident_bytes() -> Option<u64> {
    field_kib(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// A field of a file such as `/proc/meminfo`, in bytes.
fn field_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1 << 10)
}

/// The least limit of the control groups that `/proc/self/cgroup` names, and of those around them.
fn group_limit(groups: &str, root: &Path) -> Option<u64> {
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(kinds), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let mut folder: PathBuf = match kinds {
            "" => root.to_owned(),
            _ if kinds.split(',').any(|kind| kind == "memory") => root.join("memory"),
            _ => continue,
        };
        limits.extend(limit_of(&folder));
        for name in path.split('/').filter(|name| !name.is_empty() && *name != "..") {
            folder.push(name);
            limits.extend(limit_of(&folder));
        }
    }
    limits.into_iter().min()
}

fn limit_of(folder: &Path) -> Option<u64> {
    let text = LIMIT_FILES.iter().find_map(|name| std::fs::read_to_string(folder.join(name)).ok());
    // Version 2 says `max` where there is none.
    text?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_and_the_machine_have_memory() {
        let resident = resident_bytes().unwrap();
        let limit = default_memory_limit().unwrap();
        assert!(resident > 1 << 20 && resident < limit, "{resident} of {limit}");
    }

    #[test]
    fn the_least_limit_of_the_groups_around_counts() {
        let root = tempfile::TempDir::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a/memory.max", "300\n");
        write("a/b/memory.max", "max\n");
        write("memory/old/memory.limit_in_bytes", "200\n");
        let limit = |groups: &str| group_limit(groups, root.path());
        assert_eq!(limit("0::/a/b\n"), Some(300));
        assert_eq!(limit("0::/\n"), None);
        assert_eq!(limit("5:cpu,memory:/old/deeper\n1:cpu:/a\n0::/a\n"), Some(200));
        assert_eq!(limit("nonsense\n\n0:\n"), None);
    }
}
