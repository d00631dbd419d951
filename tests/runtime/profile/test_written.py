"""The written profile: sentences and a prompt from rows that are made here."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest

from engine_runtime.errors import UsageError
from engine_runtime.profile.phrases import PHRASES
from engine_runtime.profile.written import prompt, written

EVENING = [0.0] * 9 + [0.3] + [0.0] * 10 + [0.4, 0.3] + [0.0] * 2
FULL: dict[str, Any] = {
    "user_id": "secret-17",
    "query": [0.123456],
    "concepts": [0.654321],
    "n_events": 53,
    "as_of": datetime(2011, 12, 9, 12, 50, tzinfo=UTC),
    "basics": [
        {"name": "country", "value": "France", "probability": None},
        {"name": "age", "value": "25-34", "probability": 0.683},
    ],
    "habits": {
        "hours": EVENING,
        "weekdays": [0.0, 0.0, 0.0, 0.6, 0.2, 0.2, 0.0],
        "days_since_last": 3.2,
        "events_per_week": 2.13,
        "types": [{"type": "purchase", "share": 0.92}, {"type": "return", "share": 0.08}],
    },
    "interests": [
        {"name": "wedding, save", "weight": 0.34},
        {"name": "tea, cup", "weight": 0.12},
        {"name": "bag", "weight": 0.03},
    ],
    "spending": {
        "total": 1234.5,
        "quantity": 532.0,
        "mean_price": 2.32,
        "price_bands": [{"band": "low", "share": 0.8}, {"band": "middle", "share": 0.2}],
        "brands": [{"brand": "Acme", "share": 1.0}],
    },
    "recommendations": [{"item_id": "i-1", "score": 1.0}],
}
SINCE = (
    "On average since the first event there were about 2.1 a week; "
    "the last was 3 days before the log ends on 9 December 2011."
)
UNTIMED = {"hours": None, "weekdays": None, "days_since_last": None, "events_per_week": None}
EMPTY = FULL | {
    "n_events": 0,
    "as_of": None,
    "basics": [],
    "habits": UNTIMED | {"types": []},
    "interests": [],
    "spending": None,
}


def with_habits(count: int = 53, **changed: Any) -> dict[str, Any]:
    """The full row with other habits."""
    return FULL | {"n_events": count, "habits": FULL["habits"] | changed}


def activity(row: dict[str, Any]) -> list[str]:
    """Sentences on events alone."""
    return written(row | {"basics": [], "interests": [], "spending": None}, titles=())


def test_a_whole_profile_in_english() -> None:
    """Each facet has its sentences, in plain words and rounded numbers."""
    assert written(FULL, titles=["A", "B", "C", "D"], newest=["M\n1"], currency="GBP") == [
        "On record: country France.",
        "Estimated, not on record: age 25-34 (68% likely).",
        '53 events of this user are known: mostly "purchase" (92%), also "return" (8%).',
        SINCE,
        "Active mostly on Thursdays, and mostly in the evening, around 20:00 UTC.",
        'Interests are above all "wedding, save" (34%), also "tea, cup" (12%), and a little "bag" (3%).',
        "Spent 1,234.50 GBP in all on 532 units, returns deducted; a unit cost 2.32 GBP on average.",
        "Prices are mostly low (80%), also middling (20%).",
        'Brands by money spent: only "Acme".',
        'The newest events were on "M 1".',
        'Recommended next: "A", "B" and "C".',
    ]


def test_a_whole_profile_in_chinese() -> None:
    """The same in Chinese, with its own marks; keywords stand as they are."""
    assert written(FULL, titles=["A", "B", "C"], newest=["M"], currency="GBP", language="zh") == [
        "已登记的信息：country 为 France。",
        "未登记、由行为估计的信息：age 为 25-34（可能性 68%）。",
        "该用户有 53 条行为记录：以“purchase”（92%）为主，也有“return”（8%）。",
        "自首次行为起平均每周约 2.1 次，最近一次在记录截止日（2011 年 12 月 9 日）前 3 天。",
        "活跃时间多在周四，多在晚上，约 20 点（UTC）。",
        "兴趣首先是“wedding, save”（34%），也有“tea, cup”（12%），还略有“bag”（3%）。",
        "共消费 1,234.50 GBP，购买 532 件（已扣除退货），平均单价 2.32 GBP。",
        "价位以低价位（80%）为主，也有中等价位（20%）。",
        "按花费计的品牌：只有“Acme”。",
        "最近的行为涉及“M”。",
        "接下来推荐“A”、“B”和“C”。",
    ]


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("en", "No events of this user are known.", 'Recommended for now, because it is popular: "A".'),
        ("zh", "没有该用户的行为记录。", "暂时推荐热门的“A”。"),
    ],
)
def test_a_user_without_events(language: str, first: str, second: str) -> None:
    """Of whom nothing is known is said so, and that what is recommended is popular."""
    assert written(EMPTY, titles=["A"], language=language) == [first, second]


def test_what_is_missing_is_not_spoken_of() -> None:
    """Without times, prices, brands, attributes and titles no sentence is made of them."""
    bare = EMPTY | {"n_events": 2, "habits": UNTIMED | {"types": [{"type": "view", "share": 1.0}]}}
    assert written(bare, titles=[]) == ['2 events of this user are known, of type "view".']
    returned = FULL["spending"] | {"total": -5.0, "quantity": -1.0, "mean_price": None, "price_bands": [], "brands": []}
    assert written(bare | {"spending": returned}, titles=[])[1:] == [
        "More was returned than bought: -5.00 in all on -1 units."
    ]


def test_few_events_are_no_habit() -> None:
    """Of one event is said when it was; of two no days and hours."""
    assert activity(with_habits(1, days_since_last=0.2)) == [
        'One event of this user is known: mostly "purchase" (92%), also "return" (8%).',
        "It was less than a day before the log ends on 9 December 2011.",
    ]
    assert len(activity(with_habits(2))) == 2
    assert len(activity(with_habits(3))) == 3


@pytest.mark.parametrize(
    ("per_week", "said"),
    [
        (900.0, "about 129 a day"),
        (7.0, "about 1 a day"),
        (1.5, "about 1.5 a week"),
        (0.5, "about 2.2 a month"),
        (0.1, "about 5.2 a year"),
    ],
)
def test_how_often(per_week: float, said: str) -> None:
    """A rate is told by the shortest span that has an event."""
    assert said in activity(with_habits(events_per_week=per_week))[1]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0.9, "less than a day before"),
        (1.9, "was one day before"),
        (59.9, "59 days before"),
        (90.0, "about 3 months before"),
        (800.0, "about 2 years before"),
    ],
)
def test_how_long_ago(days: float, said: str) -> None:
    """Recency is told in days, then months, then years."""
    assert said in activity(with_habits(days_since_last=days))[1]


def test_when() -> None:
    """One day or part of the day alone, the first of several, or none that stands out."""
    even = [1 / 24] * 24
    one_day = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert activity(with_habits(hours=even, weekdays=[1 / 7] * 7))[2] == (
        "Active over the whole week, and around the clock."
    )
    assert activity(with_habits(hours=[0.0] * 3 + [1.0] + [0.0] * 20, weekdays=one_day))[2] == (
        "Active only on Wednesdays, and only at night, around 3:00 UTC."
    )
    morning = [0.0] * 8 + [0.4] + [0.0] * 5 + [0.3] + [0.0] * 4 + [0.3] + [0.0] * 4
    assert activity(with_habits(hours=morning, weekdays=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.0]))[2] == (
        "Active most often on Mondays, and most often in the morning, around 8:00 UTC."
    )


def test_wide_interests() -> None:
    """Where no interest stands out, the first are listed as equals; no more than five are named."""
    many = [{"name": f"n{place}", "weight": 0.09 - place / 100} for place in range(7)]
    said = written(EMPTY | {"interests": many}, titles=[])[1]
    assert (
        said == 'Interests are spread widely; the first are "n0" (9%), "n1" (8%), "n2" (7%), "n3" (6%) and "n4" (5%).'
    )


def test_shares_near_none_and_all() -> None:
    """What is hardly there is not 0 %, and what is nearly all is not 100 %."""
    types = [{"type": "view", "share": 0.998}, {"type": "buy", "share": 0.002}]
    assert activity(with_habits(types=types))[0] == (
        '53 events of this user are known: mostly "view" (>99%), and a little "buy" (<1%).'
    )


@pytest.mark.parametrize("language", list(PHRASES))
def test_a_prompt_has_the_facets_and_no_id(language: str) -> None:
    """The prompt is an instruction and JSON of what the sentences say; ids and vectors are not in it."""
    asked = prompt(FULL, titles=["A"], newest=["茶"], currency="GBP", language=language)
    assert asked.startswith(PHRASES[language].instruction)
    facets = json.loads(asked.removeprefix(PHRASES[language].instruction))
    assert facets["on_record"] == {"country": "France"}
    assert facets["estimated"] == [{"name": "age", "value": "25-34", "probability": 0.683}]
    assert (facets["events"], facets["log_ends"]) == (53, "2011-12-09T12:50:00+00:00")
    assert facets["spending"] == {"currency": "GBP"} | FULL["spending"]
    assert (facets["interests"], facets["newest"], facets["recommended"]) == (FULL["interests"], ["茶"], ["A"])
    assert facets["habits"] == FULL["habits"]
    assert not [hidden for hidden in ("secret-17", "i-1", "0.123", "0.654") if hidden in asked]


def test_a_prompt_of_a_user_without_events() -> None:
    """What is not known is null or empty."""
    facets = json.loads(prompt(EMPTY, titles=[]).removeprefix(PHRASES["en"].instruction))
    assert (facets["events"], facets["spending"], facets["log_ends"], facets["interests"]) == (0, None, None, [])


def test_no_id_is_written() -> None:
    """No sentence holds the user's id or an item's."""
    for language in PHRASES:
        assert not [
            said for said in written(FULL, titles=["A"], language=language) if "secret" in said or "i-1" in said
        ]


def test_an_unknown_language() -> None:
    """A language without phrases is a usage error that names those there are."""
    with pytest.raises(UsageError, match=r"language 'fr'\. Known: en, zh"):
        written(FULL, titles=[], language="fr")


def test_languages_take_the_same_things() -> None:
    """A phrase has as many places in one language as in the other."""

    def places(phrase: Any) -> list[str]:
        return sorted(str(name) for _, name, _, _ in string.Formatter().parse(phrase) if name is not None)

    english, chinese = (vars(words) for words in PHRASES.values())
    for name, phrase in english.items():
        if isinstance(phrase, str) and name != "instruction":
            assert places(phrase) == places(chinese[name]), name
        else:
            assert len(phrase) == len(chinese[name]) or name == "instruction"


def test_a_log_of_days_says_nothing_of_hours() -> None:
    """Where all events are at midnight the log knows days alone: no hour is made a habit."""
    said = activity(with_habits(hours=[1.0] + [0.0] * 23))
    assert any(sentence.startswith("Active ") for sentence in said)
    assert not any("UTC" in sentence for sentence in said)
