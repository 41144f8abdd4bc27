use azure_core::cloud::CustomConfiguration;

use super::*;
use crate::FailureKind;

fn choose(host: &str) -> Result<Authority, IdentityError> {
    let options = AuthorityOptions {
        host: Some(host.into()),
        disable_instance_discovery: false,
    };
    Authority::choose(&options, None, &Environment::builder().build())
}

#[test]
fn hosts_are_taken_in_many_forms() {
    for (given, base) in [
        ("login.example", "https://login.example"),
        ("login.example:8443", "https://login.example:8443"),
        ("localhost:8443", "https://localhost:8443"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("https://localhost:8443/", "https://localhost:8443"),
        ("https://localhost:8443//", "https://localhost:8443"),
        (" https://localhost:8443/ ", "https://localhost:8443"),
        ("HTTPS://Login.Example/", "https://login.example"),
        ("https://h/foo/", "https://h/foo"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ] {
        let authority = choose(given).unwrap_or_else(|error| panic!("{given}: {error}"));
        assert_eq!(authority.as_str(), base, "{given}");
        assert_eq!(
            authority.token_endpoint("t").unwrap().as_str(),
            format!("{base}/t/oauth2/v2.0/token")
        );
    }
}

#[test]
fn what_is_no_authority_is_named() {
    for given in [
        "http://login.example",
        "ftp://login.example",
        "https://",
        "https://user:planted@login.example",
        "https://login.example?x=1",
        "https://login.example#x",
        "a b",
    ] {
        let error = choose(given).expect_err(given);
        assert_eq!(error.kind(), FailureKind::Configuration);
        assert!(error.message().contains("authority host"), "{error}");
        assert!(!error.message().contains("planted"), "{error}");
    }
}

#[test]
fn option_wins_over_cloud_over_variable() {
    let environment = Environment::builder()
        .variable(AUTHORITY_HOST_VARIABLE, "https://variable.example")
        .build();
    let option = AuthorityOptions {
        host: Some("option.example".into()),
        disable_instance_discovery: false,
    };
    let mut custom = CustomConfiguration::default();
    custom.authority_host = "https://cloud.example".into();
    let cloud = CloudConfiguration::from(custom);
    let base = |options: &AuthorityOptions, cloud| {
        Authority::choose(options, cloud, &environment)
            .unwrap()
            .base
    };
    let unset = AuthorityOptions::default();
    assert_eq!(base(&option, Some(&cloud)), "https://option.example");
    assert_eq!(base(&unset, Some(&cloud)), "https://cloud.example");
    assert_eq!(base(&unset, None), "https://variable.example");
    assert_eq!(
        base(&unset, Some(&CloudConfiguration::AzureChina)),
        AzureAuthorityHosts::AZURE_CHINA
    );
}

#[test]
fn only_unknown_hosts_need_a_voucher() {
    for (host, asks) in [
        ("login.microsoftonline.com", false),
        ("https://login.windows.net/", false),
        ("https://contoso.b2clogin.com", false),
        ("https://contoso.ciamlogin.com", false),
        ("https://fs.contoso.example/adfs", false),
        ("https://login.contoso.example", true),
        ("https://evilb2clogin.com", true),
    ] {
        assert_eq!(choose(host).unwrap().vouched.is_some(), asks, "{host}");
    }
}

#[test]
fn regions_have_endpoints_of_their_own() {
    for (host, expected) in [
        (
            "login.microsoftonline.com",
            Some("https://westeurope.login.microsoft.com/t/oauth2/v2.0/token"),
        ),
        (
            "sts.windows.net",
            Some("https://westeurope.login.microsoft.com/t/oauth2/v2.0/token"),
        ),
        (
            "login.chinacloudapi.cn",
            Some("https://westeurope.login.chinacloudapi.cn/t/oauth2/v2.0/token"),
        ),
        (
            "https://localhost:8443/path",
            Some("https://westeurope.localhost:8443/path/t/oauth2/v2.0/token"),
        ),
        ("https://127.0.0.1:8443", None),
        ("contoso.ciamlogin.com", None),
        ("contoso.b2clogin.com", None),
    ] {
        let authority = choose(host).unwrap();
        let central = authority.token_endpoint("t").unwrap();
        let regional = authority.in_region("westeurope", &central);
        assert_eq!(regional.as_ref().map(Url::as_str), expected, "{host}");
    }
    let ad_fs = choose("https://fs.contoso.example").unwrap();
    let endpoint = ad_fs.token_endpoint(ADFS).unwrap();
    assert_eq!(ad_fs.in_region("westeurope", &endpoint), None);
}

#[test]
fn ad_fs_has_its_own_endpoint() {
    let authority = choose("https://fs.contoso.example").unwrap();
    assert_eq!(
        authority.token_endpoint(ADFS).unwrap().as_str(),
        "https://fs.contoso.example/adfs/oauth2/token"
    );
}
