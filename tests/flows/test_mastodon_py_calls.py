"""Mastodon.py calls every area of the API of a running server, and understands what it gets.

It is a program that others wrote for Mastodon: what it parses, checks and hands on is what apps see. Every
call is counted; issue 4 wants 150 and more.
"""

import asyncio
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError
from PIL import Image

from tests.flows.waiting import until
from tests.harness import described
from tests.harness.site import Site

pytestmark = pytest.mark.once


class Caller:
    """Mastodon.py for one person; what it is asked for is counted by name."""

    def __init__(self, url: str, token: str | None, calls: Counter[str]) -> None:
        # Streams and uploads may take a while on a busy machine; what never comes should fail, not hang.
        self._app = Mastodon(
            access_token=token,
            api_base_url=url,
            request_timeout=30,
            ratelimit_method="throw",
            session=described.session(),
        )
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._app, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self._calls[name] += 1
            return found(*args, **options)

        return call

    @property
    def id(self) -> Any:
        """The account that acts."""
        return self._app.account_verify_credentials().id


class Party:
    """Alice, Bob and Carol, Mona of the staff, and somebody who has no token."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        self.calls: Counter[str] = Counter()
        self.alice, self.bob, self.carol, self.mona = (Caller(url, token, self.calls) for token in tokens)
        self.nobody = Caller(url, None, self.calls)


def picture() -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(file, "PNG")
    return file.getvalue()


def refused(error: type[MastodonAPIError], call: Callable[..., Any], *args: Any, **options: Any) -> None:
    """The call is refused in the way in which Mastodon.py tells it."""
    with pytest.raises(error):
        call(*args, **options)


def the_server(party: Party) -> None:
    """What the server tells about itself."""
    nobody = party.nobody
    assert nobody.instance_v1().uri == "localhost:8000" and nobody.instance_v2().domain == "localhost:8000"
    assert nobody.instance().version.startswith("4.")
    assert nobody.retrieve_mastodon_version()
    assert nobody.verify_minimum_version("4.0.0")
    assert nobody.instance_nodeinfo().software.name == "fediblog"
    assert nobody.instance_health() is True
    assert nobody.instance_activity()[0].statuses >= 0
    assert nobody.instance_peers() == [] and nobody.instance_rules() == []
    assert nobody.instance_extended_description().content is not None
    assert nobody.instance_languages() is not None
    assert nobody.instance_translation_languages() == {}
    assert nobody.custom_emojis() == [] and nobody.directory() is not None
    assert nobody.oauth_authorization_server_info().code_challenge_methods_supported == ["S256"]
    assert nobody.get_approx_server_time().year >= 2026
    assert nobody.get_status_length("hello") == 5
    refused(MastodonUnauthorizedError, nobody.timeline_home)
    refused(MastodonNotFoundError, nobody.status, 4711)


def oneself(party: Party) -> None:
    """One's own profile and preferences."""
    alice = party.alice
    me = alice.account_verify_credentials()
    assert (me.username, me.acct, me.source.privacy) == ("alice", "alice", "public")
    assert alice.me().id == me.id
    changed = alice.account_update_credentials(
        display_name="Alice A.",
        note="I write *here*",
        fields=[("Home", "https://alice.example"), ("Job", "none")],
        avatar=picture(),
        avatar_mime_type="image/png",
        header=picture(),
        header_mime_type="image/png",
        discoverable=True,
        bot=False,
        locked=False,
    )
    assert (changed.display_name, len(changed.source.fields)) == ("Alice A.", 2)
    assert "missing" not in changed.avatar
    assert "missing" in alice.account_delete_avatar().avatar
    assert "missing" in alice.account_delete_header().header
    assert alice.preferences()["posting:default:visibility"] == "public"
    assert alice.markers_get(["home"]) is not None
    assert alice.announcements() == []
    assert alice.get_supported_version()


def people(party: Party) -> None:
    """Following and being followed, blocks, mutes, notes, requests."""
    alice, bob, carol = party.alice, party.bob, party.carol
    a, b, c = alice.id, bob.id, carol.id
    assert alice.account_lookup("bob").id == b and alice.account_search("bob")[0].id == b
    assert alice.account(b).acct == "bob" and [one.id for one in alice.accounts([b, c])] == [b, c]
    assert alice.account_follow(b).following is True
    assert alice.account_follow(c, reblogs=False, notify=True).notifying is True
    assert bob.account_follow(a).following is True
    assert [one.id for one in alice.account_following(a)] == [c, b]
    assert [one.id for one in alice.account_followers(a)] == [b]
    assert [one.followed_by for one in alice.account_relationships([b, c])] == [True, False]
    assert alice.account_familiar_followers(b)[0].id == b
    assert alice.account_note_set(b, "from school").note == "from school"
    assert alice.account_endorse(b).endorsed is True and alice.endorsements()[0].id == b
    assert alice.account_unendorse(b).endorsed is False
    assert alice.account_mute(c, notifications=True, duration=3600).muting is True
    assert alice.mutes()[0].id == c
    assert alice.account_unmute(c).muting is False
    assert carol.account_block(b).blocking is True and carol.blocks()[0].id == b
    assert carol.account_unblock(b).blocking is False
    assert alice.account_unfollow(c).following is False
    assert alice.account_remove_from_followers(b).followed_by is False
    carol.account_update_credentials(locked=True)
    assert alice.account_follow(c).requested is True and bob.account_follow(c).requested is True
    assert {one.id for one in carol.follow_requests()} == {a, b}
    assert carol.follow_request_authorize(a).followed_by is True
    assert carol.follow_request_reject(b).followed_by is False
    alice.domain_block("evil.example")
    assert alice.domain_blocks() == ["evil.example"]
    alice.domain_unblock("evil.example")
    assert alice.domain_blocks() == []
    assert alice.suggestions_v2() is not None and alice.suggestions_v1() is not None
    alice.suggestion_delete(c)


def statuses(party: Party) -> None:
    """Writing, answering, changing, deleting; likes, boosts, bookmarks, pins."""
    alice, bob = party.alice, party.bob
    first = alice.status_post("Hello @bob and #Greetings", language="en", idempotency_key="one")
    assert alice.status_post("Hello @bob and #Greetings", language="en", idempotency_key="one").id == first.id
    assert (first.mentions[0].acct, first.tags[0].name, first.language) == ("bob", "greetings", "en")
    answer = bob.status_reply(first, "and hello to you")
    assert (answer.in_reply_to_id, answer.mentions[0].acct) == (first.id, "alice")
    context = alice.status_context(first.id)
    assert [one.id for one in context.descendants] == [answer.id] and context.ancestors == []
    assert alice.status(answer.id).in_reply_to_account_id == alice.id
    assert {one.id for one in alice.statuses([first.id, answer.id])} == {first.id, answer.id}
    edited = alice.status_update(first.id, "Hello again", spoiler_text="greeting", sensitive=True)
    assert (edited.spoiler_text, edited.sensitive) == ("greeting", True) and edited.edited_at is not None
    assert len(alice.status_history(first.id)) == 2
    assert alice.status_source(first.id).text == "Hello again"
    assert bob.status_favourite(first.id).favourites_count == 1
    assert bob.status_reblog(first.id).reblog.id == first.id
    assert [one.acct for one in alice.status_favourited_by(first.id)] == ["bob"]
    assert [one.acct for one in alice.status_reblogged_by(first.id)] == ["bob"]
    assert bob.status_bookmark(first.id).bookmarked is True
    assert bob.favourites()[0].id == bob.bookmarks()[0].id == first.id
    assert bob.status_unbookmark(first.id).bookmarked is False
    assert bob.status_unreblog(first.id).reblogged is False
    assert bob.status_unfavourite(first.id).favourites_count == 0
    assert alice.status_pin(first.id).pinned is True
    assert alice.account_statuses(alice.id, pinned=True)[0].id == first.id
    assert alice.status_unpin(first.id).pinned is False
    assert alice.status_mute(first.id).muted is True and alice.status_unmute(first.id).muted is False
    private = alice.status_post("for followers", visibility="private")
    refused(MastodonNotFoundError, party.bob.status, private.id)
    assert alice.status_delete(private.id).text == "for followers"
    refused(MastodonNotFoundError, alice.status, private.id)
    assert alice.account_statuses(alice.id, exclude_replies=True, exclude_reblogs=True)[0].id == first.id
    assert alice.account_statuses(alice.id, only_media=True) == []
    later = alice.status_post("later", scheduled_at=datetime.now(UTC) + timedelta(hours=2))
    assert alice.scheduled_statuses()[0].id == later.id == alice.scheduled_status(later.id).id
    moved = alice.scheduled_status_update(later.id, datetime.now(UTC) + timedelta(hours=3))
    assert moved.scheduled_at > later.scheduled_at
    alice.scheduled_status_delete(later.id)
    assert alice.scheduled_statuses() == []


def media_and_polls(party: Party) -> None:
    """Pictures with words, and polls."""
    alice, bob = party.alice, party.bob
    file = alice.media_post(
        picture(), mime_type="image/png", description="red", focus=(0.5, -0.5), synchronous=True
    )
    assert (file.type, file.description, file.meta.focus.x) == ("image", "red", 0.5) and file.url
    assert alice.media(file.id).id == file.id
    assert alice.media_update(file.id, description="a red field").description == "a red field"
    shown = alice.status_post("", media_ids=[file], sensitive=True)
    assert (shown.media_attachments[0].description, shown.content) == ("a red field", "")
    assert shown.media_attachments[0].blurhash
    asked = alice.status_post("Tea?", poll=alice.make_poll(["yes", "no"], 3600, multiple=False))
    assert bob.poll(asked.poll.id).options[1].title == "no"
    voted = bob.poll_vote(asked.poll.id, [0])
    assert (voted.votes_count, voted.voted, voted.own_votes) == (1, True, [0])
    refused(MastodonAPIError, bob.poll_vote, asked.poll.id, [1])


def timelines(party: Party) -> None:
    """Home, local, public, hashtags, lists, conversations, and paging through them."""
    alice, bob = party.alice, party.bob
    for number in range(5):
        bob.status_post(f"number {number} #Counting")
    assert until(lambda: "number 4" in alice.timeline_home(limit=1)[0].content)
    newest = alice.timeline_home(limit=2)
    older = alice.fetch_next(newest)
    assert older[0].id < newest[-1].id and alice.fetch_previous(older)[-1].id == newest[-1].id
    assert len(alice.fetch_remaining(alice.timeline_hashtag("counting", limit=2))) == 5
    assert alice.timeline("home", limit=1)[0].id == newest[0].id
    assert alice.timeline_local(limit=1)[0].id == alice.timeline_public(limit=1)[0].id == newest[0].id
    assert party.nobody.timeline_public(limit=1, local=True)[0].id == newest[0].id
    friends = alice.list_create("Friends", replies_policy="followed", exclusive=False)
    alice.list_accounts_add(friends, [bob.id])
    assert [one.id for one in alice.list_accounts(friends)] == [bob.id]
    assert alice.account_lists(bob.id)[0].title == "Friends"
    assert alice.timeline_list(friends, limit=1)[0].id == newest[0].id
    assert alice.list_update(friends, "Mates").title == "Mates" == alice.list(friends).title
    alice.list_accounts_delete(friends, [bob.id])
    alice.list_delete(friends)
    assert alice.lists() == []
    bob.status_post("@alice only for you", visibility="direct")
    talk = until(lambda: alice.conversations())[0]
    assert (talk.unread, talk.accounts[0].acct) == (True, "bob")
    assert alice.conversations_read(talk.id).unread is False
    marked = alice.markers_set(["home"], [newest[0].id])
    assert marked["home"].last_read_id == newest[0].id == alice.markers_get(["home"])["home"].last_read_id


def hashtags(party: Party) -> None:
    """Hashtags: followed, featured, found, and what is talked about."""
    alice = party.alice
    assert int(alice.tag("counting").history[0].uses) >= 5
    assert alice.tag_follow("counting").following is True
    assert alice.followed_tags()[0].name.lower() == "counting"
    assert alice.tag_unfollow("counting").following is False
    featured = alice.featured_tag_create("Greetings")
    assert alice.featured_tags()[0].id == featured.id
    assert alice.account_featured_tags(alice.id)[0].name == "Greetings"
    assert alice.featured_tag_suggestions() is not None
    alice.featured_tag_delete(featured)
    assert alice.tag_feature("Greetings").featuring is True
    assert alice.tag_unfeature("Greetings").featuring is False
    assert alice.trending_tags() == [] and alice.trends() == []
    assert alice.trending_statuses() == [] and alice.trending_links() == []
    found = alice.search_v2("counting", result_type="hashtags")
    assert found.hashtags[0].name.lower() == "counting"
    assert alice.search("bob", result_type="accounts").accounts[0].acct == "bob"


def filters(party: Party) -> None:
    """Filters in both versions."""
    alice, bob = party.alice, party.bob
    made = alice.create_filter_v2("Numbers", ["home", "public"], filter_action="warn", expires_in=3600)
    word = alice.add_filter_keyword_v2(made.id, "number", whole_word=True)
    assert alice.filter_keywords_v2(made.id)[0].keyword == "number"
    shown = until(lambda: [one for one in alice.timeline_home() if "number 1" in one.content])[0]
    assert shown.filtered[0].filter.title == "Numbers" and shown.filtered[0].keyword_matches == ["number"]
    alice.delete_filter_keyword_v2(word.id)
    one = alice.add_filter_status_v2(made.id, shown.id)
    assert (
        alice.filter_statuses_v2(made.id)[0].status_id == shown.id == alice.filter_status_v2(one.id).status_id
    )
    alice.delete_filter_status_v2(one.id)
    assert alice.update_filter_v2(made.id, title="Count").title == "Count" == alice.filter_v2(made.id).title
    assert [each.id for each in alice.filters_v2()] == [made.id]
    alice.delete_filter_v2(made.id)
    old = alice.filter_create("spoiler", ["home"], whole_word=False)
    assert alice.filters()[0].id == old.id == alice.filter(old.id).id
    assert alice.filter_update(old.id, phrase="spoilers").phrase == "spoilers"
    alice.filter_delete(old.id)
    assert alice.filters() == [] and bob.filters() == []


def notifications(party: Party) -> None:
    """What one is told, one by one and in groups, and what is held back."""
    alice, bob = party.alice, party.bob
    liked = alice.status_post("like this")
    for fan in (bob, party.carol):
        fan.status_favourite(liked.id)
    told = until(lambda: [one for one in alice.notifications() if one.type == "favourite"])
    assert alice.notifications(id=told[0].id).status.id == liked.id
    assert {one.type for one in alice.notifications(types=["mention"])} == {"mention"}
    assert "mention" not in {one.type for one in alice.notifications(exclude_types=["mention"])}
    assert alice.notifications_unread_count().count >= 2
    grouped = alice.grouped_notifications(limit=10)
    group = next(one for one in grouped.notification_groups if one.type == "favourite")
    assert group.notifications_count == 2
    assert alice.grouped_notification(group.group_key).notification_groups[0].group_key == group.group_key
    assert len(alice.grouped_notification_accounts(group.group_key)) == 2
    assert alice.unread_grouped_notifications_count() >= 1
    alice.dismiss_grouped_notification(group.group_key)
    alice.notifications_dismiss(next(one.id for one in alice.notifications() if one.type == "mention"))
    policy = alice.update_notifications_policy(for_not_following="filter")
    assert policy.for_not_following == "filter" == alice.notifications_policy().for_not_following
    alice.account_unfollow(bob.id)
    bob.status_post("@alice are you there")
    request = until(lambda: alice.notification_requests())[0]
    assert alice.notification_request(request.id).account.acct == "bob"
    alice.accept_notification_request(request.id)
    assert until(lambda: alice.notifications_merged())
    alice.update_notifications_policy(for_not_following="accept")
    alice.notifications_clear()
    assert alice.notifications() == []


def quotes(party: Party) -> None:
    """Quoting with consent, and taking it back."""
    alice, bob = party.alice, party.bob
    free = alice.status_post("quote me", quote_approval_policy="public")
    quoting = bob.status_post("look at this", quoted_status_id=free.id)
    assert (quoting.quote.state, quoting.quote.quoted_status.id) == ("accepted", free.id)
    assert [one.id for one in alice.status_quotes(free.id)] == [quoting.id]
    assert alice.status_quote_revoke(free.id, quoting.id).quote.state == "revoked"
    closed = alice.status_update_quote_approval_policy(free.id, "nobody")
    assert closed.quote_approval.automatic == []
    refused(MastodonAPIError, bob.status_post, "again", quoted_status_id=free.id)


def devices(party: Party) -> None:
    """The subscription of a token to Web Push."""
    bob = party.bob
    _, keys = bob.push_subscription_generate_keys()
    made = bob.push_subscription_set("https://push.example/1", keys, mention_events=True, policy="followed")
    assert (made.alerts.mention, made.policy, bob.push_subscription().id) == (True, "followed", made.id)
    assert bob.push_subscription_update(follow_events=True).alerts.follow is True
    bob.push_subscription_delete()
    refused(MastodonNotFoundError, bob.push_subscription)


def staff(party: Party) -> None:
    """Reports, and what the staff does by its apps."""
    alice, mona = party.alice, party.mona
    b = party.bob.id
    report = alice.report(b, comment="rude", category="other")
    assert report.comment == "rude" and report.target_account.id == b
    assert [one.id for one in mona.admin_reports()] == [report.id] == [mona.admin_report(report.id).id]
    assert mona.admin_report_assign(report.id).assigned_account.username == "mona"
    assert mona.admin_report_unassign(report.id).assigned_account is None
    assert mona.admin_report_resolve(report.id).action_taken is True
    assert mona.admin_report_reopen(report.id).action_taken is False
    assert "bob" in [one.username for one in mona.admin_accounts_v2(origin="local")]
    assert mona.admin_accounts_v1() and mona.admin_account(b).email == "bob@mail.example"
    mona.admin_account_moderate(b, action="silence", report_id=report.id, send_email_notification=False)
    assert mona.admin_account(b).silenced is True and mona.admin_account_unsilence(b).silenced is False
    block = mona.admin_create_domain_block("evil.example", severity="silence", public_comment="spam")
    assert mona.admin_update_domain_block(block.id, severity="suspend").severity == "suspend"
    assert mona.admin_domain_blocks(block.id).domain == "evil.example" and mona.admin_domain_blocks()
    mona.admin_delete_domain_block(block.id)
    allow = mona.admin_create_domain_allow("good.example")
    assert mona.admin_domain_allow(allow.id).domain == mona.admin_domain_allows()[0].domain == "good.example"
    mona.admin_delete_domain_allow(allow.id)
    mail = mona.admin_create_email_domain_block("trash.example")
    assert mona.admin_email_domain_block(mail.id).domain == mona.admin_email_domain_blocks()[0].domain
    mona.admin_delete_email_domain_block(mail.id)
    network = mona.admin_create_ip_block("192.0.2.0/24", severity="sign_up_block", comment="test")
    assert mona.admin_ip_block(network.id).severity == mona.admin_ip_blocks()[0].severity == "sign_up_block"
    assert mona.admin_update_ip_block(network.id, severity="no_access").severity == "no_access"
    mona.admin_delete_ip_block(network.id)
    refused(MastodonAPIError, alice.admin_reports)


AREAS = (
    the_server,
    oneself,
    people,
    statuses,
    media_and_polls,
    timelines,
    hashtags,
    filters,
    notifications,
    quotes,
    devices,
    staff,
)


async def test_mastodon_py_makes_a_hundred_and_fifty_calls_of_all_areas_and_more(site: Site) -> None:
    await site.run(registration__mode="open")
    tokens = [(await site.person(name)).token for name in ("alice", "bob", "carol")]
    await site.person("mona", "admin")
    scopes = "read write admin:read admin:write"
    tokens.append(await site.command("tokens", "create", "mona", "--scopes", scopes))
    party = Party(site.url, tokens)
    for area in AREAS:
        await asyncio.to_thread(area, party)
    print(f"{sum(party.calls.values())} calls of {len(party.calls)} kinds")
    assert len(party.calls) >= 190
