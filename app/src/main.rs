//! The program `rollbook`.

use std::process::ExitCode;

/// A request makes some hundred small allocations on whichever thread it is on: what mimalloc is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    app::cli::run(std::env::args_os())
}
