"""Training and evaluation, in PyTorch: item head, refiner, concepts, successors, full ranking.

Reads data sets and encodes texts through `engine_runtime`; knows nothing of ONNX export or of benchmarks.
"""

import os

# Threads of OpenMP that spin while they wait bring a shared machine to a stand (docs/log.md, 2026-11-24). Read by the
# library at its load, so this has to come before PyTorch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
