"""The test vectors of draft-cavage-12 (appendix C), RFC 9421 (§4.3, B.2.6) and RFC 9530 (appendix B)."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from fediblog.activitypub.signatures import Reason, Refused, cavage, parse, received, rfc9421, verify
from fediblog.activitypub.signatures.digests import (
    check_content_digest,
    check_digest,
    content_digest,
    digest,
)
from fediblog.activitypub.signatures.key_objects import holds, private_key, public_key, signature_of
from fediblog.activitypub.signatures.messages import Request
from tests.activitypub.keyring import CAVAGE_PUBLIC, RFC_ED25519, RFC_ED25519_SECRET, RFC_RSA

pytestmark = pytest.mark.once

DRAFT_HEADERS = {
    "host": "example.com",
    "date": "Sun, 05 Jan 2014 21:31:40 GMT",
    "content-type": "application/json",
    "digest": "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
    "content-length": "18",
}
DRAFT_BODY = b'{"hello": "world"}'
DRAFT_TARGET = "/foo?param=value&pet=dog"
DRAFT_TIME = 1_388_957_500_000

C1 = (
    "SjWJWbWN7i0wzBvtPl8rbASWz5xQW6mcJmn+ibttBqtifLN7Sazz6m79cNfwwb8DMJ5cou1s7uEGKKCs+FLEEaDV5lp7q25WqS+l"
    "avg7T8hc0GppauB6hbgEKTwblDHYGEtbGmtdHgVCk9SuS13F0hZ8FD0k/5OxEPXe5WozsbM="
)
C2 = (
    "qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFY"
    "Rqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="
)
# The draft's header names (created) and (expires) too, but its signature was made without them.
C3 = (
    "vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V0"
    "1IL+TAD48XaERZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="
)
DRAFT_VECTORS = [
    ("date", C1),
    ("(request-target) host date", C2),
    ("(request-target) host date content-type digest content-length", C3),
]


def draft(covered: str, signature: str) -> dict[str, str]:
    header = f'keyId="Test",algorithm="rsa-sha256",headers="{covered}",signature="{signature}"'
    return {**DRAFT_HEADERS, "signature": header}


@pytest.mark.parametrize(("covered", "signature"), DRAFT_VECTORS)
def test_the_vectors_of_the_draft_hold(covered: str, signature: str):
    headers = draft(covered, signature)
    claim = parse(headers)
    request = Request(
        method="POST", target=DRAFT_TARGET, origin="https://example.com", headers=headers, body=DRAFT_BODY
    )
    key = load_pem_public_key(CAVAGE_PUBLIC.encode())
    assert claim.key_id == "Test"
    assert claim.covered == tuple(covered.split())
    assert holds(key, claim.signature, cavage.base(request, claim, DRAFT_TARGET))
    assert not holds(key, claim.signature, cavage.base(request, claim, DRAFT_TARGET) + b" ")


def test_the_key_of_the_draft_is_too_weak_for_us():
    request = received(
        "POST", DRAFT_TARGET, "https://example.com", draft(*DRAFT_VECTORS[2]).items(), DRAFT_BODY
    )
    with pytest.raises(Refused) as caught:
        verify(request, CAVAGE_PUBLIC, now=DRAFT_TIME)
    assert caught.value.reason is Reason.KEY


@pytest.mark.parametrize(("covered", "signature"), DRAFT_VECTORS[:2])
def test_the_first_vectors_of_the_draft_cover_too_little_for_us(covered: str, signature: str):
    headers = draft(covered, signature).items()
    with pytest.raises(Refused) as caught:
        verify(
            received("POST", DRAFT_TARGET, "https://example.com", headers, DRAFT_BODY), RFC_RSA, DRAFT_TIME
        )
    assert caught.value.reason is Reason.COVERAGE


RFC_HEADERS = {
    "host": "example.com",
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-digest": (
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
    ),
    "content-length": "18",
}
B26_INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473'
    ';keyid="test-key-ed25519"'
)
B26 = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
B26_BASE = b"""\
"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")\
;created=1618884473;keyid="test-key-ed25519\""""


def rfc_request(headers: dict[str, str], origin: str = "https://example.com") -> Request:
    return Request(method="POST", target="/foo?param=Value&Pet=dog", origin=origin, headers=headers)


def test_rfc_9421_b_2_6_ed25519():
    headers = {**RFC_HEADERS, "signature-input": B26_INPUT, "signature": f"sig-b26=:{B26}:"}
    claim = parse(headers)
    base = rfc9421.base(rfc_request(headers), claim)
    assert base == B26_BASE
    assert holds(public_key(RFC_ED25519), claim.signature, base)
    assert b64encode(signature_of(private_key(RFC_ED25519_SECRET), base)).decode() == B26


PROXY_INPUT = (
    'proxy_sig=("@method" "@authority" "@path" "content-digest" "content-type" "content-length" "forwarded")'
    ';created=1618884480;keyid="test-key-rsa";alg="rsa-v1_5-sha256";expires=1618884540'
)
PROXY_SIGNATURE = (
    "S6ZzPXSdAMOPjN/6KXfXWNO/f7V6cHm7BXYUh3YD/fRad4BCaRZxP+JH+8XY1I6+8Cy+CM5g92iHgxtRPz+MjniOaYmdkDcnL9cC"
    "pXJleXsOckpURl49GwiyUpZ10KHgOEe11sx3G2gxI8S0jnxQB+Pu68U9vVcasqOWAEObtNKKZd8tSFu7LB5YAv0RAGhB8tmpv7sF"
    "nIm9y+7X5kXQfi8NMaZaA8i2ZHwpBdg7a6CMfwnnrtflzvZdXAsD3LH2TwevU+/PBPv0B6NMNk93wUs/vfJvye+YuI87HU38lZHo"
    "wtznbLVdp770I6VHR6WfgS9ddzirrswsE1w5o0LV/g=="
)


def proxied() -> dict[str, str]:
    return {
        **RFC_HEADERS,
        "host": "origin.host.internal.example",
        "forwarded": "for=192.0.2.123;host=example.com;proto=https",
        "signature-input": PROXY_INPUT,
        "signature": f"proxy_sig=:{PROXY_SIGNATURE}:",
    }


def test_rfc_9421_4_3_rsa_v1_5_sha256():
    headers = proxied()
    claim = parse(headers)
    base = rfc9421.base(rfc_request(headers, "https://origin.host.internal.example"), claim)
    assert (claim.algorithm, claim.created, claim.expires) == ("rsa-v1_5-sha256", 1618884480, 1618884540)
    assert holds(public_key(RFC_RSA), claim.signature, base)


def test_the_vectors_of_the_rfc_cover_too_little_for_us():
    request = received(
        "POST", "/foo", "https://origin.host.internal.example", proxied().items(), b'{"hello": "world"}'
    )
    with pytest.raises(Refused) as caught:
        verify(request, RFC_RSA, now=1618884500_000)
    assert caught.value.reason is Reason.COVERAGE


def test_rfc_9530_and_rfc_3230_digests():
    with_newline = b'{"hello": "world"}\n'
    assert content_digest(with_newline) == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert content_digest(b"") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    assert digest(DRAFT_BODY) == DRAFT_HEADERS["digest"]
    check_content_digest(RFC_HEADERS["content-digest"], b'{"hello": "world"}')
    check_digest(DRAFT_HEADERS["digest"], DRAFT_BODY)
