//! The forwarding headers of reverse proxies, which are ignored unless the proxy is trusted.

mod hops;
mod path_prefix;

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use poem::http::{HeaderMap, HeaderName};
use poem::{Addr, Request};
use thiserror::Error;

pub use path_prefix::PathPrefix;

/// The header in which trusted proxies forward the address of their client. The others are ignored: a proxy that does not write
/// them passes on those of its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// A list, to which each proxy appends.
    #[default]
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
    /// One address, which the proxy replaces.
    XRealIp,
}

/// The text names no supported header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be X-Forwarded-For, Forwarded or X-Real-IP")]
pub struct ForwardedHeaderError;

impl ForwardedHeader {
    const ALL: [Self; 3] = [Self::XForwardedFor, Self::Forwarded, Self::XRealIp];

    const fn name(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
            Self::XRealIp => "x-real-ip",
        })
    }
}

impl FromStr for ForwardedHeader {
    type Err = ForwardedHeaderError;

    fn from_str(text: &str) -> Result<Self, ForwardedHeaderError> {
        let mut all = Self::ALL.into_iter();
        all.find(|header| text.eq_ignore_ascii_case(header.name().as_str())).ok_or(ForwardedHeaderError)
    }
}

/// The networks of trusted proxies, and the header in which they forward addresses (ASVS 4.1.3). Empty by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

impl From<Vec<IpNet>> for TrustedProxies {
    fn from(networks: Vec<IpNet>) -> Self {
        Self { networks, header: ForwardedHeader::default() }
    }
}

impl TrustedProxies {
    /// Reads addresses from this header.
    #[must_use]
    pub fn with_header(self, header: ForwardedHeader) -> Self {
        Self { header, ..self }
    }

    /// Returns `true` if the address is that of a trusted proxy.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client's address: the address of the peer or, if the peer is a trusted proxy, the last forwarded address that is
    /// not a trusted proxy.
    pub fn client(&self, request: &Request) -> Option<IpAddr> {
        peer(request).map(|peer| self.client_behind(peer, request.headers()))
    }

    fn client_behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        if !self.trust(peer) {
            return client;
        }
        for hop in hops::from_last(self.header, headers) {
            // An unknown address, and every address before it, may be forged.
            let Some(address) = hop else { break };
            client = address;
            if !self.trust(address) {
                break;
            }
        }
        client
    }

    /// The path prefix that a trusted proxy forwards.
    pub fn path_prefix(&self, request: &Request) -> Option<PathPrefix> {
        let peer = peer(request)?;
        self.trust(peer).then(|| PathPrefix::of(request.headers())).flatten()
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

    const PROXY: &str = "10.0.0.1";
    const CLIENT: &str = "203.0.113.9";

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    fn client_of(peer: &str, header: ForwardedHeader, lines: &[(&str, &str)]) -> String {
        let proxies = TrustedProxies::from(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()]);
        proxies.with_header(header).client_behind(peer.parse().unwrap(), &headers(lines)).to_string()
    }

    /// REQ 30.
    #[test]
    fn forwarded_address_is_read_in_every_common_form() {
        use ForwardedHeader::{Forwarded, XForwardedFor, XRealIp};
        for (header, value, expected) in [
            (XForwardedFor, "1.1.1.1, 203.0.113.9", CLIENT),
            (XForwardedFor, "203.0.113.9, 10.0.0.7", CLIENT),
            (XForwardedFor, "203.0.113.9,10.0.0.7:443 ,\t[2001:db8:ffff::1]:80", CLIENT),
            (XForwardedFor, "203.0.113.9:52011", CLIENT),
            (XForwardedFor, "2001:db8::7", "2001:db8::7"),
            (XForwardedFor, "[2001:db8::7]", "2001:db8::7"),
            (XForwardedFor, "[2001:db8::7]:52011", "2001:db8::7"),
            (XForwardedFor, "::ffff:203.0.113.9", CLIENT),
            (Forwarded, "for=203.0.113.9", CLIENT),
            (Forwarded, "For=\"203.0.113.9:52011\"; Proto=https ;by=10.0.0.1", CLIENT),
            (Forwarded, "proto=http;for=\"[2001:db8::7]:52011\"", "2001:db8::7"),
            (Forwarded, "for=\"[2001:db8::7]:_x1\";host=\"a,b;for=1.1.1.1\"", "2001:db8::7"),
            (Forwarded, "for=1.1.1.1, for=203.0.113.9, for=10.0.0.7", CLIENT),
            (Forwarded, "for=203.0.113.9 , , FOR=\"10.0.0.\\7\"", CLIENT),
            (Forwarded, "for=[2001:db8::7]:52011", "2001:db8::7"),
            (XRealIp, "203.0.113.9", CLIENT),
            (XRealIp, "2001:db8::7", "2001:db8::7"),
        ] {
            let name = header.name();
            assert_eq!(client_of(PROXY, header, &[(name.as_str(), value)]), expected, "{name}: {value}");
            let two_lines = [(name.as_str(), "for=1.1.1.1, 1.1.1.1"), (name.as_str(), value)];
            if header != XRealIp {
                assert_eq!(client_of(PROXY, header, &two_lines), expected, "{name}: {value}");
            }
            // From a peer that is no proxy, and in other headers than the configured one.
            assert_eq!(client_of("192.0.2.1", header, &[(name.as_str(), value)]), "192.0.2.1");
            for other in ForwardedHeader::ALL.into_iter().filter(|other| *other != header) {
                assert_eq!(client_of(PROXY, other, &[(name.as_str(), value)]), PROXY, "{name}: {value}");
            }
        }
    }

    /// REQ 30.
    #[test]
    fn client_of_only_trusted_proxies_is_the_first_of_them() {
        assert_eq!(
            client_of(PROXY, ForwardedHeader::XForwardedFor, &[("x-forwarded-for", "10.0.0.9, 10.0.0.8")]),
            "10.0.0.9"
        );
        assert_eq!(client_of(PROXY, ForwardedHeader::Forwarded, &[("forwarded", "for=10.0.0.9, by=10.0.0.8")]), PROXY);
        assert_eq!(client_of(PROXY, ForwardedHeader::XRealIp, &[]), PROXY);
        let twice = [("x-real-ip", CLIENT), ("x-real-ip", CLIENT)];
        assert_eq!(client_of(PROXY, ForwardedHeader::XRealIp, &twice), PROXY);
    }

    /// Values that a client can choose before a proxy appends its address.
    fn forgeries() -> Vec<String> {
        let parts = [
            "",
            "1.1.1.1",
            "for=1.1.1.1",
            "for=\"1.1.1.1",
            "for=1.1.1.1;x=\"",
            "\"",
            "\\",
            "for=\"\\",
            ";",
            ",",
            ",,",
            "=",
            "for",
            "for=",
            "for=unknown",
            "for=_hidden",
            "unknown",
            "10.0.0.1",
            "for=10.0.0.1",
            "for=1.1.1.1;for=1.1.1.2",
            "[1.1.1.1]",
            "1.1.1.1:x",
            "for=\"[::1]:99999\"",
            "%31.1.1.1",
            "1.1.1.1 1.1.1.2",
            "0x1.1.1.1",
        ];
        let pairs = parts.iter().flat_map(|one| parts.iter().map(move |other| format!("{one}, {other}")));
        parts.iter().map(ToString::to_string).chain(pairs).collect()
    }

    /// REQ 30.
    #[test]
    fn client_cannot_choose_its_address_by_forged_headers() {
        use ForwardedHeader::{Forwarded, XForwardedFor};
        let appended = [
            (XForwardedFor, "203.0.113.9"),
            (XForwardedFor, "203.0.113.9:52011"),
            (Forwarded, "for=203.0.113.9;proto=https"),
            (Forwarded, "for=\"203.0.113.9:52011\";by=\"[2001:db8:ffff::1]\""),
            (Forwarded, "by=\"_proxy\";host=\"roll.example.org\";for=\"203.0.113.9\""),
        ];
        let forgeries = forgeries();
        assert!(forgeries.len() > 200);
        for forgery in &forgeries {
            for (header, own) in appended {
                let name = header.name();
                let joined = client_of(PROXY, header, &[(name.as_str(), &format!("{forgery}, {own}"))]);
                assert!([CLIENT, PROXY].contains(&&*joined), "{name}: {forgery}: {joined}");
                let separate = client_of(PROXY, header, &[(name.as_str(), forgery), (name.as_str(), own)]);
                assert_eq!(separate, CLIENT, "{name}: {forgery}");
            }
            // The proxy writes its own header, and passes on the others.
            for header in ForwardedHeader::ALL {
                let own = if header == Forwarded { "for=203.0.113.9" } else { CLIENT };
                let mut lines = ForwardedHeader::ALL.map(|it| (it.name(), forgery.clone()));
                for (name, value) in &mut lines {
                    if *name == header.name() {
                        own.clone_into(value);
                    }
                }
                let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), &**value)).collect();
                assert_eq!(client_of(PROXY, header, &lines), CLIENT, "{forgery}");
            }
        }
    }

    /// REQ 30.
    #[test]
    fn malformed_line_ends_the_list_of_addresses() {
        let forwarded = |lines: &[&str]| {
            let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
            client_of(PROXY, ForwardedHeader::Forwarded, &lines)
        };
        for malformed in
            ["for=1.1.1.1;for=1.1.1.2", "for=\"1.1.1.1", "for", "for=1.1.1.1 x", "for=\"1.1.1.1\"x", "for=a\"b\""]
        {
            assert_eq!(forwarded(&["for=1.1.1.1", malformed]), PROXY, "{malformed}");
            assert_eq!(forwarded(&["for=203.0.113.9, for=10.0.0.7", malformed]), PROXY, "{malformed}");
            assert_eq!(forwarded(&[malformed, "for=203.0.113.9"]), CLIENT, "{malformed}");
        }
    }

    #[test]
    fn forwarded_header_is_named_in_any_case() {
        assert_eq!("x-real-ip".parse(), Ok(ForwardedHeader::XRealIp));
        assert_eq!("X-Forwarded-For".parse(), Ok(ForwardedHeader::XForwardedFor));
        assert_eq!("X-Forwarded".parse::<ForwardedHeader>(), Err(ForwardedHeaderError));
    }
}
