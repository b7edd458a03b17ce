"""What others see: names, words, pictures, and who may follow."""

from itertools import zip_longest

from quart import Blueprint, Response

from fediblog.config import settings as configuration
from fediblog.errors import FediblogError, Invalid, TooLarge
from fediblog.models import Account
from fediblog.services import accounts
from fediblog.services.accounts import Profile
from fediblog.web import answers, faces, forms, submitted, who
from fediblog.web.forms import Filled
from fediblog.web.marks import takes_files
from fediblog.web.settings import frame
from fediblog.web.submitted import Form

blueprint = Blueprint("profile_settings", __name__)

_FLAGS = ("locked", "bot", "discoverable", "indexable", "hide_collections")
_PICTURES = {
    "avatar": (accounts.set_avatar, accounts.remove_avatar),
    "header": (accounts.set_header, accounts.remove_header),
}

Pair = tuple[str, str]


@blueprint.get("/settings")
async def first() -> Response:
    """The first page of them."""
    return answers.see_other("/settings/profile")


@blueprint.get("/settings/profile")
async def form() -> Response:
    """The profile as it is."""
    account = who.member().account
    pairs = [(field["name"], field["source"]) for field in account.fields_]
    return await _page(account, _filled(account), pairs)


@blueprint.post("/settings/profile")
@takes_files
async def save() -> Response:
    """Change it. The words are saved or refused together; each picture for itself."""
    account = who.member().account
    sent = submitted.form()
    pairs = list(zip_longest(sent.all("field_name"), sent.all("field_value"), fillvalue=""))
    filled = forms.typed(sent, "display_name", "note", *_FLAGS)
    try:
        account = await accounts.edit_profile(account, _draft(sent, pairs))
    except Invalid as error:
        filled.refuse(error)
        return await _page(account, filled, pairs)
    account = await _take_pictures(account, sent, filled)
    return await _page(account, filled, pairs) if filled.faults else frame.saved("profile")


async def _take_pictures(account: Account, sent: Form, filled: Filled) -> Account:
    for name, (set_, remove) in _PICTURES.items():
        upload = sent.take(name)
        try:
            if upload.fault:
                raise TooLarge(upload.fault)
            if upload.path is not None:
                account = await set_(account, upload.path)
            elif sent.flag(f"remove_{name}"):
                account = await remove(account)
        except FediblogError as error:
            filled.faults[name] = error.message
            filled.status = error.http_status
    return account


async def _page(account: Account, filled: Filled, pairs: list[Pair]) -> Response:
    most = max(configuration().limits.max_fields, len(pairs))
    return await frame.page(
        "profile",
        filled=filled,
        face=faces.face_of(account),
        header=account.header,
        pairs=[*pairs, *[("", "")] * (most - len(pairs))],
    )


def _filled(account: Account) -> Filled:
    flags = {name: bool(getattr(account, name)) for name in _FLAGS if name != "bot"}
    flags["bot"] = account.actor_type == "Service"
    return Filled(display_name=account.display_name, note=account.note_source, **forms.ticked(flags))


def _draft(sent: Form, pairs: list[Pair]) -> Profile:
    return Profile(
        display_name=sent.text("display_name"),
        note=sent.text("note"),
        fields=pairs,
        **{name: sent.flag(name) for name in _FLAGS},
    )
