"""The peers by name."""

from __future__ import annotations

import importlib
import sys

import pytest

from engine_bench.peers import registry
from engine_bench.peers.registry import LATENCY, OURS, PEERS, Known, chosen
from engine_runtime.errors import UsageError


@pytest.mark.parametrize("known", [*PEERS.values(), *LATENCY.values()], ids=lambda known: known.target)
def test_every_peer_is_there_without_its_library(known: Known) -> None:
    """Each target is a peer, and its module imports no library of a peer."""
    before = set(sys.modules)
    module, _, name = known.target.partition(":")
    kind = getattr(importlib.import_module(module), name)
    assert callable(kind.prepare)
    assert callable(kind.encode)
    assert set(sys.modules).isdisjoint({"openvino", "fastembed", "ctranslate2", "sentence_transformers"} - before)


def test_a_peer_that_is_not_installed_names_what_brings_it() -> None:
    """The line says what is missing and what to run."""
    assert Known("x:X", ("numpy",)).absent is None
    assert Known("x:X", ("numpy", "no_such_package")).absent == (
        "not installed: no_such_package. Run: pip install 'profile-engine[bench]'"
    )


def test_ours_is_always_among_them() -> None:
    """All are compared to it, so it comes first whatever is asked for."""
    assert list(chosen([])) == list(PEERS)
    assert list(chosen(["fastembed"])) == [OURS, "fastembed"]
    assert list(chosen(["fastembed", OURS, "fastembed"])) == [OURS, "fastembed"]


def test_an_unknown_peer_is_a_usage_error() -> None:
    """The message lists those there are."""
    with pytest.raises(UsageError, match=r"unknown peer 'no'.*ours-int8"):
        chosen(["fastembed", "no"])


def test_a_shared_folder_is_of_a_peer() -> None:
    """What another has prepared can only be used if there is such a peer."""
    shared = [known.shares for known in (*PEERS.values(), *LATENCY.values()) if known.shares]
    assert set(shared) <= set(registry.PEERS)
