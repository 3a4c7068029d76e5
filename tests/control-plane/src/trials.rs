//! Tests that not every machine can run, for binaries without Rust's own test harness: what did not
//! run is shown as ignored, with the reason.

use std::any::type_name;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

use crate::missing;

/// A test called as its function is, which runs where this machine has what is named, see
/// [`missing`].
#[must_use]
pub fn needing<T: FnOnce() + Send + 'static>(parts: &'static [&'static str], test: T) -> Trial {
    let path = type_name::<T>();
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    Trial::ignorable_test(name, move || {
        let lacking = missing(parts)?;
        if !lacking.is_empty() {
            return Ok(Completion::ignored_with(format!("needs {lacking}")));
        }
        test();
        Ok(Completion::Completed)
    })
}

/// Runs tests as the arguments of this process say.
#[must_use]
pub fn run(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
