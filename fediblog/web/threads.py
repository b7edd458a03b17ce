"""The thread around a post, laid out for a page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from fediblog.models import Account
from fediblog.services.matching import Context
from fediblog.services.threads import Context as Around
from fediblog.web import lines
from fediblog.web.lines import Line

_DEEPEST = 3


class Branch(NamedTuple):
    """A reply, and how many answers below it are left for its own page."""

    line: Line
    left: int


async def above(context: Around, viewer: Account | None) -> list[Line]:
    """What a post answers, drawn as one conversation that ends in the post."""
    found = await lines.lines(context.ancestors, viewer, Context.THREAD)
    return [replace(line, tied=number > 0, ties=True) for number, line in enumerate(found)]


async def below(context: Around, root_id: int, viewer: Account | None) -> list[Branch]:
    """What answers a post, indented to the third step."""
    found = await lines.lines(context.descendants, viewer, Context.THREAD)
    return _branches(found, root_id)


def _branches(found: Sequence[Line], root_id: int) -> list[Branch]:
    """The order is that of the thread, so that whatever is too deep follows the last one that is shown."""
    depths = {root_id: 0}
    branches: list[Branch] = []
    for line in found:
        depth = depths.get(line.body.reply_to_id or 0, 0) + 1
        depths[line.entry.post_id] = depth
        if depth <= _DEEPEST + 1:
            branches.append(Branch(replace(line, depth=depth - 1), 0))
        elif branches:
            branches[-1] = branches[-1]._replace(left=branches[-1].left + 1)
    return branches
