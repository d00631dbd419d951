"""What figures were measured on."""

from __future__ import annotations

import hashlib

from engine_bench.fingerprint import Fingerprint, installed
from engine_runtime.artefacts.encoder import EncoderArtefact


def test_it_names_the_very_file_that_ran(encoder: EncoderArtefact, fingerprint: Fingerprint) -> None:
    """The digest is that of the int8 file as it lies on disk."""
    content = encoder.graph("int8").read_bytes()
    assert fingerprint.int8_sha256 == hashlib.sha256(content).hexdigest()
    assert fingerprint.int8_bytes == len(content)
    assert fingerprint.int8_sha256 in fingerprint.facts()["encoder"]


def test_it_names_machine_and_libraries(fingerprint: Fingerprint) -> None:
    """Processor, CPUs and the versions of what is installed are there."""
    assert fingerprint.processor in fingerprint.facts()["processor"]
    assert fingerprint.cpus >= 1
    assert "numpy" in fingerprint.versions


def test_what_is_not_installed_is_not_named() -> None:
    """Absent libraries are left out."""
    assert list(installed(["numpy", "no-such-library"])) == ["numpy"]
