"""Speaking SMTP: encryption, signing in, and what an answer means."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fediblog import smtp as post_office
from fediblog.config import Config
from fediblog.errors import Invalid, Unavailable
from tests.harness import processes
from tests.harness.mail import MailServer

pytestmark = pytest.mark.once


def message(to: str = "bob@mail.example") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "fediblog@localhost"
    made["To"] = to
    made["Subject"] = "hello"
    made.set_content("hello")
    return made


async def test_a_mail_is_handed_over(configure: Callable[..., Config], smtp: MailServer) -> None:
    configure(mail__url=smtp.url, mail__from_address="robot@mail.example")
    await post_office.send(message())
    assert (smtp.mails[0].sender, smtp.mails[0].recipients) == ("robot@mail.example", ["bob@mail.example"])


async def test_a_server_that_is_away_is_no_verdict(configure: Callable[..., Config]) -> None:
    configure(mail__url=f"smtp://127.0.0.1:{processes.free_port()}")
    with pytest.raises(Unavailable):
        await post_office.send(message())


async def test_a_server_that_hangs_is_given_up(
    configure: Callable[..., Config], smtp: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(mail__url=smtp.url)
    monkeypatch.setattr(post_office, "_SECONDS", 0.3)
    smtp.delay = 1
    with pytest.raises(Unavailable):
        await post_office.send(message())


async def test_a_server_that_takes_a_mail_and_then_hangs_has_taken_it(
    configure: Callable[..., Config], listener: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post_office, "_GOODBYE_SECONDS", 0.1)
    slow = _SlowToPart()
    configure(mail__url=f"smtp://127.0.0.1:{listener(slow)}")
    await post_office.send(message())
    assert slow.mails == 1


class _SlowToPart:
    mails = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails += 1
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(1)
        return "221 Bye"


@pytest.mark.parametrize(
    "url", ["smtp://", "http://mail.example", "mail.example:25", "smtp://[::1", "smtp://a:99999"]
)
async def test_an_address_that_leads_nowhere_is_said_to_be_wrong(
    configure: Callable[..., Config], url: str
) -> None:
    configure(mail__url=url)
    with pytest.raises(Unavailable, match=r"mail\.url"):
        await post_office.send(message())


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("550 no such person", Invalid),
        ("554 we do not like you", Invalid),
        ("421 closing", Unavailable),
        ("450 busy", Unavailable),
        ("530 sign in first", Unavailable),
    ],
)
@pytest.mark.parametrize("which", ["refuse", "refuse_recipient"])
async def test_what_an_answer_means(
    configure: Callable[..., Config], smtp: MailServer, which: str, answer: str, verdict: type[Exception]
) -> None:
    configure(mail__url=smtp.url)
    setattr(smtp, which, answer)
    with pytest.raises(verdict):
        await post_office.send(message())


async def test_a_refusal_of_the_sender_is_for_the_admin_to_mend(
    configure: Callable[..., Config], listener: Callable[..., int]
) -> None:
    port = listener(_NoSender())
    configure(mail__url=f"smtp://127.0.0.1:{port}")
    with pytest.raises(Unavailable):
        await post_office.send(message())


class _NoSender:
    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        return "553 not from there"


@pytest.mark.parametrize("address", ["bøb@mail.example", ""])
async def test_an_address_that_cannot_be_written_to_ends_the_mail(
    configure: Callable[..., Config], listener: Callable[..., int], address: str
) -> None:
    port = listener(Sink(), enable_SMTPUTF8=False)
    configure(mail__url=f"smtp://127.0.0.1:{port}")
    made = EmailMessage()
    made.add_header("To", address)
    made["From"] = "fediblog@localhost"
    made.set_content("hello")
    with pytest.raises(Invalid):
        await post_office.send(made)


# ------------------------------------------------------------------------------- encryption and signing in


class _Door:
    """Lets one name with one password in, and counts who tried."""

    def __init__(self) -> None:
        self.tries: list[tuple[bytes, bytes]] = []

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        given = (data.login, data.password)  # type: ignore[attr-defined]
        self.tries.append(given)
        return AuthResult(success=given == (b"us@er", b"p:w/d"), handled=False)


@pytest.fixture
def listener() -> Iterator[Callable[..., int]]:
    """Starts an SMTP server with these options of aiosmtpd; gives its port."""
    started: list[Controller] = []

    def start(handler: object, **options: object) -> int:
        port = processes.free_port()
        controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
        controller.start()
        started.append(controller)
        return port

    yield start
    for controller in started:
        controller.stop()


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretends that the mail server is not on this machine."""
    monkeypatch.setattr(post_office, "_is_this_machine", lambda address: False)


async def test_name_and_password_are_used(
    configure: Callable[..., Config], listener: Callable[..., int]
) -> None:
    door = _Door()
    port = listener(Sink(), authenticator=door, auth_require_tls=False)
    configure(mail__url=f"smtp://us%40er:p%3Aw%2Fd@127.0.0.1:{port}")
    await post_office.send(message())
    assert door.tries == [(b"us@er", b"p:w/d")]


async def test_a_wrong_password_is_for_the_admin_to_mend(
    configure: Callable[..., Config], listener: Callable[..., int]
) -> None:
    port = listener(Sink(), authenticator=_Door(), auth_require_tls=False)
    configure(mail__url=f"smtp://us%40er:wrong@127.0.0.1:{port}")
    with pytest.raises(Unavailable) as caught:
        await post_office.send(message())
    assert "wrong" not in caught.value.message


async def test_a_password_is_never_sent_in_the_clear_to_another_machine(
    configure: Callable[..., Config], listener: Callable[..., int], far_away: None
) -> None:
    door = _Door()
    port = listener(Sink(), authenticator=door, auth_require_tls=False)
    configure(mail__url=f"smtp://us%40er:p%3Aw%2Fd@127.0.0.1:{port}")
    with pytest.raises(Unavailable, match="no encryption"):
        await post_office.send(message())
    assert door.tries == []


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that nobody signed, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    path.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, private)
    return path, context


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    configure: Callable[..., Config],
    listener: Callable[..., int],
    certificate: tuple[Path, ssl.SSLContext],
    far_away: None,
) -> None:
    _, context = certificate
    door = _Door()
    port = listener(Sink(), tls_context=context, authenticator=door)
    configure(mail__url=f"smtp://us%40er:p%3Aw%2Fd@localhost:{port}")
    with pytest.raises(Unavailable):
        await post_office.send(message())
    assert door.tries == []


async def test_where_encryption_is_offered_it_is_used(
    configure: Callable[..., Config],
    listener: Callable[..., int],
    certificate: tuple[Path, ssl.SSLContext],
    far_away: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    door = _Door()
    # This server lets nobody sign in, and takes no mail, without encryption.
    port = listener(Sink(), tls_context=context, require_starttls=True, authenticator=door)
    configure(mail__url=f"smtp://us%40er:p%3Aw%2Fd@localhost:{port}")
    await post_office.send(message())
    assert door.tries == [(b"us@er", b"p:w/d")]


async def test_smtps_is_encrypted_from_the_first_byte(
    configure: Callable[..., Config],
    listener: Callable[..., int],
    certificate: tuple[Path, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    port = listener(Sink(), ssl_context=context)
    configure(mail__url=f"smtps://localhost:{port}")
    await post_office.send(message())
