"""From the words of a mail to the mail itself: two forms of the text and the headers around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from html import escape
from typing import Any

import jinja2

from fediblog import moments, text
from fediblog.config import settings
from fediblog.services.mailing.rows import Mail

_LONGEST_NAME = 60
_LONGEST_SUBJECT = 150

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("fediblog.services.mailing"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says, before it is dressed as one. `template` names both files, `.txt` and `.html`."""

    address: str
    subject: str
    template: str
    values: Mapping[str, Any]
    unsubscribe: str = ""  # The link that stops such mails; empty where an account needs them.
    told: Sequence[int] = ()  # The notifications that are dealt with once it has gone.


class _Unfolded(BaseHeader):
    """A header that stays in one piece: the library would encode a long address beyond recognition."""

    max_count = 1

    @staticmethod
    def parse(value: str, keywords: dict[str, Any]) -> None:
        """Take the value as it is."""
        keywords["decoded"] = value
        keywords["parse_tree"] = None

    def fold(self, *, policy: Policy) -> str:
        """The line as it is sent."""
        return f"{self.name}: {self}{policy.linesep}"


_headers = HeaderRegistry()
_headers.map_to_type("list-unsubscribe", _Unfolded)
_POLICY = SMTP.clone(header_factory=_headers)


def short(value: str, most: int = _LONGEST_NAME) -> str:
    """Words of a stranger as one line of bounded length without control characters."""
    return text.excerpt(escape(text.tidy(value), quote=False), most)


def dress(letter: Letter, mail: Mail, site: str) -> EmailMessage:
    """The mail as it is sent. The same mail telling the same things has the same Message-ID each time."""
    host = settings().domain.split(":")[0]
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(_for_header(site, _LONGEST_NAME), addr_spec=settings().mail_from)
    # One address and no list, whatever is written there.
    message["To"] = Address(addr_spec=letter.address)
    message["Subject"] = _for_header(letter.subject, _LONGEST_SUBJECT)
    message["Date"] = format_datetime(moments.when(moments.now()))
    message["Message-ID"] = f"<{'.'.join(_identity(letter, mail))}@{host}>"
    # RFC 3834: whoever answers mails by machine leaves this one alone.
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        message["List-Id"] = f"<{mail.kind}.{host}>"
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    values = {**letter.values, "site": short(site), "unsubscribe": letter.unsubscribe}
    message.set_content(_render(f"{letter.template}.txt", values), cte="quoted-printable")
    html = _render(f"{letter.template}.html", {**values, "subject": letter.subject})
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _for_header(value: str, most: int) -> str:
    # The library reads "=?utf-8?q?=0D=0ABcc:...?=" as what it stands for (RFC 2047) and would write that.
    return short(value.replace("=?", "= ?"), most)


def _identity(letter: Letter, mail: Mail) -> list[str]:
    # A mail that could not be sent goes on gathering. With what joined it, it is another mail: a reader's
    # program that drops twins must not drop the news with them.
    newest = [str(max(letter.told))] if letter.told else []
    return ["mail", str(mail.id), *newest]


def _render(name: str, values: Mapping[str, Any]) -> str:
    return _templates.get_template(name).render(values)
