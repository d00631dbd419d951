"""What one user is told of their interests and recommendations: names, shares and what would be otherwise.

Plain numbers and names, ready for JSON (`dataclasses.asdict`). Knows nothing of models, files or how it is shown.

An item's shares sum to its score, by two splits::

    score = concepts + other_concepts + state + texts + successors + popular + new_item + norm
    score = share of each event + stated + popular + new_item + norm
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PastEvent:
    """An event of the user.

    Attributes
    ----------
    place
        In their history: 1 is the oldest event. Other parts name events by it.
    item_id, title
        What it was about.
    type
        Name of its type.
    time
        In ISO 8601, UTC; None where it is not known.
    """

    place: int
    item_id: str
    title: str
    type: str
    time: str | None


@dataclass(frozen=True)
class InterestPart:
    """What one event adds to the weight of an interest."""

    place: int
    weight: float


@dataclass(frozen=True)
class Interest:
    """A concept of the profile and the events that made it.

    Attributes
    ----------
    concept, name
        Its number and its name.
    weight
        Its part of the whole profile.
    events
        Every event that the model has read, the largest part first; with `stated` they sum to `weight`.
    stated
        What the user has stated.
    """

    concept: int
    name: str
    weight: float
    events: tuple[InterestPart, ...]
    stated: float = 0.0


@dataclass(frozen=True)
class ConceptShare:
    """What an interest adds to an item's score: `weight` is the interest's, `share` is in units of the score."""

    concept: int
    name: str
    weight: float
    share: float


@dataclass(frozen=True)
class EventShare:
    """What an event adds to an item's score, in units of the score.

    Attributes
    ----------
    place
        Of the event.
    share
        The sum of the next four.
    concepts
        Through the interests.
    state
        Through the course of events: what the newest state knows beyond the interests.
    texts
        By likeness of texts.
    successors
        By what others took after it.
    effect
        How much the score falls when the event had not been; 0 for an event that nothing reads. Effects do not sum to
        the score.
    """

    place: int
    share: float
    concepts: float
    state: float
    texts: float
    successors: float
    effect: float


@dataclass(frozen=True)
class RankedItem:
    """An item in a ranking."""

    item_id: str
    title: str
    score: float


@dataclass(frozen=True)
class Without:
    """What would be served if one event had not been, from the history without it.

    Attributes
    ----------
    place
        Of the event that is left out.
    score
        That the explained item would have.
    item_place
        Its place in the ranking, 1 the best; None where it would be beyond the places that were looked at.
    ranking
        The best items, best first.
    """

    place: int
    score: float
    item_place: int | None
    ranking: tuple[RankedItem, ...]


@dataclass(frozen=True)
class Reason:
    """Why an item has its score.

    Attributes
    ----------
    item_id, title
        The item.
    place
        In the ranking as served, 1 the best; None for an item that is not in it.
    score
        As served.
    concepts, other_concepts
        Shares of the concepts that matter most, the largest first, and the sum of all others.
    state
        Share of the course of events, the newest state.
    texts
        Share of likeness to the texts of the newest events.
    successors
        Share of what others took after the newest events.
    popular
        Share of what is popular, for a user of whom nothing else is known.
    new_item
        The bonus of an item that training has not seen.
    norm
        What the item would have without any event: the constant of the model.
    events
        Shares of the events, the largest first; those that add nothing are left out.
    without
        The ranking without one event, that of the largest share if none was chosen; None where there is no event.
    stated
        Share of what the user has stated of the interests; a part of their shares.
    """

    item_id: str
    title: str
    place: int | None
    score: float
    concepts: tuple[ConceptShare, ...]
    other_concepts: float
    state: float
    texts: float
    successors: float
    popular: float
    new_item: float
    norm: float
    events: tuple[EventShare, ...]
    without: Without | None
    stated: float = 0.0


@dataclass(frozen=True)
class Explanation:
    """One user, explained.

    Attributes
    ----------
    user_id
        As the data set names them.
    precision
        Variant of the model.
    n_events
        Length of the history.
    events
        Those that the other parts name, oldest first.
    interests
        The strongest first.
    items
        The best first.
    """

    user_id: str
    precision: str
    n_events: int
    events: tuple[PastEvent, ...]
    interests: tuple[Interest, ...]
    items: tuple[Reason, ...]
