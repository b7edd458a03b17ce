"""The one place that speaks SMTP: one mail, one conversation, one verdict (RFC 5321)."""

import asyncio
import contextlib
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from fediblog.config import settings
from fediblog.errors import Invalid, Unavailable

# Shorter than a worker's patience with one piece of work: the verdict must be ours.
_SECONDS = 50
_GOODBYE_SECONDS = 2

# Answers that ask us to sign in or to encrypt (RFC 4954 §6). They are about our configuration, and an admin
# may mend that, so they do not end a mail, although they begin with a five.
_OUR_FAULT = frozenset({530, 534, 535, 538})

_TEMPORARY = (aiosmtplib.SMTPException, OSError, TimeoutError)


async def send(message: EmailMessage) -> None:
    """Hand a mail over to the configured server. Once this returns, the server has answered for it.

    Raises Unavailable when trying again later is right, and Invalid when the server refuses the recipient or
    the mail for good. Neither names the recipient: both may be logged.
    """
    address = _address()
    client = _client(address)
    with contextlib.closing(client):
        try:
            async with asyncio.timeout(_SECONDS):
                await _connect(client, address)
                await _hand_over(client, message)
        except _TEMPORARY as error:
            raise Unavailable(_sentence(error)) from error
        await _say_goodbye(client)


def _client(address: SplitResult) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=address.hostname,
        port=address.port,
        use_tls=address.scheme == "smtps",
        # Encrypted wherever the other side can. Mail servers on the same machine offer it too, with
        # certificates that nobody signed.
        start_tls=False if _is_this_machine(address) else None,
        local_hostname=settings().domain.split(":")[0],
        timeout=_SECONDS,
    )


async def _connect(client: aiosmtplib.SMTP, address: SplitResult) -> None:
    await client.connect()
    if not address.username:
        return
    if not _is_this_machine(address) and client.get_transport_info("sslcontext") is None:
        raise Unavailable("The mail server offers no encryption; the password was not sent.")
    await client.login(unquote(address.username), unquote(address.password or ""))


async def _hand_over(client: aiosmtplib.SMTP, message: EmailMessage) -> None:
    try:
        await client.send_message(message, sender=settings().mail_from)
    except (aiosmtplib.SMTPNotSupported, ValueError) as error:
        raise Invalid("The mail server cannot send to such an address.") from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        _judge(error.recipients[0])
    except aiosmtplib.SMTPDataError as error:
        _judge(error)


def _judge(answer: aiosmtplib.SMTPResponseException) -> None:
    if 500 <= answer.code <= 599 and answer.code not in _OUR_FAULT:
        raise Invalid(f"The mail server refuses the mail for good ({answer.code}).") from answer
    raise answer


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    """The mail is theirs already: nothing that goes wrong here may look like a failure."""
    with contextlib.suppress(*_TEMPORARY):
        await client.quit(timeout=_GOODBYE_SECONDS)


def _address() -> SplitResult:
    wrong = Unavailable("mail.url must look like smtp://host:port or smtps://host.")
    try:
        address = urlsplit(settings().mail.url.get_secret_value())
        if address.scheme not in ("smtp", "smtps") or not address.hostname or address.port == 0:
            raise wrong
    except ValueError:
        raise wrong from None
    return address


def _is_this_machine(address: SplitResult) -> bool:
    host = address.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sentence(error: BaseException) -> str:
    # The server's own words are left out: they like to repeat the recipient.
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"The mail server cannot take mail now ({error.code})."
    return f"The mail server cannot be reached ({type(error).__name__})."
