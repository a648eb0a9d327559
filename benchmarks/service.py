"""The service under load, beside plain endpoints around the same network: `digitlab bench service`, kept.

    python benchmarks/service.py [--model best] [--rounds 5]

Prints what it measured and writes `service.json` and `service.csv` into digitlab-results/measurements, or
where --out says.
"""

from __future__ import annotations

import argparse
import json

from measured import add_place, environment, results_file, write_results

from digitlab.serving.measuring.figures import Lengths, service_figures


def main() -> None:
    parser = argparse.ArgumentParser(description="Load the service beside plain endpoints.")
    parser.add_argument("--model", default="best")
    parser.add_argument("--rounds", type=int, default=5)
    add_place(parser)
    chosen = parser.parse_args()
    path = results_file(chosen, "service")
    figures = service_figures(chosen.model, Lengths(rounds=chosen.rounds))
    figures |= {"model": chosen.model, "environment": environment()}
    rows = [{"what": name, **values} for name, values in figures["peak"].items()]
    rows += [{"what": f"digitlab, {name}", **figures[name]} for name in ("idle", "half", "overload")]
    write_results(path, figures, rows)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
