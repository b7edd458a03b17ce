"""Who signs: an account of ours, or the server itself (its instance actor, FEDERATION §2)."""

from dataclasses import dataclass

from fediblog import keys, uris
from fediblog.config import settings
from fediblog.models import Account
from fediblog.services.server_keys import Kept, unsealed


@dataclass(frozen=True, slots=True)
class Sender:
    """What a signature needs. `private_key` is PKCS#8 DER; `uri` is the actor's, `public_key` a PEM."""

    uri: str
    key_id: str
    public_key: str
    private_key: bytes


def of_account(account: Account) -> Sender:
    """An account of ours. Raises ValueError for one elsewhere, whose key we do not have: a fault of ours."""
    if account.private_key is None:
        raise ValueError(f"{account.uri} is not ours to sign for")
    private = unsealed(bytes(account.private_key), settings().secret)
    return Sender(account.uri, account.key_id, account.public_key, private)


async def of_server() -> Sender:
    """The server itself. Its key pair is made when it is first asked for, and there is one for ever."""
    pair, uri = await _server.get(), uris.server_uri()
    return Sender(uri, f"{uri}#main-key", pair.public, pair.private)


_server = Kept("server_key", lambda: keys.new_pair())
