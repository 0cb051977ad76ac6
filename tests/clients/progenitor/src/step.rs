//! Reports each step in a line, and stops at the first that fails.

use std::error::Error;
use std::fmt::Display;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Gives what came of the step, unless it failed.
pub fn step<T>(name: &str, outcome: Outcome<T>) -> T {
    match outcome {
        Ok(value) => {
            println!("ok {name}");
            value
        }
        Err(why) => {
            println!("not ok {name}: {why}");
            std::process::exit(1);
        }
    }
}

/// Fails with `otherwise` unless it `holds`.
pub fn check(holds: bool, otherwise: impl Display) -> Outcome<()> {
    if holds { Ok(()) } else { Err(otherwise.to_string().into()) }
}
