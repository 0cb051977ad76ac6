//! The addresses in a forwarding header.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use poem::http::HeaderMap;

use super::ForwardedHeader;

/// White space within a line.
const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// The forwarded addresses, the last one first; `None` for an unknown address, or for the rest of a malformed line.
pub fn from_last(header: ForwardedHeader, headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let mut lines = headers.get_all(header.name()).iter().rev().peekable();
    let is_ambiguous = header == ForwardedHeader::XRealIp && headers.get_all(header.name()).iter().nth(1).is_some();
    if is_ambiguous {
        lines.next();
    }
    lines.flat_map(move |line| {
        let line = if is_ambiguous { None } else { line.to_str().ok() };
        let hops = line.and_then(|line| match header {
            ForwardedHeader::XForwardedFor => Some(line.split(',').map(address).collect()),
            ForwardedHeader::Forwarded => elements(line),
            ForwardedHeader::XRealIp => Some(vec![address(line)]),
        });
        hops.unwrap_or_else(|| vec![None]).into_iter().rev()
    })
}

/// An address with an optional port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches(WHITE_SPACE);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(bracketed).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// The addresses in the `for` parameters of a line of `Forwarded`, one for each element (RFC 7239, section 4).
fn elements(mut rest: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut elements = Vec::new();
    let mut element: Option<Option<String>> = None;
    loop {
        rest = rest.trim_start_matches(WHITE_SPACE);
        if let Some(after) = rest.strip_prefix(';') {
            rest = after;
        } else if rest.is_empty() || rest.starts_with(',') {
            elements.extend(element.take().map(|client| client.and_then(|client| node(&client))));
            let Some(after) = rest.strip_prefix(',') else { return Some(elements) };
            rest = after;
        } else {
            let (name, value, after) = pair(rest)?;
            let client = element.get_or_insert_default();
            if name.eq_ignore_ascii_case("for") && client.replace(value).is_some() {
                return None;
            }
            rest = after.trim_start_matches(WHITE_SPACE);
            if !rest.is_empty() && !rest.starts_with([',', ';']) {
                return None;
            }
        }
    }
}

/// A parameter at the beginning: its name, its value, and the rest.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find([',', ';', ' ', '\t']).unwrap_or(rest.len());
        let (value, rest) = rest.split_at(end);
        return (!value.is_empty() && !value.contains('"')).then(|| (name, value.to_owned(), rest));
    };
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    loop {
        match characters.next()? {
            (at, '"') => return Some((name, value, &quoted[at + 1..])),
            (_, '\\') => value.push(characters.next()?.1),
            (_, character) => value.push(character),
        }
    }
}

/// The address of a node, whose port may be obfuscated (RFC 7239, section 6).
fn node(text: &str) -> Option<IpAddr> {
    address(text.rsplit_once(":_").map_or(text, |(address, _)| address))
}
