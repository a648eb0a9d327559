"""The classifier of scikit-learn: with its tools, by its checks, and on what is not an image."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from digitlab.data.dataset import Dataset

pytestmark = pytest.mark.slow  # scikit-learn, Keras and trainings


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    from digitlab.training.process import prepare_process

    prepare_process(1)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras, as it reads a pickle
def test_it_fits_predicts_scores_and_is_pickled(mnist: Dataset) -> None:
    from digitlab.sklearn import DigitlabClassifier

    x = mnist.x_train[:3_000].reshape(-1, 784)
    y = np.array([f"digit {label}" for label in mnist.y_train[:3_000]])
    classifier = DigitlabClassifier("mlp", epochs=4).fit(x, y)
    x_test = mnist.x_test[:500] / 255  # floats are the same images
    truth = np.array([f"digit {label}" for label in mnist.y_test[:500]])
    assert classifier.score(x_test, truth) > 0.8
    assert classifier.classes_.tolist() == [f"digit {i}" for i in range(10)]
    probabilities = classifier.predict_proba(x_test)
    assert probabilities.shape == (500, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict(x_test), classifier.predict(x_test))
    refitted = DigitlabClassifier("mlp", epochs=4).fit(x, y)
    np.testing.assert_array_equal(refitted.predict_proba(x_test), probabilities)


def test_it_is_searched_cloned_and_put_into_a_pipeline(mnist: Dataset) -> None:
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    from digitlab.sklearn import DigitlabClassifier

    x, y = mnist.x_train[:600], mnist.y_train[:600] % 2
    base = DigitlabClassifier(settings={"model.hidden": [8]}, epochs=1)
    copied: Any = clone(base)
    assert copied.get_params() == base.get_params()
    search = GridSearchCV(base, {"epochs": [1, 6]}, cv=2).fit(x.reshape(-1, 784), y)
    assert search.best_params_ == {"epochs": 6}
    pipeline = make_pipeline(FunctionTransformer(lambda images: 255 - images), base)
    assert pipeline.fit(x, y).predict(x).shape == (600,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((60, 64))}, r"expected images of shape .*received \[60, 64\]"),
        ({"x": np.full((60, 784), -1.5)}, "expected whole numbers 0..255 or floats 0..1"),
        ({"y": np.zeros(60)}, "expected 2 to 100 classes"),
        ({"y": np.zeros(59, int)}, "expected a label for each of 60 images, received 59"),
        ({"y": np.linspace(0, 1, 60)}, "Unknown label type: continuous"),
        ({"recipe": "mpl"}, "expected one of"),
        ({"epochs": 0}, "training.epochs"),
        ({"validation_fraction": 1.0}, "validation_fraction: expected more than 0"),
    ],
)
def test_what_does_not_fit_is_a_value_error_in_one_line(change: dict[str, object], message: str) -> None:
    from digitlab.sklearn import DigitlabClassifier

    values = {"x": np.zeros((60, 784)), "y": np.arange(60) % 3} | change
    x, y = values.pop("x"), values.pop("y")
    with pytest.raises(ValueError, match=message) as caught:
        DigitlabClassifier(**values).fit(x, y)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_the_checks_of_scikit_learn_that_need_no_table_of_numbers_pass() -> None:
    from sklearn.utils import estimator_checks

    from digitlab.sklearn import DigitlabClassifier

    # The others fit tables of 1 to 20 columns; an image has 784.
    checks: Any = estimator_checks
    name, estimator = "DigitlabClassifier", DigitlabClassifier()
    checks.check_estimator_cloneable(name, estimator)
    checks.check_estimator_repr(name, estimator)
    checks.check_estimator_tags_renamed(name, estimator)
    checks.check_valid_tag_types(name, estimator)
    checks.check_get_params_invariance(name, estimator)
    checks.check_set_params(name, estimator)
    checks.check_no_attributes_set_in_init(name, estimator)
    checks.check_parameters_default_constructible(name, estimator)
    checks.check_estimators_unfitted(name, estimator)
    checks.check_mixin_order(name, estimator)
