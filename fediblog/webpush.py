"""Messages that only one browser or phone can read, on their way through a push service.

RFC 8291 over RFC 8188 (`aes128gcm`), and the draft before it (`aesgcm`, draft-ietf-webpush-encryption-04) for
which apps for Mastodon still ask; both with VAPID (RFC 8292), by which the push service knows who sends.
"""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Push services must take 4096 bytes (RFC 8030 §7.2), of which the envelope needs 103, or 18 in the draft.
MOST_BYTES = 3_900
_RECORD = 4_096
# 65 bytes in base64, and something for padding and blanks: what is no base64 in it is passed over.
_LONGEST_KEY = 128
_HOURS = 12 * 3_600


class Receiver(NamedTuple):
    """Who can read it: the point (65 bytes) and the secret (16 bytes) that the browser gave out."""

    public_key: bytes
    secret: bytes


class Sealed(NamedTuple):
    """What is sent, and the headers that say how it was sealed."""

    body: bytes
    headers: dict[str, str]


def receiver(public_key: str, secret: str) -> Receiver:
    """From the two texts of a subscription, in base64url. Raises ValueError for what cannot be used."""
    if max(len(public_key), len(secret)) > _LONGEST_KEY:
        raise ValueError("That is too long for a key.")
    found = Receiver(decode(public_key), decode(secret))
    EllipticCurvePublicKey.from_encoded_point(SECP256R1(), found.public_key)
    if len(found.public_key) != 65 or len(found.secret) != 16:
        raise ValueError("That is not the key of a push subscription.")
    return found


def seal(message: bytes, to: Receiver, standard: bool) -> Sealed:
    """Encrypt for one receiver. Raises ValueError for a message over MOST_BYTES."""
    if len(message) > MOST_BYTES:
        raise ValueError("That is too long for a push message.")
    own, salt = generate_private_key(SECP256R1()), os.urandom(16)
    return (_seal if standard else _seal_as_in_draft)(message, to, own, salt)


def vapid(private_key: bytes, audience: str, subject: str) -> tuple[str, str]:
    """A token for the push service at this origin, good for half a day, and our public key."""
    own = _private(private_key)
    claims = {"aud": audience, "exp": int(time.time()) + _HOURS, "sub": subject}
    signed = f"{encode(orjson.dumps({'typ': 'JWT', 'alg': 'ES256'}))}.{encode(orjson.dumps(claims))}"
    r, s = decode_dss_signature(own.sign(signed.encode(), ECDSA(SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signed}.{encode(signature)}", encode(_point(own))


def authorized(sealed: Sealed, token: str, public_key: str, standard: bool) -> dict[str, str]:
    """The headers of a message with those that say who sends it."""
    if standard:
        return {**sealed.headers, "Authorization": f"vapid t={token}, k={public_key}"}
    both = f"{sealed.headers['Crypto-Key']};p256ecdsa={public_key}"
    return {**sealed.headers, "Crypto-Key": both, "Authorization": f"WebPush {token}"}


def new_pair() -> tuple[str, bytes]:
    """A fresh key pair for VAPID: the public point in base64url, the private key as PKCS8 DER."""
    own = generate_private_key(SECP256R1())
    private = own.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encode(_point(own)), private


def encode(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The same back; browsers' plain base64 and padding are taken, too. Raises ValueError."""
    plain = text.strip().replace("+", "-").replace("/", "_").rstrip("=")
    return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))


def _seal(message: bytes, to: Receiver, own: EllipticCurvePrivateKey, salt: bytes) -> Sealed:
    """RFC 8291 §3.4, RFC 8188 §2."""
    point = _point(own)
    secret = _derive(_shared(own, to), to.secret, b"WebPush: info\0" + to.public_key + point, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(point)]) + point
    body = head + AESGCM(key).encrypt(nonce, message + b"\x02", None)
    return Sealed(body, {"Content-Encoding": "aes128gcm"})


def _seal_as_in_draft(message: bytes, to: Receiver, own: EllipticCurvePrivateKey, salt: bytes) -> Sealed:
    """draft-ietf-webpush-encryption-04 §3, draft-ietf-httpbis-encryption-encoding-03 §2."""
    point = _point(own)
    secret = _derive(_shared(own, to), to.secret, b"Content-Encoding: auth\0", 32)
    context = b"P-256\0" + b"".join(len(each).to_bytes(2, "big") + each for each in (to.public_key, point))
    key = _derive(secret, salt, b"Content-Encoding: aesgcm\0" + context, 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0" + context, 12)
    body = AESGCM(key).encrypt(nonce, b"\0\0" + message, None)
    headers = {
        "Content-Encoding": "aesgcm",
        "Encryption": f"salt={encode(salt)}",
        "Crypto-Key": f"dh={encode(point)}",
    }
    return Sealed(body, headers)


def _shared(own: EllipticCurvePrivateKey, to: Receiver) -> bytes:
    return own.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), to.public_key))


def _derive(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=salt, info=info).derive(key)


def _point(own: EllipticCurvePrivateKey) -> bytes:
    return own.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _private(key: bytes) -> EllipticCurvePrivateKey:
    found = serialization.load_der_private_key(key, None)
    assert isinstance(found, EllipticCurvePrivateKey)
    return found
