"""Our things as other servers read them (FEDERATION §2, §3): every term, and every term defined."""

from typing import Any

import orjson
import pytest

from fediblog import db, moments, text, uris
from fediblog.activitypub import documents, senders
from fediblog.activitypub.vocabulary import AS2, CONTEXT, PUBLIC, SECURITY
from fediblog.models import Account, Post, Quotable, Visibility
from fediblog.services import accounts, boosts, edits, polls, posts, written
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft
from tests.activitypub.asking import undefined
from tests.people import person, remote
from tests.services.making import file_of, post

pytestmark = pytest.mark.once


async def note_of(thing: Post) -> dict[str, Any]:
    found = await documents.load(thing.id)
    assert found is not None
    return documents.note(found)


async def rita() -> Account:
    return await remote("rita", "remote.example")


# --------------------------------------------------------------------------------------------------- people


async def test_an_actor_says_all_that_peers_need_to_speak_to_it(alice):
    made = documents.actor(alice)
    uri = alice.uri
    assert made["id"] == uri and made["type"] == "Person"
    assert made["preferredUsername"] == "alice" and made["name"] == "Alice"
    assert made["url"] == "http://localhost:8000/@alice"
    assert (made["inbox"], made["outbox"]) == (f"{uri}/inbox", f"{uri}/outbox")
    assert (made["followers"], made["following"]) == (f"{uri}/followers", f"{uri}/following")
    assert (made["featured"], made["featuredTags"]) == (f"{uri}/featured", f"{uri}/tags")
    assert made["endpoints"] == {"sharedInbox": "http://localhost:8000/ap/inbox"}
    assert made["publicKey"] == {
        "id": f"{uri}#main-key",
        "owner": uri,
        "publicKeyPem": alice.public_key,
    }
    assert made["webfinger"] == "alice@localhost:8000"
    assert made["manuallyApprovesFollowers"] is False
    assert (made["discoverable"], made["indexable"]) == (True, False)
    assert made["alsoKnownAs"] == [] and "movedTo" not in made
    assert "icon" not in made and "image" not in made
    assert made["generator"]["implements"][0]["href"].endswith("rfc9421")


async def test_the_day_of_joining_is_told_and_not_the_minute(alice):
    assert documents.actor(alice)["published"] == moments.iso_day(alice.created_at) + "T00:00:00.000Z"


async def test_a_profile_shows_pictures_facts_tags_emoji_and_other_names(database):
    account = await person(
        "dora",
        avatar="ab/cd/ef01.webp",
        header="ab/cd/ef02.jpg",
        actor_type="Service",
        locked=True,
        also_known_as=["https://old.example/users/dora"],
        emojis=[{"shortcode": "cat", "url": "http://localhost:8000/media/ab/cd/ef03.png"}],
    )
    account = await accounts.edit_profile(
        account, accounts.Profile(note="I like #Cats", fields=[("Site", "https://dora.example")])
    )
    made = documents.actor(account, moved_to="https://new.example/users/dora")
    assert made["type"] == "Service" and made["manuallyApprovesFollowers"] is True
    icon = {
        "type": "Image",
        "mediaType": "image/webp",
        "url": "http://localhost:8000/media/ab/cd/ef01.webp",
    }
    assert made["icon"] == icon and made["image"]["mediaType"] == "image/jpeg"
    field = made["attachment"][0]
    assert (field["type"], field["name"]) == ("PropertyValue", "Site")
    assert 'rel="me ' in field["value"]
    hashtag, emoji = made["tag"]
    assert hashtag == {"type": "Hashtag", "href": "http://localhost:8000/tags/cats", "name": "#Cats"}
    assert emoji["name"] == ":cat:" and emoji["icon"]["mediaType"] == "image/png"
    assert made["alsoKnownAs"] == ["https://old.example/users/dora"]
    assert made["movedTo"] == "https://new.example/users/dora"
    assert not list(undefined(made))


async def test_who_is_suspended_says_nothing_but_that(alice):
    alice.note, alice.fields_ = "<p>Buy!</p>", [{"name": "x", "value": "y"}]
    made = documents.suspended(alice)
    assert made["suspended"] is True and made["name"] == made["summary"] == ""
    assert "attachment" not in made and made["publicKey"]["owner"] == alice.uri
    assert not list(undefined(made))


async def test_the_server_is_an_application_with_a_key_of_its_own(database):
    made = documents.server(await senders.of_server(), "A place")
    assert made["id"] == "http://localhost:8000/ap/actor" and made["type"] == "Application"
    assert made["preferredUsername"] == "localhost:8000" and made["name"] == "A place"
    assert made["inbox"].endswith("/ap/actor/inbox") and made["outbox"].endswith("/ap/actor/outbox")
    assert made["publicKey"]["owner"] == made["id"]
    assert not list(undefined(made))


# ---------------------------------------------------------------------------------------------------- posts


async def test_a_note_says_what_was_written_to_whom_and_by_whom(alice, bob):
    friend = await rita()
    thing = await posts.publish(
        alice, Draft("Hello @bob and @rita@remote.example #Cats", summary="Pets", language="en")
    )
    made = await note_of(thing)
    assert made["id"] == thing.uri and made["type"] == "Note"
    assert made["attributedTo"] == alice.uri and made["url"] == thing.url != thing.uri
    assert made["content"] == thing.content and made["contentMap"] == {"en": thing.content}
    assert made["source"] == {"content": thing.source, "mediaType": "text/plain"}
    assert made["published"] == moments.iso(thing.created_at) and "updated" not in made
    assert made["to"] == [PUBLIC] and made["cc"] == [alice.followers_uri, bob.uri, friend.uri]
    assert made["summary"] == "Pets" and made["sensitive"] is True and made["inReplyTo"] is None
    assert {"type": "Mention", "href": bob.uri, "name": "@bob@localhost:8000"} in made["tag"]
    assert {"type": "Mention", "href": friend.uri, "name": "@rita@remote.example"} in made["tag"]
    assert {"type": "Hashtag", "href": uris.tag_page("Cats"), "name": "#Cats"} in made["tag"]
    assert made["attachment"] == []
    assert made["context"] == made["conversation"] == f"{thing.uri}/context"
    assert "bto" not in made and "bcc" not in made


async def test_without_a_warning_and_a_language_there_is_neither(alice):
    made = await note_of(await posts.publish(alice, Draft("Hello")))
    assert made["summary"] is None and made["sensitive"] is False and "contentMap" not in made


@pytest.mark.parametrize(
    ("visibility", "to", "cc"),
    [
        (Visibility.PUBLIC, [PUBLIC], ["followers", "bob"]),
        (Visibility.UNLISTED, ["followers"], [PUBLIC, "bob"]),
        (Visibility.FOLLOWERS, ["followers"], ["bob"]),
        (Visibility.DIRECT, ["bob"], []),
    ],
)
async def test_it_is_addressed_as_far_as_it_goes(alice, bob, visibility, to, cc):
    made = await note_of(await posts.publish(alice, Draft("Hi @bob", visibility=visibility)))
    names = {"followers": alice.followers_uri, "bob": bob.uri}
    assert [made["to"], made["cc"]] == [[names.get(each, each) for each in which] for which in (to, cc)]


async def test_an_edit_has_its_moment_and_who_is_no_longer_named_still_sees_it(alice, bob):
    thing = await posts.publish(alice, Draft("Hello @bob"))
    edited = await posts.edit(alice, thing.id, Draft("Hello"))
    made = await note_of(edited)
    assert made["updated"] == moments.iso(edited.edited_at or 0)
    assert bob.uri in made["cc"] and made["tag"] == []
    assert await edits.history(edited, alice)


async def test_a_file_has_type_address_words_size_and_focus(alice):
    picture = await file_of(
        alice,
        file="ab/cd/ef01.webp",
        small_file="ab/cd/ef02.webp",
        mime="image/webp",
        description="A cat",
        width=640,
        height=480,
        blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        focus_x=0.5,
        focus_y=-0.25,
    )
    made = await note_of(await posts.publish(alice, Draft("", media_ids=(picture.id,))))
    assert made["attachment"] == [
        {
            "type": "Document",
            "mediaType": "image/webp",
            "url": "http://localhost:8000/media/ab/cd/ef01.webp",
            "name": "A cat",
            "summary": "A cat",
            "width": 640,
            "height": 480,
            "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "focalPoint": [0.5, -0.25],
            "icon": {
                "type": "Image",
                "mediaType": "image/webp",
                "url": "http://localhost:8000/media/ab/cd/ef02.webp",
            },
        }
    ]
    assert not list(undefined(made))


async def test_a_poll_is_a_question_with_its_votes(alice, bob):
    draft = PollDraft(("Cats", "Dogs"), 3600)
    thing = await posts.publish(alice, Draft("Which?", poll=draft))
    await polls.vote(bob, thing, [1])
    made = await note_of(thing)
    assert made["type"] == "Question" and "anyOf" not in made
    assert [(option["name"], option["replies"]["totalItems"]) for option in made["oneOf"]] == [
        ("Cats", 0),
        ("Dogs", 1),
    ]
    assert all(option["type"] == "Note" for option in made["oneOf"])
    assert made["votersCount"] == 1 and made["endTime"].endswith("Z") and "closed" not in made
    # Numbers are no edit: with `updated` every vote would show as one (FEDERATION §3).
    assert "updated" not in made


async def test_hidden_numbers_stay_hidden_until_the_end(alice, bob):
    draft = PollDraft(("Cats", "Dogs"), 3600, multiple=True, hide_totals=True)
    thing = await posts.publish(alice, Draft("Which?", poll=draft))
    await polls.vote(bob, thing, [0, 1])
    before = await note_of(thing)
    assert [option["replies"]["totalItems"] for option in before["anyOf"]] == [0, 0]
    async with db.transaction():
        await db.execute("UPDATE poll SET expires_at = 1, closed_at = 2 WHERE id = $1", thing.id)
    after = await note_of(thing)
    assert [option["replies"]["totalItems"] for option in after["anyOf"]] == [1, 1]
    assert after["closed"] == moments.iso(2)


async def test_an_answer_names_its_parent_and_keeps_the_conversation(alice, bob):
    friend = await rita()
    theirs = await post(friend, uri="https://remote.example/notes/1", conversation="tag:remote.example,1")
    answer = await posts.publish(alice, Draft("Yes", reply_to_id=theirs.id))
    made = await note_of(answer)
    assert made["inReplyTo"] == "https://remote.example/notes/1"
    assert made["conversation"] == "tag:remote.example,1"
    # The thread is of the server where it began.
    assert "context" not in made
    ours = await posts.publish(alice, Draft("Hello"))
    answer = await posts.publish(bob, Draft("Yes", reply_to_id=ours.id))
    assert (await note_of(answer))["context"] == f"{ours.uri}/context"


async def test_what_hangs_on_a_post_is_counted(alice):
    thing = await post(alice, likes=3, boosts=2, replies=1)
    made = await note_of(thing)
    counted = {name: made[name]["totalItems"] for name in ("likes", "shares", "replies")}
    assert counted == {"likes": 3, "shares": 2, "replies": 1}
    assert made["replies"]["id"] == f"{thing.uri}/replies"


async def test_a_quote_is_spelled_for_everybody(alice):
    thing = await post(alice, quote_uri="https://remote.example/notes/7")
    made = await note_of(thing)
    spellings = ("quote", "quoteUri", "quoteUrl", "_misskey_quote")
    assert {made[name] for name in spellings} == {"https://remote.example/notes/7"}
    link = made["tag"][0]
    assert link["type"] == "Link" and link["href"] == "https://remote.example/notes/7"
    assert link["mediaType"].startswith("application/ld+json")


@pytest.mark.parametrize(
    ("policy", "who"),
    [(Quotable.PUBLIC, PUBLIC), (Quotable.FOLLOWERS, "followers"), (Quotable.NOBODY, "author")],
)
async def test_a_post_says_who_may_quote_it(alice, policy, who):
    made = await note_of(await posts.publish(alice, Draft("Hello", quote_policy=policy)))
    expected = {"followers": alice.followers_uri, "author": alice.uri}.get(who, who)
    assert made["interactionPolicy"]["canQuote"] == {"automaticApproval": [expected], "manualApproval": []}


async def test_what_not_everybody_may_see_is_for_nobody_to_quote(alice):
    draft = Draft("Psst", visibility=Visibility.FOLLOWERS, quote_policy=Quotable.PUBLIC)
    made = await note_of(await posts.publish(alice, draft))
    assert made["interactionPolicy"]["canQuote"]["automaticApproval"] == [alice.uri]


async def test_a_quote_has_its_consent_and_a_link_for_who_shows_none(alice, bob):
    quoted = await posts.publish(bob, Draft("Hello"))
    quote = await posts.publish(alice, Draft("See", quoted_id=quoted.id, language="en"))
    made = await note_of(quote)
    assert made["quoteAuthorization"] == uris.quote_uri(quote.id)
    assert made["content"] == f"<p>See</p>{text.reference(quoted.url)}" == made["contentMap"]["en"]
    assert bob.uri in made["cc"] and all(tag["type"] != "Mention" for tag in made["tag"])


async def test_who_quotes_oneself_needs_no_consent(alice):
    quoted = await posts.publish(alice, Draft("Hello"))
    made = await note_of(await posts.publish(alice, Draft("As I said", quoted_id=quoted.id)))
    assert made["quote"] == quoted.uri and "quoteAuthorization" not in made


async def test_a_boost_is_an_announce_to_everybody_and_to_the_author(alice, bob):
    thing = await posts.publish(alice, Draft("Hello"))
    made = await boosts.boost(bob, thing)
    found = (await written.boosts([made.id, thing.id]))[made.id]
    announce = documents.boost(found)
    assert (announce["id"], announce["type"]) == (made.uri, "Announce")
    assert (announce["actor"], announce["object"]) == (bob.uri, thing.uri)
    assert announce["to"] == [PUBLIC] and announce["cc"] == [bob.followers_uri, alice.uri]


async def test_what_is_deleted_is_a_tombstone():
    made = documents.tombstone("https://here.example/1", 0)
    assert made["type"] == "Tombstone" and made["deleted"] == "1970-01-01T00:00:00.000Z"


# ------------------------------------------------------------------------------------------ what wraps them


async def test_a_create_is_addressed_as_its_note_and_named_after_it(alice, bob):
    thing = await posts.publish(alice, Draft("Hello @bob"))
    found = await documents.load(thing.id)
    assert found is not None
    made = documents.create(found)
    assert made["id"] == f"{thing.uri}/create" and made["actor"] == alice.uri
    assert (made["to"], made["cc"]) == (made["object"]["to"], made["object"]["cc"])


def test_the_context_stands_in_front_and_activitystreams_in_front_of_it():
    body = documents.with_context({"id": "https://here.example/1", "type": "Note"})
    assert body.startswith(b'{"@context":["' + AS2.encode())
    assert orjson.loads(body)["@context"][:2] == [AS2, SECURITY]
    assert orjson.loads(body)["@context"] == CONTEXT


async def test_every_term_of_every_document_is_defined(alice, bob):
    picture = await file_of(alice, file="ab/cd/ef01.webp", small_file="ab/cd/ef02.webp", description="A cat")
    thing = await posts.publish(
        alice,
        Draft("Hello @bob #cats", summary="x", language="en", media_ids=(picture.id,)),
    )
    thing = await posts.edit(alice, thing.id, Draft("Bye @bob #cats", media_ids=(picture.id,)))
    question = await posts.publish(alice, Draft("Which?", poll=PollDraft(("a", "b"), 3600)))
    quote = await post(
        alice, quote_uri="https://remote.example/1", emojis=[{"shortcode": "x", "url": "https://a.example/x"}]
    )
    found = await documents.load_many([thing.id, question.id, quote.id])
    made = [documents.create(each) for each in found.values()]
    made += [
        documents.follow("https://a.example/1", alice.uri, bob.uri),
        documents.like("https://a.example/2", alice.uri, thing.uri, bob.uri),
        documents.quote_request("https://a.example/8", alice.uri, thing.uri, quote.uri, bob.uri),
        documents.quote_authorization("https://a.example/9", bob.uri, quote.uri, thing.uri),
        documents.tombstone(thing.uri, 0),
        documents.counted("https://a.example/3", [documents.hashtag("cats")]),
        documents.collection("https://a.example/4", 1),
        documents.collection_page("https://a.example/5", "page=true", documents.Stretch([], 1, 2)),
        documents.unordered("https://a.example/6", 1),
        documents.replies_page("https://a.example/7", "page=true", documents.Stretch([], 1, 2), True),
    ]
    for document in made:
        assert not list(undefined(document)), document


def test_a_term_that_nobody_defines_is_noticed():
    assert list(undefined({"id": "x", "tag": [{"type": "Cat", "purrs": True}]})) == ["Cat", "purrs"]


# ------------------------------------------------------------------------------------------------- loading


async def test_many_posts_take_as_few_statements_as_one(alice, bob, queries):
    made = [await posts.publish(alice, Draft(f"{number} @bob")) for number in range(5)]
    with queries() as sent:
        found = await documents.load_many([thing.id for thing in made])
    assert len(found) == 5 and len(sent) == 3


async def test_what_is_gone_and_what_is_a_boost_is_not_loaded(alice, bob):
    thing = await posts.publish(alice, Draft("Hello"))
    boost = await boosts.boost(bob, thing)
    assert await documents.load(boost.id) is None
    assert await documents.load(12) is None
    assert await documents.load_many([]) == {}
    assert await written.boosts([]) == {}
