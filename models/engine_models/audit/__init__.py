"""What served profiles say of the people in them: attacks on an output, each beside what chance would give.

It stands with the models and not in the runtime: it trains small probes, with SciPy and with the measures of the label
heads, and whoever serves needs none of it. No PyTorch is loaded.
"""
