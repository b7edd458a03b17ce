"""What stands between the viewer and an account, as an answer."""

from dataclasses import asdict

from quart import Response

from fediblog import moments
from fediblog.api import answers, auth, entities
from fediblog.models import Account
from fediblog.services import relationships
from fediblog.services.relationships import Relationship


async def related(target: Account) -> Response:
    """The relationship of the viewer to one account, as it is now."""
    found = await relationships.between(auth.account(), [target.id])
    return answers.json(entity(found[target.id]))


def entity(found: Relationship) -> entities.Json:
    """A Relationship: all its fields, always."""
    entity = asdict(found)
    showing = entity.pop("showing_boosts")
    expires = found.muting_expires_at
    return {
        **entity,
        "id": str(found.id),
        "showing_reblogs": showing,
        "languages": list(found.languages) if found.languages else None,
        "muting_expires_at": moments.iso(expires) if expires else None,
    }
