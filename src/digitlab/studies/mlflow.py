"""An observer that logs the trials of a run to MLflow; needs the extra `[mlflow]`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from digitlab.errors import MissingExtraError
from digitlab.results.record import EpochRecord, Result, Scores
from digitlab.spec.plan import Plan
from digitlab.spec.trial import Trial
from digitlab.studies.observers import Observer, RunOptions
from digitlab.workspace import Workspace

_TRIAL = "digitlab.trial"
_LONGEST = 500  # characters of a parameter that MLflow keeps


class MlflowObserver(Observer):
    """Logs each study as an experiment, and each trial as a run with parameters, metrics and its bundle.

    A trial that was logged is not logged again; what an earlier run left unfinished is replaced.

    Args:
        options: tracking URI; empty for that of `MLFLOW_TRACKING_URI`, or else `mlflow.sqlite` in the folder
            of the store.
        store: path of the store of results.

    Raises:
        MissingExtraError: MLflow is not installed.
    """

    def __init__(self, options: str, store: Path) -> None:
        try:
            import mlflow
        except ImportError:
            raise MissingExtraError("mlflow", "mlflow") from None
        folder = Workspace.of(store).root.absolute()
        own = f"sqlite:///{folder / 'mlflow.sqlite'}"
        self.uri = options or os.environ.get("MLFLOW_TRACKING_URI") or own
        self._artifacts = (folder / "mlflow-artifacts").as_uri() if self.uri == own else None
        self._client: Any = mlflow.MlflowClient(self.uri)
        self._options = RunOptions()
        self._tags: dict[str, dict[str, str]] = {}  # by trial id
        self._experiments: dict[str, str] = {}  # id by study
        self._runs: dict[str, str] = {}  # id by trial

    def began(self, plans: Sequence[Plan], options: RunOptions) -> None:
        """Find out which study and level each trial belongs to."""
        self._options = options
        for plan in plans:
            for cell in plan.cells:
                for trial in cell.trials:
                    tags = {"digitlab.study": plan.study.name, "digitlab.level": cell.label, _TRIAL: trial.id}
                    self._tags.setdefault(trial.id, tags)

    def started(self, trial: Trial) -> None:
        """Create the trial's run, and remove one that was left unfinished."""
        experiment = self._experiment(self._tags[trial.id]["digitlab.study"])
        for run in self._client.search_runs([experiment], f"tags.`{_TRIAL}` = '{trial.id}'"):
            if run.info.status != "FINISHED":
                self._client.delete_run(run.info.run_id)
        tags = {**self._tags[trial.id], "digitlab.seed": str(trial.seed)}
        name = f"{self._tags[trial.id]['digitlab.level']}, seed {trial.seed}"
        run = self._client.create_run(experiment, tags=tags, run_name=name)
        self._runs[trial.id] = run.info.run_id
        for key, value in _parameters(trial):
            self._client.log_param(run.info.run_id, key, value[:_LONGEST])

    def epoch(self, trial: Trial, record: EpochRecord) -> None:
        """Log the metrics of an epoch."""
        values = record.to_values()
        step = values.pop("epoch")
        self._log(trial, values, step)

    def finished(self, trial: Trial, result: Result) -> None:
        """Log the scores on the test set and the bundle, and end the run."""
        run = self._runs[trial.id]
        last = trial.training.epochs
        self._log(trial, {f"test_{name}": value for name, value in _scores(result.final_test).items()}, last)
        sizes = {"parameters": result.parameters, "multiply_adds": result.multiply_adds}
        self._log(trial, {**sizes, "train_seconds": result.train_seconds}, last)
        if result.commit is not None:
            self._client.set_tag(run, "mlflow.source.git.commit", result.commit)
        bundle = self._options.bundle_folder(trial)
        if bundle is not None and bundle.is_dir():
            self._client.log_artifacts(run, str(bundle), "bundle")
        self._client.set_terminated(run, "FINISHED")

    def failed(self, trial: Trial, reason: str) -> None:
        """Note the reason, and end the run."""
        run = self._runs.pop(trial.id, None)
        if run is not None:
            self._client.set_tag(run, "digitlab.reason", reason)
            self._client.set_terminated(run, "FAILED")

    def _experiment(self, study: str) -> str:
        if study not in self._experiments:
            known = self._client.get_experiment_by_name(study)
            if known is not None:
                self._experiments[study] = known.experiment_id
            else:
                self._experiments[study] = self._client.create_experiment(study, self._artifacts)
        return self._experiments[study]

    def _log(self, trial: Trial, values: Mapping[str, float], step: int) -> None:
        for key, value in values.items():
            self._client.log_metric(self._runs[trial.id], key, float(value), step=step)


def _parameters(trial: Trial) -> Iterator[tuple[str, str]]:
    """Yield the settings of a trial by dotted path, without the code of a user's own network."""
    values = trial.to_values()
    values["model"].pop("code", None)
    yield from _flat("", values)


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else key, inner)
    else:
        yield path, str(value)


def _scores(scores: Scores) -> dict[str, float]:
    return {
        "accuracy": scores.accuracy,
        "error_percent": scores.error_percent,
        "mse": scores.mse,
        "log_loss": scores.log_loss,
        "calibration_error": scores.calibration_error,
    }
