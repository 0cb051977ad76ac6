//! The program `rollbook`.

use std::process::ExitCode;

fn main() -> ExitCode {
    app::cli::run(std::env::args_os())
}
