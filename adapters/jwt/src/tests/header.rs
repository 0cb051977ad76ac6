//! The header: critical members, algorithm, key, type (RFC 7515, section 4; RFC 8725; RFC 9068).

use super::*;

/// REQ 5.
#[test]
fn any_crit_member_is_rejected() {
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("x"), json!(1), json!({"a": [1]})] {
        assert_header_error(&json!({"crit": crit, "b64": false}), TokenError::Critical);
    }
    let null = header(&json!({"crit": 0})).replace("\"crit\":0", "\"crit\":null");
    assert_eq!(verdict(&forge(&null, &claims(&json!({})))), Err(TokenError::Critical));
}

/// REQ 5.
#[test]
fn duplicate_header_member_is_rejected() {
    for twice in ["\"typ\":\"at+jwt\"", "\"alg\":\"HS256\"", "\"kid\":\"x\"", "\"kid\":null", "\"crit\":[],\"crit\":[]"]
    {
        let header = header(&json!({})).replacen('{', &format!("{{{twice},"), 1);
        assert_eq!(verdict(&forge(&header, &claims(&json!({})))), Err(TokenError::Malformed), "{header}");
    }
}

/// REQ 8.
#[test]
fn alg_none_in_any_case_is_rejected() {
    for none in ["none", "None", "NONE", "nOnE", "", " none", "none\0"] {
        assert_header_error(&json!({"alg": none}), TokenError::Algorithm);
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
fn alg_other_than_that_of_key_is_rejected() {
    for other in [
        "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K",
        "EdDSA", "Ed25519", "hs256", "HS256 ", "A128KW", "dir",
    ] {
        assert_header_error(&json!({"alg": other}), TokenError::Algorithm);
    }
    assert_header_error(&json!({"alg": null}), TokenError::Algorithm);
    assert_header_error(&json!({"alg": ["HS256"]}), TokenError::Malformed);
    let header = header(&json!({"alg": "HS512"}));
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims(&json!({}))));
    assert_eq!(verdict(&sign(&input, KEY, Algorithm::HS512)), Err(TokenError::Algorithm));
}

/// REQ 9.
#[test]
fn unknown_kid_is_rejected() {
    for unknown in ["", "x", "../../etc/passwd", "' or 1=1 --", &key_id()[..15], &key_id().to_lowercase()] {
        assert_header_error(&json!({"kid": unknown}), TokenError::UnknownKey);
    }
    assert_header_error(&json!({"kid": null}), TokenError::UnknownKey);
    assert_header_error(&json!({"kid": 7}), TokenError::Malformed);
}

/// REQ 9.
#[test]
fn keys_embedded_in_header_are_ignored() {
    let oct = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode("a key embedded in the token header!")});
    let members = [
        json!({"jwk": oct}),
        json!({"jku": "https://evil.example/keys"}),
        json!({"x5u": "https://evil.example/chain"}),
        json!({"x5c": ["MIIB"]}),
        json!({"jwk": 7, "jku": 7, "x5u": 7, "x5c": 7}),
    ];
    for member in members {
        let header = header(&member);
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(claims(&json!({}))));
        let signed_with_embedded = sign(&input, b"a key embedded in the token header!", Algorithm::HS256);
        assert_eq!(verdict(&signed_with_embedded), Err(TokenError::Signature), "{member}");
        assert_eq!(verdict(&forge(&header, &claims(&json!({})))), Ok(some_claims()), "{member}");
    }
}

/// REQ 10.
#[test]
fn typ_other_than_access_token_is_rejected() {
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
        assert_header_error(&json!({"typ": typ}), TokenError::Type);
    }
    assert_header_error(&json!({"typ": null}), TokenError::Type);
    assert_header_error(&json!({"typ": ["at+jwt"]}), TokenError::Malformed);
}
