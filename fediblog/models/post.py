"""Posts, the media and the poll on them."""

from enum import IntEnum, IntFlag, StrEnum
from typing import Any

from tortoise import fields

from fediblog import ids, moments
from fediblog.models.looking_up import Table


class Visibility(IntEnum):
    """Who sees a post, widest first: a greater number is a narrower circle."""

    PUBLIC = 0
    UNLISTED = 1
    FOLLOWERS = 2
    DIRECT = 3


class Quotable(IntFlag):
    """Who may quote a post: at once, or when its author agrees. Its author always, nobody else: 0 (FEP-044f).

    OTHERS are whoever else its server names; for posts of ours nobody has to be asked.
    """

    NOBODY = 0
    PUBLIC = 1
    FOLLOWERS = 2
    OTHERS = 4
    PUBLIC_ASKING = 8
    FOLLOWERS_ASKING = 16
    OTHERS_ASKING = 32


class Consent(StrEnum):
    """How who is quoted stands to being quoted in a post. NONE: it is a link, and not shown as a quote."""

    NONE = ""
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVOKED = "revoked"


class Post(Table):
    """A text, or a boost of one (`boost_of_id` is set and the texts are empty)."""

    id = fields.BigIntField(primary_key=True, generated=False, default=ids.new)
    uri = fields.TextField()
    url = fields.TextField(default="")
    author_id = fields.BigIntField()
    boost_of_id = fields.BigIntField(null=True)
    boost_of_author_id = fields.BigIntField(null=True)
    reply_to_id = fields.BigIntField(null=True)
    reply_to_author_id = fields.BigIntField(null=True)
    reply_to_uri = fields.TextField(default="")
    quote_of_id = fields.BigIntField(null=True)
    quote_uri = fields.TextField(default="")
    quote_state: Any = fields.CharEnumField(Consent, default=Consent.NONE)
    quote_authorization = fields.TextField(default="")
    conversation = fields.TextField(default="")
    thread_id = fields.BigIntField()
    visibility = fields.IntEnumField(Visibility)
    local = fields.BooleanField()
    sensitive = fields.BooleanField(default=False)
    summary = fields.TextField(default="")
    source = fields.TextField(default="")
    content = fields.TextField(default="")
    language = fields.TextField(default="")
    hashtags: Any = fields.JSONField(default=list)
    emojis: Any = fields.JSONField(default=list)  # [{"shortcode": text, "url": text}]
    application = fields.TextField(default="")
    quote_policy = fields.BigIntField(default=0)  # Quotable
    reply_policy = fields.BigIntField(default=0)
    likes = fields.BigIntField(default=0)
    boosts = fields.BigIntField(default=0)
    replies = fields.BigIntField(default=0)
    quotes = fields.BigIntField(default=0)
    version = fields.BigIntField(default=1)
    created_at = fields.BigIntField(default=moments.now)
    edited_at = fields.BigIntField(null=True)

    class Meta:
        table = "post"


class Media(Table):
    """A picture, film or sound. Unattached until a post takes it."""

    id = fields.BigIntField(primary_key=True, generated=False, default=ids.new)
    account_id = fields.BigIntField()
    post_id = fields.BigIntField(null=True)
    scheduled_id = fields.BigIntField(null=True)  # It waits with a post that is for later.
    position = fields.BigIntField(default=0)
    kind = fields.TextField(default="unknown")
    state = fields.TextField(default="waiting")  # waiting, ready, failed
    error = fields.TextField(default="")
    mime = fields.TextField(default="")
    file = fields.TextField(default="")
    small_file = fields.TextField(default="")
    upload = fields.TextField(default="")
    remote_url = fields.TextField(default="")
    remote_preview_url = fields.TextField(default="")
    description = fields.TextField(default="")
    focus_x = fields.FloatField(null=True)
    focus_y = fields.FloatField(null=True)
    width = fields.BigIntField(null=True)
    height = fields.BigIntField(null=True)
    small_width = fields.BigIntField(null=True)
    small_height = fields.BigIntField(null=True)
    duration = fields.FloatField(null=True)
    frame_rate = fields.FloatField(null=True)
    bitrate = fields.BigIntField(null=True)
    bytes = fields.BigIntField(default=0)
    blurhash = fields.TextField(default="")
    created_at = fields.BigIntField(default=moments.now)

    class Meta:
        table = "media"


class Poll(Table):
    """A question on a post; its id is the id of the post. Options and ballots are rows of their own."""

    id = fields.BigIntField(primary_key=True, generated=False)
    multiple = fields.BooleanField()
    hide_totals = fields.BooleanField(default=False)
    voters = fields.BigIntField(default=0)
    expires_at = fields.BigIntField(null=True)
    closed_at = fields.BigIntField(null=True)
    fetched_at = fields.BigIntField(null=True)

    class Meta:
        table = "poll"
