"""Whatever people type and get, no log line holds a password, a token or a cookie (SECURITY §8)."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from urllib.parse import quote, quote_plus

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.flows.browser import Browser
from tests.harness import mail
from tests.harness.mail import MailServer, Received
from tests.harness.redis import RedisServer
from tests.harness.site import SECRET_KEY, Site

pytestmark = pytest.mark.once

FIRST, WRONG, SECOND, THIRD = (f'{name} "päss" wörd/+&=%?' for name in ("first", "wrong", "second", "third"))
DATABASE, BROKER, SMTP = "database-pässword~1", "broker-password~2", "smtp-password~3"
_EMAIL = "dora@mail.example"


class GuardedMailServer(MailServer):
    """One that takes passwords; any will do."""

    def start(self) -> None:
        """Listen (again)."""
        self._controller = Controller(
            mail._Handler(self),
            hostname="127.0.0.1",
            port=self.port,
            authenticator=lambda *_: AuthResult(success=True),
            auth_require_tls=False,
        )
        self._controller.start()


@pytest.fixture
def guarded_smtp() -> Iterator[MailServer]:
    """An SMTP server with a password."""
    server = GuardedMailServer()
    yield server
    server.stop()


@pytest.fixture
def guarded_redis(redis: RedisServer) -> Iterator[str]:
    """The address of a Redis with a password."""
    with redis.client() as client:
        client.config_set("requirepass", BROKER)
        yield redis.url.replace("//", f"//:{BROKER}@")
        client.execute_command("AUTH", BROKER)
        client.config_set("requirepass", "")


@pytest.fixture
def guarded_site(
    install: Callable[..., Site], empty_database: str, guarded_redis: str, guarded_smtp: MailServer
) -> Site:
    """An installation whose every part has a password, and whose processes tell all they know."""
    return install(
        anew=True,  # What is said while modules are read is looked at, too.
        database__url=empty_database.replace("postgres@", f"postgres:{quote(DATABASE)}@"),
        redis__url=guarded_redis,
        mail__url=guarded_smtp.url.replace("//", f"//dora:{quote(SMTP)}@"),
        mail__batch_minutes=0,
        limits__rate_limits="true",
        log__level="debug",
    )


async def test_no_log_line_holds_a_secret(guarded_site: Site, guarded_smtp: MailServer) -> None:
    site = guarded_site
    await site.command("db", "upgrade")
    web = site.start("web", log__format="json")
    worker = site.start("worker", log__format="console")
    beat = site.start("beat", log__format="json")
    await web.ready()
    await worker.says("worker ready")
    await beat.says("beat ready")

    secrets = {FIRST, WRONG, SECOND, THIRD, DATABASE, BROKER, SMTP, SECRET_KEY}
    async with Browser(site.url) as browser:
        secrets |= await live_on_the_site(browser, guarded_smtp)
    secrets |= browser.secrets
    secrets |= await use_the_api(site, guarded_smtp)

    printed = site.output().splitlines()
    assert len(printed) > 100 and len(secrets) > 20
    for secret in secrets:
        for form in disguises(secret):
            found = [line for line in printed if form in line]
            assert not found, f"{secret!r} stands in the log: {found[0]}"


async def live_on_the_site(browser: Browser, smtp: MailServer) -> set[str]:
    """Sign up, confirm, sign in wrong and right, forget the password, change it, sign out. Gives tokens."""
    up, sign_in, forgotten = "/auth/sign_up", "/auth/sign_in", "/auth/password/new"
    fields = {"username": "dora", "email": _EMAIL, "agreement": "1"}
    assert (await browser.submit(up, up, **fields, password="short")).status_code == 422
    assert (await browser.submit(up, up, **fields, password=FIRST)).status_code == 200
    confirmation = link_of((await smtp.wait(1))[0])
    await browser.submit(sign_in, sign_in, name="dora", password=FIRST)
    assert (await browser.submit(confirmation, "/auth/confirmation")).status_code == 200

    assert (await browser.submit(sign_in, sign_in, name="dora", password=WRONG)).status_code == 422
    assert (await browser.submit(sign_in, sign_in, name="nobody", password=WRONG)).status_code == 422
    assert (await browser.submit(sign_in, sign_in, name="dora", password=FIRST)).status_code == 303
    assert (await browser.submit("/home", "/auth/sign_out")).status_code == 303
    assert (await browser.submit(forgotten, forgotten, email=_EMAIL)).status_code == 200
    reset = link_of((await smtp.wait(2))[1])
    edit = "/auth/password/edit"
    assert (await browser.submit(reset, edit, new="short")).status_code == 422
    assert (await browser.submit(reset, edit, new=SECOND)).status_code == 303
    await browser.open(reset)
    assert (await browser.submit(sign_in, sign_in, name=_EMAIL, password=SECOND)).status_code == 303

    page = "/settings/password"
    assert (await browser.submit(page, page, old=WRONG, new=THIRD)).status_code == 422
    assert (await browser.submit(page, page, old=SECOND, new=THIRD)).status_code == 303
    await browser.open("/home")
    return {token_of(confirmation), token_of(reset)}


async def use_the_api(site: Site, smtp: MailServer) -> set[str]:
    """Make tokens on the command line and use them in all ways, right and wrong."""
    token = await site.command("tokens", "create", "dora", "--scopes", "read write")
    await site.command(
        "accounts", "create", "emil", "--email", "emil@mail.example", "--confirmed", given=THIRD
    )
    other = await site.command("tokens", "create", "emil", "--scopes", "read write")
    dora, visitor = await site.app(token), await site.app()
    await (await site.app(other)).write("@dora have a look")
    await smtp.wait_for(lambda: any("List-Unsubscribe" in one.message for one in smtp.mails))
    mention = next(one for one in smtp.mails if "List-Unsubscribe" in one.message)
    unsubscribe = mention.message["List-Unsubscribe"].strip("<>")
    await visitor.send("GET", unsubscribe)
    await visitor.send("POST", unsubscribe, data={"List-Unsubscribe": "One-Click"})

    wrong = "AWrongTokenThatIsAsLongAsARightOne0123456789"
    basic = b64encode(f"dora:{WRONG}".encode()).decode()
    await dora.get("/api/v1/accounts/verify_credentials")
    await dora.get(f"/api/v1/accounts/verify_credentials?access_token={token}&password={quote(WRONG)}")
    for header in (f"Bearer {wrong}", f"Basic {basic}", f"Digest {wrong}", wrong):
        await visitor.send("GET", "/api/v1/timelines/home", headers={"Authorization": header})
    for path in ("/api/v1/nothing", f"/{wrong}", f"/home?token={token}", f"/setup?token={wrong}"):
        await visitor.send("GET", path, headers={"Cookie": f"fediblog={wrong}; {wrong}"})
    await dora.send("POST", "/api/v1/statuses", content=f'{{"password": "{wrong}'.encode())
    return {token, other, wrong, basic, token_of(unsubscribe)}


def link_of(received: Received) -> str:
    """The link with a token in a mail."""
    found = re.search(r"https?://\S+token=\S+", received.text())
    assert found is not None, received.text()
    return found[0]


def token_of(link: str) -> str:
    return link.partition("token=")[2]


def disguises(secret: str) -> Iterable[str]:
    """A secret as it may stand in a line: as it is, escaped for a URL, JSON or Python, in base64 or hex."""
    raw = secret.encode()
    yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    yield from {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    yield raw.hex()
    # In the middle of something longer the same bytes look different at each of three places.
    for offset, encode in product(range(3), (b64encode, urlsafe_b64encode)):
        whole = encode(b"\0" * offset + raw).decode().rstrip("=")
        yield whole[offset + (offset > 0) : -2]
