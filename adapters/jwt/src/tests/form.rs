//! Compact serialization: length, alphabet, parts, JSON (RFC 7515, sections 2, 5.2 and 7.1).

use super::*;

fn valid_token() -> String {
    forge(&header(&json!({})), &claims(&json!({})))
}

/// REQ 5.
#[test]
fn token_over_8_kib_is_rejected_before_parsing() {
    for length in [8193, 100_000] {
        assert_eq!(verdict(&"!".repeat(length)), Err(TokenError::TooLong));
    }
    assert_eq!(verdict(&"!".repeat(8192)), Err(TokenError::Malformed));
    let payload = |pad| claims(&json!({"pad": "x".repeat(pad)}));
    let longest = (5000..6200).rev().map(|pad| forge(&header(&json!({})), &payload(pad))).find(|t| t.len() <= 8192);
    assert_eq!(verdict(&longest.unwrap()), Ok(some_claims()));
}

/// REQ 5.
#[test]
fn characters_outside_base64url_are_rejected() {
    let valid = valid_token();
    for wrong in ["=", "+", "/", " ", "\n", "\t", "\0", "é", "%", ",", ":", "\u{feff}"] {
        for at in
            [0, 5, valid.find('.').unwrap(), valid.rfind('.').unwrap(), valid.rfind('.').unwrap() + 9, valid.len()]
        {
            let mut token = valid.clone();
            token.insert_str(at, wrong);
            assert_eq!(verdict(&token), Err(TokenError::Malformed), "{wrong:?} at {at}");
        }
    }
}

/// REQ 5.
#[test]
fn padding_is_rejected_in_every_part() {
    let valid = valid_token();
    let parts: Vec<_> = valid.split('.').collect();
    for part in 0..3 {
        let mut padded = parts.clone();
        let with_padding = format!("{}{}", parts[part], "=".repeat((4 - parts[part].len() % 4) % 4));
        padded[part] = &with_padding;
        let expected = if with_padding == parts[part] { Ok(some_claims()) } else { Err(TokenError::Malformed) };
        assert_eq!(verdict(&padded.join(".")), expected, "{part}");
    }
    assert!(!parts[2].len().is_multiple_of(4));
}

/// REQ 5.
#[test]
fn non_canonical_base64url_is_rejected() {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let valid = valid_token();
    let last = LETTERS.find(&valid[valid.len() - 1..]).unwrap();
    assert_eq!(last % 4, 0, "32 bytes leave two bits of the last letter unused");
    for stray in 1..4 {
        let token = format!("{}{}", &valid[..valid.len() - 1], &LETTERS[last + stray..=last + stray]);
        assert_eq!(verdict(&token), Err(TokenError::Malformed), "{stray}");
    }
    let pads = ["", "x", "xx"].map(|pad| URL_SAFE_NO_PAD.encode(header(&json!({"pad": pad}))));
    let encoded = pads.iter().find(|encoded| !encoded.len().is_multiple_of(4)).unwrap();
    let last = LETTERS.find(&encoded[encoded.len() - 1..]).unwrap();
    let encoded = format!("{}{}", &encoded[..encoded.len() - 1], &LETTERS[last + 1..last + 2]);
    let input = format!("{encoded}.{}", URL_SAFE_NO_PAD.encode(claims(&json!({}))));
    assert_eq!(verdict(&sign(&input, KEY, Algorithm::HS256)), Err(TokenError::Malformed));
}

/// REQ 5.
#[test]
fn token_without_exactly_three_parts_is_rejected() {
    let valid = valid_token();
    let (first, rest) = valid.split_once('.').unwrap();
    let two = rest.rsplit_once('.').unwrap().0;
    for wrong in
        ["", ".", "..", "...", first, rest, two, &format!("{valid}."), &format!(".{valid}"), &format!("{valid}.e30")]
    {
        assert_eq!(verdict(wrong), Err(TokenError::Malformed), "{wrong}");
    }
    assert_eq!(verdict(&sign(&format!("{first}.{two}.{two}"), KEY, Algorithm::HS256)), Err(TokenError::Malformed));
}

/// REQ 5.
#[test]
fn header_or_claims_other_than_json_object_is_rejected() {
    let (header, claims) = (header(&json!({})), claims(&json!({})));
    for wrong in ["", "null", "7", "\"x\"", "[]", "{", "\u{feff}{}", "{'a':1}", "{\"a\":NaN}", "{,}"] {
        assert_eq!(verdict(&forge(wrong, &claims)), Err(TokenError::Malformed), "header {wrong}");
        assert_eq!(verdict(&forge(&header, wrong)), Err(TokenError::Malformed), "claims {wrong}");
    }
    for trailing in ["}", "{}", "x", "\0"] {
        assert_eq!(verdict(&forge(&format!("{header}{trailing}"), &claims)), Err(TokenError::Malformed), "{trailing}");
        assert_eq!(verdict(&forge(&header, &format!("{claims}{trailing}"))), Err(TokenError::Malformed), "{trailing}");
    }
    let deep = format!("{{\"a\":{}", "[".repeat(2000));
    assert_eq!(verdict(&forge(&header, &deep)), Err(TokenError::Malformed));
    assert_eq!(verdict(&forge(&deep, &claims)), Err(TokenError::Malformed));
}

/// REQ 5.
#[test]
fn json_array_of_member_values_is_rejected() {
    let now = NOW.unix_timestamp();
    let claims_as_array = format!(r#"[7,"7","rollbook","rollbook-api",{now},{},{now},"t-1"]"#, now + 60);
    let header_as_array = format!(r#"["at+jwt","HS256","{}"]"#, key_id());
    assert_eq!(verdict(&forge(&header_as_array, &claims(&json!({})))), Err(TokenError::Malformed));
    assert_eq!(verdict(&forge(&header(&json!({})), &claims_as_array)), Err(TokenError::Malformed));
}

/// REQ 5.
#[test]
fn invalid_utf8_is_rejected() {
    let mut bytes = claims(&json!({"pad": "xx"})).into_bytes();
    let at = bytes.windows(2).position(|pair| pair == b"xx").unwrap();
    bytes[at] = 0xff;
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header(&json!({}))), URL_SAFE_NO_PAD.encode(bytes));
    assert_eq!(verdict(&sign(&input, KEY, Algorithm::HS256)), Err(TokenError::Malformed));
}

/// REQ 8.
#[test]
fn invalid_signature_is_rejected() {
    let valid = valid_token();
    let (input, signature) = valid.rsplit_once('.').unwrap();
    let other_key = sign(input, b"another key: f81DdaWq0pZxN72LbV3", Algorithm::HS256);
    let other_algorithm = sign(input, KEY, Algorithm::HS512);
    let truncated = format!("{input}.{}", &signature[..20]);
    let none = format!("{input}.");
    let claims = claims(&json!({"user_id": 8, "sub": "8"}));
    let foreign = forge(&header(&json!({})), &claims);
    let moved = format!("{}.{signature}", foreign.rsplit_once('.').unwrap().0);
    for wrong in [other_key, other_algorithm, truncated, none, moved] {
        assert_eq!(verdict(&wrong), Err(TokenError::Signature), "{wrong}");
    }
}
