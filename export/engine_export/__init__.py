"""From checkpoints to verified ONNX: encoder and refiner graphs, quantization, the parity report, the bundle."""
