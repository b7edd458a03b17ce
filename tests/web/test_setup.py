"""The first visit: the link from the console makes the admin, once."""

import pytest

from fediblog.models import Role, User
from fediblog.services import settings, setup
from fediblog.services.settings import Mode
from tests.web.browser import Browser

pytestmark = pytest.mark.once

FORM = {"username": "root_of_all", "email": "root@mail.example", "password": "a sentence of words"}


@pytest.fixture
async def link(database: None) -> str:
    token = await setup.setup_token()
    return f"/setup?token={token}"


async def test_the_link_makes_the_admin_and_signs_her_in(visitor: Browser, link: str):
    page = await visitor.open(link)
    assert "localhost:8000" in page.text and "can never be changed" in page.text
    answer = await visitor.send_form(page, "/setup", title="Harbour", registration="invite", **FORM)

    user = await User.get()
    assert (user.role, user.active) == (Role.ADMIN, True)
    assert (await settings.get()).registration is Mode.INVITE
    home = await visitor.follow(answer)
    assert home.title == "Home · Harbour" and "Welcome!" in home.text


async def test_it_works_once(visitor: Browser, link: str):
    page = await visitor.open(link)
    await visitor.send_form(page, "/setup", **FORM)
    answer = await visitor.open(link, 403)
    assert "has been used or is too old" in answer.text
    assert await setup.setup_token() is None


async def test_without_the_token_there_is_no_form(visitor: Browser, database: None):
    for path in ("/setup", "/setup?token=", "/setup?token=guess"):
        assert not (await visitor.open(path, 403)).forms


async def test_faults_stand_at_their_fields_and_the_link_goes_on_working(visitor: Browser, link: str):
    page = await visitor.open(link)
    answer = await visitor.send_form(
        page, "/setup", 422, username="no spaces", email="x", password="short", title="", registration="maybe"
    )
    for name in ("username", "email", "password", "title", "registration"):
        assert f'id="{name}-fault"' in answer.html
    assert answer.form("/setup").value("email") == "x"

    await visitor.send_form(answer, "/setup", title="T", registration="open", **FORM)
    assert (await User.get()).role is Role.ADMIN
