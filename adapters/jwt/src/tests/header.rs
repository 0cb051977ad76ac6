//! The header: critical members, algorithm, key, type (RFC 7515, section 4; RFC 8725; RFC 9068).

use super::*;

/// REQ 5.
#[test]
fn any_crit_is_refused() {
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x"), json!(1), json!({"a": [1]})] {
        refuses_header(&json!({"crit": crit, "b64": false}), TokenError::Critical);
    }
    let null = header(&json!({"crit": 0})).replace("\"crit\":0", "\"crit\":null");
    assert_eq!(verdict(&forge(&null, &claims(&json!({})))), Err(TokenError::Critical));
}

/// REQ 5.
#[test]
fn header_member_that_comes_twice_is_refused() {
    for twice in ["\"typ\":\"at+jwt\"", "\"alg\":\"HS256\"", "\"kid\":\"x\"", "\"kid\":null", "\"crit\":[],\"crit\":[]"]
    {
        let header = header(&json!({})).replacen('{', &format!("{{{twice},"), 1);
        assert_eq!(verdict(&forge(&header, &claims(&json!({})))), Err(TokenError::Malformed), "{header}");
    }
}

/// REQ 8.
#[test]
fn none_in_any_spelling_is_refused() {
    for none in ["none", "None", "NONE", "nOnE", "", " none", "none\0"] {
        refuses_header(&json!({"alg": none}), TokenError::Algorithm);
        let input = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header(&json!({"alg": none}))),
            URL_SAFE_NO_PAD.encode(claims(&json!({})))
        );
        assert_eq!(verdict(&format!("{input}.")), Err(TokenError::Algorithm), "{none} unsigned");
    }
}

/// REQ 8.
#[test]
fn any_algorithm_but_the_keys_is_refused() {
    for other in [
        "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K",
        "EdDSA", "Ed25519", "hs256", "HS256 ", "A128KW", "dir",
    ] {
        refuses_header(&json!({"alg": other}), TokenError::Algorithm);
    }
    refuses_header(&json!({"alg": null}), TokenError::Algorithm);
    refuses_header(&json!({"alg": ["HS256"]}), TokenError::Malformed);
    let header = header(&json!({"alg": "HS512"}));
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims(&json!({}))));
    assert_eq!(verdict(&sign(&input, KEY, Algorithm::HS512)), Err(TokenError::Algorithm));
}

/// REQ 9.
#[test]
fn key_is_looked_up_by_its_id() {
    for unknown in ["", "x", "../../etc/passwd", "' or 1=1 --", &key_id()[..15], &key_id().to_lowercase()] {
        refuses_header(&json!({"kid": unknown}), TokenError::UnknownKey);
    }
    refuses_header(&json!({"kid": null}), TokenError::UnknownKey);
    refuses_header(&json!({"kid": 7}), TokenError::Malformed);
}

/// REQ 9.
#[test]
fn keys_that_a_token_brings_along_are_not_followed() {
    let oct = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("a key that the token brings along!")});
    let brings = [
        json!({"jwk": oct}),
        json!({"jku": "https://evil.example/keys"}),
        json!({"x5u": "https://evil.example/chain"}),
        json!({"x5c": ["MIIB"]}),
        json!({"jwk": 7, "jku": 7, "x5u": 7, "x5c": 7}),
    ];
    for member in brings {
        let header = header(&member);
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(claims(&json!({}))));
        let signed_with_it = sign(&input, b"a key that the token brings along!", Algorithm::HS256);
        assert_eq!(verdict(&signed_with_it), Err(TokenError::Signature), "{member}");
        assert_eq!(verdict(&forge(&header, &claims(&json!({})))), Ok(some_claims()), "{member}");
    }
}

/// REQ 10.
#[test]
fn only_access_tokens_are_taken() {
    for typ in ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+jwt"] {
        let token = forge(&header(&json!({"typ": typ})), &claims(&json!({})));
        assert_eq!(verdict(&token), Ok(some_claims()), "{typ}");
    }
    for typ in [
        "JWT",
        "jwt",
        "",
        "at",
        "at+jwt ",
        "at jwt",
        "rt+jwt",
        "id+jwt",
        "dpop+jwt",
        "application/jwt",
        "text/at+jwt",
        "application/",
        "application/application/at+jwt",
        "applicatioñ/at+jwt",
        "at+jwt; charset=utf-8",
    ] {
        refuses_header(&json!({"typ": typ}), TokenError::Type);
    }
    refuses_header(&json!({"typ": null}), TokenError::Type);
    refuses_header(&json!({"typ": ["at+jwt"]}), TokenError::Malformed);
}
