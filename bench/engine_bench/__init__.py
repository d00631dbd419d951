"""Measuring the engine: beside its peers on the same weights and texts, and against what its machine could do.

Knows the runtime, and of the export what it calibrates on and measures with; nothing imports this package but the
command line, by name.
"""
