use super::*;

#[test]
fn scopes_follow_the_grammar() {
    for good in [
        "https://vault.azure.net/.default",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013/.default",
        "api://x/a~b!c[d]",
    ] {
        assert!(validate_scopes(&[good]).is_ok(), "{good}");
    }
    for bad in ["", "a b", "a\"b", "a\\b", "a\nb", "ä", "\u{0}"] {
        let error = validate_scopes(&["ok", bad]).expect_err(bad);
        assert_eq!(error.kind(), crate::FailureKind::Configuration);
        assert!(
            bad.is_empty() || error.message().contains(&format!("{bad:?}")),
            "names the scope: {error}"
        );
    }
    assert!(validate_scopes(&[]).is_err());
}

#[test]
fn renewal_time_follows_the_server_then_half_the_life() {
    let lifetime = |expires_in, refresh_in| Lifetime::starting(1000, expires_in, refresh_in);
    assert_eq!(lifetime(3600, None).refresh_on, None);
    assert_eq!(lifetime(7199, None).refresh_on, None);
    assert_eq!(lifetime(7200, None).refresh_on, Some(4600));
    assert_eq!(lifetime(7200, Some(100)).refresh_on, Some(1100));
    assert_eq!(lifetime(3600, Some(9999)).refresh_on, None, "beyond expiry");
    assert_eq!(lifetime(3600, Some(-1)).refresh_on, None);
}

#[test]
fn seconds_come_as_numbers_or_text() {
    for (json, expected) in [
        ("3600", Some(3600)),
        ("3600.9", Some(3600)),
        (r#""3600""#, Some(3600)),
        (r#"" 3600 ""#, Some(3600)),
        ("-5", Some(-5)),
        ("1e30", Some(1_000_000_000_000)),
        (r#""NaN""#, None),
        (r#""soon""#, None),
        ("null", None),
        ("[]", None),
    ] {
        assert_eq!(
            seconds(&serde_json::from_str(json).unwrap()),
            expected,
            "{json}"
        );
    }
}

#[test]
fn debug_hides_the_token() {
    let info = AccessTokenInfo::with_lifetime(
        Zeroizing::new("planted".into()),
        Lifetime::starting(0, 60, None),
    );
    assert!(!format!("{info:?}").contains("planted"));
}
