//! Content codings (RFC 9110, section 8.4.1): gzip for whoever accepts it, the bytes as they are for everybody else.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use poem::http::{HeaderMap, header};

/// How the bytes of an answer are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// The coding that a request's `Accept-Encoding` asks for (RFC 9110, section 12.5.3). Who says nothing gets no
    /// coding, and neither does who refuses both: an answer is of more use than a 406.
    pub fn wanted(request: &HeaderMap) -> Self {
        let (mut gzip, mut identity, mut any) = (None, None, None);
        for line in request.get_all(header::ACCEPT_ENCODING) {
            for element in line.to_str().unwrap_or_default().split(',') {
                let (coding, weight) = weighted(element);
                match coding.to_ascii_lowercase().as_str() {
                    "gzip" | "x-gzip" => gzip = Some(weight),
                    "identity" => identity = Some(weight),
                    "*" => any = Some(weight),
                    _ => {}
                }
            }
        }
        let gzip = gzip.or(any).unwrap_or(0.0);
        if gzip > 0.0 && gzip >= identity.unwrap_or(0.0) { Self::Gzip } else { Self::Identity }
    }

    /// The value of `Content-Encoding`, which is absent where there is none.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
        }
    }
}

/// A coding with its weight: 1 where none is given, 0 where it cannot be read.
fn weighted(element: &str) -> (&str, f32) {
    let (coding, parameter) = element.split_once(';').unwrap_or((element, "q=1"));
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    (coding.trim(), weight.and_then(|(_, weight)| weight.trim().parse().ok()).unwrap_or(0.0))
}

/// What never changes while the program runs, in each coding, with a strong validator for each: two codings of the
/// same are not the same bytes (RFC 9110, section 8.8.3.3).
pub struct Encoded {
    fingerprint: u64,
    identity: OnceLock<Bytes>,
    gzip: Bytes,
}

impl Encoded {
    /// Compresses `plain`: a millisecond for each 50 KB or so, hence once.
    pub fn new(plain: Bytes) -> io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&plain)?;
        let gzip = encoder.finish()?.into();
        Ok(Self { fingerprint: fingerprint(&plain), identity: OnceLock::from(plain), gzip })
    }

    /// What is compressed already. It is inflated when somebody first asks for it so, which browsers never do.
    pub fn from_gzip(gzip: Bytes) -> Self {
        Self { fingerprint: fingerprint(&gzip), identity: OnceLock::new(), gzip }
    }

    /// The value of `ETag`.
    pub fn etag(&self, coding: Coding) -> String {
        match coding.name() {
            None => format!("\"{:016x}\"", self.fingerprint),
            Some(name) => format!("\"{:016x}-{name}\"", self.fingerprint),
        }
    }

    /// The bytes. Fails where [`Encoded::from_gzip`] was given something else.
    pub fn bytes(&self, coding: Coding) -> io::Result<Bytes> {
        match (coding, self.identity.get()) {
            (Coding::Gzip, _) => Ok(self.gzip.clone()),
            (Coding::Identity, Some(plain)) => Ok(plain.clone()),
            (Coding::Identity, None) => {
                let mut plain = Vec::new();
                GzDecoder::new(&*self.gzip).read_to_end(&mut plain)?;
                Ok(self.identity.get_or_init(|| plain.into()).clone())
            }
        }
    }
}

/// The same for the same bytes in every process of one build; collisions are of no use to anybody.
fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(lines: &[&str]) -> Coding {
        let lines = lines.iter().map(|line| (header::ACCEPT_ENCODING, line.parse().unwrap()));
        Coding::wanted(&lines.collect())
    }

    #[test]
    fn gzip_is_for_whoever_accepts_it() {
        for lines in [
            &["gzip, deflate, br, zstd"][..],
            &["br;q=1.0, gzip;q=0.8, *;q=0.1"],
            &["GZIP"],
            &["x-gzip"],
            &["*"],
            &["identity;q=0.5, *"],
            &["deflate", "gzip ; q=0.001"],
            &["identity, gzip"],
        ] {
            assert_eq!(wanted(lines), Coding::Gzip, "{lines:?}");
        }
        for lines in [
            &[][..],
            &[""],
            &["br"],
            &["identity"],
            &["gzip;q=0"],
            &["gzip;q=0, *"],
            &["*;q=0"],
            &["gzip;q=many"],
            &["gzip;v=1"],
            &["identity, gzip;q=0.5"],
            &["gzip;q=0, identity;q=0"],
        ] {
            assert_eq!(wanted(lines), Coding::Identity, "{lines:?}");
        }
    }

    #[test]
    fn both_codings_hold_the_same_and_no_validator_is_shared() {
        let plain = Bytes::from("so it goes, ".repeat(1000));
        let ours = Encoded::new(plain.clone()).unwrap();
        let gzip = ours.bytes(Coding::Gzip).unwrap();
        assert!(gzip.len() < plain.len() / 10, "{}", gzip.len());
        let theirs = Encoded::from_gzip(gzip);
        for encoded in [ours, theirs] {
            assert_eq!(encoded.bytes(Coding::Identity).unwrap(), plain);
            assert_ne!(encoded.etag(Coding::Identity), encoded.etag(Coding::Gzip));
        }
    }
}
