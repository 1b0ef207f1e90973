//! How much queries look at: nodes of the tree, and sessions that are tested. Only tests count,
//! for the cost of a query is a promise, and its time cannot be tested.

#[cfg(test)]
thread_local! {
    static TAKEN: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// So many more were looked at.
#[cfg(test)]
pub(super) fn take(steps: usize) {
    TAKEN.set(TAKEN.get() + steps);
}

/// So many more were looked at.
#[cfg(not(test))]
pub(super) fn take(_: usize) {}

/// What `query` looked at.
#[cfg(test)]
pub(super) fn of(query: impl FnOnce()) -> usize {
    let before = TAKEN.get();
    query();
    TAKEN.get() - before
}
