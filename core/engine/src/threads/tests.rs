use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::*;

#[test]
fn every_task_runs_once_whatever_the_numbers() {
    for threads in [1, 2, 3, 8] {
        let pool = Pool::new(Some(threads));
        let team = pool.enter(&CancelToken::new()).expect("free");
        for tasks in [0, 1, 2, 7, 64, 1000, 70_000] {
            let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            team.run(tasks, |task| {
                counts[task].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1), "{threads} threads, {tasks} tasks");
        }
    }
}

/// Regions follow each other so fast that threads are late for most of them.
#[test]
fn late_threads_take_nothing_from_the_next_region() {
    let pool = Pool::new(Some(4));
    let team = pool.enter(&CancelToken::new()).expect("free");
    for round in 0..20_000usize {
        let tasks = 1 + round % 5;
        let mut seen = [0usize; 5];
        team.run_parts(Chunks::new(&mut seen[..tasks], 1), |task, part| part[0] = round + task + 1);
        assert!(seen[..tasks].iter().enumerate().all(|(task, &value)| value == round + task + 1));
    }
}

#[test]
fn parts_are_chunks_of_every_buffer() {
    let pool = Pool::new(Some(3));
    let team = pool.enter(&CancelToken::new()).expect("free");
    let (mut a, mut b) = (vec![0; 10], vec![0; 20]);
    team.run_parts((Chunks::new(&mut a, 3), Chunks::new(&mut b, 6)), |task, (a, b)| {
        a.fill(task);
        b.fill(10 * task);
    });
    assert_eq!(a, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
    assert_eq!(b[17..], [20, 30, 30]);
}

#[test]
fn a_panic_in_a_task_reaches_the_caller_and_the_pool_goes_on() {
    let pool = Pool::new(Some(3));
    let team = pool.enter(&CancelToken::new()).expect("free");
    for _ in 0..50 {
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            team.run(20, |task| assert!(task != 13, "task 13 fails"));
        }));
        assert!(outcome.is_err());
        let ran = AtomicUsize::new(0);
        team.run(20, |_| {
            ran.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(ran.into_inner(), 20);
    }
}

#[test]
fn passes_take_turns_and_waiting_can_be_cancelled() {
    let pool = Arc::new(Pool::new(Some(2)));
    let team = pool.enter(&CancelToken::new()).expect("free");
    let cancel = CancelToken::new();
    let waiting = {
        let (pool, cancel) = (Arc::clone(&pool), cancel.clone());
        thread::spawn(move || pool.enter(&cancel).map(drop))
    };
    thread::sleep(Duration::from_millis(20));
    cancel.cancel();
    assert!(matches!(waiting.join().expect("no panic"), Err(EngineError::Cancelled)));
    drop(team);
    drop(pool.enter(&CancelToken::new()).expect("free again"));
}

#[test]
fn who_waits_comes_before_who_comes_again() {
    let pool = Arc::new(Pool::new(Some(1)));
    let order = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..50 {
        let first = pool.enter(&CancelToken::new()).expect("free");
        let other = {
            let (pool, order) = (Arc::clone(&pool), Arc::clone(&order));
            thread::spawn(move || {
                let _team = pool.enter(&CancelToken::new()).expect("its turn");
                order.lock().expect("no panic").push("other");
            })
        };
        while pool.lock().waiting.is_empty() {
            thread::yield_now();
        }
        drop(first);
        let again = pool.enter(&CancelToken::new()).expect("its turn");
        order.lock().expect("no panic").push("again");
        drop(again);
        other.join().expect("no panic");
        assert_eq!(order.lock().expect("no panic").split_off(0), ["other", "again"]);
    }
}

#[test]
fn sleeping_threads_wake_up() {
    let pool = Pool::new(Some(4));
    let team = pool.enter(&CancelToken::new()).expect("free");
    for _ in 0..5 {
        thread::sleep(Duration::from_millis(5));
        let start = Instant::now();
        team.run(16, |_| thread::sleep(Duration::from_micros(100)));
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
