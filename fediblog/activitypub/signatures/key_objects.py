"""Key objects, loaded once and kept, and the two algorithms of the fediverse: RSA with SHA-256, and Ed25519.

What a key does follows from the key alone. No header has a say in it (SECURITY §2).
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
)

from fediblog.activitypub.signatures.refusals import Reason, Refused

PublicKey = RSAPublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | Ed25519PrivateKey

_LONGEST_PEM = 8_192
_RSA_BITS = range(2_048, 8_193)
# RSA with a huge exponent takes fifty times as long to verify; everybody uses 65537.
_EXPONENT_BITS = 33

_PADDING, _HASH = PKCS1v15(), SHA256()


@lru_cache(maxsize=2_048)
def public_key(pem: str) -> PublicKey:
    """The key in a PEM, SPKI or PKCS#1. Raises Refused when it is none, too weak, or of another kind."""
    if len(pem) > _LONGEST_PEM:
        raise Refused(Reason.KEY)
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise Refused(Reason.KEY) from fault
    if isinstance(key, Ed25519PublicKey):
        return key
    if not isinstance(key, RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise Refused(Reason.KEY)
    if key.public_numbers().e.bit_length() > _EXPONENT_BITS:
        raise Refused(Reason.KEY)
    return key


@lru_cache(maxsize=512)
def private_key(secret: bytes) -> PrivateKey:
    """One of our own keys, PKCS#8 as DER or PEM. Raises ValueError when it is none.

    Validation is left out because we made the key: it would take 83 ms (STACK, crypto figures).
    """
    load = load_pem_private_key if secret.startswith(b"-----BEGIN") else load_der_private_key
    key = load(secret, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("not a key that signs requests")
    return key


def signature_of(key: PrivateKey, message: bytes) -> bytes:
    """The message signed, as the key does it."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    return key.sign(message, _PADDING, _HASH)


def holds(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the owner of the key has signed the message."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, message)
        else:
            key.verify(signature, message, _PADDING, _HASH)
    except InvalidSignature:
        return False
    return True
