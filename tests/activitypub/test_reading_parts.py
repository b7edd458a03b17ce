"""What hangs on posts, in every shape that other servers send: tags, files, polls, votes; and reactions."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from fediblog import moments
from fediblog.activitypub import compact, reading
from fediblog.config import Config
from fediblog.services.incoming import Attachment, Emoji, IncomingPost, IncomingVote, Question, Reaction
from tests.activitypub.noting import BASE, EVE, MARCH, NOTE, OTHER, node, post, titled

pytestmark = pytest.mark.once

PNG = f"{BASE}/a.png"
MP4 = f"{BASE}/a.mp4"


@pytest.fixture(autouse=True)
def _home(configure: Callable[..., Config]) -> None:
    configure(domain="here.example", base_url="https://here.example")


# --------------------------------------------------------------------------------------------------- tags

# fmt: off
HASHTAGS: list[tuple[Any, tuple[str, ...]]] = [
    ([{"type": "Hashtag", "name": "#Cats", "href": "x"},
     {"type": "Hashtag", "name": "dogs"}], ("Cats", "dogs")),
    ({"type": "Hashtag", "name": "#Cats"}, ("Cats",)),
    ([{"type": "as:Hashtag", "name": "#Cats"}], ("Cats",)),
    ([{"type": "Hashtag", "name": "#Cats"}, {"type": "Hashtag", "name": "#cats"}], ("Cats",)),
    ([{"type": "Hashtag", "name": "two words"}], ("twowords",)),
    ([{"type": "Hashtag", "name": "#日本語"}, {"type": "Hashtag", "name": "＃全角"}], ("日本語", "全角")),
    ([{"type": "Hashtag", "name": "#1843"}, {"type": "Hashtag", "name": "#"}, {"type": "Hashtag"}], ()),
    ([{"type": "Hashtag", "name": 5}, {"type": "Hashtag", "name": "x" * 500}, "#loose", 5, None], ()),
    ([{"type": "Hashtag", "name": "<script>"}], ("script",)),
]
# fmt: on


@pytest.mark.parametrize(("tag", "expected"), HASHTAGS)
def test_hashtags_are_read_with_and_without_their_sign(tag: Any, expected: tuple[str, ...]):
    assert post(tag=tag).hashtags == expected


def test_tags_beyond_their_number_are_dropped():
    us = [f"https://here.example/ap/accounts/{number}" for number in range(1, 200)]
    found = post(
        cc=us,
        tag=[{"type": "Hashtag", "name": f"#tag{number}"} for number in range(200)]
        + [{"type": "Mention", "href": uri} for uri in us]
        + [
            {"type": "Emoji", "name": f":e{number}:", "icon": {"url": f"{BASE}/{number}.png"}}
            for number in range(200)
        ],
    )
    assert (len(found.hashtags), len(found.tagged), len(found.emojis)) == (64, 50, 64)
    assert found.hashtags[0] == "tag0" and len(found.named) == 199


def test_addressees_beyond_a_thousand_are_dropped():
    assert len(post(cc=[f"{BASE}/users/{number}" for number in range(3_000)]).named) == 1_000


# fmt: off
EMOJIS: list[tuple[Any, tuple[Emoji, ...]]] = [
    ({"id": None, "name": ":cat:", "icon": {"type": "Image", "url": f"{BASE}/c.png"}},
     (Emoji("cat", f"{BASE}/c.png"),)),
    ({"name": "cat", "icon": f"{BASE}/c.png"}, (Emoji("cat", f"{BASE}/c.png"),)),
    ({"name": ":cat:", "icon": [{"url": [{"type": "Link", "href": f"{BASE}/c.png"}]}]},
     (Emoji("cat", f"{BASE}/c.png"),)),
    ({"name": ":a b:", "icon": f"{BASE}/c.png"}, ()),
    ({"name": ":../x:", "icon": f"{BASE}/c.png"}, ()),
    ({"name": ":..:", "icon": f"{BASE}/c.png"}, ()),
    ({"name": "::", "icon": f"{BASE}/c.png"}, ()),
    ({"name": ":cat:", "icon": {"url": "javascript:x"}}, ()),
    ({"name": ":cat:", "icon": {"url": f"{BASE}/c.html", "mediaType": "text/html"}}, ()),
    ({"name": ":cat:"}, ()),
    ({"name": 5, "icon": 5}, ()),
]
# fmt: on


@pytest.mark.parametrize(("emoji", "expected"), EMOJIS)
def test_custom_emoji_need_a_name_and_a_picture(emoji: dict[str, Any], expected: tuple[Emoji, ...]):
    assert post(tag=[{"type": "Emoji"} | emoji]).emojis == expected


# -------------------------------------------------------------------------------------------------- files

# fmt: off
FILES: list[tuple[Any, tuple[Attachment, ...]]] = [
    ({"type": "Document", "mediaType": "image/png", "url": PNG},
     (Attachment(PNG, "image", mime="image/png"),)),
    ({"type": "Image", "url": f"{BASE}/a"}, (Attachment(f"{BASE}/a", "image"),)),
    ({"type": "Document", "url": PNG + "?v=1#x"}, (Attachment(PNG + "?v=1#x", "image"),)),
    ({"type": "Document", "url": f"{BASE}/a.bin"}, (Attachment(f"{BASE}/a.bin", "unknown"),)),
    ({"type": "Document", "mediaType": "application/pdf", "url": f"{BASE}/a.pdf"},
     (Attachment(f"{BASE}/a.pdf", "unknown", mime="application/pdf"),)),
    ({"type": "Video", "mediaType": "image/gif", "url": PNG}, (Attachment(PNG, "image", mime="image/gif"),)),
    ({"type": "Document", "mediaType": "IMAGE/PNG; q=1", "url": PNG},
     (Attachment(PNG, "image", mime="image/png"),)),
    ({"type": "Document", "mediaType": "image/png\r\nx: y", "url": PNG}, (Attachment(PNG, "image"),)),
    ({"type": "Audio", "url": [f"{BASE}/a.ogg", f"{BASE}/b.ogg"]}, (Attachment(f"{BASE}/a.ogg", "audio"),)),
    ({"type": "Document", "url": [{"type": "Link", "mediaType": "image/png", "href": PNG, "width": 3,
     "height": 4}]},
     (Attachment(PNG, "image", mime="image/png", width=3, height=4),)),
    ({"type": "Video", "url": [{"type": "Link", "mediaType": "text/html", "href": f"{BASE}/p"},
                               {"type": "Link", "mediaType": "video/mp4", "href": MP4}]},
     (Attachment(MP4, "video", mime="video/mp4"),)),
    ({"type": "Image", "href": PNG, "mediaType": "image/png"}, (Attachment(PNG, "image", mime="image/png"),)),
    ({"type": "Link", "href": PNG}, (Attachment(PNG, "image"),)),
    (PNG, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": f"{BASE}/with blank.png"}, (Attachment(f"{BASE}/with%20blank.png", "image"),)),
    ({"type": "Image", "url": PNG, "name": "alt", "summary": "better"},
     (Attachment(PNG, "image", description="better"),)),
    ({"type": "Image", "url": PNG, "name": " a\n b <i>c</i> "},
     (Attachment(PNG, "image", description="a\n b <i>c</i>"),)),
    ({"type": "Image", "url": PNG, "name": 5, "summary": None}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "focalPoint": [1, -1]}, (Attachment(PNG, "image", focus=(1.0, -1.0)),)),
    ({"type": "Image", "url": PNG, "focalPoint": {"@list": [0.5, 0.5]}},
     (Attachment(PNG, "image", focus=(0.5, 0.5)),)),
    ({"type": "Image", "url": PNG, "focalPoint": [2, 0]}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "focalPoint": [True, 0]}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "focalPoint": ["0", "0"]}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "focalPoint": [0]}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "width": -1, "height": 10**9}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "width": "640", "height": 480.0}, (Attachment(PNG, "image", height=480),)),
    ({"type": "Image", "url": PNG, "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj"},
     (Attachment(PNG, "image", blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj"),)),
    ({"type": "Image", "url": PNG, "blurhash": "<script>"}, (Attachment(PNG, "image"),)),
    ({"type": "Image", "url": PNG, "blurhash": "x" * 999}, (Attachment(PNG, "image"),)),
    ({"type": "Video", "url": MP4, "icon": {"type": "Image", "url": PNG}, "duration": "PT1M2.5S"},
     (Attachment(MP4, "video", preview_url=PNG, duration=62.5),)),
    ({"type": "Video", "url": MP4, "duration": "a while"}, (Attachment(MP4, "video"),)),
    ({"type": "Video", "url": MP4, "duration": -3, "icon": 5}, (Attachment(MP4, "video"),)),
    ({"type": "Document", "url": "javascript:x"}, ()),
    ({"type": "Document", "url": "https://user@remote.example/a.png"}, ()),
    ({"type": "Document"}, ()),
    ({"type": "PropertyValue", "name": "a", "value": "b", "url": "https://x.example/"}, ()),
    ({"type": "Note", "content": "x", "url": f"{BASE}/n"}, ()),
    (5, ()),
]
# fmt: on


@pytest.mark.parametrize(("attachment", "expected"), FILES)
def test_files_are_read_in_every_shape(attachment: Any, expected: tuple[Attachment, ...]):
    assert post(attachment=attachment).attachments == expected


def test_sixteen_files_are_kept_each_once():
    files = [{"type": "Image", "url": f"{BASE}/{number}.png"} for number in range(40)]
    found = post(attachment=[files[0], *files]).attachments
    assert [each.url for each in found] == [f"{BASE}/{number}.png" for number in range(16)]


def test_one_sensitive_file_makes_a_post_sensitive():
    plain = {"type": "Image", "url": PNG}
    assert post(attachment=[plain]).sensitive is False
    assert post(attachment=[plain, {"type": "Image", "url": MP4, "sensitive": True}]).sensitive is True
    assert post(sensitive=True).sensitive is True
    assert post(sensitive="true").sensitive is False


def test_a_link_beside_the_text_is_shown_once():
    link = {"type": "Link", "href": "https://news.example/?a=1&b=2"}
    assert post(attachment=[link]).content.count("https://news.example/?a=1&amp;b=2") == 2
    said = '<p><a href="https://news.example/?a=1&amp;b=2">News</a></p>'
    assert post(content=said, attachment=[link]).content.count("news.example") == 1
    many = [{"type": "Link", "href": f"https://news.example/{number}"} for number in range(50)]
    assert post(attachment=many).content.count("<p>") == 5


def test_a_film_that_is_only_streamed_is_a_link():
    stream = {"type": "Link", "mediaType": "application/x-mpegURL", "href": f"{BASE}/live.m3u8"}
    page = {"type": "Link", "mediaType": "text/html", "href": f"{BASE}/w/1"}
    found = post(type="Video", name="T", url=[page, stream], content=...)
    assert (found.attachments, found.content) == ((), titled(f"{BASE}/w/1"))


@pytest.mark.parametrize(("heights", "best"), [([360, 720, 1080], 720), ([2160, 1080], 1080), ([240], 240)])
def test_of_several_sizes_of_a_film_the_best_that_is_not_heavy_is_taken(heights: list[int], best: int):
    films = [
        {"type": "Link", "mediaType": "video/mp4", "href": f"{BASE}/{height}.mp4", "height": height}
        for height in heights
    ]
    [file] = post(type="Video", name="T", url=films).attachments
    assert file.url == f"{BASE}/{best}.mp4"


def test_a_picture_that_is_a_post_has_its_page_and_its_file():
    found = post(type="Image", name="Sea", content=..., url=[{"type": "Link", "href": PNG}, f"{BASE}/sea"])
    assert [each.url for each in found.attachments] == [PNG]
    assert post(type="Image", name="Sea", url=f"{BASE}/sea").attachments == ()


# -------------------------------------------------------------------------------------------------- polls


def options(*votes: Any) -> list[dict[str, Any]]:
    return [
        {"type": "Note", "name": f"O{number}", "replies": {"type": "Collection", "totalItems": each}}
        for number, each in enumerate(votes)
    ]


def question(**more: Any) -> Question | None:
    return post(type="Question", **more).question


def test_a_poll_has_one_answer_or_any():
    one, many = question(oneOf=options(3, 4)), question(anyOf=options(3, 4))
    assert one == Question((("O0", 3), ("O1", 4)), False, 7, None, None)
    assert many == Question((("O0", 3), ("O1", 4)), True, 4, None, None)
    assert question(anyOf=options(3), oneOf=[]) == Question((("O0", 3),), True, 3, None, None)
    assert question(oneOf=options(3), anyOf=[]) == Question((("O0", 3),), False, 3, None, None)
    assert question(oneOf=options(1, 2), votersCount=9) == Question(
        (("O0", 1), ("O1", 2)), False, 9, None, None
    )


def test_a_poll_without_choices_is_a_post():
    for more in ({}, {"oneOf": []}, {"oneOf": "x"}, {"anyOf": [5, {"name": ""}, {"name": 5}]}):
        assert question(**more) is None
    assert post(oneOf=options(1, 2)).question is None


def test_votes_that_are_none_count_nothing():
    found = question(oneOf=options("5", -3, None, True, 1.5, 2**62), votersCount=-1)
    assert found is not None
    assert [votes for _, votes in found.options] == [0, 0, 0, 0, 0, 2**53] and found.voters == 0


def test_choices_are_texts_each_once_and_at_most_fifty():
    given = [{"name": " <b>Tea</b> & \u202ecake "}, {"name": "<b>Tea</b> & cake"}, *options(*range(80))]
    found = question(oneOf=given)
    assert found is not None and len(found.options) == 50
    assert found.options[0] == ("<b>Tea</b> & cake", 0)


# fmt: off
ENDS: list[tuple[dict[str, Any], tuple[int | None, int | None]]] = [
    ({}, (None, None)),
    ({"endTime": "2026-03-04T08:15:30Z"}, (MARCH, None)),
    ({"endTime": "2126-03-04T08:15:30Z"}, (4_928_285_730_000, None)),
    ({"endTime": "2026-03-04T08:15:30Z", "closed": "2026-03-04T08:15:30Z"}, (MARCH, MARCH)),
    ({"closed": "2026-03-04T08:15:30Z"}, (None, MARCH)),
    ({"closed": "2126-03-04T08:15:30Z"}, (4_928_285_730_000, None)),
    ({"endTime": "2026-03-04T08:15:30Z", "closed": True}, (MARCH, MARCH)),
    ({"endTime": "2026-03-04T08:15:30Z", "closed": False}, (MARCH, None)),
    ({"endTime": "soon", "closed": "x"}, (None, None)),
    ({"endTime": 5, "closed": {}}, (None, None)),
]
# fmt: on


@pytest.mark.parametrize(("more", "expected"), ENDS)
def test_a_poll_ends_when_it_says_so(more: dict[str, Any], expected: tuple[int | None, int | None]):
    found = question(oneOf=options(1, 2), **more)
    assert found is not None and (found.expires_at, found.closed_at) == expected


def test_a_poll_that_is_only_said_to_be_closed_is_closed_now():
    found = question(oneOf=options(1, 2), closed=True)
    assert found is not None and found.closed_at is not None
    assert abs(found.closed_at - moments.now()) < 60_000


def test_a_name_without_text_that_answers_something_is_a_vote():
    vote = {"content": ..., "name": " Tea ", "inReplyTo": OTHER}
    assert reading.post(node(**vote)) == IncomingVote(NOTE, EVE, OTHER, "Tea")
    assert isinstance(reading.post(node(**vote | {"content": ""})), IncomingVote)
    for more in ({"content": "<p>x</p>"}, {"inReplyTo": ...}, {"name": " "}, {"type": "Article"}):
        assert isinstance(reading.post(node(**vote | more)), IncomingPost)


# ---------------------------------------------------------------------------------------------- reactions

# fmt: off
REACTIONS: list[tuple[dict[str, Any], Reaction]] = [
    ({}, Reaction()),
    ({"content": "👍"}, Reaction("👍")),
    ({"content": " ❤️ "}, Reaction("❤️")),
    ({"content": "🏳️‍🌈"}, Reaction("🏳️‍🌈")),
    ({"content": "🇩🇪"}, Reaction("🇩🇪")),
    ({"content": "1️⃣"}, Reaction("1️⃣")),
    ({"_misskey_reaction": "⭐"}, Reaction("⭐")),
    ({"content": ":cat@remote.example:", "tag": [{"type": "Emoji", "name": ":cat:", "icon": PNG}]},
     Reaction(":cat:", PNG)),
    ({"content": "cat", "tag": {"type": "Emoji", "name": "cat", "icon": {"url": PNG}}},
     Reaction(":cat:", PNG)),
    ({"content": ":cat:"}, Reaction()),
    ({"content": ":cat:", "tag": [{"type": "Emoji", "name": ":dog:", "icon": PNG}]}, Reaction()),
    ({"content": "hello"}, Reaction()), ({"content": "é"}, Reaction()), ({"content": "👍👍"}, Reaction()),
    ({"content": "x" * 100_000}, Reaction()), ({"content": "👍" + "\u0301" * 500}, Reaction()),
    ({"content": "\u200b"}, Reaction()), ({"content": ""}, Reaction()), ({"content": 5}, Reaction()),
    ({"_misskey_reaction": 5, "tag": 5}, Reaction()),
]
# fmt: on


@pytest.mark.parametrize(("more", "expected"), REACTIONS)
def test_a_like_keeps_its_emoji_if_it_is_one(more: dict[str, Any], expected: Reaction):
    like = compact.read(orjson.dumps({"type": "Like", "actor": EVE, "object": OTHER} | more))
    assert reading.reaction(like) == expected


def test_the_words_of_a_report_are_plain():
    flag = compact.read(orjson.dumps({"type": "Flag", "content": "<p>Spam &amp; lies</p>"}))
    assert reading.comment(flag) == "Spam & lies"
    assert reading.comment({"type": "Flag"}) == ""
