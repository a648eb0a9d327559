"""What must stay light: a command that trains nothing imports no TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from picture_files import encoded

HEAVY = ("tensorflow", "keras", "matplotlib", "scipy.stats", "PIL", "onnxruntime")


def loaded_by(arguments: list[str], folder: Path) -> tuple[int, set[str]]:
    """Run a command in a process of its own; give its exit code and the heavy modules it imported."""
    code = (
        "import sys; from digitlab.cli.main import run; code = run(sys.argv[1:]); "
        f"print(code, *[name for name in {HEAVY!r} if name in sys.modules], file=sys.__stderr__)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, check=False)
    last = done.stderr.strip().splitlines()[-1].split()
    return int(last[0]), set(last[1:])


ASKING = [
    ["--help"],
    ["--version"],
    ["study", "run", "--help"],
    ["study", "list"],
    ["data", "list"],
    ["train", "--help"],
    ["export", "--help"],
    ["recognize", "--help"],
]


def test_asking_what_there_is_imports_nothing_heavy(tmp_path: Path) -> None:
    """One process asks all: what one command had imported, the next ones would show."""
    code = (
        "import json, sys; from digitlab.cli.main import run\n"
        "for arguments in json.loads(sys.argv[1]):\n"
        f"    code, loaded = run(arguments), [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    print(code, *loaded, file=sys.__stderr__)"
    )
    command = [sys.executable, "-c", code, json.dumps(ASKING)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True)
    assert done.stderr.splitlines() == ["0"] * len(ASKING)


def test_the_command_line_itself_imports_neither_numpy_nor_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys; from digitlab.cli.main import run; run(['--version'])\n"
        "print([name for name in ('numpy', 'pydantic') if name in sys.modules], file=sys.__stderr__)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True)
    assert done.stderr == "[]\n"


def test_doctor_imports_no_tensorflow(tmp_path: Path) -> None:
    code, loaded = loaded_by(["doctor"], tmp_path)
    assert code == 0
    assert not loaded & {"tensorflow", "keras"}


def test_reading_a_picture_imports_no_tensorflow(tmp_path: Path) -> None:
    picture = np.full((60, 60), 255, np.uint8)
    picture[10:50, 28:32] = 0
    (tmp_path / "one.png").write_bytes(encoded(picture, "PNG"))
    code, loaded = loaded_by(["recognize", "one.png"], tmp_path)
    assert code == 0
    assert loaded == {"PIL", "onnxruntime"}


def test_importing_digitlab_imports_nothing_heavy() -> None:
    code = (
        "import sys, digitlab, digitlab.spec, digitlab.data, digitlab.models, digitlab.results, "
        "digitlab.bundle, digitlab.training, digitlab.studies, digitlab.report; "
        f"print([name for name in (*{HEAVY!r}, 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_lists_every_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "digitlab", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    for name in ("train", "evaluate", "export", "recognize", "study", "data", "serve", "doctor"):
        assert f"  {name} " in done.stdout
