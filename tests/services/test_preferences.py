"""Preferences: what is taken and what is refused."""

import pytest

from fediblog.errors import Invalid
from fediblog.models import User, Visibility
from fediblog.services import preferences
from fediblog.services.preferences import Preferences
from tests.people import user_of


async def test_preferences_are_changed_one_by_one(alice):
    user = await user_of(alice)
    changed = await preferences.edit(
        user,
        Preferences(
            theme="dark",
            locale="pt-BR",
            default_visibility=Visibility.FOLLOWERS,
            default_sensitive=True,
            default_language="de",
        ),
    )
    assert (changed.theme, changed.locale, changed.default_visibility) == (
        "dark",
        "pt-BR",
        Visibility.FOLLOWERS,
    )
    assert (changed.default_sensitive, changed.default_language) == (True, "de")
    changed = await preferences.edit(user, Preferences(default_sensitive=False, default_language=""))
    assert (changed.default_sensitive, changed.default_language, changed.theme) == (False, "", "dark")
    assert (await preferences.edit(user, Preferences())).theme == "dark"
    assert (changed.role, changed.email) == (user.role, user.email)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Preferences(theme="pink"), "theme"),
        (Preferences(theme=""), "theme"),
        (Preferences(locale=""), "locale"),
        (Preferences(locale="../etc"), "locale"),
        (Preferences(locale="de\x00"), "locale"),
        (Preferences(default_language="x" * 100), "default_language"),
        (Preferences(default_visibility=Visibility.DIRECT), "default_visibility"),
        (Preferences(default_visibility=17), "default_visibility"),
        (Preferences(default_visibility=-1), "default_visibility"),
    ],
)
async def test_preferences_that_are_refused(alice, draft, field):
    before = await user_of(alice)
    with pytest.raises(Invalid) as refused:
        await preferences.edit(before, draft)
    assert set(refused.value.fields) == {field}
    after = await User.get(id=before.id)
    assert (after.theme, after.locale, after.default_visibility) == ("auto", "en", 0)
