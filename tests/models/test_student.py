"""What a student keeps of its teacher."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch
import transformers
from torch import Tensor, nn

from engine_models.student import StudentShape, feed_forward, initial_student, student_shape, transformer_layers
from engine_runtime.errors import InputError

library: Any = transformers  # it has no annotations


def teacher(n_layers: int = 4, neurons: int = 192) -> Any:
    """A small BERT with random weights."""
    torch.manual_seed(0)
    config = library.BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=n_layers,
        num_attention_heads=2,
        intermediate_size=neurons,
        max_position_embeddings=20,
    )
    return library.BertModel(config).eval()


def tokens() -> tuple[Tensor, Tensor]:
    """Two texts, the second of which is padded."""
    ids = torch.randint(1, 40, (2, 6), generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[1] * 6, [1] * 4 + [0] * 2])
    return ids, mask


def states(encoder: Any) -> Tensor:
    """Last states of the two texts."""
    ids, mask = tokens()
    with torch.no_grad():
        return cast(Tensor, encoder(input_ids=ids, attention_mask=mask).last_hidden_state)


def test_layers_are_spread_from_first_to_last() -> None:
    """Half of four layers are the first and the last; a third of the neurons is rounded to whole registers."""
    assert student_shape(teacher(), 1 / 2, 1 / 3) == StudentShape((0, 3), 64)
    assert student_shape(teacher(), 0.01, 0.01) == StudentShape((0,), 64)
    assert student_shape(teacher(neurons=32), 1, 1) == StudentShape((0, 1, 2, 3), 32)


def test_whole_shape_is_the_teacher() -> None:
    """A student of the teacher's own shape computes what the teacher does."""
    whole = teacher()
    student = initial_student(whole, StudentShape((0, 1, 2, 3), 192), [tokens()])
    torch.testing.assert_close(states(student), states(whole))


def test_teacher_is_left_as_it_was() -> None:
    """The student's weights are copies, and no hook stays behind."""
    whole = teacher()
    before = states(whole)
    student = cast(Any, initial_student(whole, StudentShape((1, 3), 64), [tokens()]))
    with torch.no_grad():
        for weight in student.parameters():
            weight.zero_()
    torch.testing.assert_close(states(whole), before)
    assert len(transformer_layers(whole)) == 4
    assert not any(module._forward_pre_hooks for module in whole.modules())


def test_student_says_its_shape() -> None:
    """The configuration has the new numbers, so that the saved student can be loaded."""
    student = cast(Any, initial_student(teacher(), StudentShape((1, 3), 64), [tokens()]))
    assert (student.config.num_hidden_layers, student.config.intermediate_size) == (2, 64)
    again = library.BertModel(student.config)
    again.load_state_dict(student.state_dict())
    torch.testing.assert_close(states(again.eval()), states(student))


def test_kept_layers_are_those_named() -> None:
    """Layers are the teacher's of those numbers, attention whole."""
    whole = teacher()
    student = cast(Any, initial_student(whole, StudentShape((1, 3), 64), [tokens()]))
    for own, number in zip(transformer_layers(student), (1, 3), strict=True):
        other = cast(Any, transformer_layers(whole)[number])
        torch.testing.assert_close(cast(Any, own).attention.state_dict(), other.attention.state_dict())


def test_neurons_that_matter_stay() -> None:
    """With all but 64 neurons silent, pruning to 64 changes nothing."""
    whole = teacher()
    with torch.no_grad():
        for layer in transformer_layers(whole):
            feed_forward(layer)[1].weight[:, ::3] *= 100
            feed_forward(layer)[1].weight[:, 1::3] = 0
            feed_forward(layer)[1].weight[:, 2::3] = 0
    student = initial_student(whole, StudentShape((0, 1, 2, 3), 64), [tokens()])
    torch.testing.assert_close(states(student), states(whole), rtol=1e-4, atol=1e-4)


def test_padding_weighs_nothing() -> None:
    """What stands in padded places has no part in the choice of neurons."""
    ids, mask = tokens()
    other = torch.where(mask > 0, ids, 39)
    shape = StudentShape((0,), 64)
    left, right = (initial_student(teacher(), shape, [(rows, mask)]) for rows in (ids, other))
    torch.testing.assert_close(left.state_dict(), right.state_dict())


def test_other_kinds_of_encoder_are_refused() -> None:
    """An encoder without the expected layers, or with another feed-forward part, is an error of the input."""
    other = library.DistilBertModel(library.DistilBertConfig(vocab_size=9, dim=8, hidden_dim=16, n_layers=1, n_heads=1))
    with pytest.raises(InputError, match="without --distill"):
        transformer_layers(other)
    with pytest.raises(InputError, match="no plain feed-forward"):
        feed_forward(nn.ModuleList([nn.Linear(4, 8), nn.Linear(4, 8)]))
