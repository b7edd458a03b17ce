"""Numbers and moments in words, charts as figures, and the shelf of fragments."""

import pytest

from fediblog import moments
from fediblog.remembering import Shelf
from fediblog.services.views import Ballot, MediaView, PollView
from fediblog.web import charts, lines, words

pytestmark = pytest.mark.once

NOON = 1_795_435_200_000  # 23 November 2026, 12:00 UTC


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (-5000, "now"),
        (0, "now"),
        (59_000, "now"),
        (60_000, "1m"),
        (59 * moments.MINUTE, "59m"),
        (moments.HOUR, "1h"),
        (23 * moments.HOUR, "23h"),
        (moments.DAY, "1d"),
        (6 * moments.DAY, "6d"),
        (7 * moments.DAY, "16 Nov"),
        (400 * moments.DAY, "19 Oct 2025"),
    ],
)
def test_how_long_ago(age: int, said: str):
    assert words.ago(NOON - age, NOON) == said


def test_moments_in_full():
    assert words.exact(NOON) == "23 November 2026, 12:00 UTC"
    assert words.date(NOON) == "23 November 2026"
    assert words.rfc822(NOON) == "Mon, 23 Nov 2026 12:00:00 +0000"


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, ""), (-1, ""), (7, "7"), (9999, "9,999"), (10_000, "10k"), (12_345, "12.3k"), (3_400_000, "3.4M")],
)
def test_counts_are_short(number: int, said: str):
    assert words.short(number) == said


def test_plurals_and_spans():
    assert (words.plural(1, "vote"), words.plural(1204, "vote")) == ("1 vote", "1,204 votes")
    assert words.plural(2, "person", "people") == "2 people"
    assert [words.span(time) for time in (1, moments.HOUR, 5 * moments.DAY)] == [
        "a minute",
        "1 hour",
        "5 days",
    ]


@pytest.mark.parametrize(
    ("name", "letter"), [("mira", "M"), ("  élan", "É"), ("🌿 Lucia", "L"), ("🌿", "?"), ("ß", "S")]
)
def test_the_letter_on_a_tile(name: str, letter: str):
    assert words.initial(name) == letter


@pytest.mark.parametrize(
    ("x", "y", "classes"),
    [(None, None, ""), (0.0, 0.0, ""), (-1.0, 1.0, " x0 y0"), (1.0, -1.0, " x4 y4"), (0.5, 0.1, " x3")],
)
def test_focal_points_become_classes(x: float | None, y: float | None, classes: str):
    file = MediaView(
        *(1, "image", "ready", "", "", "", "", "", "", x, y, 4, 3, None, None, None, None, None, "")
    )
    assert words.focus(file) == classes


# ---------------------------------------------------------------------------------------------------- charts


def test_bars_stand_on_the_line_and_fit_into_the_picture():
    chart = charts.bars("Posts", [(20_000 + day, day % 7) for day in range(30)])
    base = max(mark.at for mark in chart.levels)
    for bar in chart.bars:
        assert bar.y + bar.height == pytest.approx(base, abs=0.02)
        assert bar.y >= 0 and bar.x + bar.width <= charts.WIDTH
    assert len(chart.bars) == sum(1 for day in range(30) if day % 7)
    assert chart.figure == str(sum(day % 7 for day in range(30)))


@pytest.mark.parametrize("most", [0, 1, 2, 3, 4, 5, 9, 10, 11, 99, 100, 101, 12_345, 10**9])
def test_the_scale_has_two_to_four_lines_and_holds_the_highest(most: int):
    chart = charts.bars("Posts", [(1, most)])
    lowest = min(mark.at for mark in chart.levels)
    assert all(bar.y >= lowest - 0.01 for bar in chart.bars)
    assert 2 <= len(chart.levels) <= 5
    assert chart.levels[0].words == "0"


def test_a_chart_says_in_words_what_it_shows():
    assert charts.bars("Posts", []).summary == "Posts: none on any of these days."
    assert charts.bars("Posts", [(1, 0)]).summary == "Posts: none on any of these days."
    best = charts.bars("Posts", [(20_000, 2), (20_001, 5)]).summary
    assert best == "Posts on 2 days: 7 in all, most on 5 October 2024 with 5."
    people = charts.bars("Active people", [(20_000, 2), (20_001, 5)], summed=False)
    assert (people.figure, "in all" in people.summary) == ("up to 5", False)


# ---------------------------------------------------------------------------------------------- polls, shelf


def test_shares_of_a_poll_are_those_of_votes_or_of_people():
    one = PollView(False, False, None, ("a", "b"))
    many = PollView(True, False, None, ("a", "b"))
    ballot = Ballot([3, 1], 3, False, [1])

    single = lines.question(one, ballot, None, False, 0)
    multiple = lines.question(many, ballot, None, False, 0)
    assert single is not None and [choice.percent for choice in single.choices] == [75, 25]
    assert multiple is not None and [choice.percent for choice in multiple.choices] == [100, 33]
    assert [choice.chosen for choice in single.choices] == [False, True]
    empty = lines.question(one, Ballot([0, 0], 0, False, None), None, False, 0)
    assert empty is not None and [choice.percent for choice in empty.choices] == [0, 0]


def test_a_shelf_lets_go_of_what_was_used_least():
    shelf: Shelf[str] = Shelf(10)
    for number in range(3):
        shelf.put((number, 1), str(number), 3)
    assert shelf.find([(0, 1)]) == {0: "0"}
    shelf.put((3, 1), "3", 4)
    assert shelf.find([(number, 1) for number in range(4)]) == {0: "0", 2: "2", 3: "3"}
    assert shelf.find([(0, 2)]) == {}
