"""Items that training has not seen."""

from __future__ import annotations

import numpy as np
import torch

import tiny
from engine_models.cold import draw, item_table, rehearsal, rehearsed_table
from engine_models.model import ProfileModel
from engine_runtime.search.newcomers import find_newcomers


def test_an_item_table_is_what_an_index_has() -> None:
    """Trained items have their own residual, new ones their neighbours', whatever stands in their own row."""
    torch.manual_seed(0)
    model = ProfileModel(tiny.SHAPE, 12).eval()
    torch.nn.init.normal_(model.head.residual)
    white = torch.randn(12, tiny.SHAPE.white_dim)
    trained = np.arange(12) % 3 > 0
    vectors, newcomers = item_table(model, white, trained)
    texts, residuals = model.head(white).detach().numpy(), model.head.residual.detach().numpy()
    vectors, directions = vectors[:, : tiny.SHAPE.dim], vectors[:, tiny.SHAPE.dim :]
    assert np.allclose(directions, white / white.norm(dim=1, keepdim=True), atol=1e-6)
    assert np.allclose(vectors[trained], (texts + residuals)[trained], atol=1e-6)
    assert newcomers.items.tolist() == [0, 3, 6, 9]
    assert np.allclose(vectors[~trained], texts[~trained] + newcomers.borrowed(residuals), atol=1e-6)
    assert not set(newcomers.neighbours.ravel().tolist()) & {0, 3, 6, 9}


def test_drawing_is_of_the_given_items_and_by_the_seed() -> None:
    """A share of the mask, the same for the same seed; nothing for a share of 0."""
    among = np.arange(100) % 2 == 0
    drawn = draw(among, 0.1, 3)
    assert drawn.sum() == 5
    assert not (drawn & ~among).any()
    assert np.array_equal(drawn, draw(among, 0.1, 3))
    assert not np.array_equal(drawn, draw(among, 0.1, 4))
    assert not draw(among, 0.0, 3).any()


def test_a_rehearsal_forgets_what_was_counted_of_its_items() -> None:
    """A row of an item taken for new is empty, and in other rows it has what its neighbours lend, not its own."""
    texts = np.array([[1, 0], [0, 1], [1, 0.1], [-1, -1]], np.float32)
    newcomers = find_newcomers(texts, np.arange(4) != 2)
    table = tiny.table_of([{2: 9.0}, {0: 1.0}, {1: 1.0}, {}, {0: 1.0, 2: 5.0}])
    found = rehearsed_table(table, newcomers)
    rows = [
        dict(zip(found.items[a:b].tolist(), found.weights[a:b].tolist(), strict=True))
        for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)
    ]
    assert rows[0] == rows[2] == rows[3] == {}
    assert rows[1][0] == 1.0
    assert 0.9 < rows[1][2] <= 1.0
    assert rows[4] == {0: 1.0}


def test_a_rehearsal_has_as_many_new_items_as_there_will_be() -> None:
    """For each trained item that is taken for new, a really new one stays away, while there are any."""
    for n_new in (0, 3, 10, 60):
        trained = np.arange(200) >= n_new
        taken, away = rehearsal(trained, 1)
        assert taken.sum() == round(0.05 * trained.sum())
        assert away.sum() == min(taken.sum(), n_new)
        assert not (taken & ~trained).any()
        assert not (away & trained).any()
