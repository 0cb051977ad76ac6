//! Prints one line per step. Exits at the first failure.

use std::error::Error;
use std::fmt::Display;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Returns the value of a step. Exits if it failed.
pub fn step<T>(name: &str, outcome: Outcome<T>) -> T {
    match outcome {
        Ok(value) => {
            println!("ok {name}");
            value
        }
        Err(error) => {
            println!("not ok {name}: {error}");
            std::process::exit(1);
        }
    }
}

/// Returns an error with `message` unless `condition` is true.
pub fn check(condition: bool, message: impl Display) -> Outcome<()> {
    if condition { Ok(()) } else { Err(message.to_string().into()) }
}
