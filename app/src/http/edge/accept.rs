//! Proactive content negotiation by the `Accept` header (RFC 9110, section 12.5.1).

use mime::Mime;
use poem::http::{HeaderMap, header};

use crate::http::problem::PROBLEM_JSON;

/// Returns `true` if one of the `offered` media types is acceptable. A missing or malformed header accepts everything, and so does one
/// that lists the format of problems alone: openapi-generator's Python client sends it to operations whose response is not JSON.
pub fn accepts(headers: &HeaderMap, offered: &[Mime]) -> bool {
    if offered.is_empty() {
        return true;
    }
    let mut ranges = Vec::new();
    for line in headers.get_all(header::ACCEPT) {
        let Ok(line) = line.to_str() else { return true };
        for range in line.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            let Ok(range) = range.parse::<Mime>() else { return true };
            ranges.push(range);
        }
    }
    ranges.iter().all(|range| range.essence_str() == PROBLEM_JSON)
        || offered.iter().any(|offered| quality(&ranges, offered) > 0.0)
}

/// The weight of the most specific matching range; 0 if none matches.
fn quality(ranges: &[Mime], offered: &Mime) -> f32 {
    let specificity = |range: &Mime| match (range.type_(), range.subtype()) {
        (mime::STAR, _) => Some(0),
        (kind, mime::STAR) if kind == offered.type_() => Some(1),
        _ if range.essence_str() == offered.essence_str() => Some(2),
        _ => None,
    };
    let best =
        ranges.iter().filter_map(|range| specificity(range).map(|rank| (rank, range))).max_by_key(|(rank, _)| *rank);
    let weight = |range: &Mime| range.get_param("q").map_or(Some(1.0), |q| q.as_str().parse().ok());
    best.and_then(|(_, range)| weight(range)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        accepts(&headers, &["application/json".parse().unwrap()])
    }

    /// REQ 25.
    #[test]
    fn json_is_offered_unless_accept_excludes_it() {
        assert!(accepts(&HeaderMap::new(), &["application/json".parse().unwrap()]));
        for accept in [
            "*/*",
            "application/*",
            "application/json",
            "text/html, application/json;q=0.1",
            "",
            "nonsense",
            "application/problem+json",
        ] {
            assert!(accepted(accept), "{accept}");
        }
        for accept in [
            "text/html",
            "text/html, application/problem+json",
            "application/json;q=0",
            "application/json;q=0, */*",
            "application/xml, text/*",
            "application/*, application/json;q=0",
        ] {
            assert!(!accepted(accept), "{accept}");
        }
    }
}
