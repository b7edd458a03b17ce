"""Accounts, who posts, and users, who sign in. The two are n:m (ARCHITECTURE §5.3)."""

from enum import StrEnum
from typing import Any

from tortoise import fields

from fediblog import ids, moments
from fediblog.models.looking_up import Table


class Role(StrEnum):
    """What a user may do on this server."""

    USER = "user"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Account(Table):
    """Someone who posts, here or elsewhere. `domain` is empty for our own."""

    id = fields.BigIntField(primary_key=True, generated=False, default=ids.new)
    username = fields.TextField()
    username_key = fields.TextField()
    domain = fields.TextField(default="")
    host = fields.TextField(default="")  # Where it lives, when that is not the server in its handle.
    local = fields.BooleanField()
    actor_type = fields.TextField(default="Person")
    uri = fields.TextField()
    url = fields.TextField(default="")
    inbox = fields.TextField(default="")
    shared_inbox = fields.TextField(default="")
    outbox = fields.TextField(default="")
    followers_uri = fields.TextField(default="")
    following_uri = fields.TextField(default="")
    featured_uri = fields.TextField(default="")
    display_name = fields.TextField(default="")
    note_source = fields.TextField(default="")
    note = fields.TextField(default="")
    # [{"name": text, "source": text, "value": html, "verified_at": ms or null}]
    fields_: Any = fields.JSONField(source_field="fields", default=list)
    avatar = fields.TextField(default="")
    header = fields.TextField(default="")
    avatar_remote_url = fields.TextField(default="")
    header_remote_url = fields.TextField(default="")
    locked = fields.BooleanField(default=False)
    discoverable = fields.BooleanField(default=True)
    indexable = fields.BooleanField(default=False)
    hide_collections = fields.BooleanField(default=False)
    also_known_as: Any = fields.JSONField(default=list)
    moved_to_id = fields.BigIntField(null=True)
    moved_at = fields.BigIntField(null=True)
    synchronised_at = fields.BigIntField(null=True)
    emojis: Any = fields.JSONField(default=list)  # [{"shortcode": text, "url": text}]
    public_key = fields.TextField(default="")
    private_key = fields.BinaryField(null=True)
    key_id = fields.TextField(default="")
    posts_count = fields.BigIntField(default=0)
    followers_count = fields.BigIntField(default=0)
    following_count = fields.BigIntField(default=0)
    last_post_at = fields.BigIntField(null=True)
    version = fields.BigIntField(default=1)
    created_at = fields.BigIntField(default=moments.now)
    fetched_at = fields.BigIntField(null=True)
    silenced_at = fields.BigIntField(null=True)
    sensitized_at = fields.BigIntField(null=True)  # All its pictures are shown only after a click.
    suspended_at = fields.BigIntField(null=True)
    suspended_elsewhere = fields.BooleanField(default=False)  # By its own server, which may undo it.
    # Only because a rule about the whole server says so.
    suspended_by_rule = fields.BooleanField(default=False)
    silenced_by_rule = fields.BooleanField(default=False)
    deleted_at = fields.BigIntField(null=True)

    class Meta:
        table = "account"

    @property
    def handle(self) -> str:
        """`name` here, `name@host` elsewhere."""
        return f"{self.username}@{self.domain}" if self.domain else self.username


class User(Table):
    """Someone who logs in."""

    id = fields.BigIntField(primary_key=True, generated=False, default=ids.new)
    email = fields.TextField()
    email_key = fields.TextField()
    password_hash = fields.TextField()
    role = fields.CharEnumField(Role, default=Role.USER)
    reason = fields.TextField(default="")
    invite_id = fields.BigIntField(null=True)
    confirmed_at = fields.BigIntField(null=True)
    approved_at = fields.BigIntField(null=True)
    disabled_at = fields.BigIntField(null=True)
    locale = fields.TextField(default="en")
    theme = fields.TextField(default="auto")
    default_visibility = fields.BigIntField(default=0)
    default_sensitive = fields.BooleanField(default=False)
    default_language = fields.TextField(default="")
    default_quote_policy = fields.BigIntField(default=1)
    last_active_at = fields.BigIntField(null=True)
    created_at = fields.BigIntField(default=moments.now)

    class Meta:
        table = "person"

    @property
    def active(self) -> bool:
        """Confirmed, approved and not switched off: may sign in."""
        return bool(self.confirmed_at and self.approved_at and not self.disabled_at)
