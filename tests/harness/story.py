"""One story of two people and a stranger, played with real browsers that run no script.

`play` needs nothing but addresses, so that the embedded process and many processes tell the same story. The
people see each other's doings as soon as the workers have passed them on: every look is repeated for a while.
"""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from PIL import Image
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.harness import processes

PASSWORD = "three words and a boat"
SENTENCE = "The keel is down, three months to go."
ALT = "A wooden keel on trestles, seen from the stern"
QUESTION = "Which loaf for the launch?"

Confirm = Callable[[str], Awaitable[str]]

_PATIENCE = 30.0


@dataclass
class People:
    """Who plays, in case a server has people of these names already."""

    admin: str = "mira"
    member: str = "kenji"


async def play(
    base_url: str,
    setup_link: str,
    member_url: str = "",
    confirm: Confirm | None = None,
    people: People | None = None,
) -> None:
    """The whole story. Raises AssertionError, or playwright's TimeoutError, where it goes another way.

    `member_url` is another address of the same server for the second person. `confirm` gives the link in the
    mail that was sent to an address, for servers that send mail.
    """
    people = people or People()
    async with browsers() as chromium:
        async with visitor(chromium, base_url) as admin, visitor(chromium, member_url or base_url) as member:
            await set_up(admin, setup_link, people.admin)
            await sign_up(member, people.member, confirm)
            await approve(admin, people.member)
            await sign_in(member, people.member)
            await follow(member, people.admin)
            await write(member, people)
            await answer(admin, people)
            await hear(member, people)
        async with visitor(chromium, base_url) as stranger:
            await look_around(stranger, people)


async def shows_title(page: Page, title: str) -> None:
    """What the staff has just set is known to all processes some seconds later."""
    async with asyncio.timeout(15):
        while await page.title() != title:
            await page.reload()


async def set_up(page: Page, link: str, name: str) -> None:
    """The link from the console makes the admin, who sees an empty home."""
    await page.goto(link)
    await page.get_by_label("Name of the site").fill("Harbour")
    await page.get_by_label("Whom you approve").check()
    await page.get_by_label("User name").fill(name)
    await page.get_by_label("E-mail address").fill(f"{name}@mail.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Set up").click()

    await shows_title(page, "Home · Harbour")
    await expect(page.get_by_text("Welcome!")).to_be_visible()
    response = await page.goto(link)
    assert response is not None and response.status == 403, "the link works once"


async def sign_up(page: Page, name: str, confirm: Confirm | None) -> None:
    """Somebody applies, and cannot sign in yet."""
    await page.goto("/")
    await page.get_by_role("link", name="Create account").first.click()
    await page.get_by_label("User name").fill(name)
    await page.get_by_label("E-mail address").fill(f"{name}@mail.example")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Why do you want to join?").fill("I bake bread and like boats.")
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_text("of the staff reads your sign-up")).to_be_visible()

    if confirm is not None:
        await page.goto(await confirm(f"{name}@mail.example"))
        await page.get_by_role("button", name="Confirm my address").click()
        await expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    await _enter(page, name)
    await expect(page.get_by_text("waiting for approval")).to_be_visible()


async def approve(page: Page, name: str) -> None:
    """The admin sees that somebody waits, reads why, and lets them in."""
    await _until(page, "/home", "Sign-ups")
    await page.get_by_role("link", name="Sign-ups , 1 new").first.click()
    await expect(page.get_by_text("I bake bread and like boats.")).to_be_visible()
    await page.get_by_role("button", name=f"Approve {name}").click()
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()


async def sign_in(page: Page, name: str) -> None:
    """Now the password opens the door."""
    await _enter(page, name)
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()


async def follow(page: Page, name: str) -> None:
    """Follow somebody from their page."""
    await page.goto(f"/@{name}")
    await page.get_by_role("button", name="Follow", exact=True).click()
    await expect(page.get_by_role("button", name="Following")).to_be_visible()


async def write(page: Page, people: People) -> None:
    """A post with a mention and a picture, a poll, and words for fewer people."""
    await page.goto("/home")
    await page.get_by_label("What is happening?").fill(f"@{people.admin} {SENTENCE} #boats")
    await page.locator("summary", has_text="Pictures, film or sound").click()
    await page.get_by_label("File 1", exact=True).set_input_files(
        {"name": "keel.jpg", "mimeType": "image/jpeg", "buffer": _picture()}
    )
    await page.get_by_label("Description of file 1").fill(ALT)
    await page.get_by_role("button", name="Post", exact=True).click()
    await _until(page, "/home", SENTENCE)
    picture = page.get_by_alt_text(ALT)
    await picture.scroll_into_view_if_needed()
    await expect(picture).to_be_visible()

    await page.goto("/publish")
    await page.get_by_label("What is happening?").fill(QUESTION)
    await page.locator("summary", has_text="Poll").click()
    await page.get_by_label("Choice 1", exact=True).fill("Rye")
    await page.get_by_label("Choice 2", exact=True).fill("Oat and honey")
    await page.get_by_role("button", name="Post", exact=True).click()
    await expect(page.get_by_text(QUESTION).first).to_be_visible()

    for words, level in (
        ("Only for followers", "Followers"),
        (f"@{people.admin} only for you", "Mentioned only"),
    ):
        await page.goto("/publish")
        await page.get_by_label("What is happening?").fill(words)
        await page.get_by_label("Who can see it").select_option(level)
        await page.get_by_role("button", name="Post", exact=True).click()


async def answer(page: Page, people: People) -> None:
    """The admin hears of it, votes, replies, boosts."""
    await _until(page, "/notifications", "followed you")
    text = await page.locator("main").inner_text()
    for words in (f"{people.member} followed you", SENTENCE, "only for you"):
        assert words in text, words
    assert "Only for followers" not in text
    assert await page.get_by_alt_text(ALT).count() == 1
    await page.goto("/home")
    await expect(
        page.get_by_role("link", name="Notifications", exact=True).first, "all is read"
    ).to_be_visible()

    await page.goto(f"/@{people.member}")
    assert await page.get_by_text("Only for followers").count() == 0
    await follow(page, people.member)
    await expect(page.get_by_text("Only for followers")).to_be_visible()

    await page.get_by_role("radio", name="Oat and honey").check()
    await page.get_by_role("button", name="Vote").click()
    poll = page.locator("article", has_text=QUESTION)
    assert "100%" in await poll.inner_text()

    post = page.locator("article", has_text=SENTENCE)
    await post.get_by_role("button", name="Boost").click()
    assert await post.get_by_role("button", name="Boost, 1").get_attribute("aria-pressed") == "true"
    await post.get_by_role("button", name="Favourite").click()
    await post.get_by_role("link", name="Reply").click()
    await page.get_by_label("Your reply").fill(f"@{people.member} beautiful lines")
    await page.get_by_role("button", name="Reply", exact=True).click()
    await expect(page.locator("article", has_text="beautiful lines")).to_be_visible()


async def hear(page: Page, people: People) -> None:
    """The second person sees who answered, boosted and voted."""
    await _until(page, "/notifications", "beautiful lines")
    text = await page.locator("main").inner_text()
    for words in (
        f"{people.admin} boosted your post",
        f"{people.admin} favourited your post",
        f"{people.admin} followed you",
    ):
        assert words in text, words
    await page.goto(f"/@{people.member}")
    poll = await page.locator("article", has_text=QUESTION).inner_text()
    assert "1 person voted" in poll and "100%" in poll
    await _until(page, "/home", SENTENCE)


async def look_around(page: Page, people: People) -> None:
    """A stranger reads what is public and nothing else, and cannot act."""
    await page.goto("/")
    text = await page.locator("main").inner_text()
    assert SENTENCE in text and QUESTION in text
    for path in ("/", "/public", f"/@{people.member}", f"/@{people.member}/with_replies"):
        await page.goto(path)
        html = await page.content()
        assert "Only for followers" not in html and "only for you" not in html, path
        assert 'method="post"' not in html, path

    await page.get_by_text(SENTENCE).first.click()
    await page.goto(f"/@{people.member}")
    link = page.locator("article", has_text=SENTENCE).locator("a.when")
    await link.click()
    await expect(page.get_by_text("beautiful lines")).to_be_visible()
    await expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    for path in ("/home", "/notifications", "/settings/profile", "/admin/signups"):
        await page.goto(path)
        await expect(page.get_by_role("heading", name="Sign in"), path).to_be_visible()


@asynccontextmanager
async def browsers() -> AsyncIterator[Browser]:
    """The machine's own Chromium."""
    program = processes.need("chromium", "chromium", "/usr/bin/chromium")
    async with async_playwright() as playwright:
        # Nothing here goes through a proxy that the environment may name.
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--no-proxy-server"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visitor(browser: Browser, base_url: str) -> AsyncIterator[Page]:
    """Somebody's browser, without scripts. What it complains about is a fault of the pages."""
    context = await browser.new_context(base_url=base_url, java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A page that answers 4xx, as some have to, is reported as a resource that failed to load.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            complaints.append(message.text)

    page.on("console", note)
    page.set_default_timeout(_PATIENCE * 1000)
    try:
        yield page
        assert not complaints, complaints
    finally:
        await context.close()


async def _enter(page: Page, name: str) -> None:
    await page.goto("/auth/sign_in")
    await page.get_by_label("User name or e-mail address").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def _until(page: Page, path: str, words: str) -> None:
    """Load a page until it says something."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        await page.goto(path)
        if words in await page.locator("body").inner_text():
            return
        assert time.monotonic() < deadline, f"{path} does not say {words!r}"
        await asyncio.sleep(0.3)


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()
