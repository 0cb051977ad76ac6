//! Content codings (RFC 9110, section 8.4.1): gzip if the client accepts it, otherwise identity.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use poem::http::{HeaderMap, header};

/// Content coding of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// Selects the coding by `Accept-Encoding` (RFC 9110, section 12.5.3): identity if the header is absent. Also identity if
    /// both codings are excluded, because an uncompressed response is more useful than a 406.
    pub fn negotiate(request: &HeaderMap) -> Self {
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

    /// Value of `Content-Encoding`; `None` for identity.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
        }
    }
}

/// A coding and its weight: 1 by default, 0 if it is malformed.
fn weighted(element: &str) -> (&str, f32) {
    let (coding, parameter) = element.split_once(';').unwrap_or((element, "q=1"));
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    (coding.trim(), weight.and_then(|(_, weight)| weight.trim().parse().ok()).unwrap_or(0.0))
}

/// Static content in each coding. Each coding has its own strong validator, because the bytes differ (RFC 9110, section
/// 8.8.3.3).
pub struct Encoded {
    fingerprint: u64,
    identity: OnceLock<Bytes>,
    gzip: Bytes,
}

impl Encoded {
    /// Compresses `plain`, which takes about 1 ms per 50 KB.
    pub fn new(plain: Bytes) -> io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&plain)?;
        let gzip = encoder.finish()?.into();
        Ok(Self { fingerprint: fingerprint(&plain), identity: OnceLock::from(plain), gzip })
    }

    /// Wraps compressed content. It is decompressed on the first request without gzip, which browsers never send.
    pub fn from_gzip(gzip: Bytes) -> Self {
        Self { fingerprint: fingerprint(&gzip), identity: OnceLock::new(), gzip }
    }

    /// Value of `ETag`.
    pub fn etag(&self, coding: Coding) -> String {
        match coding.name() {
            None => format!("\"{:016x}\"", self.fingerprint),
            Some(name) => format!("\"{:016x}-{name}\"", self.fingerprint),
        }
    }

    /// The content in this coding. Fails if [`Encoded::from_gzip`] received data other than gzip.
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

/// Hash of the bytes, stable across processes of one build. It need not be collision-resistant.
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
        Coding::negotiate(&lines.collect())
    }

    #[test]
    fn gzip_is_selected_only_if_accepted() {
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
    fn codings_share_content_but_not_etags() {
        let plain = Bytes::from("so it goes, ".repeat(1000));
        let compressed = Encoded::new(plain.clone()).unwrap();
        let gzip = compressed.bytes(Coding::Gzip).unwrap();
        assert!(gzip.len() < plain.len() / 10, "{}", gzip.len());
        let precompressed = Encoded::from_gzip(gzip);
        for encoded in [compressed, precompressed] {
            assert_eq!(encoded.bytes(Coding::Identity).unwrap(), plain);
            assert_ne!(encoded.etag(Coding::Identity), encoded.etag(Coding::Gzip));
        }
    }
}
