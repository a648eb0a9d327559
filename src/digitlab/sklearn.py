"""digitlab's networks as an estimator of scikit-learn; needs the extra `[sklearn]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from digitlab.bundle.export import keras_probabilities
from digitlab.data import Dataset
from digitlab.data.arrays import as_images
from digitlab.errors import UserError
from digitlab.spec import Recipe
from digitlab.training import train

_SCORED = 1_000  # training images that stand in for a test part, whose scores are not used


class DigitlabClassifier(ClassifierMixin, BaseEstimator):
    """A network that a recipe describes, as a classifier of scikit-learn.

    Args:
        recipe: name of a recipe, its file, the recipe itself, or a function that builds a `keras.Model`, as
            accepted by `digitlab.train`.
        epochs: passes over the training images; None keeps the recipe's.
        settings: other changes to the recipe, by dotted path: `{"model.hidden.0": 64}`.
        validation_fraction: share of the images that is set aside, stratified, for the validation scores in
            `result_`; more than 0 and less than 1, and at least ten images.
        random_state: seed of the training, 0 or more; the same gives the same network.
        threads: number of threads that train.

    Attributes:
        classes_: distinct labels, sorted, [classes].
        model_: the trained network, a `keras.Model`; raw images [n, 28, 28] in, probabilities out.
        result_: history, validation scores and timings of the training, a `digitlab.results.Result`; its test
            scores are of training images and mean nothing.
        n_features_in_: number of columns of `X`, 784.
    """

    def __init__(
        self,
        recipe: str | Recipe | Callable[..., Any] = "mlp",
        *,
        epochs: int | None = None,
        settings: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        random_state: int = 0,
        threads: int = 1,
    ) -> None:
        self.recipe = recipe
        self.epochs = epochs
        self.settings = settings
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.threads = threads

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803  # scikit-learn's name
        """Train the network.

        Args:
            X: images [n, 784] or [n, 28, 28]: whole numbers 0..255, or floats 0..1, not scaled otherwise.
            y: labels [n], numbers or text.

        Raises:
            ValueError: shapes, values, labels or a parameter are others.
        """
        images = self._images(X)
        check_classification_targets(y)
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(codes) != len(images):
            raise ValueError(f"y: expected a label for each of {len(images)} images, received {len(codes)}")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                "validation_fraction: expected more than 0 and less than 1, received "
                f"{self.validation_fraction}"
            )
        settings = dict(self.settings or {})
        if self.epochs is not None:
            settings["training.epochs"] = self.epochs
        try:
            data = Dataset.from_arrays(images, codes, images[:_SCORED], codes[:_SCORED], name="X")
            output = train(
                self.recipe,
                settings=settings,
                data=data,
                validation=max(round(self.validation_fraction * len(images)), 10),
                seed=self.random_state,
                threads=self.threads,
            )
        except UserError as error:
            raise ValueError(str(error)) from error
        self.n_features_in_ = images[0].size
        self.model_ = output.model
        self.result_ = output.result
        return self

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return the probabilities of the classes, float32 [n, classes], in the order of `classes_`.

        Args:
            X: images, as for `fit`.

        Raises:
            ValueError: shapes or values are others.
            sklearn.exceptions.NotFittedError: the network is not trained.
        """
        check_is_fitted(self)
        return keras_probabilities(self.model_, self._images(X))

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """Return the likeliest label of each image, [n].

        Args:
            X: images, as for `fit`.

        Raises:
            ValueError: shapes or values are others.
            sklearn.exceptions.NotFittedError: the network is not trained.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _images(self, X: Any) -> np.ndarray:  # noqa: N803
        try:
            return as_images(np.asarray(X), "X")
        except UserError as error:
            raise ValueError(str(error)) from error
