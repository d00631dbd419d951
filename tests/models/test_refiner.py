"""The refiner: what its states may see, and what its profile is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine_models.refiner import Dropout, Refiner
from engine_runtime.artefacts.run import RefinerShape

LONGEST = 12
SHAPE = RefinerShape(12, 8, 16, 2, 4, LONGEST, 3, 10)
Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    torch.manual_seed(0)
    made = Refiner(SHAPE, 0.5).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.3)
        made.centres.normal_()
    return made


def histories(*lengths: int, width: int = LONGEST, seed: int = 1) -> Inputs:
    """Random histories, with noise where padding is."""
    torch.manual_seed(seed)
    rows = len(lengths)
    mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).float()
    types = torch.randint(SHAPE.n_types, (rows, width))
    return torch.randn(rows, width, SHAPE.dim), types, torch.randn(rows, width), torch.randn(rows, width), mask


def close(one: Tensor, other: Tensor) -> bool:
    """Equal to 1e-5."""
    return torch.allclose(one, other, rtol=0, atol=1e-5)


def cut(inputs: Inputs, rows: slice, length: int) -> Inputs:
    """Some rows' first `length` events."""
    vectors, types, values, gaps, mask = (part[rows, :length] for part in inputs)
    return vectors, types, values, gaps, mask


@torch.no_grad()
def test_prefix_has_the_states_it_had(refiner: Refiner) -> None:
    """What stands after event t is the same whether or not the history goes on after it."""
    inputs = histories(LONGEST, LONGEST)
    whole = refiner.states(*inputs)
    for length in range(1, LONGEST):
        shorter = refiner.states(*cut(inputs, slice(None), length))
        assert all(close(part, long[:, :length]) for part, long in zip(shorter, whole, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("which", range(4))
def test_no_state_sees_the_future(refiner: Refiner, which: int) -> None:
    """Changing an event changes its own state and nothing before it."""
    inputs = list(histories(LONGEST))
    before = refiner.states(*inputs)
    inputs[which] = inputs[which].clone()
    inputs[which][:, 6] = (inputs[which][:, 6] + 1) % 3
    after = refiner.states(*inputs)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[:, :6], new[:, :6])
        assert not close(old[:, 6], new[:, 6])


@torch.no_grad()
def test_padding_does_not_matter(refiner: Refiner) -> None:
    """A history gives the same with no padding, more of it, or noise in it."""
    inputs = histories(5)
    query, profile, concepts = refiner(*inputs)
    bare = refiner(*cut(inputs, slice(None), 5))
    assert close(query, bare[0])
    assert close(profile, bare[1])
    assert close(concepts[:, :5], bare[2])
    noisy = (inputs[0] + 9 * (1 - inputs[4][..., None]), *inputs[1:])
    assert all(torch.equal(one, other) for one, other in zip(refiner(*noisy)[:2], (query, profile), strict=True))


@torch.no_grad()
def test_rows_of_a_batch_do_not_meet(refiner: Refiner) -> None:
    """A user's query and profile are those of the user alone."""
    inputs = histories(3, 12, 1, 7)
    together = refiner(*inputs)
    for row in range(4):
        alone = refiner(*cut(inputs, slice(row, row + 1), LONGEST))
        assert all(close(part[row], one[0]) for part, one in zip(together, alone, strict=True))


@torch.no_grad()
def test_profile_is_the_mean_of_the_distributions(refiner: Refiner) -> None:
    """z_u is the plain mean of p'_1 .. p'_T, each of which sums to 1, and so does z_u."""
    inputs = histories(9, 4, 1)
    _, profile, concepts = refiner(*inputs)
    for row, length in enumerate((9, 4, 1)):
        assert close(concepts[row, :length].sum(-1), torch.ones(length))
        assert close(profile[row], concepts[row, :length].mean(0))
        assert close(profile[row].sum(), torch.ones(()))
    assert bool((concepts >= 0).all())


@torch.no_grad()
def test_profile_is_the_mean_at_every_step(refiner: Refiner) -> None:
    """z_t is the mean up to event t, and the result is what stands after the last event."""
    inputs = histories(9, 4)
    queries, profiles, concepts = refiner.states(*inputs)
    for step in range(4):
        assert close(profiles[:, step], concepts[:, : step + 1].mean(1))
    query, profile, _ = refiner(*inputs)
    assert torch.equal(query, torch.stack((queries[0, 8], queries[1, 3])))
    assert torch.equal(profile, torch.stack((profiles[0, 8], profiles[1, 3])))


@torch.no_grad()
def test_history_without_events_is_finite(refiner: Refiner) -> None:
    """A row that is padding throughout gives an empty profile and no NaN."""
    query, profile, concepts = refiner(*histories(0, 3))
    assert not profile[0].any()
    assert all(bool(part.isfinite().all()) for part in (query, profile, concepts))


@torch.no_grad()
def test_order_matters(refiner: Refiner) -> None:
    """The query of a history read backwards is another one."""
    inputs = histories(6, width=6)
    vectors, types, values, gaps, mask = (part.flip(1) for part in inputs)
    assert not close(refiner(*inputs)[0], refiner(vectors, types, values, gaps, mask)[0])


def test_everything_learns(refiner: Refiner) -> None:
    """Every weight of the refiner gets a gradient from the query, but for the scale that the profile's own loss has."""
    refiner.zero_grad()
    refiner.states(*histories(9, 4))[0].square()[..., 0].sum().backward()  # type: ignore[no-untyped-call]
    assert [name for name, weight in refiner.named_parameters() if weight.grad is None] == ["log_longing"]


def test_the_profile_s_loss_leaves_the_states_alone(refiner: Refiner) -> None:
    """What the profile alone would ask for teaches the decoder and both scales, and nothing before them."""
    inputs = histories(9, 4)
    refiner.zero_grad()
    longing = refiner.longing(refiner.encode(*inputs), inputs[-1])
    longing.square().sum().backward()  # type: ignore[no-untyped-call]
    learned = {name for name, weight in refiner.named_parameters() if weight.grad is not None}
    assert learned == {"decoder.weight", "log_scale", "log_longing"}
    profile = refiner.states(*inputs)[1]
    assert close(longing, refiner.log_longing.exp() * (profile @ refiner.centres))


def test_dropout_keeps_the_mean() -> None:
    """In training a share of the elements is zero and the rest scaled up; otherwise nothing changes."""
    dropout = Dropout(0.25)
    inputs = torch.ones(1000, 333)
    torch.manual_seed(0)
    dropped = dropout(inputs)
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.005
    assert abs(float(dropped.mean()) - 1) < 0.01
    assert len(dropped.unique()) == 2
    assert torch.equal(dropout.eval()(inputs), inputs)
    assert torch.equal(Dropout(0.0)(inputs), inputs)


def test_dropout_repeats_with_the_seed() -> None:
    """The same seed drops the same elements, another one others; neighbours fall independently of one another."""

    def drop(seed: int) -> Tensor:
        torch.manual_seed(seed)
        dropped: Tensor = Dropout(0.5)(torch.ones(64, 129)) > 0
        return dropped.float()

    assert torch.equal(drop(1), drop(1))
    kept = drop(2).flatten()
    assert abs(float((drop(1).flatten() * kept).mean()) - 0.25) < 0.03
    assert all(abs(float((kept[shift:] * kept[:-shift]).mean()) - 0.25) < 0.03 for shift in range(1, 10))
