//! Timers of a connection, with time standing still.

use std::time::Duration;

use super::*;

/// All times in seconds.
fn policy(ping_interval: u64, pong_timeout: u64, keep_alive: Option<u64>) -> ConnectionPolicy {
    let seconds = Duration::from_secs;
    ConnectionPolicy {
        ping_interval: seconds(ping_interval),
        pong_timeout: seconds(pong_timeout),
        keep_alive_interval: keep_alive.map(seconds),
        ..ConnectionPolicy::default()
    }
}

/// What is due next, and after how many seconds since `start`.
async fn next(liveness: &mut Liveness<'_>, start: Instant) -> (u64, Due) {
    let due = std::future::poll_fn(|context| liveness.poll_due(context)).await;
    (start.elapsed().as_secs(), due)
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_dead_when_the_time_for_its_pong_is_over() {
    let (start, policy) = (Instant::now(), policy(25, 10, Some(15)));
    let mut liveness = Liveness::new(&policy, start);
    assert_eq!(next(&mut liveness, start).await, (15, Due::KeepAlive));
    assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
    assert_eq!(next(&mut liveness, start).await, (30, Due::KeepAlive));
    assert_eq!(next(&mut liveness, start).await, (35, Due::PeerIsDead));
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_life_leads_to_the_next_ping_at_its_interval() {
    // The time for a pong may be longer than the interval.
    for (interval, timeout) in [(25, 10), (2, 10)] {
        let (start, policy) = (Instant::now(), policy(interval, timeout, None));
        let mut liveness = Liveness::new(&policy, start);
        for round in 1..=3 {
            assert_eq!(next(&mut liveness, start).await, (round * interval, Due::Ping));
            liveness.heard();
        }
        liveness.heard();
        assert_eq!(next(&mut liveness, start).await, (4 * interval, Due::Ping));
        let dead = 4 * interval + timeout;
        assert_eq!(next(&mut liveness, start).await, (dead, Due::PeerIsDead));
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_pong_of_the_last_ping_tells_how_long_it_took_and_only_once() {
    let (start, policy) = (Instant::now(), policy(25, 10, None));
    let mut liveness = Liveness::new(&policy, start);
    let pong = |seconds: Option<u64>, after| {
        Some(Pong { round_trip: seconds.map(Duration::from_secs), after })
    };
    assert_eq!(liveness.had_pong(&[0; 4]), pong(None, 0), "nothing was asked");
    assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
    let first = liveness.ping_after(7);
    liveness.heard();
    assert_eq!(next(&mut liveness, start).await, (50, Due::Ping));
    tokio::time::advance(Duration::from_secs(3)).await;
    let second = liveness.ping_after(9);
    assert_eq!(liveness.had_pong(&first), None, "too late");
    assert_eq!(liveness.had_pong(b""), None);
    assert_eq!(liveness.had_pong(&second), pong(Some(3), 9));
    assert_eq!(liveness.had_pong(&second), pong(None, 0), "again");
    liveness.heard();
    assert_eq!(next(&mut liveness, start).await, (75, Due::Ping));
    liveness.forget_ping();
    let third = liveness.ping_after(12);
    assert_eq!(liveness.had_pong(&third), pong(None, 12), "nobody looked");
}

#[tokio::test(start_paused = true)]
async fn to_know_what_has_arrived_a_ping_comes_sooner_but_not_more_than_once_a_second() {
    let (start, policy) = (Instant::now(), policy(25, 10, None));
    let mut liveness = Liveness::new(&policy, start);
    liveness.ask_soon();
    for second in 1..=3 {
        assert_eq!(next(&mut liveness, start).await, (second, Due::Ping));
        liveness.ask_soon();
        liveness.heard();
        liveness.ask_soon();
        liveness.ask_soon();
    }
    assert_eq!(next(&mut liveness, start).await, (4, Due::Ping));
    liveness.heard();
    assert_eq!(next(&mut liveness, start).await, (29, Due::Ping));
}

#[tokio::test(start_paused = true)]
async fn after_a_long_stall_one_keep_alive_is_enough() {
    let (start, policy) = (Instant::now(), policy(3_600, 10, Some(15)));
    let mut liveness = Liveness::new(&policy, start);
    tokio::time::advance(Duration::from_secs(100)).await;
    assert_eq!(next(&mut liveness, start).await, (100, Due::KeepAlive));
    assert_eq!(next(&mut liveness, start).await, (115, Due::KeepAlive));
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_idle_as_long_after_its_last_message_as_it_may_be() {
    let start = Instant::now();
    let idle_timeout = Some(Duration::from_secs(40));
    let policy = ConnectionPolicy { idle_timeout, ..policy(25, 10, None) };
    let mut liveness = Liveness::new(&policy, start);
    assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
    liveness.heard();
    liveness.had_message();
    assert_eq!(next(&mut liveness, start).await, (50, Due::Ping));
    // A pong is no message.
    liveness.heard();
    assert_eq!(next(&mut liveness, start).await, (65, Due::End(CloseReason::IDLE)));
}

#[tokio::test(start_paused = true)]
async fn a_report_is_due_once_and_not_when_it_was_made_meanwhile() {
    let (start, policy) = (Instant::now(), policy(25, 10, None));
    let mut liveness = Liveness::new(&policy, start);
    liveness.set_report(Some(start + Duration::from_secs(1)));
    assert_eq!(next(&mut liveness, start).await, (1, Due::Report));
    liveness.set_report(Some(start + Duration::from_secs(2)));
    liveness.set_report(None);
    assert_eq!(next(&mut liveness, start).await, (25, Due::Ping));
}

#[tokio::test(start_paused = true)]
async fn each_message_has_its_own_time() {
    let start = Instant::now();
    let message_time = Duration::from_secs(5);
    let policy = ConnectionPolicy { message_time, ..policy(3_600, 10, None) };
    let mut liveness = Liveness::new(&policy, start);
    for number in 1..4 {
        liveness.set_unfinished(Some(number));
        tokio::time::advance(Duration::from_secs(4)).await;
        liveness.set_unfinished(Some(number));
    }
    liveness.set_unfinished(None);
    tokio::time::advance(Duration::from_secs(90)).await;
    // The last one began a second before.
    liveness.set_unfinished(Some(4));
    tokio::time::advance(Duration::from_secs(1)).await;
    liveness.set_unfinished(Some(4));
    assert_eq!(next(&mut liveness, start).await, (107, Due::MessageTime));
}
