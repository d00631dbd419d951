"""Training and evaluation, in PyTorch: item head, refiner, concepts, successors, full ranking.

Reads data sets and encodes texts through `engine_runtime`; knows nothing of ONNX export or of benchmarks.
"""
