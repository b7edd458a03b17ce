"""Opening and closing the one client of the process: trust, limits, sessions."""

import resource
import ssl

import httpx

from fediblog import __version__
from fediblog.config import Config, ConfigError
from fediblog.http.engine import Engine, use_small_tls_buffers
from fediblog.http.exchange import Exchange
from fediblog.http.guard import Guard
from fediblog.http.names import LookUp, System

# Enough for every connection there can be. Without an end where the system knows none: some programs walk
# through all descriptors when they start others.
_MOST_DESCRIPTORS = 65_536

_current: Exchange | None = None


async def open(
    config: Config, *, look_up: LookUp | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> None:
    """Make this process ready to speak to others; the loop that runs now is the only one that may.

    `look_up` stands in for the system's names, `transport` for the whole network and its checks of
    addresses: both are for tests. Raises ConfigError when `federation.ca_file` cannot be used.
    """
    global _current
    if _current is not None:
        raise RuntimeError("the client to the outside is open already")
    use_small_tls_buffers()
    _raise_descriptors()
    if transport is None:
        guard = Guard(look_up or System(), config.federation.allow_networks)
        transport = Engine(guard, trust(config.federation.ca_file))
    _current = Exchange(transport, f"fediblog/{__version__} (+{config.origin})")


async def close() -> None:
    """Close every connection. Closing what is not open is fine."""
    global _current
    exchange, _current = _current, None
    if exchange is not None:
        await exchange.close()


def current() -> Exchange:
    """The open client. Raises RuntimeError when there is none: a fault of ours."""
    if _current is None:
        raise RuntimeError("the client to the outside is not open")
    return _current


def trust(ca_file: str) -> ssl.SSLContext:
    """Whom we believe: Mozilla's list, which is there on every machine, the system's own, and `ca_file`."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise ConfigError(
                f"federation.ca_file: {ca_file}: {error.strerror or 'no certificates'}"
            ) from None
    return context


def _raise_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
