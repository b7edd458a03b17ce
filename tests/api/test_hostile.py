"""Whatever a stranger sends is answered with a word of refusal, never with an error of ours.

A table: every route, every parameter it reads, every value that a parameter should not have; and bodies that
are none. Anything from 200 to 499 is an answer.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from quart import Quart

from fediblog.api import dressing, forms
from fediblog.errors import FediblogError
from fediblog.models import Account
from tests.api.conftest import App, AppOf
from tests.services.making import file_of

PAGING = ["", "²", "-1", "9" * 19, "9" * 30, "\0"]
PAGED = "limit max_id since_id min_id"
STATUS = (
    "status spoiler_text visibility sensitive language in_reply_to_id media_ids poll media_attributes"
    " scheduled_at"
)
# What a route reads besides its path.
READS = {
    "/api/v1/accounts/verify_credentials": "",
    "/api/v1/accounts/update_credentials": "display_name note fields_attributes locked bot discoverable"
    " indexable hide_collections source avatar",
    "/api/v1/accounts": "id",
    "/api/v1/accounts/familiar_followers": "id",
    "/api/v1/accounts/<int:account_id>/note": "comment",
    "/api/v1/accounts/<int:account_id>/endorsements": PAGED,
    "/api/v1/accounts/lookup": "acct",
    "/api/v1/conversations": PAGED,
    "/api/v1/directory": "limit offset order local",
    "/api/v1/domain_blocks": f"{PAGED} domain",
    "/api/v1/endorsements": PAGED,
    "/api/v1/featured_tags": "name",
    "/api/v1/followed_tags": PAGED,
    "/api/v1/markers": "timeline home notifications",
    "/api/v1/profile": "display_name note fields_attributes locked bot hide_collections avatar",
    "/api/v1/scheduled_statuses": PAGED,
    "/api/v1/scheduled_statuses/<int:scheduled_id>": "scheduled_at",
    "/api/v1/suggestions": "limit offset",
    "/api/v2/suggestions": "limit offset",
    "/api/v1/accounts/relationships": "id",
    "/api/v1/accounts/<int:account_id>/statuses": f"{PAGED} pinned only_media tagged exclude_replies",
    "/api/v1/accounts/<int:account_id>/followers": PAGED,
    "/api/v1/accounts/<int:account_id>/following": PAGED,
    "/api/v1/accounts/<int:account_id>/follow": "reblogs notify languages",
    "/api/v1/accounts/<int:account_id>/mute": "notifications duration",
    "/api/v1/apps": "client_name redirect_uris scopes website",
    "/oauth/token": "grant_type client_id client_secret code redirect_uri code_verifier scope",
    "/oauth/revoke": "client_id client_secret token",
    "/api/v1/follow_requests": PAGED,
    "/api/v1/blocks": PAGED,
    "/api/v1/mutes": PAGED,
    "/api/v1/bookmarks": PAGED,
    "/api/v1/favourites": PAGED,
    "/api/v1/media/<int:media_id>": "description focus",
    "/api/v1/notifications": f"{PAGED} types exclude_types account_id include_filtered",
    "/api/v1/notifications/dismiss": "id",
    "/api/v1/notifications/policy": "filter_not_following",
    "/api/v1/notifications/requests": PAGED,
    "/api/v1/notifications/requests/accept": "id",
    "/api/v2/notifications": "grouped_types expand_accounts account_id",
    "/api/v2/notifications/policy": "for_not_following",
    "/api/v2/notifications/unread_count": "limit",
    "/api/oembed": "url maxwidth",
    "/api/v1/polls/<int:poll_id>/votes": "choices",
    "/api/v1/statuses": f"{STATUS} id",
    "/api/v1/statuses/<int:post_id>": STATUS,
    "/api/v1/statuses/<int:post_id>/reblog": "visibility",
    "/api/v1/statuses/<int:post_id>/favourited_by": PAGED,
    "/api/v1/statuses/<int:post_id>/reblogged_by": PAGED,
    "/api/v1/timelines/home": PAGED,
    "/api/v1/timelines/public": f"{PAGED} local remote only_media",
    "/api/v1/timelines/tag/<name>": f"{PAGED} local",
    "/api/v1/media": "description focus file",
    "/api/v2/media": "description focus file",
}
VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, 1e308, 2**63, -(2**63), 2**64),
    *(
        "",
        " ",
        "x",
        "x" * 5000,
        "\u0000",
        "\u202e\ufeff",
        "²",
        "--5",
        "-",
        "9" * 19,
        "9" * 5000,
        "1e5",
        "\ufffd",
    ),
    *([], [None], [[]], ["x", {}], [[[["x"]]]], ["9" * 30], list(range(3000))),
    *({}, {"²": 1}, {"0": {"0": {"0": 1}}}, {"9" * 5000: 1}, {"options": 7}, {"name": []}, {"privacy": {}}),
    *({"options": ["a", ["b"]], "expires_in": "x"}, {"options": ["a", "b"], "expires_in": 2**62}),
    *([{"id": []}], [{"id": "²", "description": {}}], {"1": {"name": None, "value": 7}}),
]
PATHS = [
    "0",
    "1",
    "-1",
    "9" * 19,
    "9" * 30,
    "9" * 5000,
    "x",
    "²",
    "%00",
    "%ff",
    "%ED%A0%80",
    "..%2f",
    "a%0d%0ab",
]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
BODIES: list[tuple[dict[str, str], bytes]] = [
    (JSON, b"\xff\xfe"),
    (JSON, b'{"status": "\\ud800", "id": "\\ud800"}'),
    (JSON, b'{"status": "\\u0000", "description": "\\u0000"}'),
    (JSON, b"[" * 100_000),
    (JSON, b'{"poll":' * 900 + b"1" + b"}" * 900),
    (JSON, b'{"status":' + b"[" * 900 + b"]" * 900 + b"}"),
    (JSON, b'{"x' + b'": 1, "x'.join(b"%d" % n for n in range(10_000)) + b'": 1}'),
    (JSON, b'{"status": ' + b"1" * 10_000 + b"}"),
    (JSON, b"null"),
    (JSON, b'"text"'),
    (FORM, b"status=%ff&id=%ED%A0%80"),
    (FORM, b"status=a%00b"),
    (FORM, b"&".join(b"p%d=1" % n for n in range(10_000))),
    (FORM, b"media_ids" + b"[a]" * 20_000 + b"=1"),
    (FORM, b"media_ids" + b"[]" * 20_000 + b"=1"),
    (FORM, b"poll[options][\xc2\xb2]=a&poll[options][0]=b&media_ids[\xc2\xb2]=1"),
    (FORM, b"poll[options][" + b"9" * 5000 + b"]=a&id[99999999999999999999]=1"),
    (FORM, b"poll=1&poll[options][]=a&poll[options]=b&poll[options][x][]=c&media_ids[0]=1&media_ids[]=2"),
    (FORM, b"[]=1&[a]=2&=3&]]=4&[[=5&a[=6&a]=7"),
    (MULTIPART, b""),
    (MULTIPART, b"--b"),
    (MULTIPART, b"--b\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n\xff\x00\r\n--b--"),
    (MULTIPART, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * 1000 + b"--b--\r\n"),
    ({"Content-Type": "multipart/form-data"}, b"--b\r\n"),
    ({"Content-Type": "text/plain; charset=nonsense"}, b"\xff"),
    ({"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}, b"status=x"),
    ({"Content-Type": "\xff\xfe"}, b"x"),
]  # fmt: skip


def routes(app: Quart) -> Iterator[tuple[str, str]]:
    """Every method and path of the API, once."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(dressing.PREFIXES):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule.rule


def filled(rule: str, value: str) -> str:
    """The path with something in the place of its parameter."""
    before, _, rest = rule.partition("<")
    return before + value + rest.partition(">")[2] if rest else rule


def queries(name: str) -> Iterable[str]:
    """A parameter in a query, with the values that fit there."""
    if name in PAGED.split():
        yield from (f"{name}={quote(value)}" for value in PAGING)
        return
    for value in VALUES:
        if isinstance(value, str):
            yield f"{name}={quote(value)}"
            yield f"{name}[]={quote(value)}"
    yield from (f"{name}", f"{name}[a]=1&{name}=2", f"{name}[]=1&{name}[a]=2", f"{name}=%00", f"{name}=%ff")


async def check(app: App, method: str, path: str, **options: Any) -> None:
    answer = await app.send(method, path, **options)
    sent = str(options.get("data"))[:200]
    assert answer.status_code < 500, f"{method} {path[:200]} {sent}: {answer.status_code}"
    assert answer.content_type.startswith("application/json"), f"{method} {path[:200]}"


@pytest.fixture
async def hers(app_of: AppOf, alice: Account) -> App:
    """Somebody whose token may do everything."""
    return await app_of(alice, "read write follow push profile")


async def targets(hers: App, alice: Account, bob: Account) -> dict[str, str]:
    """Something that is there for each kind of path, so that routes get as far as they can."""
    poll = {"options": ["a", "b"], "expires_in": 3600}
    status = await hers.post("/api/v1/statuses", json={"status": "x", "poll": poll})
    file = await file_of(alice)
    return {"post": status["id"], "poll": status["id"], "media": str(file.id), "account": str(bob.id)}


def there(rule: str, known: dict[str, str]) -> str:
    return filled(rule, next((number for kind, number in known.items() if f":{kind}_id" in rule), "1"))


def test_every_route_that_reads_something_stands_in_the_table(app: Quart) -> None:
    assert READS.keys() <= {rule for _, rule in routes(app)}


async def test_no_value_of_any_parameter_is_an_error_of_ours(
    app: Quart, hers: App, alice: Account, bob: Account
) -> None:
    known = await targets(hers, alice, bob)
    for method, rule in routes(app):
        path = there(rule, known)
        for name in READS.get(rule, "").split():
            if method == "GET":
                for query in queries(name):
                    await check(hers, method, f"{path}?{query}")
            elif method != "DELETE":
                for value in VALUES:
                    await check(hers, method, path, data=json.dumps({name: value}), headers=JSON)


async def test_no_path_is_an_error_of_ours(app: Quart, hers: App) -> None:
    for method, rule in routes(app):
        if "<" in rule:
            for value in PATHS:
                await check(hers, method, filled(rule, value))


async def test_no_body_is_an_error_of_ours(app: Quart, hers: App, alice: Account, bob: Account) -> None:
    known = await targets(hers, alice, bob)
    for method, rule in routes(app):
        if method in ("POST", "PUT", "PATCH") and (rule in READS or rule.endswith("favourite")):
            for headers, body in BODIES:
                await check(hers, method, there(rule, known), data=body, headers=headers)


async def test_no_query_is_an_error_of_ours(app_of: AppOf) -> None:
    nobody = await app_of()
    many = "&".join(f"p{number}=1" for number in range(3000))
    for query in (many, "%ff=%ff", "a" + "[b]" * 5000 + "=1", "limit=²", "max_id=\u0662", "=&=&[]="):
        for path in ("/api/v1/timelines/public", "/api/v1/statuses", "/api/v1/accounts/lookup"):
            await check(nobody, "GET", f"{path}?{quote(query, safe='&=[]%')}")


NAMES = some.text("ab[]0²\u0663", max_size=12)
LEAVES = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8)
TREES = some.recursive(
    LEAVES, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(NAMES, inner, max_size=4)
)


@pytest.mark.once
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.lists(some.tuples(NAMES, some.text(max_size=5)), max_size=12))
def test_any_names_in_brackets_nest_or_are_refused(pairs: list[tuple[str, str]]) -> None:
    try:
        found = forms.nest(pairs)
    except FediblogError:
        return
    json.dumps(found)


@pytest.mark.once
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES)
def test_every_reader_of_a_value_takes_it_or_refuses_it(value: Any) -> None:
    readers = (forms.boolean, forms.number, forms.ids, forms.text, forms.texts, forms.mapping, forms.focus)
    for reader in readers:
        try:
            reader(value)
        except FediblogError as refusal:
            assert refusal.http_status < 500
