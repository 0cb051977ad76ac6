//! The `X-Forwarded-*` headers of reverse proxies, which are ignored unless the proxy is trusted.

use std::net::IpAddr;

use ipnet::IpNet;
use poem::http::{HeaderMap, HeaderName, HeaderValue, header};
use poem::{Addr, Request};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The networks of trusted proxies: their `X-Forwarded-For` and `X-Forwarded-Prefix` are used (ASVS 4.1.3). Empty by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

/// The path under which a proxy publishes this service: `/rollbook`, for example.
#[derive(Debug, Clone, Default)]
pub struct PathPrefix(String);

impl PathPrefix {
    /// Prepends the prefix to the absolute paths in `Location` and `Link`.
    pub fn prepend_to_paths(&self, headers: &mut HeaderMap) {
        for (name, begin) in [(header::LOCATION, "/"), (header::LINK, "</")] {
            let Some(path) = headers.get(&name).and_then(|value| value.to_str().ok()?.strip_prefix(begin)) else {
                continue;
            };
            let begin = begin.trim_end_matches('/');
            if let Ok(value) = HeaderValue::try_from(format!("{begin}{}/{path}", self.0)) {
                headers.insert(name, value);
            }
        }
    }
}

impl From<Vec<IpNet>> for TrustedProxies {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// The client's address: the address of the peer or, if the peer is a trusted proxy, the last forwarded address that is
    /// not a trusted proxy.
    pub fn client(&self, request: &Request) -> Option<IpAddr> {
        peer(request).map(|peer| self.client_behind(peer, request.headers()))
    }

    fn client_behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trust(peer) {
            return peer;
        }
        let hops = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let hops = hops.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer;
        for hop in hops {
            // An invalid address, and every address before it, may be forged.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            let address = address.to_canonical();
            client = address;
            if !self.trust(address) {
                break;
            }
        }
        client
    }

    /// The prefix that a trusted proxy sends, if it is valid: segments of unreserved characters.
    pub fn path_prefix(&self, request: &Request) -> Option<PathPrefix> {
        self.path_prefix_behind(peer(request)?, request.headers())
    }

    fn path_prefix_behind(&self, peer: IpAddr, headers: &HeaderMap) -> Option<PathPrefix> {
        let given = headers.get(X_FORWARDED_PREFIX)?.to_str().ok()?;
        let prefix = given.strip_suffix('/').unwrap_or(given);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        let is_valid = prefix.starts_with('/') && !prefix.contains("//") && prefix.bytes().all(plain);
        (is_valid && self.trust(peer)).then(|| PathPrefix(prefix.to_owned()))
    }

    /// Returns `true` if the address is that of a trusted proxy.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
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
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn proxies() -> TrustedProxies {
        vec!["10.0.0.0/8".parse().unwrap()].into()
    }

    /// REQ 30.
    #[test]
    fn forwarded_address_is_used_from_trusted_proxies_only() {
        let client =
            |peer: &str, lines: &[_]| proxies().client_behind(peer.parse().unwrap(), &headers(lines)).to_string();
        let forged = [("x-forwarded-for", "1.1.1.1, 2.2.2.2")];
        assert_eq!(client("192.0.2.1", &forged), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &forged), "2.2.2.2");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 10.0.0.7")]), "1.1.1.1");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")]), "2.2.2.2");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, nonsense")]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn prefix_is_prepended_to_location_and_link() {
        let mut headers = headers(&[("location", "/students/7"), ("link", "</students?after=1>; rel=\"next\"")]);
        PathPrefix("/roll".to_owned()).prepend_to_paths(&mut headers);
        assert_eq!(headers["location"], "/roll/students/7");
        assert_eq!(headers["link"], "</roll/students?after=1>; rel=\"next\"");
    }

    /// REQ 30.
    #[test]
    fn forwarded_prefix_is_used_from_trusted_proxies_only() {
        let prefix = |peer: &str, value| {
            let headers = headers(&[("x-forwarded-prefix", value)]);
            proxies().path_prefix_behind(peer.parse().unwrap(), &headers).map(|prefix| prefix.0)
        };
        assert_eq!(prefix("10.0.0.1", "/roll/book/").as_deref(), Some("/roll/book"));
        assert_eq!(prefix("192.0.2.1", "/roll"), None);
        for wrong in ["roll", "//evil.example", "/a b", "/a\"b"] {
            assert_eq!(prefix("10.0.0.1", wrong), None, "{wrong}");
        }
    }
}
