//! Memory is summed per instance, per module and for the whole gateway; the engine's own limiter
//! counts each memory by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cpu_clock;

/// A budget of bytes that many instances share.
#[derive(Debug)]
pub struct MemoryMeter {
    used: AtomicUsize,
    limit: usize,
}

impl MemoryMeter {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit }
    }

    /// Bytes in use now.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let room = |used: usize| used.checked_add(bytes).filter(|total| *total <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What one instance has taken from its own budget and from the shared ones; all of it is given
/// back when the instance goes.
#[derive(Debug)]
pub(super) struct InstanceMemory {
    used: usize,
    limit: usize,
    /// Each has to grant a growth.
    shared: [Arc<MemoryMeter>; 2],
    /// Whether a growth was refused; tells a trap by lack of memory from others.
    refused: bool,
}

const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();
const MAX_MEMORIES: usize = 16;
const MAX_TABLES: usize = 32;
const MAX_CORE_INSTANCES: usize = 64;

impl InstanceMemory {
    pub(super) fn new(limit: usize, shared: [Arc<MemoryMeter>; 2]) -> Self {
        Self { used: 0, limit, shared, refused: false }
    }

    /// Whether a growth was refused since the last time this was asked.
    pub(super) fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// Bytes in use now.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Other growth than so far is granted from now on; what has been granted stays.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let [module, gateway] = &self.shared;
        let fits = self.used.checked_add(bytes).is_some_and(|total| total <= self.limit)
            && module.take(bytes)
            && (gateway.take(bytes) || {
                module.give_back(bytes);
                false
            });
        if fits {
            self.used += bytes;
            cpu_clock::grown(self.used);
        } else {
            self.refused = true;
        }
        fits
    }
}

impl Drop for InstanceMemory {
    fn drop(&mut self) {
        self.shared.iter().for_each(|meter| meter.give_back(self.used));
    }
}

impl wasmtime::ResourceLimiter for InstanceMemory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let elements = desired.saturating_sub(current);
        Ok(self.grow(elements.saturating_mul(TABLE_ELEMENT_BYTES)))
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::ResourceLimiter;

    fn unlimited() -> Arc<MemoryMeter> {
        Arc::new(MemoryMeter::new(usize::MAX))
    }

    #[test]
    fn memories_of_one_instance_are_summed() {
        let shared = Arc::new(MemoryMeter::new(1_000));
        let mut memory = InstanceMemory::new(100, [unlimited(), shared]);
        assert!(memory.memory_growing(0, 60, None).unwrap());
        assert!(!memory.memory_growing(0, 60, None).unwrap());
        assert!(memory.memory_growing(0, 40, None).unwrap());
        assert!(memory.take_refused());
    }

    #[test]
    fn the_shared_budget_holds_across_instances_and_is_given_back() {
        let shared = Arc::new(MemoryMeter::new(100));
        let mut first = InstanceMemory::new(100, [unlimited(), Arc::clone(&shared)]);
        let mut second = InstanceMemory::new(100, [unlimited(), Arc::clone(&shared)]);
        assert!(first.memory_growing(0, 80, None).unwrap());
        assert!(!second.memory_growing(0, 30, None).unwrap());
        drop(first);
        assert!(second.memory_growing(0, 30, None).unwrap());
        assert_eq!(shared.used(), 30);
    }
}
