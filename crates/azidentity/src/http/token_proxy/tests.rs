use crate::FailureKind;

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, IdentityError> {
    Settings::read(
        &Environment::builder()
            .variables(variables.iter().copied())
            .build(),
    )
}

#[test]
fn requests_are_sent_to_the_proxy() {
    let asked = "https://login.microsoftonline.com/ten/oauth2/v2.0/token?a=b%2Fc";
    for (proxy, name, asked, expected) in [
        (
            "https://proxy.example:6443/base/",
            None,
            asked,
            "https://proxy.example:6443/base/ten/oauth2/v2.0/token?a=b%2Fc",
        ),
        (
            "https://proxy.example",
            None,
            asked,
            "https://proxy.example/ten/oauth2/v2.0/token?a=b%2Fc",
        ),
        (
            "https://10.0.0.1//x//",
            Some("id.ests.aks"),
            asked,
            "https://id.ests.aks//x/ten/oauth2/v2.0/token?a=b%2Fc",
        ),
        (
            "https://proxy.example/base",
            None,
            "https://login.example",
            "https://proxy.example/base/",
        ),
        // There already.
        (
            "https://proxy.example/base",
            None,
            "https://proxy.example:443/base/t",
            "https://proxy.example/base/t",
        ),
        (
            "https://proxy.example/base",
            Some("id.ests.aks"),
            "https://proxy.example/base",
            "https://id.ests.aks/base",
        ),
        // Near, but not there.
        (
            "https://proxy.example/base",
            None,
            "https://proxy.example/basement",
            "https://proxy.example/base/basement",
        ),
        (
            "https://proxy.example/base",
            None,
            "https://proxy.example:6443/base/t",
            "https://proxy.example/base/base/t",
        ),
    ] {
        let proxy = TokenProxy {
            proxy: Url::parse(proxy).unwrap(),
            server_name: name.map(str::to_owned),
            roots: Roots::System,
            maker: None,
            state: Mutex::new(State {
                trusted: None,
                client: None,
            }),
        };
        let rewritten = proxy.rewrite(&Url::parse(asked).unwrap());
        assert_eq!(rewritten.as_str(), expected, "{asked} by {proxy:?}");
    }
}

#[test]
fn the_variables_belong_together() {
    let proxy = ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1:6443/p");
    let file = ("AZURE_KUBERNETES_CA_FILE", "/ca.pem");
    let data = ("AZURE_KUBERNETES_CA_DATA", "PEM");
    let name = ("AZURE_KUBERNETES_SNI_NAME", "id.ests.aks");
    let empty = [proxy, file, data, name].map(|(name, _)| (name, ""));

    assert!(read(&[]).unwrap().is_none());
    assert!(read(&empty).unwrap().is_none());
    for alone in [file, data, name] {
        let error = read(&[alone]).unwrap_err();
        assert_eq!(error.kind(), FailureKind::Configuration);
        assert!(error.message().contains(alone.0), "{error}");
        assert!(error.message().contains(proxy.0), "{error}");
    }
    let error = read(&[proxy, file, data, name]).unwrap_err();
    assert!(error.message().contains("only one"), "{error}");

    let settings = read(&[proxy]).unwrap().unwrap();
    assert!(matches!(settings.roots, Roots::System));
    assert_eq!(settings.server_name, None);
    let settings = read(&[proxy, file, name]).unwrap().unwrap();
    assert!(matches!(settings.roots, Roots::File(path) if path.as_os_str() == "/ca.pem"));
    assert_eq!(settings.server_name.as_deref(), Some("id.ests.aks"));
    let settings = read(&[proxy, data]).unwrap().unwrap();
    assert!(matches!(settings.roots, Roots::Data(pem) if pem == b"PEM"));
}

#[test]
fn what_is_no_address_of_a_proxy_is_refused() {
    for (value, says) in [
        ("http://proxy.example", "https://"),
        ("proxy.example:6443", "https://"),
        ("", "unset"),
        ("https://", "no URL"),
        ("https://user:pl4nted@proxy.example", "password"),
        ("https://pl4nted@proxy.example", "user name"),
        ("https://proxy.example/?pl4nted", "query"),
        ("https://proxy.example/#pl4nted", "fragment"),
        ("pl4nted", "no URL"),
    ] {
        let error = match read(&[
            ("AZURE_KUBERNETES_TOKEN_PROXY", value),
            ("AZURE_KUBERNETES_SNI_NAME", "id.ests.aks"),
        ]) {
            Ok(settings) => panic!("{value}: {settings:?}"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), FailureKind::Configuration);
        assert!(error.message().contains(says), "{value}: {error}");
        assert!(!error.message().contains("pl4nted"), "{error}");
    }
    for name in ["10.0.0.1", "[::1]", "a b", "a/b", "a:1"] {
        let error = read(&[
            ("AZURE_KUBERNETES_TOKEN_PROXY", "https://10.0.0.1"),
            ("AZURE_KUBERNETES_SNI_NAME", name),
        ])
        .unwrap_err();
        assert!(
            error.message().contains("AZURE_KUBERNETES_SNI_NAME"),
            "{error}"
        );
    }
}
