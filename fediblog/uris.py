"""Every local address is built and recognised here, in both directions.

Identities are opaque (`/ap/accounts/<id>`), pages have speaking names (`/@name/<id>`), so a handle may
change and an id never does (ARCHITECTURE §5.1).
"""

import hmac
import re
from urllib.parse import quote, unquote

from fediblog.config import settings
from fediblog.paging import BIGGEST

# One spelling for each id: no zeros in front, no digits of other scripts.
_LOCAL = re.compile(r"/ap/(?P<kind>accounts|posts)/(?P<id>[1-9][0-9]{0,18})")

_QUOTE = re.compile(r"/ap/quotes/(?P<id>[1-9][0-9]{0,18})(?P<request>/request)?")

_PAGE = re.compile(r"/@(?P<username>[^/@]+)(?:@(?P<domain>[^/@]+))?(?:/(?P<id>[1-9][0-9]{0,18}))?/?")


def absolute(path: str) -> str:
    """A path of ours as a full URL."""
    return settings().origin + path


def account_uri(account_id: int) -> str:
    """The identity of one of our accounts."""
    return absolute(f"/ap/accounts/{account_id}")


def post_uri(post_id: int) -> str:
    """The identity of one of our posts."""
    return absolute(f"/ap/posts/{post_id}")


def server_uri() -> str:
    """The identity of the server itself: its instance actor (FEDERATION §2)."""
    return absolute("/ap/actor")


def activity_uri(number: int) -> str:
    """The identity of an activity of ours that has no thing of its own to be named after."""
    return absolute(f"/ap/activities/{number}")


def like_uri(like_id: int) -> str:
    """The identity of a like of ours."""
    return absolute(f"/ap/likes/{like_id}")


def quote_uri(post_id: int) -> str:
    """The identity of our consent to the quote in this post, whoever wrote the post (FEP-044f)."""
    return absolute(f"/ap/quotes/{post_id}")


def quote_request_uri(post_id: int) -> str:
    """The identity of the question whether this post of ours may quote."""
    return quote_uri(post_id) + "/request"


def create_uri(post_id: int) -> str:
    """The identity of the activity that published a post of ours."""
    return post_uri(post_id) + "/create"


def shared_inbox() -> str:
    """Where other servers deliver for everybody here."""
    return absolute("/ap/inbox")


def profile_path(username: str, domain: str = "") -> str:
    """The page of an account; `domain` is empty for our own."""
    return f"/@{quote(username)}" + (f"@{quote(domain)}" if domain else "")


def profile_page(username: str) -> str:
    """The page of one of our accounts as a URL."""
    return absolute(profile_path(username))


def post_path(username: str, post_id: int, domain: str = "") -> str:
    """The page of a post."""
    return f"{profile_path(username, domain)}/{post_id}"


def post_page(username: str, post_id: int) -> str:
    """The page of one of our posts as a URL."""
    return absolute(post_path(username, post_id))


def tag_path(name: str) -> str:
    """The page of a hashtag."""
    return f"/tags/{quote(name.lower(), safe='')}"


def tag_page(name: str) -> str:
    """The page of a hashtag as a URL."""
    return absolute(tag_path(name))


def is_local(uri: str) -> bool:
    """Whether an address is under our own origin, whatever it names."""
    return uri.startswith(settings().origin + "/")


def local(uri: str) -> tuple[str, int] | None:
    """`("accounts" | "posts", id)` for an identity of ours, None for every other address."""
    if not uri.startswith(settings().origin + "/"):
        return None
    match = _LOCAL.fullmatch(uri[len(settings().origin) :])
    if match is None or int(match["id"]) > BIGGEST:
        return None
    return match["kind"], int(match["id"])


def quote_request(uri: str) -> int | None:
    """The post that a question of ours is about, None for every other address."""
    match = _QUOTE.fullmatch(uri[len(settings().origin) :]) if is_local(uri) else None
    if match is None or not match["request"] or int(match["id"]) > BIGGEST:
        return None
    return int(match["id"])


def page(url: str) -> tuple[str, str, int | None] | None:
    """`(username, domain, post id or None)` for the page of an account or a post here, None for others."""
    if not is_local(url):
        return None
    match = _PAGE.fullmatch(unquote(url[len(settings().origin) :]))
    if match is None or int(match["id"] or 0) > BIGGEST:
        return None
    return match["username"], match["domain"] or "", int(match["id"]) if match["id"] else None


def media_path(key: str) -> str:
    """Where a stored file is served."""
    return f"/media/{key}"


def media(key: str) -> str:
    """A stored file as a URL."""
    return absolute(media_path(key))


def shown(kind: str, number: int, key: str, remote_url: str) -> str:
    """Where a page finds a file: stored here under a key, or through the cache; empty when there is none."""
    if key:
        return media_path(key)
    return remote(kind, number, remote_url) if remote_url else ""


def remote(kind: str, number: int, url: str, name: str = "") -> str:
    """The path under which we show a file of another server, by the row that names it (`/media/remote/…`).

    It carries a key that changes with the address elsewhere, so it can be kept for ever; and whoever has been
    shown it may fetch what it stands for, as with our own files: pictures are loaded without a sign-in.
    """
    end = f"/{quote(name, safe='')}" if name else ""
    return f"/media/remote/{kind}/{number}{end}?k={remote_key(kind, number, url)}"


def small(path: str) -> str:
    """The path of the small picture of a file that we show for another server."""
    before, _, key = path.partition("?")
    return f"{before}/small?{key}"


def remote_key(kind: str, number: int, url: str) -> str:
    """What nobody can guess about a file of another server."""
    words = f"remote media\n{kind}\n{number}\n{url}"
    return hmac.new(settings().secret, words.encode(), "sha256").hexdigest()[:32]


def avatar(path: str) -> str:
    """The picture of an account, or the one of those who have none: apps crash without an address here."""
    return absolute(path or "/avatars/original/missing.png")


def header(path: str) -> str:
    """The banner of an account, or the plain one of those who have none."""
    return absolute(path or "/headers/original/missing.png")
