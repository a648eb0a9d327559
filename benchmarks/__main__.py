"""The benchmarks by name: `python -m benchmarks NAME`, in the clone."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SUITE = {
    "training": "time and accuracy of trainings, beside Keras's, PyTorch's and scikit-learn's examples",
    "study": "speed of the classroom's trainings, beside keras.fit",
    "recognition": "speed of the classifier, beside other runtimes, and cost of reading a picture",
    "service": "the service under load, beside plain endpoints around the same network",
    "recognizer": "accuracy on people's digits, on pasted digits and on letters",
    "scale": "limits of large studies: executors, store and planning",
}


def main() -> None:
    """Run the benchmark that the command line names."""
    names = "\n".join(f"  {name:12} {what}" for name, what in SUITE.items())
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=f"Measure digitlab on this machine.\n\n{names}\n\n"
        "`python -m benchmarks NAME --help` lists the options of one. Figures are saved in\n"
        "digitlab-results/measurements; --publish replaces those in benchmarks/results.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=SUITE, metavar="NAME", help="the benchmark to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    chosen = parser.parse_args()
    # Modules of this folder import each other by plain names, as its scripts do. The path of the program
    # stays in the folder, in which Ray's workers look for their tasks; its name is that of the usage line.
    sys.path.insert(0, str(FOLDER))
    sys.argv = [str(FOLDER / f"python -m benchmarks {chosen.name}"), *chosen.arguments]
    import_module("command").run(lambda: import_module(chosen.name).main())


if __name__ == "__main__":
    main()
