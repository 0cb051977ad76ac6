//! `rollbook keys …`: manages the key ring.

use adapter_jwt::{KeyRing, RingKey};
use domain::audit::{Action, NewEvent};
use domain::{Actor, ActorId, Clock, Target};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::arguments::{Keys, KeysCommand};
use super::failure::Failure;
use super::key_file::{LockedRing, RingDraft};
use super::{key_file, output};
use crate::system::{SystemClock, SystemRandom};

/// Runs a `keys` subcommand.
///
/// No transaction covers both the file and the store. A change is therefore written to a draft, recorded in the audit
/// log, and then committed; if the audit log is unavailable, the ring does not change.
pub async fn run(keys: Keys) -> Result<(), Failure> {
    let path =
        keys.ring.as_ref().ok_or_else(|| Failure::new("the key ring is missing: set --keys FILE or ROLLBOOK_KEYS"))?;
    let by = Actor::here(ActorId::Operator, SystemClock.now());
    match &keys.command {
        KeysCommand::List => list(&key_file::read(path)?, by.at),
        KeysCommand::Generate { algorithm } => {
            let ring = KeyRing::generate(*algorithm, by.at, &SystemRandom)?;
            let draft = RingDraft::of_new(path, &ring)?;
            audit(&keys, vec![newest_key_event(&by, Action::KEY_GENERATED, &ring)?]).await?;
            draft.commit()?;
            print_newest_key(&ring)
        }
        KeysCommand::Rotate { algorithm, announce, token_ttl } => {
            let locked = LockedRing::read(path)?;
            let before = locked.ring();
            let algorithm = algorithm.or_else(|| before.signing_at(by.at).map(RingKey::algorithm)).unwrap_or_default();
            let lifetime = Duration::seconds(token_ttl.seconds());
            let ring = before.rotate(algorithm, *announce, lifetime, by.at, &SystemRandom)?;
            let draft = locked.draft(&ring)?;
            let previous = before.signing_at(by.at).map(|key| key.id().to_owned());
            let withdrawn = before.announced_at(by.at).map(|key| key.id().to_owned());
            let revoked = withdrawn.iter().map(|kid| NewEvent::once(&by, Action::KEY_REVOKED, Target::key(kid)));
            let rotated = newest_key_event(&by, Action::KEY_ROTATED, &ring)?;
            audit(&keys, revoked.chain([rotated]).collect()).await?;
            locked.replace(draft)?;
            print_newest_key(&ring)?;
            if let Some(kid) = withdrawn {
                output::line(format_args!("Revoked key {kid}, which was announced and has signed no token."))?;
            }
            match previous {
                Some(kid) if announce.is_zero() => output::line(format_args!(
                    "Key {kid} signed until now. If it is compromised, reject its tokens: rollbook keys retire {kid} --revoke"
                )),
                _ => Ok(()),
            }
        }
        KeysCommand::Retire { kid, revoke } => {
            let locked = LockedRing::read(path)?;
            let (ring, action) = if *revoke {
                (locked.ring().revoke(kid, by.at)?, Action::KEY_REVOKED)
            } else {
                (locked.ring().remove(kid, by.at)?, Action::KEY_RETIRED)
            };
            let draft = locked.draft(&ring)?;
            audit(&keys, vec![NewEvent::once(&by, action, Target::key(kid))]).await?;
            locked.replace(draft)?;
            output::line(if *revoke {
                format!("Revoked key {kid}; each server rejects its tokens as soon as it reads the file.")
            } else {
                format!("Retired key {kid}.")
            })
        }
    }
}

/// Records changes of keys in the store's audit log.
async fn audit(keys: &Keys, events: Vec<NewEvent>) -> Result<(), Failure> {
    if keys.without_audit {
        return Ok(());
    }
    let recorded = async {
        // A ring may be generated before the first start creates the store; later changes require the store.
        let stores = match (keys.store.find().await?, &keys.command) {
            (Some(stores), _) => stores,
            (None, KeysCommand::Generate { .. }) => return Ok(()),
            (None, _) => keys.store.open_existing().await?,
        };
        Ok::<_, Failure>(stores.audit.append(events).await?)
    };
    recorded.await.map_err(|failure| {
        Failure::new(format!("no key was changed: cannot record the audit event: {failure}; or use --without-audit"))
    })
}

/// Audit event for the newest key in the ring.
fn newest_key_event(by: &Actor, action: Action, ring: &KeyRing) -> Result<NewEvent, Failure> {
    let key = ring.keys().last().ok_or_else(|| Failure::new("the key ring is empty"))?;
    let detail = format!("{}, signs from {}", key.algorithm(), key.times().signs_from.format(&Rfc3339)?);
    Ok(NewEvent::once(by, action, Target::key(key.id())).with_detail(Some(detail)))
}

fn print_newest_key(ring: &KeyRing) -> Result<(), Failure> {
    let Some(key) = ring.keys().last() else { return Ok(()) };
    let from = key.times().signs_from.format(&Rfc3339)?;
    output::line(format_args!("Created key {} ({}); it signs from {from}.", key.id(), key.algorithm()))
}

/// Prints id, algorithm, current state, start of signing and end of verification, separated by tabs.
fn list(ring: &KeyRing, now: OffsetDateTime) -> Result<(), Failure> {
    for key in ring.keys() {
        let times = key.times();
        let until = times
            .revoked_at
            .or(times.verifies_until)
            .map_or_else(|| Ok("-".to_owned()), |until| until.format(&Rfc3339))?;
        let (state, from) = (ring.state_at(key, now), times.signs_from.format(&Rfc3339)?);
        output::line(format_args!("{}\t{}\t{state}\t{from}\t{until}", key.id(), key.algorithm()))?;
    }
    Ok(())
}
