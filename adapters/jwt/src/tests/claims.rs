//! The claims: presence, kinds, dates, who they are from and for (RFC 7519, section 4.1; RFC 8725; RFC 9068).

use super::*;

fn at(changes: &Value, now: OffsetDateTime) -> Result<Claims, TokenError> {
    tokens().verify(&forge(&header(&json!({})), &claims(changes)), now)
}

/// The claims with the text of one value put in as it stands, JSON or not.
fn claims_with_raw(name: &str, raw: &str) -> String {
    claims(&json!({name: "@"})).replace("\"@\"", raw)
}

/// REQ 7.
#[test]
fn exp_and_iat_are_required() {
    refuses_claims(&json!({"exp": null}), TokenError::Claims);
    refuses_claims(&json!({"iat": null}), TokenError::Claims);
}

/// REQ 7.
#[test]
fn token_is_refused_from_exp_plus_leeway_on() {
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
fn nbf_is_enforced_where_present() {
    let nbf = NOW + Duration::HOUR;
    let changes = json!({"nbf": nbf.unix_timestamp(), "exp": nbf.unix_timestamp() + 60});
    assert_eq!(at(&changes, nbf - LEEWAY - Duration::NANOSECOND), Err(TokenError::NotYetValid));
    assert!(at(&changes, nbf - LEEWAY).is_ok());
    assert!(at(&changes, nbf).is_ok());
}

/// REQ 7.
#[test]
fn leeway_is_the_policys() {
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
fn dates_may_have_fractions() {
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
fn dates_that_are_not_finite_numbers_are_refused() {
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
fn last_dates_there_are_do_not_overflow() {
    for now in [OffsetDateTime::UNIX_EPOCH, datetime!(9999-12-31 23:59:59.999 UTC), datetime!(-9999-01-01 0:00 UTC)] {
        for date in [253_402_300_799_i64, -377_705_116_800] {
            let _ = at(&json!({"exp": date, "nbf": date, "iat": date}), now);
        }
    }
}

/// REQ 9.
#[test]
fn iss_is_required_and_ours() {
    refuses_claims(&json!({"iss": null}), TokenError::Claims);
    refuses_claims(&json!({"iss": ["rollbook"]}), TokenError::Claims);
    refuses_claims(&json!({"iss": 7}), TokenError::Claims);
    for other in ["", "Rollbook", "rollbook ", "rollbook/", "https://rollbook"] {
        refuses_claims(&json!({"iss": other}), TokenError::Issuer);
    }
}

/// REQ 9.
#[test]
fn aud_is_required_and_names_us() {
    for right in [json!("rollbook-api"), json!(["rollbook-api"]), json!(["other", "rollbook-api"])] {
        assert!(at(&json!({"aud": right}), NOW).is_ok(), "{right}");
    }
    for other in
        [json!(""), json!("rollbook"), json!("rollbook-api2"), json!([]), json!(["other"]), json!(["Rollbook-api"])]
    {
        refuses_claims(&json!({"aud": other}), TokenError::Audience);
    }
    refuses_claims(&json!({"aud": null}), TokenError::Claims);
    for wrong in [json!(7), json!({"a": "rollbook-api"}), json!(["rollbook-api", 7]), json!([["rollbook-api"]])] {
        refuses_claims(&json!({"aud": wrong}), TokenError::Claims);
    }
}

/// REQ 9.
#[test]
fn sub_is_required_and_the_user() {
    refuses_claims(&json!({"sub": null}), TokenError::Claims);
    for wrong in [json!(7), json!(""), json!("8"), json!("07"), json!("+7"), json!("7 "), json!("7.0"), json!("asha")] {
        refuses_claims(&json!({"sub": wrong}), TokenError::Claims);
    }
}

/// REQ 9.
#[test]
fn user_id_is_required_and_an_id() {
    refuses_claims(&json!({"user_id": null}), TokenError::Claims);
    for wrong in [json!("7"), json!(7.0), json!(7.5), json!(true), json!([7]), json!(u64::MAX)] {
        refuses_claims(&json!({"user_id": wrong}), TokenError::Claims);
    }
    for (id, sub) in [(0, "0"), (-7, "-7"), (1_i64 << 53, "9007199254740992")] {
        refuses_claims(&json!({"user_id": id, "sub": sub}), TokenError::Claims);
    }
}

/// REQ 10.
#[test]
fn jti_is_required() {
    for wrong in [json!(null), json!(""), json!(7), json!(["t-1"])] {
        refuses_claims(&json!({"jti": wrong}), TokenError::Claims);
    }
}

/// REQ 9.
#[test]
fn claim_that_comes_twice_is_refused() {
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
fn claims_of_others_are_not_read() {
    let token = forge(&header(&json!({"x": [1]})), &claims(&json!({"role": "admin", "scope": {"a": [1]}, "amr": 7})));
    assert_eq!(verdict(&token), Ok(some_claims()));
}

#[test]
fn a_token_names_its_session() {
    for wrong in [json!(null), json!(3), json!(""), json!("0"), json!("03"), json!("x")] {
        refuses_claims(&json!({"sid": wrong}), TokenError::Claims);
    }
}
