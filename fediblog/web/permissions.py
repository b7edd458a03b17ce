"""What an app may do, in words for the person who lets it."""

from collections.abc import Iterable, Iterator

_ALL = {
    "read": "See everything that you see, also what is private",
    "write": "Write, change and delete everything for you: posts, follows, your profile",
    "follow": "See and change whom you follow, block and mute",
    "push": "Send you notifications",
    "profile": "See your name and picture",
    "admin:read": "See what the staff sees, if you belong to it",
    "admin:write": "Act as the staff does, if you belong to it",
}
_PART = {
    "read": "See your {}",
    "write": "Change your {}",
    "admin:read": "See as staff: {}",
    "admin:write": "Act as staff on {}",
}
_NOUNS = {
    "accounts": "profile",
    "filters": "filters",
    "media": "files",
    "search": "search results",
    "statuses": "posts",
    "blocks": "blocks",
    "domain_allows": "allowed servers",
    "domain_blocks": "blocked servers",
    "ip_blocks": "blocked addresses",
    "email_domain_blocks": "blocked mail domains",
    "canonical_email_blocks": "blocked mail addresses",
}


def told(scopes: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each thing that these scopes allow, what weighs most first."""
    return tuple(_sentences(frozenset(scopes)))


def _sentences(scopes: frozenset[str]) -> Iterator[str]:
    for top in ("admin:write", "admin:read", "write", "read"):
        parts = sorted(name.rpartition(":")[2] for name in scopes if name.rpartition(":")[0] == top)
        if top in scopes:
            yield _ALL[top]
        elif parts:
            yield _PART[top].format(_listed([_noun(top, part) for part in parts]))
    for name in ("follow", "push", "profile"):
        if name in scopes:
            yield _ALL[name]


def _noun(top: str, part: str) -> str:
    # For the staff the accounts are other people's.
    return part if top.startswith("admin") and part == "accounts" else _NOUNS.get(part, part)


def _listed(words: list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
