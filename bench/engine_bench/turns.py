"""The process of one contender: ``PYTHON turns.py CONTENDER.py FOLDER VARIANT``.

The contender's file has ``load(folder, variant)``, which gives its settings for people and a function that does the
work once and returns arrays by name. A line on stdin asks for one turn, and says where the arrays go if they are
wanted; a line of JSON on stdout answers. This file needs nothing but Python and NumPy, and so runs in the environment
of any contender.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time

import numpy as np


def main(file: str, folder: str, variant: str) -> None:
    """Load a contender and give it a turn for each line that comes."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # libraries print where they like
        spec = importlib.util.spec_from_file_location("contender", file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is no Python file.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        settings, work = module.load(folder, variant)
        print(json.dumps({"settings": settings}), file=answers, flush=True)
        for line in sys.stdin:
            wall, cpu = time.perf_counter(), time.process_time()
            found = work()
            spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            if kept := line.strip():
                np.savez(kept, **found)
            print(json.dumps(spent), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
