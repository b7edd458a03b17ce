"""Messages for one device: the vector of the RFC, the draft's way back, and who sends."""

from typing import Any

import orjson
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fediblog import webpush
from tests.harness.devices import Device

pytestmark = pytest.mark.once

_WORDS = b"When I grow up, I want to be a watermelon"


def _private(text: str) -> Any:
    return ec.derive_private_key(int.from_bytes(webpush.decode(text), "big"), ec.SECP256R1())


def test_the_vector_of_rfc_8291_comes_out_to_the_byte():
    to = webpush.receiver(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
    )
    own = _private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    sealed = webpush._seal(_WORDS, to, own, webpush.decode("DGv6ra1nlYgDCS1FRnbzlw"))
    assert webpush.encode(sealed.body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
        "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("standard", [True, False])
def test_only_the_device_reads_it(standard: bool):
    device, other = Device(), Device()
    sealed = webpush.seal(_WORDS, webpush.receiver(device.p256dh, device.auth), standard)
    assert device.read(sealed.body, sealed.headers) == _WORDS
    with pytest.raises(InvalidTag):
        other.read(sealed.body, sealed.headers)
    assert sealed.body != webpush.seal(_WORDS, webpush.receiver(device.p256dh, device.auth), standard).body


def test_a_push_service_can_check_who_sends():
    public, private = webpush.new_pair()
    token, told = webpush.vapid(private, "https://push.example", "https://here.example")
    assert told == public
    head, claims, signature = token.split(".")
    raw = webpush.decode(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), webpush.decode(public))
    made = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.verify(made, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    said = orjson.loads(webpush.decode(claims))
    assert (said["aud"], said["sub"]) == ("https://push.example", "https://here.example")


@pytest.mark.parametrize(
    ("public_key", "secret"),
    [
        ("", ""),
        ("AAAA", "BTBZMqHH6r4Tts7J_aSIgg"),
        ("B" + "A" * 86, "BTBZMqHH6r4Tts7J_aSIgg"),  # A point that is not on the curve.
        ("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "AAAA"),
        ("ü", "BTBZMqHH6r4Tts7J_aSIgg"),
        (Device().p256dh + "!" * 100, "BTBZMqHH6r4Tts7J_aSIgg"),  # It would be kept with all of that.
    ],
)
def test_what_is_no_key_is_refused(public_key: str, secret: str):
    with pytest.raises(ValueError):
        webpush.receiver(public_key, secret)


def test_what_is_too_long_is_refused_before_it_is_sent():
    device = Device()
    to = webpush.receiver(device.p256dh, device.auth)
    assert len(webpush.seal(b"x" * webpush.MOST_BYTES, to, True).body) <= 4_096
    with pytest.raises(ValueError, match="too long"):
        webpush.seal(b"x" * (webpush.MOST_BYTES + 1), to, True)
