//! Keeps the groups of tests in this binary apart: each of them loads the machine as much as the others can bear.

use std::sync::Mutex;

use tokio::sync::Notify;

/// Tests that may run beside each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Group {
    Crash,
    Scale,
    Chaos,
}

/// The group of each test that runs now: they are all the same.
static RUNNING: Mutex<Vec<Group>> = Mutex::new(Vec::new());
static ENDED: Notify = Notify::const_new();

/// A test runs for as long as this lives.
pub struct Running(());

/// Waits until no test of another group runs.
pub async fn run(group: Group) -> Running {
    loop {
        // Before the check, so that an end right after it is not missed.
        let ended = ENDED.notified();
        if let Some(running) = admit(group) {
            return running;
        }
        ended.await;
    }
}

fn admit(group: Group) -> Option<Running> {
    let mut running = RUNNING.lock().unwrap();
    let alone = running.iter().all(|other| *other == group);
    alone.then(|| {
        running.push(group);
        Running(())
    })
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.lock().unwrap().pop();
        ENDED.notify_waiters();
    }
}
