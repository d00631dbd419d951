"""How much texts and successions weigh beside the model: fitted on validation events once the model is trained.

Knows trainers, item tables and questions; knows nothing of how a fusion is searched for, nor of what becomes of it.
"""

from __future__ import annotations

import numpy as np
import torch

from engine_models.cold import item_table, rehearsal, rehearsed_table
from engine_models.corpus import Corpus
from engine_models.fitting import Questions, fit_bonus, fit_fusion
from engine_models.queries import last_queries
from engine_models.split import drawn
from engine_models.trainer import Trainer
from engine_runtime.artefacts.run import Fusion
from engine_runtime.search.index import ExactIndex, Floats
from engine_runtime.search.newcomers import Newcomers, lend_successors
from engine_runtime.search.successors import SuccessorTable

FITTED_USERS = 10_000
# Users times items that one try of the fusion ranks at most: 65 tries of half a billion take some minutes.
FITTED_PAIRS = 500_000_000
LEAST_FITTED = 2_000


def fuse(
    trainer: Trainer, corpus: Corpus, table: SuccessorTable, vectors: Floats, newcomers: Newcomers
) -> tuple[Fusion, dict[str, float]]:
    """The fusion fitted on validation events of a sample of users, its bonus on a rehearsal.

    Parameters
    ----------
    trainer
        At the end of its training.
    corpus
        That it learned from.
    table
        Successors of the items that were learned.
    vectors, newcomers
        As `engine_models.cold.item_table` gives them: float32 [items, d + w].

    Returns
    -------
    fusion : Fusion
    metrics : dict
        Of the validation events, ranked with it.
    """
    trained, seed = corpus.popularity > 0, trainer.settings.seed
    index = ExactIndex(vectors, corpus.rankable)
    asked = _questions(trainer, corpus, vectors)
    fusion, metrics = fit_fusion(asked, index, lend_successors(table, newcomers))
    taken, away = rehearsal(trained, seed + 1)
    pretended, unknown = item_table(trainer.model, trainer.material.white, trained & ~taken)
    asked = _questions(trainer, corpus, pretended)
    index = ExactIndex(pretended, corpus.rankable & ~away)
    return fit_bonus(asked, index, rehearsed_table(table, unknown), fusion, ~trained | taken), metrics


@torch.inference_mode()
def _questions(trainer: Trainer, corpus: Corpus, vectors: Floats) -> Questions:
    """The validation events of a sample of users, asked for with the given item vectors."""
    split = corpus.split
    most = min(FITTED_USERS, max(LEAST_FITTED, FITTED_PAIRS // len(vectors)))
    sample = drawn(len(split.users), most, trainer.settings.seed)
    users, valid = split.users[sample], split.valid[sample]
    events, first = trainer.material.events, split.histories.offsets[users]
    dim = trainer.model.refiner.shape.dim
    learned = torch.from_numpy(np.ascontiguousarray(vectors[:, :dim])).to(events.items.device)
    query = last_queries(trainer.model.refiner, learned, events, first, valid).cpu().numpy()
    return Questions(query, corpus.seen(users, valid), vectors[:, dim:], split.histories.items[valid])
