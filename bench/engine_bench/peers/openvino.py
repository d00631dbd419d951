"""OpenVINO as a peer: int8 by NNCF and bf16, in throughput and in latency mode.

Knows OpenVINO and NNCF; knows nothing of how it is measured. OpenVINO brings neither tokenizer nor batching, so texts
are tokenized by the `tokenizers` library, sorted and cut by the engine's own code. Whether the model comes from PyTorch
or from the artefact's ONNX, and how large a batch is, is what a short trial on the machine finds faster.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine_bench.peers.contract import Floats, Task
from engine_bench.peers.feeding import LibraryTokenizer, token_feed
from engine_bench.peers.trial import fastest
from engine_runtime.inference.batching import cut_batches

Ints = npt.NDArray[np.int64]

CHOICE = "choice.json"
BUDGETS = (512, 1024, 2048)
QUEUED = 2  # requests for each stream, so that one waits ready while another runs


@dataclass(frozen=True)
class Choice:
    """What may be chosen.

    Attributes
    ----------
    form
        What the model was converted from: ``torch`` or ``onnx``.
    budget
        Most positions of a padded batch.
    refused
        Why the model cannot be quantized in another form; empty if it can.
    """

    form: str
    budget: int
    refused: str = ""


class OpenvinoInt8:
    """int8 by NNCF, the rest as OpenVINO chooses, bfloat16 where the processor has it: its fastest.

    Parameters
    ----------
    task
        What it works on.
    choice
        The one that `prepare` found best if None.
    """

    quantized = True
    precision = ""
    """What is not quantized runs in this; OpenVINO's own choice on the machine if empty."""
    hint = "THROUGHPUT"

    def __init__(self, task: Task, choice: Choice | None = None) -> None:
        ov: Any = importlib.import_module("openvino")
        artefact = task.artefact()
        self._info = artefact.info
        self._tokenize = LibraryTokenizer(artefact.tokenizer, artefact.info.max_tokens)
        self._choice = choice or msgspec.json.decode(task.made(CHOICE).read_bytes(), type=Choice)
        streams = task.threads if self.hint == "THROUGHPUT" else 1
        asked = {"PERFORMANCE_HINT": self.hint, "NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": task.threads}
        if self.precision:
            asked["INFERENCE_PRECISION_HINT"] = self.precision
        self._compiled = ov.Core().compile_model(str(task.made(f"{self._choice.form}.xml")), "CPU", asked)
        self._inputs = [port.any_name for port in self._compiled.inputs]
        self._queue = ov.AsyncInferQueue(self._compiled, QUEUED * streams)
        ran = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.settings = (
            f"{self.hint.lower()} mode, {streams} streams, converted from {self._choice.form}, sorted batches of at "
            f"most {self._choice.budget} positions, {ran} where not quantized{self._choice.refused}"
        )

    @classmethod
    def prepare(cls, task: Task) -> None:
        """Convert the model in both ways, quantize where asked, and try."""
        import onnx

        from engine_bench.peers.exported import padded_graph

        ov: Any = importlib.import_module("openvino")
        graph = padded_graph(task)
        onnx.save(graph, str(task.made("exact.onnx")))
        inputs = [tensor.name for tensor in graph.graph.input]
        forms = {"torch": trace(task, inputs), "onnx": ov.convert_model(str(task.made("exact.onnx")))}
        made, refused = {}, ""
        for form, model in forms.items():
            try:
                made[form] = quantize(model, task, inputs) if cls.quantized else model
            except Exception as error:  # NNCF raises anything; one form is enough
                refused = f"; from {form} NNCF fails: {type(error).__name__}"
                failure = error
                continue
            ov.save_model(made[form], task.made(f"{form}.xml"), compress_to_fp16=False)
        if not made:
            raise failure
        candidates = [Choice(form, budget, refused) for form in made for budget in BUDGETS]
        best = fastest(candidates, lambda choice: cls(task, choice), task.calibration_texts())
        task.made(CHOICE).write_bytes(msgspec.json.encode(best))

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        tokens = self._tokenize(texts)
        vectors = np.empty((len(texts), self._info.dim), np.float32)

        def keep(request: Any, batch: Ints) -> None:
            vectors[batch] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        for batch in cut_batches(tokens.lengths, self._choice.budget):
            self._queue.start_async(token_feed(tokens, batch, self._inputs, self._info.pad_token), batch)
        self._queue.wait_all()
        return vectors


class OpenvinoInt8Exact(OpenvinoInt8):
    """int8 by NNCF, the rest in float32: its most exact int8. Runs what `OpenvinoInt8` has prepared."""

    precision = "f32"


class OpenvinoHalf(OpenvinoInt8):
    """bfloat16 throughout, on processors that multiply it."""

    quantized = False
    precision = "bf16"


class OpenvinoInt8Latency(OpenvinoInt8):
    """int8 for one text at a time: all threads work on one request. Runs what `OpenvinoInt8` has prepared."""

    hint = "LATENCY"

    def encode(self, texts: Sequence[str]) -> Floats:
        """See `Peer.encode`."""
        tokens = self._tokenize(texts)
        pad = self._info.pad_token
        feeds = (token_feed(tokens, np.array([row]), self._inputs, pad) for row in range(len(texts)))
        return np.concatenate([self._compiled(feed)[0] for feed in feeds])


def trace(task: Task, inputs: Sequence[str]) -> Any:
    """The encoder from PyTorch as an OpenVINO model: tokens -> vectors of length 1, all sizes free."""
    import torch
    from transformers import AutoModel

    ov: Any = importlib.import_module("openvino")
    library: Any = AutoModel
    model = library.from_pretrained(task.weights, attn_implementation="sdpa", dtype=torch.float32).eval()
    pooling = task.artefact().info.pooling

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:
            given = dict(zip(inputs, tensors, strict=True))
            states = self.model(**given).last_hidden_state
            if pooling == "cls":
                return torch.nn.functional.normalize(states[:, 0], dim=-1)
            return torch.nn.functional.normalize((states * given["attention_mask"].unsqueeze(-1)).sum(1), dim=-1)

    example = tuple(torch.ones(2, 8, dtype=torch.int64) for _ in inputs)
    with torch.no_grad():
        traced = ov.convert_model(Pooled(), example_input=example, input=[([-1, -1], np.int64) for _ in inputs])
    for port, name in zip(traced.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
    return traced


def quantize(model: Any, task: Task, inputs: Sequence[str]) -> Any:
    """Quantize by NNCF as it is meant for Transformers: SmoothQuant and bias correction, on the calibration texts."""
    nncf: Any = importlib.import_module("nncf")
    info = task.artefact().info
    tokens = LibraryTokenizer(task.artefact().tokenizer, info.max_tokens)(task.calibration_texts())
    rows = range(len(tokens.lengths))
    feeds = [token_feed(tokens, np.array([row]), inputs, info.pad_token) for row in rows]
    return nncf.quantize(model, nncf.Dataset(feeds), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(feeds))
