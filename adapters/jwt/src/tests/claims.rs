//! Claims: presence, types, dates, issuer and audience (RFC 7519, section 4.1; RFC 8725; RFC 9068).

use super::*;

fn at(changes: &Value, now: OffsetDateTime) -> Result<Claims, TokenError> {
    tokens().verify(&forge(&header(&json!({})), &claims(changes)), now)
}

/// Valid claims with one value replaced by raw text, which may be invalid JSON.
fn claims_with_raw(name: &str, raw: &str) -> String {
    claims(&json!({name: "@"})).replace("\"@\"", raw)
}

/// REQ 7.
#[test]
fn missing_exp_or_iat_is_rejected() {
    assert_claims_error(&json!({"exp": null}), TokenError::Claims);
    assert_claims_error(&json!({"iat": null}), TokenError::Claims);
}

/// REQ 7.
#[test]
fn token_expires_at_exp_plus_leeway() {
    let exp = NOW + Duration::MINUTE;
    assert!(at(&json!({}), exp).is_ok());
    assert!(at(&json!({}), exp + LEEWAY - Duration::NANOSECOND).is_ok());
    assert_eq!(at(&json!({}), exp + LEEWAY), Err(TokenError::Expired));
    for long_ago in [0, -1, -62_000_000_000_i64] {
        assert_eq!(at(&json!({"exp": long_ago}), NOW), Err(TokenError::Expired), "{long_ago}");
    }
}

/// REQ 7.
#[test]
fn token_before_nbf_minus_leeway_is_rejected() {
    let nbf = NOW + Duration::HOUR;
    let changes = json!({"nbf": nbf.unix_timestamp(), "exp": nbf.unix_timestamp() + 60});
    assert_eq!(at(&changes, nbf - LEEWAY - Duration::NANOSECOND), Err(TokenError::NotYetValid));
    assert!(at(&changes, nbf - LEEWAY).is_ok());
    assert!(at(&changes, nbf).is_ok());
}

/// REQ 7.
#[test]
fn leeway_comes_from_policy() {
    let key = SigningKey::parse(KEY).ok().unwrap();
    let strict = TokenPolicy::new("rollbook", "rollbook-api", Duration::ZERO).unwrap();
    let strict = JwtTokens::new(&key, strict).unwrap();
    let token = forge(&header(&json!({})), &claims(&json!({"nbf": NOW.unix_timestamp()})));
    let exp = NOW + Duration::MINUTE;
    assert_eq!(strict.verify(&token, NOW - Duration::NANOSECOND), Err(TokenError::NotYetValid));
    assert!(strict.verify(&token, NOW).is_ok());
    assert!(strict.verify(&token, exp - Duration::NANOSECOND).is_ok());
    assert_eq!(strict.verify(&token, exp), Err(TokenError::Expired));
}

/// REQ 7.
#[test]
fn fractional_dates_are_accepted() {
    let exp = NOW.unix_timestamp();
    let fraction = claims_with_raw("exp", &format!("{exp}.5"));
    let token = forge(&header(&json!({})), &fraction);
    let edge = NOW + LEEWAY + Duration::milliseconds(500);
    assert_eq!(tokens().verify(&token, edge), Err(TokenError::Expired));
    let claims = tokens().verify(&token, edge - Duration::MILLISECOND).unwrap();
    assert_eq!(claims.expires_at, NOW, "whole seconds");
    let exponent = forge(&header(&json!({})), &claims_with_raw("exp", "1.9e9"));
    assert!(verdict(&exponent).is_ok());
}

/// REQ 7.
#[test]
fn non_numeric_or_infinite_dates_are_rejected() {
    for date in ["exp", "iat", "nbf"] {
        for (raw, error) in [
            ("null", TokenError::Claims),
            ("\"1900000000\"", TokenError::Claims),
            ("\"\"", TokenError::Claims),
            ("true", TokenError::Claims),
            ("[1900000000]", TokenError::Claims),
            ("{\"a\":1}", TokenError::Claims),
            ("1e300", TokenError::Claims),
            ("-1e300", TokenError::Claims),
            ("18446744073709551615", TokenError::Claims),
            ("1e400", TokenError::Malformed),
            ("NaN", TokenError::Malformed),
            ("Infinity", TokenError::Malformed),
            ("-Infinity", TokenError::Malformed),
            ("0x7fffffff", TokenError::Malformed),
            ("01900000000", TokenError::Malformed),
        ] {
            let token = forge(&header(&json!({})), &claims_with_raw(date, raw));
            assert_eq!(verdict(&token), Err(error), "{date}: {raw}");
        }
    }
}

/// REQ 7.
#[test]
fn extreme_dates_do_not_overflow() {
    for now in [OffsetDateTime::UNIX_EPOCH, datetime!(9999-12-31 23:59:59.999 UTC), datetime!(-9999-01-01 0:00 UTC)] {
        for date in [253_402_300_799_i64, -377_705_116_800] {
            let _ = at(&json!({"exp": date, "nbf": date, "iat": date}), now);
        }
    }
}

/// REQ 9.
#[test]
fn missing_or_foreign_iss_is_rejected() {
    assert_claims_error(&json!({"iss": null}), TokenError::Claims);
    assert_claims_error(&json!({"iss": ["rollbook"]}), TokenError::Claims);
    assert_claims_error(&json!({"iss": 7}), TokenError::Claims);
    for other in ["", "Rollbook", "rollbook ", "rollbook/", "https://rollbook"] {
        assert_claims_error(&json!({"iss": other}), TokenError::Issuer);
    }
}

/// REQ 9.
#[test]
fn missing_or_foreign_aud_is_rejected() {
    for right in [json!("rollbook-api"), json!(["rollbook-api"]), json!(["other", "rollbook-api"])] {
        assert!(at(&json!({"aud": right}), NOW).is_ok(), "{right}");
    }
    for other in
        [json!(""), json!("rollbook"), json!("rollbook-api2"), json!([]), json!(["other"]), json!(["Rollbook-api"])]
    {
        assert_claims_error(&json!({"aud": other}), TokenError::Audience);
    }
    assert_claims_error(&json!({"aud": null}), TokenError::Claims);
    for wrong in [json!(7), json!({"a": "rollbook-api"}), json!(["rollbook-api", 7]), json!([["rollbook-api"]])] {
        assert_claims_error(&json!({"aud": wrong}), TokenError::Claims);
    }
}

/// REQ 9.
#[test]
fn sub_that_differs_from_user_id_is_rejected() {
    assert_claims_error(&json!({"sub": null}), TokenError::Claims);
    for wrong in [json!(7), json!(""), json!("8"), json!("07"), json!("+7"), json!("7 "), json!("7.0"), json!("asha")] {
        assert_claims_error(&json!({"sub": wrong}), TokenError::Claims);
    }
}

/// REQ 9.
#[test]
fn missing_or_invalid_user_id_is_rejected() {
    assert_claims_error(&json!({"user_id": null}), TokenError::Claims);
    for wrong in [json!("7"), json!(7.0), json!(7.5), json!(true), json!([7]), json!(u64::MAX)] {
        assert_claims_error(&json!({"user_id": wrong}), TokenError::Claims);
    }
    for (id, sub) in [(0, "0"), (-7, "-7"), (1_i64 << 53, "9007199254740992")] {
        assert_claims_error(&json!({"user_id": id, "sub": sub}), TokenError::Claims);
    }
}

/// REQ 10.
#[test]
fn missing_or_empty_jti_is_rejected() {
    for wrong in [json!(null), json!(""), json!(7), json!(["t-1"])] {
        assert_claims_error(&json!({"jti": wrong}), TokenError::Claims);
    }
}

/// REQ 9.
#[test]
fn duplicate_claim_is_rejected() {
    for twice in [
        "\"user_id\":8",
        "\"sub\":\"7\"",
        "\"iss\":\"rollbook\"",
        "\"aud\":\"rollbook-api\"",
        "\"exp\":1900000000",
        "\"iat\":0",
        "\"jti\":\"x\"",
        "\"nbf\":0,\"nbf\":0",
    ] {
        let claims = claims(&json!({})).replacen('{', &format!("{{{twice},"), 1);
        assert_eq!(verdict(&forge(&header(&json!({})), &claims)), Err(TokenError::Claims), "{claims}");
    }
}

#[test]
fn unknown_claims_are_ignored() {
    let token = forge(&header(&json!({"x": [1]})), &claims(&json!({"role": "admin", "scope": {"a": [1]}, "amr": 7})));
    assert_eq!(verdict(&token), Ok(some_claims()));
}

#[test]
fn missing_or_invalid_sid_is_rejected() {
    for wrong in [json!(null), json!(3), json!(""), json!("0"), json!("03"), json!("x")] {
        assert_claims_error(&json!({"sid": wrong}), TokenError::Claims);
    }
}
