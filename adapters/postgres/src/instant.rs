//! Decoding of `timestamptz`.

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Postgres, Type};
use time::OffsetDateTime;

/// The PostgreSQL epoch, 2000-01-01, in microseconds since 1970-01-01.
const EPOCH: i128 = 946_684_800_000_000;

/// A decoded `timestamptz`. The driver's decoding panics on `infinity`; this one returns an error.
pub(crate) struct Instant(pub OffsetDateTime);

impl Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        OffsetDateTime::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Instant {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a timestamp is not in binary format".into());
        }
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        let nanos = (i128::from(micros) + EPOCH) * 1000;
        Ok(Self(OffsetDateTime::from_unix_timestamp_nanos(nanos)?))
    }
}
