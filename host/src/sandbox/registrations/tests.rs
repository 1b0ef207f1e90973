//! What listeners take of the memory is exact, whatever becomes of them.

use super::*;
use crate::router::ContentTest;

fn asking_for(bytes: usize) -> Arc<Matcher> {
    let content = vec![ContentTest::TextContains("x".repeat(bytes)); 16];
    Arc::new(Matcher::compile(MatcherSpec { content, ..MatcherSpec::default() }).unwrap())
}

fn add(name: &str, matcher: &Arc<Matcher>) -> Change {
    Change::AddMessage(
        name.into(),
        MessageRegistration { matcher: Arc::clone(matcher), priority: 0 },
    )
}

fn watch(name: &str, path: Option<&str>) -> Change {
    let path = path.map(|path| PathPattern::parse(path).unwrap());
    Change::AddDisconnect(name.into(), DisconnectRegistration { path })
}

/// The changes of one call, as far as it has memory for them.
fn staged(module: &ModuleListeners, changes: &[Change]) -> ListenerChanges {
    let mut staged = ListenerChanges::default();
    for change in changes {
        if staged.view(module).has_memory_for(change) {
            staged.view(module).apply(change.clone());
            staged.push(change.clone());
        }
    }
    staged
}

fn counted_anew(listeners: &Registrations) -> usize {
    let messages = listeners.messages.values().map(MessageRegistration::held_bytes);
    messages.chain(listeners.disconnects.values().map(DisconnectRegistration::held_bytes)).sum()
}

/// How many of the largest matchers of texts there is room for.
fn as_many_as_fit() -> usize {
    MAX_HELD_BYTES / (LISTENER_BYTES + asking_for(4096).held_bytes())
}

#[test]
fn the_sum_is_exact_through_adding_replacing_and_removing() {
    let mut listeners = Registrations::default();
    let (small, large) = (asking_for(1), asking_for(1_000));
    for change in [
        add("a", &small),
        add("b", &large),
        add("a", &large),
        add("b", &small),
        watch("a", None),
        watch("a", Some("/rooms/{room}/*")),
        watch("b", Some("/x")),
        Change::RemoveMessage("a".into()),
        Change::RemoveMessage("a".into()),
        Change::RemoveDisconnect("b".into()),
    ] {
        listeners.apply(change);
        assert_eq!(listeners.held_bytes, counted_anew(&listeners));
    }
    listeners.apply(Change::RemoveMessage("b".into()));
    listeners.apply(Change::RemoveDisconnect("a".into()));
    assert_eq!(listeners.held_bytes, 0);
}

#[test]
fn matchers_have_a_budget_and_a_replacement_needs_only_the_difference() {
    let mut listeners = Registrations::default();
    let large = asking_for(4096);
    let fit = as_many_as_fit();
    assert!(fit > 32, "{fit}");
    for number in 0..fit {
        let change = add(&number.to_string(), &large);
        assert!(listeners.has_memory_for(&change), "{number}");
        listeners.apply(change);
    }
    assert!(!listeners.has_memory_for(&add("more", &large)));
    assert!(listeners.has_memory_for(&add("0", &large)), "in its own place");
    listeners.apply(Change::RemoveMessage("0".into()));
    assert!(listeners.has_memory_for(&add("more", &large)));
}

#[test]
fn what_a_failed_call_staged_takes_nothing() {
    let module = ModuleListeners::default();
    drop(staged(&module, &[add("a", &asking_for(4096))]));
    assert_eq!((module.current().held_bytes, module.changes()), (0, 0));
}

#[test]
fn calls_at_once_do_not_get_beyond_the_limits_together() {
    let module = ModuleListeners::default();
    let large = asking_for(4096);
    let many = |prefix: &str| -> Vec<Change> {
        (0..as_many_as_fit()).map(|number| add(&format!("{prefix}{number}"), &large)).collect()
    };
    // Both were promised the same room.
    let (first, second) = (staged(&module, &many("a")), staged(&module, &many("b")));
    let (third, fourth) = (staged(&module, &[watch("c", None)]), staged(&module, &[]));
    assert!(module.apply(first, 1_024).is_ok());
    let before = module.current();
    assert!(module.apply(second, 1_024).is_err());
    assert!(Arc::ptr_eq(&before, &module.current()), "nothing of it");
    assert!(module.apply(third, before.len()).is_err(), "too many");
    assert!(module.apply(fourth, 1_024).is_ok());
    // Above a limit, less is always possible.
    let fewer = staged(&module, &[Change::RemoveMessage("a0".into())]);
    assert!(module.apply(fewer, 1).is_ok());
}

#[test]
fn only_the_first_start_changes_anything() {
    let module = ModuleListeners::default();
    let (narrow, wide) = (asking_for(1), asking_for(0));
    let start = |matcher: &Arc<Matcher>| {
        let mut changes = ListenerChanges::of_start();
        let change = add("a", matcher);
        assert!(changes.view(&module).is_empty(), "whatever there is by now");
        changes.view(&module).apply(change.clone());
        changes.push(change);
        changes
    };
    module.apply_start(start(&wide));
    let changes = module.changes();
    module.apply(staged(&module, &[add("a", &narrow)]), 9).unwrap();
    module.apply_start(start(&wide));
    assert!(Arc::ptr_eq(&module.current().messages["a"].matcher, &narrow));
    assert_eq!(module.changes(), changes + 1);
    let known = module.matcher_at_start("a", wide.spec()).unwrap();
    assert!(Arc::ptr_eq(&known, &wide), "and nothing is compiled again");
    assert!(module.matcher_at_start("a", narrow.spec()).is_none());
}

#[test]
fn a_first_start_without_listeners_is_the_first_all_the_same() {
    let module = ModuleListeners::default();
    module.apply_start(ListenerChanges::of_start());
    let mut changes = ListenerChanges::of_start();
    changes.view(&module).apply(add("a", &asking_for(1)));
    module.apply_start(changes);
    assert!(module.current().is_empty());
}
