"""Signing up through an app: the answer is a token, which opens nothing until its user is let in."""

from fediblog import db
from fediblog.services import signups, tokens, waiting_tokens
from fediblog.services.apps import App
from fediblog.services.signups import SignUp


async def register(form: SignUp, app: App, address: str) -> str:
    """Sign up, and a token with all the scopes of the app. Raises as `signups.register` does.

    Whether the e-mail address was somebody's already, nobody can tell from the token or from what it does.
    """
    user = await signups.register(form, address)
    async with db.transaction():
        account_id = await db.value(_OWNED, user.id)
        if account_id is None:
            return await waiting_tokens.make(app.id, app.scopes, user.email, signups.PATIENCE_SECONDS)
        return await tokens.make(user.id, account_id, app.scopes, app.id)


_OWNED = "SELECT account_id FROM membership WHERE user_id = $1 AND role = 'owner'"
