//! Many trials at a time, and the outcome of each.

use std::any::Any;
use std::fmt::Write;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::join_all;
use tokio::sync::Semaphore;

/// How many trials run at a time, in all tests together.
static SLOTS: Semaphore = Semaphore::const_new(6);

/// The outcome of a trial.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// All is as if nothing had happened.
    Passed,
    /// The work was done before there was any trouble.
    NotReached,
    /// What went wrong.
    Failed(String),
}

/// Whether everything is tried, instead of a part that stands for the rest.
pub fn is_full() -> bool {
    std::env::var("CRASH_MATRIX").is_ok_and(|it| it == "all")
}

/// Runs trials, a few at a time; gives the outcome of each.
pub async fn concurrently<F>(
    trials: impl IntoIterator<Item = (String, F)>,
) -> Vec<(String, Outcome)>
where
    F: Future<Output = Outcome>,
{
    let trials = trials.into_iter().map(|(name, what)| async {
        let _slot = SLOTS.acquire().await.unwrap();
        let outcome = caught(what).await;
        (name, outcome.unwrap_or_else(Outcome::Failed))
    });
    join_all(trials).await
}

/// Prints how many trials there were and which of them failed, and fails if any did.
pub fn assert_passed(what: &str, outcomes: Vec<(String, Outcome)>) {
    let tried = outcomes.len();
    let (mut failures, mut not_reached, mut failed) = (String::new(), 0, 0);
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => {}
            Outcome::NotReached => not_reached += 1,
            Outcome::Failed(words) => {
                failed += 1;
                let _ = writeln!(failures, "{name}: {}", words.replace('\n', " "));
            }
        }
    }
    let sum = format!("{what}: {tried} tried, {not_reached} not reached, {failed} failed");
    println!("{sum}\n{failures}");
    assert!(failed == 0, "{sum}");
}

/// Runs it to its end, or to the words of its panic.
pub async fn caught<T>(what: impl Future<Output = T>) -> Result<T, String> {
    let outcome = AssertUnwindSafe(what).catch_unwind().await;
    outcome.map_err(|panic| words(panic.as_ref()))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it failed without a word").to_owned()
}
