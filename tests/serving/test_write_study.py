"""The file of a study that is described in the browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitlab.errors import OutputError
from digitlab.serving.study_runs import write_study
from small_study import small_study


def test_a_studys_own_file_is_replaced_and_no_other(tmp_path: Path) -> None:
    study = small_study(tmp_path)
    for seeds in (2, 3):
        path = write_study(study.model_copy(update={"seeds": seeds}), tmp_path)
        assert f"seeds = {seeds}" in path.read_text("utf-8")
    for content in ("my notes", small_study(tmp_path, name="another").to_toml()):
        path.write_text(content, "utf-8")
        with pytest.raises(OutputError, match="expected a file of study small, received another"):
            write_study(study, tmp_path)
        assert path.read_text("utf-8") == content
