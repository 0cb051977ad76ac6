//! `rollbook keys …`: the key ring, kept by the person at the machine.

use adapter_jwt::{KeyRing, RingKey};
use domain::audit::{Action, NewEvent};
use domain::{Actor, Clock, Target, Who};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::arguments::{Keys, KeysCommand};
use super::failure::Failure;
use super::key_file::{LockedRing, RingDraft};
use super::{key_file, output};
use crate::stores::Stores;
use crate::system::{SystemClock, SystemRandom};

/// Runs one of the commands on a key ring.
///
/// The file is no part of the store, so that no transaction holds both: a change is written out, then told to the
/// audit, and only then put in place. What the audit cannot take does not happen.
pub async fn run(keys: Keys) -> Result<(), Failure> {
    let path =
        keys.ring.as_ref().ok_or_else(|| Failure::new("name the key ring's file: --keys FILE, or ROLLBOOK_KEYS"))?;
    let by = Actor::here(Who::Operator, SystemClock.now());
    match &keys.command {
        KeysCommand::List => list(&key_file::read(path)?, by.at),
        KeysCommand::Generate { algorithm } => {
            let ring = KeyRing::generate(*algorithm, by.at, &SystemRandom)?;
            let draft = RingDraft::of_new(path, &ring)?;
            audit(&keys, newest(&by, Action::KEY_GENERATED, &ring)?).await?;
            draft.keep()?;
            tell_newest("signs now", &ring)
        }
        KeysCommand::Rotate { algorithm, announce, token_ttl } => {
            let locked = LockedRing::read(path)?;
            let before = locked.ring();
            let algorithm = algorithm.or_else(|| before.signing_at(by.at).map(RingKey::algorithm)).unwrap_or_default();
            let lifetime = Duration::seconds(token_ttl.seconds());
            let ring = before.rotate(algorithm, *announce, lifetime, by.at, &SystemRandom)?;
            let draft = locked.draft(&ring)?;
            audit(&keys, newest(&by, Action::KEY_ROTATED, &ring)?).await?;
            locked.replace(draft)?;
            tell_newest("is announced", &ring)
        }
        KeysCommand::Retire { kid, revoke } => {
            let locked = LockedRing::read(path)?;
            let (ring, action) = if *revoke {
                (locked.ring().revoke(kid, by.at)?, Action::KEY_REVOKED)
            } else {
                (locked.ring().remove(kid, by.at)?, Action::KEY_RETIRED)
            };
            let draft = locked.draft(&ring)?;
            audit(&keys, NewEvent::once(&by, action, Target::key(kid))).await?;
            locked.replace(draft)?;
            output::line(if *revoke {
                format!("{kid} is revoked: each server refuses its tokens once it has read the file.")
            } else {
                format!("Took {kid} out.")
            })
        }
    }
}

/// Tells the store's audit of a change of keys.
async fn audit(keys: &Keys, event: NewEvent) -> Result<(), Failure> {
    if keys.without_audit {
        return Ok(());
    }
    // A ring may come before the store, as a key does before the first start. Whoever changes one has a store.
    if !matches!(keys.command, KeysCommand::Generate { .. }) && !keys.store.exists() {
        return Err(Failure::new(format!(
            "changed no key, for there is no audit to tell: {} does not exist; name the servers' store with --database or \
             --data-dir (--without-audit does without)",
            keys.store.embedded().display()
        )));
    }
    let told =
        async { Ok::<_, Failure>(Stores::open(&keys.store.database()?).await?.audit.append(vec![event]).await?) };
    told.await.map_err(|failure| {
        Failure::new(format!("changed no key, for the audit cannot take it: {failure} (--without-audit does without)"))
    })
}

/// What the audit is told of the ring's newest key.
fn newest(by: &Actor, action: Action, ring: &KeyRing) -> Result<NewEvent, Failure> {
    let key = ring.keys().last().ok_or_else(|| Failure::new("the key ring is empty"))?;
    let detail = format!("{}, signs from {} on", key.algorithm(), key.times().signs_from.format(&Rfc3339)?);
    Ok(NewEvent::once(by, action, Target::key(key.id())).with_detail(Some(detail)))
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
