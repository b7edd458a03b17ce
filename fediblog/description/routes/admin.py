"""What the staff does by apps. Moderators see accounts and reports, admins all of it."""

from typing import Annotated, Any, Literal, Required

from fediblog.description.entities.admin import (
    AdminAccount,
    AdminCanonicalEmailBlock,
    AdminDomainAllow,
    AdminDomainBlock,
    AdminEmailDomainBlock,
    AdminIpBlock,
    AdminReport,
    AdminTrendsLink,
    AdminTrendsStatus,
    AdminTrendsTag,
    Category,
    DomainSeverity,
    IpSeverity,
)
from fediblog.description.entities.faults import Empty
from fediblog.description.kinds import Count, Id
from fediblog.description.route import Fields, Paged, Route, delete, get, post, put

_PAGES = Paged(100, 200)
_WORDS: Fields = {
    "username": str,
    "display_name": str,
    "email": str,
    "by_domain": str,
    "ip": str,
    "invited_by": Id,
}
_STATES = ("active", "pending", "disabled", "silenced", "suspended", "sensitized")
_SWITCHES: Fields = dict.fromkeys(("local", "remote", "staff", *_STATES), bool)
_RULE: Fields = {
    "severity": DomainSeverity,
    "reject_media": bool,
    "reject_reports": bool,
    "obfuscate": bool,
    "public_comment": str,
    "private_comment": str,
}
_NETWORK: Fields = {"comment": str, "expires_in": Annotated[Count, "Seconds; for ever when not given."]}


def _on_account(verb: str, words: str, answer: Any = AdminAccount, **more: Any) -> Route:
    path = f"/api/v1/admin/accounts/{{account_id}}/{verb}"
    return post(path, words, answer, scope="admin:write:accounts", **more)


def _on_report(verb: str, words: str) -> Route:
    path = f"/api/v1/admin/reports/{{report_id}}/{verb}"
    return post(path, words, AdminReport, scope="admin:write:reports")


def _kept(things: str, entity: Any, what: str, form: Fields) -> tuple[Route, ...]:
    """A list of rules of one kind, which all have the same routes."""
    path, one = f"/api/v1/admin/{things}", f"/api/v1/admin/{things}/{{number}}"
    reads, writes = f"admin:read:{things}", f"admin:write:{things}"
    return (
        get(path, f"All {what}.", list[entity], scope=reads, paged=_PAGES),
        get(one, "One of them.", entity, scope=reads),
        post(path, "Add one.", entity, scope=writes, form=form),
        delete(one, "Lift it.", Empty, scope=writes),
    )


def _trends(things: str, entity: Any, name: str, what: str, usual: int) -> tuple[Route, ...]:
    """A kind of trend, which all have the same routes."""
    path, pages = f"/api/v1/admin/trends/{things}", Paged(usual, 2 * usual, by_offset=True)
    return (
        get(path, f"{what}, also those that nobody is shown.", list[entity], scope="admin:read", paged=pages),
        post(f"{path}/{{{name}}}/approve", "Let it be shown.", entity, scope="admin:write"),
        post(f"{path}/{{{name}}}/reject", "Keep it from being shown.", entity, scope="admin:write"),
    )


ROUTES = (
    get(
        "/api/v1/admin/accounts",
        "Accounts by their states.",
        list[AdminAccount],
        scope="admin:read:accounts",
        query={**_SWITCHES, **_WORDS},
        paged=_PAGES,
    ),
    get(
        "/api/v2/admin/accounts",
        "Accounts by words.",
        list[AdminAccount],
        scope="admin:read:accounts",
        query={
            "origin": Literal["local", "remote"],
            "status": str,
            "permissions": Literal["staff"],
            "role_ids[]": list[Id],
            **_WORDS,
        },
        paged=_PAGES,
    ),
    get("/api/v1/admin/accounts/{account_id}", "One.", AdminAccount, scope="admin:read:accounts"),
    delete(
        "/api/v1/admin/accounts/{account_id}",
        "Delete one that is suspended, for good.",
        AdminAccount,
        scope="admin:write:accounts",
    ),
    _on_account("approve", "Let them in."),
    _on_account("reject", "Send them away."),
    _on_account(
        "action",
        "Do something about it.",
        Empty,
        form={
            "type": Required[Literal["none", "sensitive", "disable", "silence", "suspend"]],
            "report_id": Annotated[Id, "A report that this ends."],
            "text": Annotated[str, "What the person is told."],
            "send_email_notification": bool,
        },
    ),
    _on_account("enable", "Let them sign in again."),
    _on_account("unsilence", "Limit them no more."),
    _on_account("unsuspend", "Bring them back."),
    _on_account("unsensitive", "Cover their pictures no more."),
    get(
        "/api/v1/admin/reports",
        "Those that are open, or those that are not.",
        list[AdminReport],
        scope="admin:read:reports",
        query={"resolved": bool, "account_id": Id, "target_account_id": Id},
        paged=_PAGES,
    ),
    get("/api/v1/admin/reports/{report_id}", "One.", AdminReport, scope="admin:read:reports"),
    put(
        "/api/v1/admin/reports/{report_id}",
        "Say what it is about.",
        AdminReport,
        scope="admin:write:reports",
        form={"category": Category, "rule_ids": list[Id]},
    ),
    _on_report("assign_to_self", "Take it on."),
    _on_report("unassign", "Leave it to others."),
    _on_report("resolve", "It is dealt with."),
    _on_report("reopen", "It is not."),
    *_kept("domain_blocks", AdminDomainBlock, "rules about servers", {"domain": Required[str], **_RULE}),
    put(
        "/api/v1/admin/domain_blocks/{number}",
        "Change it; what is not given stays.",
        AdminDomainBlock,
        scope="admin:write:domain_blocks",
        form=_RULE,
    ),
    *_kept("domain_allows", AdminDomainAllow, "servers on the allow-list", {"domain": Required[str]}),
    *_kept(
        "email_domain_blocks",
        AdminEmailDomainBlock,
        "domains of e-mail that are shut out",
        {"domain": Required[str], "allow_with_approval": bool},
    ),
    *_kept(
        "canonical_email_blocks",
        AdminCanonicalEmailBlock,
        "mailboxes that are shut out",
        {"email": str, "canonical_email_hash": Annotated[str, "Instead of the address."]},
    ),
    post(
        "/api/v1/admin/canonical_email_blocks/test",
        "Which of them an address is.",
        list[AdminCanonicalEmailBlock],
        scope="admin:read:canonical_email_blocks",
        form={"email": Required[str]},
    ),
    *_kept(
        "ip_blocks",
        AdminIpBlock,
        "networks that are kept out",
        {"ip": Required[str], "severity": Required[IpSeverity], **_NETWORK},
    ),
    put(
        "/api/v1/admin/ip_blocks/{number}",
        "Change it; what is not given stays.",
        AdminIpBlock,
        scope="admin:write:ip_blocks",
        form={"ip": str, "severity": IpSeverity, **_NETWORK},
    ),
    *_trends("tags", AdminTrendsTag, "tag_id", "Hashtags that many use", 10),
    *_trends("statuses", AdminTrendsStatus, "post_id", "Posts that many like and boost", 20),
    *_trends("links", AdminTrendsLink, "link_id", "Pages that many link to", 10),
)
