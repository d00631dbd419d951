"""How well text vectors alone rank a data set's next items: the measure that a change of the encoder is held to.

Knows histories and vectors; knows nothing of encoders. Each held-out user's validation event is asked for; the query is
the mean of the whitened vectors of the events before it, the newest counting most; every item is ranked, those seen are
masked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine_models.baselines import rank_near
from engine_models.corpus import Corpus, evenly
from engine_models.head import fit_whitening
from engine_models.metrics import Doubles, per_user, places
from engine_models.settings import TrainSettings
from engine_runtime.search.fusion import Seen

METRIC = "ndcg@10"


@dataclass(frozen=True)
class TextQuestions:
    """What text vectors are asked.

    Attributes
    ----------
    texts
        Of the items.
    rankable
        bool [items].
    seen
        What each user met before.
    targets
        int32 [users]: the item that followed.
    """

    texts: list[str]
    rankable: npt.NDArray[np.bool_]
    seen: Seen
    targets: npt.NDArray[np.int32]


def text_questions(corpus: Corpus, most_users: int) -> TextQuestions:
    """Questions on a data set; where there are more users, some of them, chosen evenly.

    Users with fewer than three events to learn are not asked; there may be none left.
    """
    split = corpus.split
    asked = evenly(len(split.users), most_users)
    targets = split.histories.items[split.valid[asked]]
    return TextQuestions(corpus.texts, corpus.rankable, corpus.seen(split.users[asked], split.valid[asked]), targets)


def answer(questions: TextQuestions, vectors: npt.NDArray[np.float32]) -> Doubles:
    """NDCG@10 of each user by text vectors, float32 [items, dim], whitened as training does it: float64 [users]."""
    if not len(questions.targets):
        return np.zeros(0)
    mean, matrix = fit_whitening(vectors, min(TrainSettings.white_dim, vectors.shape[1]))
    white = np.asarray((vectors - mean) @ matrix, np.float32)
    lists = rank_near(white, questions.rankable, questions.seen)
    return per_user(places(lists, questions.targets))[METRIC]
