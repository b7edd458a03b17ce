"""Tables that are worked on as objects.

Pair tables (follow, like, bookmark …) are plain SQL in their services: their key is a pair, which the ORM
cannot express, and each act on them is one statement.
"""

from fediblog.models.account import Account, Role, User
from fediblog.models.post import Media, Poll, Post, Visibility

__all__ = ["Account", "Media", "Poll", "Post", "Role", "User", "Visibility"]
