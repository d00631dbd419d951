"""Hardware targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine_bench.suite.card import read_card
from engine_bench.suite.targets import PACKAGED, choose_target, find_target, packaged_targets
from engine_runtime.errors import MachineError, UsageError
from engine_runtime.inference.machine import INT8_FEATURES
from tiny_records import CARD

OWN = """
title = "the server in the cellar"
[needs]
all_of = ["avx2", "amx_int8"]
any_of = ["avx10"]
none_of = ["avx512_vnni"]
[runs]
precision = "int8"
provider = "cuda"
threads = 3
[service]
p99_seconds = 0.01
recall = 0.9
"""


def own(tmp_path: Path, text: str = OWN) -> str:
    """A target file."""
    path = tmp_path / "cellar.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("features", "providers", "expected"),
    [
        (("avx2", "avx512_vnni", "fma"), ("cpu", "cuda"), "cuda"),
        (("avx2", "avx512_vnni", "fma"), ("cpu",), "cpu-vnni"),
        (("avx2", "avx_vnni", "fma"), ("cpu",), "cpu-vnni"),
        (("avx2", "fma"), ("cpu",), "cpu-avx2"),
        (("asimddp",), ("cpu",), "cpu-arm"),
        (("sse2",), ("cpu",), "cpu-any"),
    ],
)
def test_auto_takes_the_best_target_that_fits(
    features: tuple[str, ...], providers: tuple[str, ...], expected: str
) -> None:
    """A GPU before int8, int8 before float32, and some target for every CPU."""
    card = replace(CARD, features=features, providers=providers)
    assert choose_target(None, card).name == choose_target("auto", card).name == expected


def test_auto_takes_no_target_of_another_variant() -> None:
    """Where the index is of fp32, the target is one that runs fp32, whatever else the machine could do."""
    card = replace(CARD, providers=("cpu", "cuda"))
    assert choose_target(None, card, ["int8"]).name == "cpu-vnni"
    assert choose_target(None, card, ["fp32"]).name == "cpu-any"
    with pytest.raises(MachineError, match="cuda \\(runs fp16, but int4 is what there is\\)"):
        choose_target(None, card, ["int4"])


def test_every_need_that_is_not_met_is_named(tmp_path: Path) -> None:
    """A machine that lacks several things is told of each of them."""
    with pytest.raises(MachineError) as refused:
        choose_target(own(tmp_path), CARD)
    for said in (
        "'cellar', the server in the cellar",
        "no CPU feature amx_int8",
        "none of the CPU features avx10",
        "has the CPU feature avx512_vnni",
        "no device for the provider cuda",
    ):
        assert said in str(refused.value)
    assert "no CPU feature avx2" not in str(refused.value)


def test_a_file_of_ones_own_is_a_target(tmp_path: Path) -> None:
    """Its name is the file's, and what it does not say is left to the engine."""
    found = find_target(own(tmp_path))
    assert (found.name, found.runs.threads, found.runs.token_budget) == ("cellar", 3, None)
    assert found.wanted() == "avx2; amx_int8; one of avx10; none of avx512_vnni; a device for cuda"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("[needs]\nall = []", r"unknown field `all` - at `\$\.needs`"),
        ("[runs]\nthreads = 0\nprecision = 'int8'", r"\$\.runs\.threads"),
        ("[runs]\nprecision = 'int8'\nprovider = 'tensorrt'", r"\$\.runs\.provider"),
        ("[service]\np99_seconds = -1\nrecall = 1.0", r"\$\.service\.p99_seconds"),
        ("speed = 'high'", "unknown field `speed`"),
        ("[", "cellar.toml"),
    ],
)
def test_a_wrong_key_is_named_by_its_path(tmp_path: Path, line: str, where: str) -> None:
    """Unknown keys and values that cannot be are refused, by file and field."""
    sections = {
        "[needs]": "",
        "[runs]": "[runs]\nprecision = 'int8'",
        "[service]": "[service]\np99_seconds = 1.0\nrecall = 1.0",
    }
    kept = [text for name, text in sections.items() if text and not line.startswith(name)]
    first, last = (line, "") if not line.startswith("[") else ("", line)
    with pytest.raises(UsageError, match=where) as refused:
        find_target(own(tmp_path, "\n".join((first, "title = 'x'", *kept, last))))
    assert "cellar.toml" in str(refused.value)


def test_an_absent_target_is_a_wrong_call(tmp_path: Path) -> None:
    """The message says which names there are, or which file was looked for."""
    with pytest.raises(UsageError, match=", ".join(PACKAGED)):
        find_target("tensorrt")
    with pytest.raises(UsageError, match=r"nowhere\.toml cannot be read"):
        find_target(str(tmp_path / "nowhere.toml"))


def test_int8_targets_ask_for_what_the_engine_asks_for() -> None:
    """A machine that the engine refuses int8 is no int8 target, and one that it runs it on is one."""
    for feature in INT8_FEATURES:
        card = replace(CARD, features=(feature, "asimddp") if feature == "apple" else (feature,))
        assert choose_target(None, card).runs.precision == "int8"
    assert choose_target(None, replace(CARD, features=("avx2", "fma"))).runs.precision == "fp32"


def test_this_machine_is_some_target() -> None:
    """Packaged targets are all readable, and one of them fits wherever the tests run."""
    assert tuple(target.name for target in packaged_targets()) == PACKAGED
    assert choose_target(None, read_card()).title
