"""scikit-learn's MNIST benchmark, `MLP_adam`: two layers of 100 neurons, Adam, until the loss stands still.

Source: benchmarks/bench_mnist.py of scikit-learn, which gives an error of 2.24 %. Ten epochs in which the
loss falls by less than 0.0001 end it; 400 epochs at most.
"""

from __future__ import annotations

from typing import Any

from contract import read_order
from sklearn_peer import run


def main() -> None:
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (100, 100),
        "solver": "adam",
        "learning_rate_init": 0.001,
        "alpha": 1e-4,
        "tol": 1e-4,
    }
    run(read_order(__doc__ or "", epochs=400), settings)


if __name__ == "__main__":
    main()
