"""A served user in a few sentences, by a template; or a prompt for a language model, which nothing here calls.

Pure; knows a row of the output and titles of items, and no file, model or clock. The words are in
`engine_runtime.profile.phrases`. What is missing in a row is not spoken of, and a sentence holds no number that is not
the row's, rounded or in another unit. No user id is in what is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine_runtime.errors import UsageError
from engine_runtime.profile.phrases import PHRASES, Phrases
from engine_runtime.profile.wording import HALF, WHOLE, date, line, listed, money, noted, number, percent, ranked

MOST = 5
"""Names in one sentence."""
TITLES = 3
HABIT_FROM = 3
"""Events from which days and hours are a habit."""
WIDE = 0.1
EVEN_DAY, EVEN_PART = 0.2, 0.35
"""Shares of the first day and of the first quarter of the day below which none stands out; 1/7 and 1/4 are even."""
MONTH, YEAR = 365.25 / 12, 365.25

Row = Mapping[str, Any]


def written(
    row: Row,
    *,
    titles: Sequence[str],
    newest: Sequence[str] = (),
    currency: str = "",
    language: str = "en",
) -> list[str]:
    """The profile of a served user, sentence by sentence.

    Parameters
    ----------
    row
        Of the output, of the fields of `engine_runtime.serve.output.schema`; `query`, `concepts` and `user_id` are not
        read.
    titles
        Of the recommended items, best first.
    newest
        Titles of the newest items, newest first.
    currency
        Of what was spent; empty where it is not known.
    language
        As in `engine_runtime.profile.phrases.PHRASES`.

    Raises
    ------
    UsageError
        There are no phrases of that language.
    """
    words = phrases(language)
    said = [*_basics(row["basics"], words), *_activity(row, words)]
    said += _interests(row["interests"], words)
    said += _spending(row["spending"], currency, words)
    said += _items(words.newest, newest, words)
    return said + _items(words.recommended if row["n_events"] else words.popular, titles, words)


def prompt(
    row: Row,
    *,
    titles: Sequence[str],
    newest: Sequence[str] = (),
    currency: str = "",
    language: str = "en",
) -> str:
    """What a language model may be asked, to write the same profile: an instruction, and the facets as JSON.

    Parameters are those of `written`. Vectors and ids, the user's and the items', are not in it.
    """
    words, habits, spending = phrases(language), row["habits"], row["spending"]
    facets = {
        "on_record": {basic["name"]: basic["value"] for basic in row["basics"] if basic["probability"] is None},
        "estimated": [basic for basic in row["basics"] if basic["probability"] is not None],
        "events": row["n_events"],
        "log_ends": row["as_of"] and row["as_of"].isoformat(),
        "habits": habits,
        "interests": row["interests"],
        "spending": spending and {"currency": currency or None, **spending},
        "newest": list(newest),
        "recommended": list(titles),
    }
    return f"{words.instruction}\n{json.dumps(_rounded(facets), ensure_ascii=False, indent=1)}"


def phrases(language: str) -> Phrases:
    """Words of a language; raises `UsageError` where there are none."""
    if language not in PHRASES:
        raise UsageError(f"there are no phrases for the language '{language}'. Known: {', '.join(PHRASES)}.")
    return PHRASES[language]


def _basics(basics: Sequence[Row], words: Phrases) -> list[str]:
    given, guessed = [], []
    for basic in basics:
        attribute = words.attribute.format(basic["name"], basic["value"])
        if basic["probability"] is None:
            given.append(attribute)
        else:
            guessed.append(words.note.format(attribute, words.likely.format(percent(basic["probability"]))))
    said = [words.given.format(listed(given, words))] if given else []
    return [*said, words.guessed.format(listed(guessed, words))] if guessed else said


def _activity(row: Row, words: Phrases) -> list[str]:
    """How many events, of which types, how often, how long ago and when."""
    count, habits = row["n_events"], row["habits"]
    if not count:
        return [words.nothing]
    counted = words.one_event if count == 1 else words.events.format(f"{count:,}")
    kinds = [(words.quoted.format(kind["type"]), kind["share"]) for kind in habits["types"]]
    said = [words.kinds.format(counted, ranked(kinds, words))]
    if len(kinds) == 1:
        said = [words.one_kind.format(counted, kinds[0][0])]
    if habits["days_since_last"] is not None:
        rate, ago = _rate(habits["events_per_week"], words), _ago(habits["days_since_last"], words)
        since = words.once if count == 1 else words.since
        said.append(since.format(rate=rate, ago=ago, date=date(row["as_of"], words)))
        said += [_when(habits, words)] if count >= HABIT_FROM else []
    return said


def _rate(per_week: float, words: Phrases) -> str:
    """Events in the shortest span of a day, week, month or year that has one."""
    scales = ((7.0, words.daily), (1.0, words.weekly), (7 / MONTH, words.monthly))
    for least, phrase in scales:
        if per_week >= least:
            return phrase.format(number(per_week / least))
    return words.yearly.format(number(per_week * YEAR / 7))


def _ago(days: float, words: Phrases) -> str:
    whole = int(days)
    if whole < 2:
        return words.yesterday if whole else words.today
    if whole < 2 * MONTH:
        return words.days_ago.format(whole)
    if whole < 2 * YEAR:
        return words.months_ago.format(round(days / MONTH))
    return words.years_ago.format(round(days / YEAR))


def _when(habits: Row, words: Phrases) -> str:
    days, hours = habits["weekdays"], habits["hours"]
    day = max(range(7), key=lambda candidate: days[candidate])
    parts = [sum(hours[start : start + 6]) for start in range(0, 24, 6)]
    part = max(range(4), key=lambda candidate: parts[candidate])
    hour = max(range(6 * part, 6 * part + 6), key=lambda candidate: hours[candidate])
    on = _degree(days[day], EVEN_DAY, (words.always_on, words.mostly_on, words.often_on, words.any_day))
    if hours[0] > WHOLE:  # all at midnight: the log knows days alone
        return words.active_days.format(on.format(words.weekdays[day]))
    at = _degree(parts[part], EVEN_PART, (words.always_in, words.mostly_in, words.often_in, words.any_hour))
    return words.active.format(on.format(words.weekdays[day]), at.format(words.parts_of_day[part], hour))


def _degree(share: float, even: float, choices: tuple[str, str, str, str]) -> str:
    """One of four phrases: always, mostly, most often, spread."""
    always, mostly, often, spread = choices
    if share > WHOLE:
        return always
    return mostly if share >= HALF else often if share >= even else spread


def _interests(interests: Sequence[Row], words: Phrases) -> list[str]:
    if not interests:
        return []
    named = [(words.quoted.format(line(interest["name"])), interest["weight"]) for interest in interests[:MOST]]
    if named[0][1] < WIDE:
        return [words.wide_interests.format(listed([noted(*one, words) for one in named], words))]
    return [words.interests.format(ranked(named, words))]


def _spending(spending: Row | None, currency: str, words: Phrases) -> list[str]:
    if spending is None:
        return []
    units = spending["quantity"]
    amount = words.one_unit if units == 1 else words.units.format(number(units))
    price = spending["mean_price"]
    mean = "" if price is None else words.mean_price.format(money(price, currency))
    phrase = words.came_back if spending["total"] < 0 else words.spent
    said = [phrase.format(money(spending["total"], currency), amount, mean)]
    bands = [(words.bands[band["band"]], band["share"]) for band in spending["price_bands"]]
    brands = [(words.quoted.format(line(brand["brand"])), brand["share"]) for brand in spending["brands"][:MOST]]
    parts = ((words.prices, bands), (words.brands, brands))
    return said + [phrase.format(ranked(named, words)) for phrase, named in parts if named]


def _items(phrase: str, titles: Sequence[str], words: Phrases) -> list[str]:
    named = [words.quoted.format(line(title)) for title in titles[:TITLES]]
    return [phrase.format(listed(named, words))] if named else []


def _rounded(value: Any) -> Any:
    """JSON's values with three decimals, which is what is known of them."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, Iterable) and not isinstance(value, str) else value
