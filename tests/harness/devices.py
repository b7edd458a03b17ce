"""A phone or browser that is woken: it has a key of its own, and reads what a push service brings.

Written from the documents (RFC 8188, RFC 8291, and the draft before it) and not from our own sealing; both
ways were tried against `http_ece` once.
"""

import os
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fediblog.webpush import decode, encode


class Device:
    """Its key pair and secret, as a subscription gives them out."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self._secret = os.urandom(16)
        self.p256dh, self.auth = encode(self._point), encode(self._secret)

    def read(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The message. Raises InvalidTag when it is for somebody else."""
        given = {name.lower(): value for name, value in headers.items()}
        if given["content-encoding"] == "aes128gcm":
            return self._standard(body)
        return self._draft(body, given)

    def _standard(self, body: bytes) -> bytes:
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        first = _hkdf(self._shared(sender), self._secret, b"WebPush: info\0" + self._point + sender, 32)
        key = _hkdf(first, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(first, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        return plain.rstrip(b"\0")[:-1]

    def _draft(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        salt = decode(headers["encryption"].partition("salt=")[2])
        sender = decode(headers["crypto-key"].partition("dh=")[2].partition(";")[0])
        first = _hkdf(self._shared(sender), self._secret, b"Content-Encoding: auth\0", 32)
        context = b"P-256\0\0\x41" + self._point + b"\0\x41" + sender
        key = _hkdf(first, salt, b"Content-Encoding: aesgcm\0" + context, 16)
        nonce = _hkdf(first, salt, b"Content-Encoding: nonce\0" + context, 12)
        plain = AESGCM(key).decrypt(nonce, body, None)
        return plain[2 + int.from_bytes(plain[:2], "big") :]

    def _shared(self, sender: bytes) -> bytes:
        return self._key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )


def _hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=salt, info=info).derive(key)
