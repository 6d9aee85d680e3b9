"""What machines show of themselves: signature, chain, audience and time, one by one."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from server.agents.errors import InvalidProof
from server.agents.model import (
    Anchors,
    aws_instance,
    azure_instance,
    google_instance,
    public_keys,
)
from tests.server.agents.clouds import (
    DAY,
    NOW,
    aws_document,
    aws_signature,
    azure_document,
    azure_signature,
    google_claims,
    identity,
    jwks,
    jwt,
    key,
)

REGION = identity("region")
ROOT = identity("root", authority=True)
BETWEEN = identity("between", ROOT, authority=True)
SIGNER = identity("eastus.metadata.azure.com", BETWEEN)
AWS = Anchors(aws=(REGION.certificate,))
AZURE = Anchors(azure=(BETWEEN.certificate,), roots=(ROOT.certificate,))
GOOGLE = Anchors(google=public_keys(jwks(one=key("google"))))


def refused(check: Callable[[], str]) -> str:
    with pytest.raises(InvalidProof) as no:
        check()
    assert no.value.status == 401
    return f"{no.value.message} {no.value.detail}"


def test_a_document_that_aws_signed_names_its_instance() -> None:
    document = aws_document()
    assert aws_instance(document, aws_signature(document, REGION.key), AWS, NOW) == "i-0abc"


def test_what_aws_did_not_sign_is_refused() -> None:
    document = aws_document()
    signature = aws_signature(document, REGION.key)
    other = aws_document("i-0other")
    forged = aws_signature(other, key("forger"))
    assert "No known certificate of AWS" in refused(
        lambda: aws_instance(other, signature, AWS, NOW)
    )
    assert "Invalid AWS identity." in refused(lambda: aws_instance(other, forged, AWS, NOW))
    assert "base64" in refused(lambda: aws_instance(document, "!", AWS, NOW))
    assert "no certificate" in refused(lambda: aws_instance(document, signature, Anchors(), NOW))


def test_a_certificate_of_aws_that_is_over_signs_nothing_and_the_future_is_not_believed() -> None:
    document = aws_document()
    signature = aws_signature(document, REGION.key)
    late = NOW + 60 * DAY
    assert "valid now" in refused(lambda: aws_instance(document, signature, AWS, late))
    future = aws_document(since=NOW + DAY)
    signed = aws_signature(future, REGION.key)
    assert "time to come" in refused(lambda: aws_instance(future, signed, AWS, NOW))


@pytest.mark.parametrize("bare", [False, True])
def test_a_document_that_azure_signed_names_its_machine(bare: bool) -> None:
    signature = azure_signature(azure_document(), SIGNER, bare=bare)
    assert azure_instance(signature, "pkcs7", AZURE, NOW) == "vm-1"


def test_a_certificate_between_may_come_with_the_proof() -> None:
    signature = azure_signature(azure_document(), SIGNER, BETWEEN)
    anchors = Anchors(roots=(ROOT.certificate,))
    assert azure_instance(signature, "", anchors, NOW) == "vm-1"


def test_a_chain_without_a_root_that_we_know_is_refused() -> None:
    signature = azure_signature(azure_document(), SIGNER, BETWEEN, ROOT)
    other = Anchors(roots=(identity("elsewhere", authority=True).certificate,))
    assert "is not trusted" in refused(lambda: azure_instance(signature, "pkcs7", other, NOW))
    # Its authority is named in the certificate by a URL perhaps; nobody goes there.
    alone = azure_signature(azure_document(), SIGNER)
    rooted = Anchors(roots=(ROOT.certificate,))
    assert "is not trusted" in refused(lambda: azure_instance(alone, "pkcs7", rooted, NOW))


@pytest.mark.parametrize(
    "name", ["evil.example.com", "metadata.azure.com.evil.example", "xmetadata.azure.com"]
)
def test_somebody_elses_certificate_is_not_azures(name: str) -> None:
    signature = azure_signature(azure_document(), identity(name, BETWEEN))
    assert "not Azure's" in refused(lambda: azure_instance(signature, "pkcs7", AZURE, NOW))


def test_signed_data_that_was_changed_is_refused() -> None:
    raw = base64.b64decode(azure_signature(azure_document(), SIGNER))
    assert b"vm-1" in raw
    changed = base64.b64encode(raw.replace(b"vm-1", b"vm-2")).decode()
    assert "not the one that was signed" in refused(
        lambda: azure_instance(changed, "pkcs7", AZURE, NOW)
    )
    bare = base64.b64decode(azure_signature(azure_document(), SIGNER, bare=True))
    other = base64.b64encode(bare.replace(b"vm-1", b"vm-2")).decode()
    assert "none of its certificates" in refused(lambda: azure_instance(other, "pkcs7", AZURE, NOW))


def test_an_azure_document_has_its_time_and_so_has_its_signer() -> None:
    old = azure_signature(azure_document(since=NOW - timedelta(hours=7)), SIGNER)
    assert "time of the document" in refused(lambda: azure_instance(old, "pkcs7", AZURE, NOW))
    late = NOW + 60 * DAY
    signature = azure_signature(azure_document(since=late), SIGNER)
    assert "is not trusted" in refused(lambda: azure_instance(signature, "pkcs7", AZURE, late))


def test_bytes_that_are_no_signed_data_never_crash() -> None:
    raw = base64.b64decode(azure_signature(azure_document(), SIGNER))
    for cut in range(0, len(raw), 7):
        text = base64.b64encode(raw[:cut]).decode()
        assert "Azure" in refused(lambda text=text: azure_instance(text, "pkcs7", AZURE, NOW))
    for at in range(min(len(raw), 120)):
        broken = bytearray(raw)
        broken[at] ^= 0xFF
        text = base64.b64encode(bytes(broken)).decode()
        try:
            azure_instance(text, "pkcs7", AZURE, NOW)
        except InvalidProof:
            continue


@pytest.mark.parametrize(
    ("told", "instead", "why"),
    [
        # The key usage becomes a second alternative name.
        ("0603551d25", "0603551d11", "not Azure's"),
        # RSA becomes an algorithm that nobody knows.
        ("2a864886f70d010101", "2a864886f70d01017f", "none of its certificates"),
    ],
)
def test_a_strange_certificate_of_a_signer_never_crashes(told: str, instead: str, why: str) -> None:
    raw = base64.b64decode(azure_signature(azure_document(), SIGNER))
    at = raw.index(SIGNER.certificate.public_bytes(Encoding.DER))
    changed = raw[:at] + raw[at:].replace(bytes.fromhex(told), bytes.fromhex(instead), 1)
    assert changed != raw
    text = base64.b64encode(changed).decode()
    assert why in refused(lambda: azure_instance(text, "pkcs7", AZURE, NOW))


def test_a_token_of_google_names_its_instance() -> None:
    assert google_instance(jwt(key("google"), google_claims()), GOOGLE, NOW) == "77"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "somebody"}, "audience"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"exp": int(NOW.timestamp()) - 1}, "time of the token"),
        ({"iat": int(NOW.timestamp()) + 3600}, "time of the token"),
        ({"exp": "never"}, "until when"),
        ({"google": {}}, "names no instance"),
    ],
)
def test_audience_issuer_and_time_of_a_google_token_are_checked(
    changes: dict[str, object], why: str
) -> None:
    token = jwt(key("google"), google_claims(**changes))
    assert why in refused(lambda: google_instance(token, GOOGLE, NOW))


def test_who_signed_a_google_token_is_checked() -> None:
    forged = jwt(key("forger"), google_claims())
    assert "signature of the token is wrong" in refused(
        lambda: google_instance(forged, GOOGLE, NOW)
    )
    unknown = jwt(key("google"), google_claims(), kid="two")
    assert "No known key" in refused(lambda: google_instance(unknown, GOOGLE, NOW))
    unsigned = jwt(key("google"), google_claims(), alg="none")
    assert "No known key" in refused(lambda: google_instance(unsigned, GOOGLE, NOW))
    assert "Invalid GCP identity." in refused(lambda: google_instance("a.b", GOOGLE, NOW))
    assert "no JSON" in refused(lambda: google_instance("é.é.é", GOOGLE, NOW))
