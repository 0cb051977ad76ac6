//! The program `rollbook`.

use std::process::ExitCode;

/// A request makes about a hundred small allocations on one thread, a pattern that mimalloc is optimized for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    app::cli::run(std::env::args_os())
}
