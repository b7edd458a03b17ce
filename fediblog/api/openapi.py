"""What can be asked here and what comes back, for programs: the OpenAPI document."""

from functools import lru_cache

import orjson
from quart import Blueprint, Response

from fediblog import __version__, uris
from fediblog.api import answers
from fediblog.description import openapi
from fediblog.services import tokens

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
async def show() -> Response:
    """GET /openapi.json."""
    answer = answers.json(_document(uris.absolute("")))
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@lru_cache(2)
def _document(address: str) -> bytes:
    return orjson.dumps(openapi.document(address, __version__, tokens.SCOPES))
