"""Softmax losses: what they are, and what sampling leaves of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from engine_models.losses import full_softmax, sampled_softmax

ROWS, ITEMS, WIDTH = 40, 300, 16


@pytest.fixture
def tensors() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(ROWS, WIDTH), torch.randn(ITEMS, WIDTH) * 0.3, torch.randint(ITEMS, (ROWS,))


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_full_softmax_is_the_cross_entropy(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    """The loss is the mean of minus the log of the target's share."""
    queries, items, targets = tensors
    share = torch.softmax(queries @ items.T, 1)[torch.arange(ROWS), targets]
    assert torch.allclose(full_softmax(queries, items, targets, bfloat16=False), -share.log().mean(), atol=1e-5)


def test_bfloat16_is_near(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    """A product in bfloat16 changes the loss by less than a hundredth."""
    exact, rounded = (full_softmax(*tensors, bfloat16=bfloat16) for bfloat16 in (False, True))
    assert rounded.dtype == torch.float32
    assert abs(float(exact - rounded)) < 0.01


def test_sampling_all_items_is_the_full_softmax(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    """With every item a negative once, the sampled loss and its gradient are the full ones."""
    queries, items, targets = (part.clone() for part in tensors)
    queries.requires_grad_()
    (full,) = torch.autograd.grad(full_softmax(queries, items, targets, bfloat16=False), queries)
    loss = sampled_softmax(queries, items, targets, torch.arange(ITEMS))
    assert torch.allclose(loss, full_softmax(queries, items, targets, bfloat16=False), atol=1e-5)
    (sampled,) = torch.autograd.grad(loss, queries)
    assert torch.allclose(full, sampled, atol=1e-6)


def test_sampling_estimates_the_full_softmax(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    """The loss over a third of the items is on average that over all, up to the log's small bias."""
    draws = [float(sampled_softmax(*tensors, torch.randint(ITEMS, (100,)))) for _ in range(200)]
    full = float(full_softmax(*tensors, bfloat16=False))
    assert abs(sum(draws) / len(draws) - full) < 0.03


def test_a_target_is_no_negative(tensors: tuple[Tensor, Tensor, Tensor]) -> None:
    """Negatives that are all the row's own target leave nothing to tell it from."""
    queries, items, _ = tensors
    targets = torch.full((ROWS,), 7)
    assert float(sampled_softmax(queries, items, targets, torch.full((9,), 7))) == pytest.approx(0, abs=1e-6)


def test_gradients_repeat_with_several_threads(two_threads: None) -> None:
    """The gradient of sampled items is the same bit for bit however the threads are timed."""
    torch.manual_seed(0)
    queries, targets = torch.randn(4000, 64), torch.randint(50, (4000,))
    negatives = torch.randint(50, (1024,))

    def gradient() -> Tensor:
        items = torch.ones(50, 64, requires_grad=True)
        sampled_softmax(queries, items * 0.1, targets, negatives).backward()  # type: ignore[no-untyped-call]
        assert items.grad is not None
        return items.grad

    first = gradient()
    assert all(torch.equal(first, gradient()) for _ in range(8))
