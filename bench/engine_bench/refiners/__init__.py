"""The refiner beside the same network in PyTorch and beside RePlay's compiled SASRec."""
