"""What the figures were measured on: the machine, the libraries, the very file that ran.

Knows where to look; knows nothing of what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from engine_runtime.artefacts.encoder import EncoderArtefact, graph_file
from engine_runtime.inference.machine import INT8_FEATURES, this_machine

SHOWN_FEATURES = ("avx2", "avx512f", *INT8_FEATURES, "avx512_bf16", "amx_bf16")

LIBRARIES = (
    *("onnxruntime-gpu", "onnxruntime", "openvino", "nncf", "torch", "transformers", "sentence-transformers"),
    *("optimum-onnx", "fastembed-gpu", "fastembed", "ctranslate2", "tokenizers", "numpy", "hnswlib", "faiss-cpu"),
)


@dataclass(frozen=True)
class Surroundings:
    """The machine and the libraries.

    Attributes
    ----------
    processor, features, cpus
        The machine; of its features those that matter to low precision; CPUs that this process may use.
    versions
        Of the libraries that are installed.
    """

    processor: str
    features: tuple[str, ...]
    cpus: int
    versions: dict[str, str]

    @classmethod
    def here(cls) -> Surroundings:
        """Look at the machine that this process runs on."""
        machine = this_machine()
        features = tuple(name for name in SHOWN_FEATURES if name in machine.features)
        return Surroundings(machine.processor, features, machine.cpus, installed(LIBRARIES))

    def facts(self) -> dict[str, str]:
        """For people."""
        return {
            "processor": f"{self.processor}, {self.cpus} CPUs ({', '.join(self.features) or 'no features known'})",
            "libraries": ", ".join(f"{name} {number}" for name, number in self.versions.items()),
        }


@dataclass(frozen=True)
class Fingerprint(Surroundings):
    """What the figures of an encoder were measured on.

    Attributes
    ----------
    encoder
        Where the encoder came from.
    int8_sha256, int8_bytes
        Its int8 file.
    """

    encoder: str
    int8_sha256: str
    int8_bytes: int

    @classmethod
    def take(cls, encoder: EncoderArtefact) -> Fingerprint:
        """Look at the machine that this process runs on, and at an encoder's int8 file."""
        here, file = Surroundings.here(), encoder.manifest.files[graph_file("int8")]
        return cls(**vars(here), encoder=encoder.info.source, int8_sha256=file.sha256, int8_bytes=file.size)

    def facts(self) -> dict[str, str]:
        """For people."""
        file = f"{self.encoder}, int8 file {self.int8_bytes / 1e6:.1f} MB, sha256 {self.int8_sha256}"
        return super().facts() | {"encoder": file}


def installed(names: Sequence[str]) -> dict[str, str]:
    """Versions of those distributions that are there."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
