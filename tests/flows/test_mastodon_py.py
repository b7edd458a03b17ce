"""A program that others wrote for Mastodon signs in here, by the page that people see, and out again."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from mastodon import Mastodon, MastodonUnauthorizedError

from tests.flows.browser import Browser
from tests.harness.site import Site

pytestmark = pytest.mark.once

NATIVE = "/oauth/authorize/native"


async def code_from(browser: Browser, url: str, password: str = "the password of alice") -> str:
    """Open the page that the program asks for, sign in on the way, agree, and copy the code."""
    path = url.removeprefix(str(browser.http.base_url).rstrip("/"))
    form = {"name": "alice", "password": password}
    signed_in = await browser.submit(path, "/auth/sign_in", **form)
    agreed = await browser.submit(signed_in.headers["Location"], "/oauth/authorize", decision="allow")
    shown = agreed.headers["Location"]
    code = parse_qs(urlsplit(shown).query)["code"][0]
    assert shown.startswith(NATIVE) and code in await browser.open(shown)
    return code


async def test_mastodon_py_signs_in_posts_and_signs_out(site: Site) -> None:
    await site.run(log__level="debug")
    await site.person("alice")
    client_id, secret = await asyncio.to_thread(
        Mastodon.create_app, "Mastodon.py", scopes=["read", "write"], api_base_url=site.url
    )
    app = Mastodon(client_id=client_id, client_secret=secret, api_base_url=site.url)
    url = await asyncio.to_thread(app.auth_request_url, scopes=["read", "write"], allow_http=True)
    async with Browser(site.url) as browser:
        code = await code_from(browser, url)

    token = await asyncio.to_thread(app.log_in, code=code, scopes=["read", "write"], allow_http=True)
    assert (await asyncio.to_thread(app.app_verify_credentials)).name == "Mastodon.py"
    assert (await asyncio.to_thread(app.account_verify_credentials)).acct == "alice"
    status = await asyncio.to_thread(app.status_post, "Hello from elsewhere")
    assert (status.content, status.application.name) == ("<p>Hello from elsewhere</p>", "Mastodon.py")

    await asyncio.to_thread(app.revoke_access_token, allow_http=True)
    again = Mastodon(access_token=token, api_base_url=site.url)
    with pytest.raises(MastodonUnauthorizedError):
        await asyncio.to_thread(again.account_verify_credentials)
    printed = site.output()
    for given in (code, token, secret, *browser.secrets):
        assert given not in printed
