//! `rollbook keys …`: the key ring, kept by the person at the machine.

use std::path::Path;

use adapter_jwt::{KeyRing, RingKey};
use domain::Clock;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::arguments::{Keys, KeysCommand};
use super::failure::Failure;
use super::{key_file, output};
use crate::system::{SystemClock, SystemRandom};

/// Runs one of the commands on a key ring.
pub fn run(keys: Keys) -> Result<(), Failure> {
    let path = keys.keys.ok_or_else(|| Failure::new("name the key ring's file: --keys FILE, or ROLLBOOK_KEYS"))?;
    let now = SystemClock.now();
    match keys.command {
        KeysCommand::Generate { algorithm } => {
            let ring = KeyRing::generate(algorithm, now, &SystemRandom)?;
            key_file::create(&path, &ring)?;
            tell_newest("signs now", &ring)
        }
        KeysCommand::List => list(&key_file::read(&path)?, now),
        KeysCommand::Rotate { algorithm, announce, token_ttl } => {
            let before = key_file::read(&path)?;
            let algorithm = algorithm.or_else(|| before.signing_at(now).map(RingKey::algorithm)).unwrap_or_default();
            let lifetime = Duration::seconds(token_ttl.seconds());
            let ring = before.rotate(algorithm, announce, lifetime, now, &SystemRandom)?;
            key_file::replace(&path, &ring)?;
            tell_newest("is announced", &ring)
        }
        KeysCommand::Retire { kid, revoke } => retire(&path, &kid, revoke, now),
    }
}

fn retire(path: &Path, kid: &str, revoke: bool, now: OffsetDateTime) -> Result<(), Failure> {
    let before = key_file::read(path)?;
    if revoke {
        key_file::replace(path, &before.revoke(kid, now)?)?;
        output::line(format_args!("{kid} is revoked: each server refuses its tokens once it has read the file."))
    } else {
        key_file::replace(path, &before.remove(kid, now)?)?;
        output::line(format_args!("Took {kid} out."))
    }
}

fn tell_newest(does: &str, ring: &KeyRing) -> Result<(), Failure> {
    let Some(key) = ring.keys().last() else { return Ok(()) };
    let from = key.times().signs_from.format(&Rfc3339)?;
    output::line(format_args!("The key {} ({}) {does}; it signs from {from} on.", key.id(), key.algorithm()))
}

/// Id, algorithm, state, the time it signs from and the time it verifies until, with tabs between them.
fn list(ring: &KeyRing, now: OffsetDateTime) -> Result<(), Failure> {
    for key in ring.keys() {
        let times = key.times();
        let until = times.verifies_until.map_or_else(|| Ok("-".to_owned()), |until| until.format(&Rfc3339))?;
        let (state, from) = (ring.state_at(key, now), times.signs_from.format(&Rfc3339)?);
        output::line(format_args!("{}\t{}\t{state}\t{from}\t{until}", key.id(), key.algorithm()))?;
    }
    Ok(())
}
