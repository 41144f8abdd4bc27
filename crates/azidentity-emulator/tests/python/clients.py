"""Real clients against an emulator: clients.py CASE, with the settings as JSON on standard input."""

import json
import sys
import tempfile
import urllib.parse

import azure.identity
import jwt
import msal
import requests
from azure.core.exceptions import ClientAuthenticationError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography import x509

SETTINGS = json.load(sys.stdin)
AUTHORITY = SETTINGS["authority"]
TENANT = SETTINGS["tenant"]
CLIENT = SETTINGS["client_id"]
SECRET = SETTINGS["secret"]
VAULT = "https://vault.azure.net/.default"
COMMON = {"authority": AUTHORITY, "disable_instance_discovery": True}


def verified(token, audience, issuer=None):
    """The claims, verified by PyJWT with the published keys."""
    document = requests.get(f"{AUTHORITY}/{TENANT}/v2.0/.well-known/openid-configuration").json()
    keys = requests.get(document["jwks_uri"]).json()["keys"]
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(jwt.PyJWK(key, algorithm="RS256") for key in keys if key["kid"] == kid)
    return jwt.decode(
        token, key, algorithms=["RS256"], audience=audience, issuer=issuer or f"https://sts.windows.net/{TENANT}/"
    )


def check_app(token):
    claims = verified(token, "https://vault.azure.net")
    assert claims["appid"] == CLIENT and claims["idtyp"] == "app", claims
    return claims


def refused(number, get):
    try:
        get()
    except ClientAuthenticationError as error:
        assert f"AADSTS{number}" in str(error), error
    else:
        raise AssertionError(f"AADSTS{number} was expected")


def secret():
    credential = azure.identity.ClientSecretCredential(TENANT, CLIENT, SECRET, **COMMON)
    check_app(credential.get_token(VAULT).token)
    claims = check_app(credential.get_token(VAULT, enable_cae=True).token)
    assert claims["xms_cc"] == ["cp1"], claims
    wrong = azure.identity.ClientSecretCredential(TENANT, CLIENT, "wrong", **COMMON)
    refused(7000215, lambda: wrong.get_token(VAULT))


def pfx(pem):
    key = serialization.load_pem_private_key(pem, None)
    leaf, *others = x509.load_pem_x509_certificates(pem)
    encryption = serialization.BestAvailableEncryption(b"password")
    return pkcs12.serialize_key_and_certificates(b"client", key, leaf, others, encryption)


def certificate():
    pem, renewed = SETTINGS["certificate"].encode(), SETTINGS["renewed"].encode()
    for data in (
        {"certificate_data": pem},
        {"certificate_data": pfx(pem), "password": "password"},
        {"certificate_data": pem, "send_certificate_chain": True},
        {"certificate_data": renewed, "send_certificate_chain": True},
    ):
        credential = azure.identity.CertificateCredential(TENANT, CLIENT, **data, **COMMON)
        claims = check_app(credential.get_token(VAULT).token)
        assert claims["appidacr"] == "2", claims
    unknown = azure.identity.CertificateCredential(TENANT, CLIENT, certificate_data=renewed, **COMMON)
    refused(700027, lambda: unknown.get_token(VAULT))


def certificate_async():
    import asyncio

    from azure.core.pipeline.transport import AsyncioRequestsTransport
    from azure.identity.aio import CertificateCredential

    async def run():
        # PS256, x5t#S256, and padding kept in all three parts.
        credential = CertificateCredential(
            TENANT,
            CLIENT,
            certificate_data=SETTINGS["certificate"].encode(),
            transport=AsyncioRequestsTransport(),
            **COMMON,
        )
        async with credential:
            check_app((await credential.get_token(VAULT)).token)

    asyncio.run(run())


def msal_certificate():
    pem = SETTINGS["certificate"]
    key = pem[: pem.index("-----BEGIN CERTIFICATE")]
    public = pem[pem.index("-----BEGIN CERTIFICATE") :]
    with tempfile.NamedTemporaryFile(suffix=".pfx") as file:
        file.write(pfx(pem.encode()))
        file.flush()
        for credential in (
            # PS256 and x5t#S256.
            {"private_key": key, "public_certificate": public},
            {"private_key_pfx_path": file.name, "passphrase": "password"},
        ):
            application = msal.ConfidentialClientApplication(
                CLIENT, client_credential=credential, authority=f"{AUTHORITY}/{TENANT}", instance_discovery=False
            )
            result = application.acquire_token_for_client([VAULT])
            check_app(result.get("access_token") or sys.exit(str(result)))


def assertion():
    token = SETTINGS["service_account_token"]
    credential = azure.identity.ClientAssertionCredential(TENANT, CLIENT, lambda: token, **COMMON)
    check_app(credential.get_token(VAULT).token)
    header, claims, signature = token.split(".")
    changed = ".".join([header, claims, signature[:-8] + "AAAAAAAA"])
    forged = azure.identity.ClientAssertionCredential(TENANT, CLIENT, lambda: changed, **COMMON)
    refused(700027, lambda: forged.get_token(VAULT))


def workload():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(SETTINGS["service_account_token"] + "\n")
        file.flush()
        credential = azure.identity.WorkloadIdentityCredential(
            tenant_id=TENANT, client_id=CLIENT, token_file_path=file.name, **COMMON
        )
        check_app(credential.get_token(VAULT).token)


def pipelines():
    credential = azure.identity.AzurePipelinesCredential(
        tenant_id=TENANT,
        client_id=CLIENT,
        service_connection_id=SETTINGS["service_connection_id"],
        system_access_token=SETTINGS["system_access_token"],
        **COMMON,
    )
    check_app(credential.get_token(VAULT).token)


def on_behalf_of():
    user = SETTINGS["user_token"]
    client = {"tenant_id": TENANT, "client_id": SETTINGS["api_client_id"], "user_assertion": user}
    issuer = f"{AUTHORITY}/{TENANT}/v2.0"
    before = verified(user, SETTINGS["api_client_id"], issuer)
    for proof in (
        {"client_secret": SETTINGS["api_secret"]},
        {"client_certificate": SETTINGS["certificate"].encode()},
        {"client_certificate": pfx(SETTINGS["certificate"].encode()), "password": "password"},
    ):
        credential = azure.identity.OnBehalfOfCredential(**client, **proof, **COMMON)
        claims = verified(credential.get_token(VAULT).token, "https://vault.azure.net")
        assert claims["oid"] == before["oid"] and claims["scp"] == "user_impersonation", claims
        # From memory, then for another resource by the refresh token.
        credential.get_token(VAULT)
        verified(credential.get_token("https://storage.azure.com/.default").token, "https://storage.azure.com")
    client["user_assertion"] = SETTINGS["foreign_user_token"]
    credential = azure.identity.OnBehalfOfCredential(**client, client_secret=SETTINGS["api_secret"], **COMMON)
    refused(500131, lambda: credential.get_token(VAULT))


def authorization_code():
    credential = azure.identity.AuthorizationCodeCredential(
        TENANT,
        SETTINGS["web_client_id"],
        SETTINGS["code"],
        SETTINGS["redirect_uri"],
        client_secret=SETTINGS["web_secret"],
        **COMMON,
    )
    claims = verified(credential.get_token(VAULT).token, "https://vault.azure.net")
    assert claims["upn"] == SETTINGS["username"], claims


def msal_code_flow():
    application = msal.PublicClientApplication(
        SETTINGS["public_client_id"], authority=f"{AUTHORITY}/organizations", instance_discovery=False
    )
    flow = application.initiate_auth_code_flow([VAULT], redirect_uri="http://localhost:8400", response_mode="query")
    answer = requests.get(flow["auth_uri"], allow_redirects=False)
    query = urllib.parse.urlsplit(answer.headers["location"]).query
    result = application.acquire_token_by_auth_code_flow(flow, dict(urllib.parse.parse_qsl(query)))
    verified(result.get("access_token") or sys.exit(str(result)), "https://vault.azure.net")
    (account,) = application.get_accounts()
    assert account["username"] == SETTINGS["username"], account
    result = application.acquire_token_silent([VAULT], account, force_refresh=True)
    assert result and result["token_source"] == "identity_provider", result
    other = application.acquire_token_silent(["https://storage.azure.com/.default"], account)
    verified(other["access_token"], "https://storage.azure.com")


def browser():
    """The whole interactive flow; this process is the browser, too."""
    import threading
    import webbrowser

    def opened(url, *_):
        threading.Thread(target=requests.get, args=(url,)).start()
        return True

    webbrowser.open = opened
    webbrowser.get = lambda *_: type("Browser", (), {"open": staticmethod(opened)})
    credential = azure.identity.InteractiveBrowserCredential(tenant_id=TENANT, timeout=60, **COMMON)
    claims = verified(credential.get_token(VAULT).token, "https://vault.azure.net")
    assert claims["upn"] == SETTINGS["username"], claims


globals()[sys.argv[1]]()
