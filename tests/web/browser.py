"""A browser without scripts, on the application inside the test: it opens pages and sends their forms."""

import re
import secrets
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

from quart import Quart, Response
from quart.typing import TestClientProtocol

_VOID = {"input", "meta", "link", "br", "img", "hr"}


class Form:
    """A form as it stands on a page: what would be sent when nobody touched it."""

    def __init__(self, action: str, kind: str) -> None:
        self.action, self.kind = action, kind
        self.fields: list[tuple[str, str]] = []
        self.buttons: list[str] = []

    def value(self, name: str) -> str:
        """What stands in a field. Raises KeyError when it is not there."""
        return dict(reversed(self.fields))[name]

    def values(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self.fields if key == name]


class Page(HTMLParser):
    """An answer, and what a reader and a program would find in it."""

    def __init__(self, response: Response, body: bytes) -> None:
        super().__init__()
        self.status = response.status_code
        self.headers = response.headers
        self.body = body
        self.html = body.decode()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self._words: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._area: str | None = None
        self._skipped = 0
        self.feed(self.html)

    @property
    def location(self) -> str:
        """Where it sends the browser."""
        return self.headers.get("Location", "")

    @property
    def text(self) -> str:
        """The words on it."""
        return " ".join("".join(self._words).split())

    @property
    def title(self) -> str:
        """The words in the tab."""
        found = re.search(r"<title>(.*?)</title>", self.html, re.S)
        return " ".join(found[1].split()) if found else ""

    def form(self, action: str) -> Form:
        """The form for an action, or with a button for it. Raises AssertionError when there is none."""
        for form in self.forms:
            if form.action == action or action in form.buttons:
                return form
        raise AssertionError(f"no form for {action}: {[form.action for form in self.forms]}")

    def article(self, anchor: str) -> str:
        """The HTML from one id to the next article."""
        return self.html.split(f'id="{anchor}"', 1)[1].split("<article", 1)[0]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("id"):
            self.ids.append(given["id"])
        match tag:
            case "form":
                self._form = Form(given.get("action", ""), given.get("enctype", ""))
                self.forms.append(self._form)
            case "a":
                self.links.append(given.get("href", ""))
            case "style" | "script":
                self._skipped += 1
        if self._form is not None:
            self._control(tag, given)

    def _control(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        name = given.get("name", "")
        match tag:
            case "input" if given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    self._form.fields.append((name, given.get("value", "on")))
            case "input" if given.get("type") != "file" and name:
                self._form.fields.append((name, given.get("value", "")))
            case "select":
                self._select = name
            case "option" if self._select and "selected" in given:
                self._form.fields.append((self._select, given.get("value", "")))
            case "textarea":
                self._area = name
                self._form.fields.append((name, ""))
            case "button":
                self._form.buttons.append(given.get("formaction", ""))

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "form":
                self._form = None
            case "select":
                self._select = None
            case "textarea":
                self._area = None
            case "style" | "script":
                self._skipped -= 1

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._form is not None:
            name, before = self._form.fields.pop()
            # The first line break in a text area is not part of its value.
            self._form.fields.append((name, before + (data if before else data.removeprefix("\n"))))
        elif not self._skipped:
            self._words.append(data)


class File:
    """A file for a form."""

    def __init__(self, content: bytes, name: str = "picture.jpg", kind: str = "image/jpeg") -> None:
        self.content, self.name, self.kind = content, name, kind


Fields = Iterable[tuple[str, str | File]]
Value = str | list[str] | File | None


class Browser:
    """One browser with its cookies. `form` fills in and sends the form that stands on a page."""

    def __init__(self, app: Quart, secure: bool = False) -> None:
        self.client: TestClientProtocol = app.test_client()
        self._scheme = "https" if secure else "http"

    async def open(self, path: str, status: int = 200, **headers: str) -> Page:
        """A page that is expected to come with this status."""
        return await self._send("GET", path, status, headers=headers)

    async def follow(self, page: Page) -> Page:
        """The page that an answer sends the browser to."""
        return await self.open(page.location.partition("#")[0])

    async def submit(self, path: str, action: str, status: int = 303, **fields: Value) -> Page:
        """Open a page, fill in its form for an action, send it."""
        return await self.send_form(await self.open(path), action, status, **fields)

    async def send_form(self, page: Page, action: str, status: int = 303, **fields: Value) -> Page:
        """Fill in a form of a page and send it. None leaves a field out.

        Names with a hyphen are given with a line: `file_1` is `file-1`.
        """
        form = page.form(action)
        given = {self._name(name): value for name, value in fields.items()}
        kept = [(name, value) for name, value in form.fields if name not in given]
        for name, value in given.items():
            several = value if isinstance(value, list) else [] if value is None else [value]
            kept += [(name, one) for one in several]
        if form.kind == "multipart/form-data":
            return await self.post_parts(action, kept, status)
        return await self.post(action, kept, status)

    async def post(self, path: str, fields: Fields = (), status: int = 303, **headers: str) -> Page:
        """Send fields as a form without files."""
        pairs = [(name, value) for name, value in fields]
        body = "&".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in pairs)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._send("POST", path, status, data=body.encode(), headers=kind | headers)

    async def post_parts(self, path: str, fields: Fields, status: int = 303, **headers: str) -> Page:
        """Send fields as a form with files."""
        body, kind = multipart(fields)
        return await self._send("POST", path, status, data=body, headers={"Content-Type": kind} | headers)

    async def token(self) -> str:
        """A form token for whoever this browser is."""
        page = await self.open("/settings/appearance", status=None)  # type: ignore[arg-type]
        page = page if page.status == 200 else await self.open("/auth/sign_in")
        return page.forms[-1].value("csrf")

    def cookie(self, name: str) -> str:
        """The value of a cookie, empty when there is none."""
        jar = self.client.cookie_jar or ()
        return next((str(cookie.value) for cookie in jar if cookie.name == name), "")

    async def _send(self, method: str, path: str, status: int | None, **options: Any) -> Page:
        response = await self.client.open(path, method=method, scheme=self._scheme, **options)
        assert isinstance(response, Response)
        page = Page(response, bytes(await response.get_data(as_text=False)))
        if status is not None:
            assert page.status == status, f"{method} {path}: {page.status} {page.location} {page.text[:600]}"
        return page

    @staticmethod
    def _name(name: str) -> str:
        return name.replace("_", "-") if re.fullmatch(r"(file|alt_of)_\d+", name) else name


def multipart(fields: Fields) -> tuple[bytes, str]:
    """A body for `multipart/form-data` as browsers make it, and its type."""
    boundary = f"----test{secrets.token_hex(8)}"
    body = b""
    for name, value in fields:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if isinstance(value, File):
            body += f'; filename="{value.name}"\r\nContent-Type: {value.kind}'.encode()
        content = value.content if isinstance(value, File) else value.encode()
        body += b"\r\n\r\n" + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
