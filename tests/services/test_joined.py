"""Objects that are built once for a row and given out as twins: nobody sees what another does to theirs."""

from fediblog import db
from fediblog.models import Account
from fediblog.services import joined


async def _look(account_id: int) -> Account:
    line = await db.row(f"SELECT {joined.columns(Account, 'a')} FROM account a WHERE a.id = $1", account_id)
    assert line is not None
    return joined.build(Account, "a", line)


async def test_what_one_changes_the_next_does_not_see(alice: Account) -> None:
    first = await _look(alice.id)
    first.display_name = "somebody else"
    first.fields_.append({"name": "a", "value": "b"})
    second = await _look(alice.id)
    assert second.display_name == alice.display_name
    assert second.fields_ == alice.fields_


async def test_what_has_been_saved_is_seen_at_once(alice: Account) -> None:
    first = await _look(alice.id)
    first.display_name = "Alice in Wonderland"
    async with db.transaction():
        await first.save()
    assert (await _look(alice.id)).display_name == "Alice in Wonderland"
