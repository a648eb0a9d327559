"""scikit-learn's MNIST example: 40 hidden neurons, SGD at 0.2, at most 8 epochs, trained on 21,000 images.

Source: "Visualization of MLP weights on MNIST" in scikit-learn's gallery, which draws 30 % of the 70,000
images to train on; here as many of the 60,000. It is meant to be quick, not good.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from contract import read_order
from sklearn_peer import run

IMAGES = 21_000


def main() -> None:
    order = read_order(__doc__ or "", epochs=8)
    images = len(order.digits.y_train)
    chosen = np.random.default_rng(order.seed).permutation(images)[:IMAGES]
    digits = order.digits._replace(x_train=order.digits.x_train[chosen], y_train=order.digits.y_train[chosen])
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (40,),
        "solver": "sgd",
        "learning_rate_init": 0.2,
        "alpha": 1e-4,
    }
    run(order._replace(digits=digits), settings)


if __name__ == "__main__":
    main()
