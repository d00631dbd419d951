"""The profile refiner: a causal Transformer over a user's events whose decoder emits distributions over concepts.

Knows vectors; knows nothing of items' names, files or losses. A state depends on its own event and the ones before it
alone: attention sees how far back an event lies, never how long the history is, so a prefix of a history has the
states that it had before the history grew.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from engine_runtime.artefacts.run import RefinerShape


class Dropout(nn.Module):
    """Dropout whose mask takes one random byte an element: on a CPU, PyTorch's own takes a fifth of a training step.

    The probability is rounded to a 256th.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.threshold = round(probability * 256)

    def forward(self, inputs: Tensor) -> Tensor:
        """Zero elements at random and scale up the rest, in training; else the inputs."""
        if not self.training or not self.threshold:
            return inputs
        words = torch.empty(-(-inputs.numel() // 8), dtype=torch.int64, device=inputs.device)
        words.random_(-(2**63), None)  # all 64 bits
        kept = (words.view(torch.uint8)[: inputs.numel()] >= self.threshold).view(inputs.shape)
        return inputs * kept * (256 / (256 - self.threshold))


class Attention(nn.Module):
    """Causal self-attention with a learned bias for each head and distance (T5's idea, one bucket a step)."""

    def __init__(self, dim: int, n_heads: int, max_events: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.inward = nn.Linear(dim, 3 * dim)
        self.outward = nn.Linear(dim, dim)
        self.distance = nn.Parameter(torch.zeros(n_heads, max_events))
        self.dropout = Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        """[B, T, d] -> [B, T, d]."""
        batch, length, dim = states.shape
        heads = self.inward(states).view(batch, length, 3, self.n_heads, dim // self.n_heads).permute(2, 0, 3, 1, 4)
        query, key, value = heads[0], heads[1], heads[2]
        steps = torch.arange(length, device=states.device)
        back = steps[:, None] - steps[None, :]
        bias = self.distance[:, back.clamp(min=0)].masked_fill(back < 0, float("-inf"))
        scores = query @ key.transpose(-2, -1) * (dim // self.n_heads) ** -0.5 + bias
        weights = self.dropout(torch.softmax(scores, -1))
        mixed = (weights @ value).transpose(1, 2).reshape(batch, length, dim)
        return cast(Tensor, self.outward(mixed))


class Block(nn.Module):
    """One pre-norm Transformer block."""

    def __init__(self, shape: RefinerShape, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(shape.dim)
        self.attention = Attention(shape.dim, shape.n_heads, shape.max_events, dropout)
        self.feed_norm = nn.LayerNorm(shape.dim)
        self.feed = nn.Sequential(
            nn.Linear(shape.dim, 4 * shape.dim),
            nn.GELU(),
            Dropout(dropout),
            nn.Linear(4 * shape.dim, shape.dim),
        )
        self.dropout = Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        """[B, T, d] -> [B, T, d]."""
        states = states + self.dropout(self.attention(self.attention_norm(states)))
        return cast(Tensor, states + self.dropout(self.feed(self.feed_norm(states))))


class Refiner(nn.Module):
    """Events to p'_t, z_u and q_u.

    ``p'_t = softmax(<W h_t, C> / tau)``, ``z_t = mean of p'_1 .. p'_t``, ``q_t = LayerNorm(h_t + G (z_t C))``, with C
    the concept centres, points among the item vectors, W and tau learned. The centres are given, not learned: were they
    free, they would fall together (159 of 256 on Amazon Beauty), and their names would say nothing.

    Parameters
    ----------
    shape
        Sizes.
    dropout
        While training, of inputs, attention and feed-forward.
    """

    centres: Tensor

    def __init__(self, shape: RefinerShape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.event_type = nn.Embedding(shape.n_types, shape.dim)
        self.value = nn.Linear(1, shape.dim, bias=False)
        self.gap = nn.Linear(1, shape.dim, bias=False)
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.n_blocks))
        self.state_norm = nn.LayerNorm(shape.dim)
        self.query_norm = nn.LayerNorm(shape.dim)
        self.register_buffer("centres", torch.zeros(shape.n_concepts, shape.dim))
        self.decoder = nn.Linear(shape.dim, shape.dim, bias=False)
        self.gain = nn.Linear(shape.dim, shape.dim, bias=False)
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.log_longing = nn.Parameter(torch.full((), 2.0))
        self.dropout = Dropout(dropout)
        nn.init.eye_(self.decoder.weight)
        for embedding in (self.event_type, self.value, self.gap):
            nn.init.normal_(embedding.weight, std=0.02)

    def states(
        self, vectors: Tensor, types: Tensor, values: Tensor, gaps: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Query, profile and distribution after every event.

        Parameters
        ----------
        vectors, types, values, gaps, mask
            As in `engine_runtime.inference.refiner`, padded on the right.

        Returns
        -------
        query : [B, T, d]
        profile : [B, T, C]
        concepts : [B, T, C]
            Values on padding have no meaning.
        """
        return self.decode(self.encode(vectors, types, values, gaps, mask), mask)

    def encode(self, vectors: Tensor, types: Tensor, values: Tensor, gaps: Tensor, mask: Tensor) -> Tensor:
        """h_t: [B, T, d]; see `states` for the parameters."""
        inputs = vectors + self.event_type(types) + self.value(values[..., None]) + self.gap(gaps[..., None])
        states = self.dropout(inputs * mask[..., None])
        for block in self.blocks:
            states = block(states)
        return cast(Tensor, self.state_norm(states))

    def decode(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, profile and distribution after every event, from h_t; see `states`."""
        profile, concepts = self.profile(states, mask)
        query = self.query_norm(states + self.gain(profile @ self.centres))
        return query, profile, concepts

    def profile(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """z_t and p'_t, [B, T, C] each, from h_t."""
        concepts = torch.softmax(self.decoder(states) @ self.centres.T * self.log_scale.exp(), -1)
        counts = mask.cumsum(1).clamp(min=1)[..., None]
        return (concepts * mask[..., None]).cumsum(1) / counts, concepts

    def longing(self, states: Tensor, mask: Tensor) -> Tensor:
        """What the profile alone would ask for, a query at every event: ``s (z_t C)`` with s learned, [B, T, d].

        Its gradient ends at h_t: the decoder learns to say what the states know, and the states are left alone.
        """
        profile, _ = self.profile(states.detach(), mask)
        return self.log_longing.exp() * (profile @ self.centres)

    def forward(
        self, vectors: Tensor, types: Tensor, values: Tensor, gaps: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """After the last event: query [B, d], profile [B, C]; and concepts [B, T, C]. What is exported."""
        query, profile, concepts = self.states(vectors, types, values, gaps, mask)
        last = (mask.sum(1).long() - 1).clamp(min=0)
        rows = torch.arange(mask.shape[0], device=mask.device)
        return query[rows, last], profile[rows, last], concepts
