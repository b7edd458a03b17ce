"""What the staff alone gets to see."""

from typing import Annotated, Any, Literal, TypedDict

from fediblog.description.entities.accounts import Account, Role
from fediblog.description.entities.server import Rule
from fediblog.description.entities.statuses import Status, TrendsLink
from fediblog.description.entities.tags import Tag
from fediblog.description.kinds import Id, Moment

Category = Literal["spam", "legal", "violation", "other"]
DomainSeverity = Literal["silence", "suspend", "noop"]
IpSeverity = Literal["sign_up_requires_approval", "sign_up_block", "no_access"]


class AdminIp(TypedDict):
    """An address that somebody came from."""

    ip: str
    used_at: Moment


class AdminAccount(TypedDict):
    """An account with what the staff alone may know; of people elsewhere much of it is null."""

    id: Id
    username: str
    domain: str | None
    created_at: Moment
    suspended: bool
    silenced: bool
    sensitized: bool
    email: str | None
    ip: str | None
    ips: list[AdminIp]
    role: Role | None
    confirmed: bool | None
    approved: bool | None
    disabled: bool | None
    locale: str | None
    invite_request: Annotated[str | None, "Why they want to join."]
    invited_by_account_id: Id | None
    created_by_application_id: Id | None
    account: Account


class _Reported(TypedDict):
    """What a report says itself."""

    id: Id
    action_taken: bool
    action_taken_at: Moment | None
    category: Category
    comment: str
    forwarded: bool
    created_at: Moment


class Report(_Reported):
    """What somebody wants the staff to look at."""

    status_ids: list[Id]
    rule_ids: list[Id]
    target_account: Account


class AdminReport(_Reported):
    """A report with both sides, the posts and the rules."""

    updated_at: Moment
    account: Annotated[AdminAccount | None, "Who reported; null when they are gone."]
    target_account: AdminAccount | None
    assigned_account: AdminAccount | None
    action_taken_by_account: AdminAccount | None
    statuses: list[Status]
    rules: list[Rule]


class AdminDomainBlock(TypedDict):
    """A rule about a server."""

    id: Id
    domain: str
    digest: Annotated[str, "SHA-256 of the domain, in hex."]
    created_at: Moment
    severity: DomainSeverity
    reject_media: bool
    reject_reports: bool
    private_comment: str | None
    public_comment: str | None
    obfuscate: bool


class AdminDomainAllow(TypedDict):
    """A server on the allow-list."""

    id: Id
    domain: str
    created_at: Moment


class AdminEmailDomainBlock(TypedDict):
    """A domain of e-mail with which nobody signs up, or not without approval."""

    id: Id
    domain: str
    created_at: Moment
    history: Annotated[list[Any], "Always empty: who tried is not counted."]
    allow_with_approval: bool


class AdminCanonicalEmailBlock(TypedDict):
    """A mailbox with which nobody signs up, under whatever spelling."""

    id: Id
    canonical_email_hash: Annotated[str, "SHA-256 of the tidied address, in hex."]


class AdminIpBlock(TypedDict):
    """A network that is kept out of signing up, or of everything."""

    id: Id
    ip: Annotated[str, "In CIDR notation."]
    severity: IpSeverity
    comment: str
    created_at: Moment
    expires_at: Moment | None


class AdminTrendsTag(Tag):
    """A hashtag that many use, shown or not."""

    trendable: Annotated[bool, "Everybody is shown it."]
    usable: Annotated[bool, "Always true: none can be forbidden."]
    requires_review: Annotated[bool, "Nobody of the staff has looked at it; the same in the next ones."]


class AdminTrendsStatus(Status):
    """A post that many like and boost, shown or not."""

    requires_review: bool


class AdminTrendsLink(TrendsLink):
    """A page that many link to, shown or not."""

    id: Id
    requires_review: bool
