"""One training of a recipe, timed, for the benchmark of trainings.

It prints the same values as the peers (`benchmarks/peers/contract.py`).
"""

from __future__ import annotations

import argparse
import json
import time


def main() -> None:
    """Train as the command line says, and print seconds and accuracy."""
    parser = argparse.ArgumentParser(description="Train the network of a recipe once.")
    parser.add_argument("--recipe", required=True, help="its JSON text")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    begin = time.perf_counter()
    # Imported here, inside the clock: `import_seconds` is part of the report.
    from digitlab.spec.recipe import Recipe
    from digitlab.training import train
    from digitlab.training.run import tensorflow_engine

    tensorflow_engine(asked.threads)
    import_seconds = time.perf_counter() - begin
    result = train(Recipe.from_json(asked.recipe), seed=asked.seed, threads=asked.threads).result
    report = {
        "import_seconds": import_seconds,
        "compile_seconds": result.build_seconds,
        "epochs": [
            {
                "epoch": len(result.history),
                "seconds": sum(record.seconds for record in result.history),
                "accuracy": result.final_test.accuracy,
            }
        ],
        "versions": {},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
