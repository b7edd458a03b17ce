"""Tables that are worked on as objects.

Pair tables (follow, like, bookmark …) are plain SQL in their services: their key is a pair, which the ORM
cannot express, and each act on them is one statement.
"""

from fediblog.models.account import Account, Role, User
from fediblog.models.post import Consent, Media, Poll, Post, Quotable, Visibility

__all__ = ["Account", "Consent", "Media", "Poll", "Post", "Quotable", "Role", "User", "Visibility"]
