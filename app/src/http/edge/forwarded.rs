//! What reverse proxies tell of a request, believed only from those that are configured.

use std::net::IpAddr;

use ipnet::IpNet;
use poem::http::HeaderName;
use poem::{Addr, Request};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The proxies whose `X-Forwarded-For` and `X-Forwarded-Prefix` are believed (ASVS 4.1.3). None by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// The path under which a proxy publishes this service, such as `/rollbook`: what paths in answers begin with.
#[derive(Debug, Clone, Default)]
pub struct PathPrefix(String);

impl PathPrefix {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Vec<IpNet>> for TrustedProxies {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// The address of the client: the peer's, or behind trusted proxies the last one that is not theirs.
    pub fn client(&self, request: &Request) -> Option<IpAddr> {
        let peer = peer(request)?;
        if !self.trusts(peer) {
            return Some(peer);
        }
        let hops = request.headers().get_all(X_FORWARDED_FOR).iter().rev();
        let hops = hops.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer;
        for hop in hops {
            // An address that cannot be read, and all before it, is not believed.
            let Ok(address) = hop.trim().parse() else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(client)
    }

    /// The prefix that a trusted proxy names, where it is one: segments of unreserved characters.
    pub fn path_prefix(&self, request: &Request) -> Option<PathPrefix> {
        let given = request.headers().get(X_FORWARDED_PREFIX)?.to_str().ok()?;
        let prefix = given.strip_suffix('/').unwrap_or(given);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        let fit = prefix.starts_with('/') && !prefix.contains("//") && prefix.bytes().all(plain);
        (fit && peer(request).is_some_and(|peer| self.trusts(peer))).then(|| PathPrefix(prefix.to_owned()))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn peer(request: &Request) -> Option<IpAddr> {
    match &**request.remote_addr() {
        Addr::SocketAddr(address) => Some(address.ip().to_canonical()),
        Addr::Unix(_) | Addr::Custom(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use poem::web::{LocalAddr, RemoteAddr};

    use super::*;

    fn request(peer: &str, headers: &[(&str, &str)]) -> Request {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::builder().finish();
        let (mut parts, body) = std::mem::take(&mut request).into_parts();
        for (name, value) in headers {
            parts.headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let _ = LocalAddr::default();
        parts.state.remote_addr = RemoteAddr(peer.into());
        Request::from_parts(parts, body)
    }

    fn proxies() -> TrustedProxies {
        vec!["10.0.0.0/8".parse().unwrap()].into()
    }

    #[test]
    fn req_30_forwarded_headers_are_believed_only_from_configured_proxies() {
        let client = |peer, headers: &[_]| proxies().client(&request(peer, headers)).unwrap().to_string();
        let forged = [("X-Forwarded-For", "1.1.1.1, 2.2.2.2")];
        assert_eq!(client("192.0.2.1:9", &forged), "192.0.2.1");
        assert_eq!(client("10.0.0.1:9", &forged), "2.2.2.2");
        assert_eq!(client("10.0.0.1:9", &[("X-Forwarded-For", "1.1.1.1, 10.0.0.7")]), "1.1.1.1");
        assert_eq!(client("10.0.0.1:9", &[("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")]), "2.2.2.2");
        assert_eq!(client("10.0.0.1:9", &[("X-Forwarded-For", "1.1.1.1, nonsense")]), "10.0.0.1");
        assert_eq!(client("10.0.0.1:9", &[]), "10.0.0.1");
    }

    #[test]
    fn req_30_a_path_prefix_is_believed_only_from_configured_proxies() {
        let prefix = |peer, value| {
            proxies().path_prefix(&request(peer, &[("X-Forwarded-Prefix", value)])).map(|prefix| prefix.0)
        };
        assert_eq!(prefix("10.0.0.1:9", "/roll/book/").as_deref(), Some("/roll/book"));
        assert_eq!(prefix("192.0.2.1:9", "/roll"), None);
        for wrong in ["roll", "//evil.example", "/a b", "/a\"b"] {
            assert_eq!(prefix("10.0.0.1:9", wrong), None, "{wrong}");
        }
    }
}
