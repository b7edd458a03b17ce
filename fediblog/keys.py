"""Key pairs, password hashes, random tokens and the seals made with the server's own secret."""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# RFC 9106's second recommendation is heavier than a two-core server can pay on every log-in; these are the
# figures that OWASP's cheat sheet and SECURITY §7 ask for as a minimum, one step above.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """An argon2id hash with its own salt. Takes some 30 ms: call it off the loop."""
    return _hasher.hash(_bytes(password))


def check_password(stored: str, password: str) -> bool:
    """Whether the password belongs to the hash. As slow as hashing, whatever the answer."""
    try:
        return _hasher.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def password_needs_rehash(stored: str) -> bool:
    """True when the hash was made with weaker figures than today's."""
    return _hasher.check_needs_rehash(stored)


@lru_cache(1)
def dummy_hash() -> str:
    """A hash that no password opens, verified for unknown names so that they take the same time."""
    return hash_password(secrets.token_hex(32))


def new_token() -> str:
    """256 random bits as 43 characters that are safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """How a token is kept: SHA-256 is enough for 256 random bits, and a look-up needs a fixed value."""
    return hashlib.sha256(_bytes(token)).hexdigest()


def sign(secret: bytes, purpose: str, message: str) -> str:
    """A keyed digest of `message`, worth nothing for any other purpose."""
    mac = hmac.new(_derived(secret, purpose), _bytes(message), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def verify(secret: bytes, purpose: str, message: str, signature: str) -> bool:
    """Whether `sign` made this signature, compared in constant time."""
    made = sign(secret, purpose, message).encode()
    return hmac.compare_digest(made, _bytes(signature))


def seal(secret: bytes, plain: bytes) -> bytes:
    """Encrypt with a key derived from the server's secret (Fernet: AES-128-CBC and HMAC)."""
    return _fernet(secret).encrypt(plain)


def unseal(secret: bytes, sealed: bytes) -> bytes:
    """Undo `seal`. Raises cryptography.fernet.InvalidToken when the secret has changed."""
    return _fernet(secret).decrypt(sealed)


def new_pair() -> tuple[str, bytes]:
    """A fresh RSA-2048 pair: public key as SPKI PEM, private key as PKCS8 DER. Takes 0.1 s: off the loop."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secret = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return public.decode(), secret


def _bytes(text: str) -> bytes:
    # JSON can bring lone surrogates, which are wrong but must not be an error of ours.
    return text.encode("utf-8", "surrogatepass")


@lru_cache(32)
def _derived(secret: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"fediblog " + purpose.encode()).derive(secret)


@lru_cache(4)
def _fernet(secret: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(secret, "private keys")))
