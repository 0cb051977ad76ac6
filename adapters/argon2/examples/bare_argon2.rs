//! Baseline of `cargo xtask bench flood`: plain argon2id with the parameters and number of threads of the server. The
//! argument is the duration in seconds; the output is hashes per second.

use std::env;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use adapter_argon2::Limits;
use argon2::{Algorithm, Argon2, Params, Version};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = env::args().nth(1).ok_or("missing argument: duration in seconds")?.parse()?;
    let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let hashing: Vec<_> = (0..Limits::default().running.get())
        .map(|_| {
            let argon2 = argon2.clone();
            thread::spawn(move || hash_until(end, &argon2))
        })
        .collect();
    let mut hashes = 0_u32;
    for hashing in hashing {
        hashes += hashing.join().map_err(|_| "a thread panicked")??;
    }
    println!("{:.2}", f64::from(hashes) / begun.elapsed().as_secs_f64());
    Ok(())
}

fn hash_until(end: Instant, argon2: &Argon2<'_>) -> Result<u32, String> {
    let (mut hashes, mut output) = (0, [0; 32]);
    while Instant::now() < end {
        let result = argon2.hash_password_into(b"slow river under seven bridges", b"a salt of 16 byt", &mut output);
        result.map_err(|error| error.to_string())?;
        hashes += 1;
    }
    Ok(hashes)
}
