"""A real SMTP server that keeps what it is given and can be told to fail."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.harness import processes

# Every line of every conversation at DEBUG: it would bury what a failed test has to say.
logging.getLogger("mail.log").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Received:
    """One mail as the server accepted it."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)

    def text(self, kind: str = "plain") -> str:
        """The body as `plain` or `html`."""
        part = self.message.get_body((kind,))
        assert part is not None, f"the mail has no {kind} part"
        content: str = part.get_content()
        return content


class MailServer:
    """Records mails. `refuse`, `delay` and `stop`/`start` make it misbehave.

    `refuse` is an SMTP answer such as "451 later" or "550 no", given to DATA until it is None again;
    `refuse_recipient` does the same to RCPT. `delay` is in seconds, before DATA is answered. `lose_answer`
    takes the mail and then breaks the connection instead of answering.
    """

    def __init__(self) -> None:
        self.port = processes.free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._changed = threading.Condition()
        self.reset()
        self.start()

    def reset(self) -> None:
        """Forget all mails and behave."""
        self.mails: list[Received] = []
        self.refuse: str | None = None
        self.refuse_recipient: str | None = None
        self.delay = 0.0
        self.lose_answer = False
        self.attempts = 0

    def start(self) -> None:
        """Listen (again)."""
        self._controller = Controller(_Handler(self), hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Refuse connections, as a mail server that is down does."""
        self._controller.stop()

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._controller.server is not None

    def to(self, address: str) -> list[Received]:
        """The mails that one address got."""
        return [mail for mail in self.mails if address in mail.recipients]

    async def wait(self, count: int, seconds: float = 20) -> list[Received]:
        """Wait until this many mails are there. Raises AssertionError when they do not come."""
        await self.wait_for(lambda: len(self.mails) >= count, seconds)
        return list(self.mails)

    async def wait_for(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something holds, asked again after each attempt to deliver."""
        arrived = await asyncio.to_thread(self._wait, condition, seconds)
        assert arrived, f"{len(self.mails)} mails after {seconds} s, {self.attempts} attempts"

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def attempted(self, mail: Received | None) -> None:
        """Used by the handler: somebody tried to deliver; `mail` when it was accepted."""
        with self._changed:
            self.attempts += 1
            if mail is not None:
                self.mails.append(mail)
            self._changed.notify_all()


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if self._server.refuse_recipient:
            self._server.attempted(None)
            return self._server.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._server.delay:
            await asyncio.sleep(self._server.delay)
        if self._server.refuse:
            self._server.attempted(None)
            return self._server.refuse
        raw = envelope.content
        assert isinstance(raw, bytes)
        self._server.attempted(Received(envelope.mail_from or "", list(envelope.rcpt_tos), raw))
        if self._server.lose_answer and server.transport is not None:
            server.transport.abort()
        return "250 OK"
