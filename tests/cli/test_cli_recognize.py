"""`digitlab recognize`: what it reads, prints and returns."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from digitlab.cli.main import run
from digitlab.cli.picture_names import picture_names
from digitlab.pictures import decode_image
from picture_bombs import bombs, floods, padded_lies
from picture_files import encoded
from real_digits import read_mnist

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def drawn() -> Callable[[int], bytes]:
    """A real digit, 0..9, drawn black on white: a PNG file."""
    mnist = read_mnist()

    def draw(label: int) -> bytes:
        digit = mnist.x_test[np.flatnonzero(mnist.y_test == label)[0]]
        canvas = np.full((150, 150), 255, np.uint8)
        canvas[19:131, 19:131] = 255 - cv2.resize(digit, (112, 112), interpolation=cv2.INTER_CUBIC)
        return encoded(canvas, "PNG")

    return draw


@pytest.fixture
def folder(tmp_path: Path, drawn: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, the current one, in which some files are bad."""
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    files = {
        "in/b-seven.png": drawn(7),
        "in/a-two.jpg": drawn(2),  # the content counts
        "in/deeper/zero": drawn(0),
        "in/blank.png": encoded(np.full((80, 80), 255, np.uint8), "PNG"),
        "in/empty.png": b"",
        "in/half.png": drawn(1)[:300],
        "in/drawing.png": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "in/notes.txt": b"seven",
        "in/.hidden": b"junk",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_folder_is_read_with_all_below_it_and_every_bad_file_is_named(
    folder: Path, capsys: Capture
) -> None:
    assert run(["recognize", "in", "--json"]) == 2
    out, err = capsys.readouterr()
    answers = {answer["file"]: answer for answer in lines(out)}
    assert list(answers) == [
        "in/a-two.jpg", "in/b-seven.png", "in/blank.png", "in/drawing.png",
        "in/empty.png", "in/half.png", "in/notes.txt", "in/deeper/zero",
    ]  # fmt: skip
    texts = {name: answer["text"] for name, answer in answers.items() if answer["status"] == "ok"}
    assert texts == {"in/a-two.jpg": "2", "in/b-seven.png": "7", "in/deeper/zero": "0"}
    assert answers["in/blank.png"]["status"] == "rejected"
    bad = [name for name, answer in answers.items() if answer["status"] == "error"]
    assert bad == ["in/drawing.png", "in/empty.png", "in/half.png", "in/notes.txt"]
    *named, last = err.splitlines()
    assert [line.split(": ")[1] for line in named] == bad
    assert last == "digitlab: 4 of 8 files could not be read"


def test_a_line_of_json_says_what_was_read_and_where(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in/b-seven.png", "--json"]) == 0
    [answer] = lines(capsys.readouterr().out)
    assert list(answer) == ["file", "status", "text", "digits", "reason", "lines", "notes"]
    assert (answer["status"], answer["text"], answer["reason"]) == ("ok", "7", None)
    [digit] = answer["digits"]
    assert digit["digit"] == 7
    assert digit["confidence"] == max(digit["probabilities"]) > 0.5
    assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-4)
    left, top, width, height = digit["box"]
    assert 19 <= left < left + width <= 131
    assert 19 <= top < top + height <= 131


def test_an_error_is_a_line_of_json_too(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in/empty.png", "in/nothing.png", "--json"]) == 2
    empty, missing = lines(capsys.readouterr().out)
    assert empty == {
        "file": "in/empty.png",
        "status": "error",
        "text": "",
        "digits": [],
        "reason": "the file is empty",
    }
    assert missing["reason"] == "cannot be read: No such file or directory"


def test_people_get_a_table(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in/b-seven.png", "in/blank.png"]) == 0
    out, err = capsys.readouterr()
    titles, _, seven, blank = [line.split() for line in out.splitlines() if line.strip()]
    assert titles == ["file", "text", "confidence", "alternative", "notes"]
    assert seven[:2] == ["in/b-seven.png", "7"]
    assert blank == ["in/blank.png", "no", "ink"]
    assert err == ""


def test_all_pages_of_a_tiff_are_read_and_of_other_files_the_unread_frames_are_told(
    folder: Path, drawn: Callable[[int], bytes], capsys: Capture
) -> None:
    two, seven = (Image.open(io.BytesIO(drawn(label))) for label in (2, 7))
    for name in ("scan.tif", "film.gif"):
        two.save(name, save_all=True, append_images=[seven])
    assert run(["recognize", "scan.tif", "film.gif", "--json"]) == 0
    scan, film = lines(capsys.readouterr().out)
    assert scan["text"] == "2\n\n7"
    assert [line["page"] for line in scan["lines"]] == [0, 1]
    assert film["text"] == "2"
    assert any("1" in note and "not read" in note for note in film["notes"])


def test_a_known_length_decides_what_is_read(
    folder: Path, drawn: Callable[[int], bytes], capsys: Capture
) -> None:
    both = np.hstack([decode_image(drawn(label)).grey for label in (2, 7)])
    Path("both.png").write_bytes(encoded(both, "PNG"))
    texts = {}
    for length in ("2", "1-3", "-8", "2-"):
        assert run(["recognize", "both.png", "--length", length, "--json"]) == 0
        [answer] = lines(capsys.readouterr().out)
        texts[length] = answer["text"]
    assert set(texts.values()) == {"27"}
    assert run(["recognize", "both.png", "--length", "5", "--json"]) == 0
    [answer] = lines(capsys.readouterr().out)
    assert answer["text"] in ("",) or len(answer["text"]) == 5
    assert answer["text"] != "27"


@pytest.mark.parametrize("length", ["five", "0", "8-3", "301", ""])
def test_a_length_that_is_none_is_one_line(folder: Path, length: str, capsys: Capture) -> None:
    assert run(["recognize", "in/b-seven.png", f"--length={length}"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("digitlab: length: expected ")


def test_a_rejected_picture_is_an_answer(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in/blank.png", "--json"]) == 0
    [answer] = lines(capsys.readouterr().out)
    assert (answer["status"], answer["text"], answer["digits"]) == ("rejected", "", [])
    assert answer["reason"] == "no ink"


def test_patterns_may_be_quoted_and_names_with_brackets_are_names(
    folder: Path, drawn: Callable[[int], bytes]
) -> None:
    Path("in/[7].png").write_bytes(drawn(7))
    assert list(picture_names(["in/*.png"])) == [
        "in/[7].png", "in/b-seven.png", "in/blank.png", "in/drawing.png", "in/empty.png", "in/half.png",
    ]  # fmt: skip
    assert list(picture_names(["in/[7].png", "-", "in/**/zero"])) == ["in/[7].png", "-", "in/deeper/zero"]
    assert list(picture_names([str(folder / "in" / "b-*")])) == [str(folder / "in" / "b-seven.png")]


def test_what_leads_to_no_file_is_bad_input(folder: Path, capsys: Capture) -> None:
    Path("hollow").mkdir()
    assert run(["recognize", "hollow", "*.gif", "in/b-seven.png", "--json"]) == 2
    hollow, pattern, seven = lines(capsys.readouterr().out)
    assert (hollow["file"], hollow["status"]) == ("hollow", "error")
    assert "folder" in hollow["reason"]
    assert (pattern["file"], pattern["status"]) == ("*.gif", "error")
    assert seven["text"] == "7"


def test_a_picture_may_come_from_stdin(
    drawn: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(drawn(2))))
    assert run(["recognize", "-", "--json"]) == 0
    [answer] = lines(capsys.readouterr().out)
    assert (answer["file"], answer["text"]) == ("-", "2")
    assert run(["recognize", "-", "--json"]) == 2  # nothing is left there
    assert lines(capsys.readouterr().out)[0]["reason"] == "the file is empty"


@pytest.mark.slow  # reads 300 pictures
def test_many_pictures_are_read_as_each_alone(tmp_path: Path, capsys: Capture) -> None:
    mnist = read_mnist()
    for index, digit in enumerate(mnist.x_test[:300]):  # more than a batch
        (tmp_path / f"{index:03}.png").write_bytes(encoded(digit, "PNG"))
    (tmp_path / "100.png").write_bytes(b"junk")
    assert run(["recognize", str(tmp_path), "--json"]) == 2
    out, err = capsys.readouterr()
    answers = lines(out)
    assert [Path(answer["file"]).stem for answer in answers] == [f"{index:03}" for index in range(300)]
    assert len(err.splitlines()) == 2  # no progress bar where there is no terminal
    right = sum(
        answer["text"] == str(label) for answer, label in zip(answers, mnist.y_test[:300], strict=True)
    )
    assert right >= 280
    for index in (0, 249, 250, 299):
        run(["recognize", str(tmp_path / f"{index:03}.png"), "--json"])
        [alone] = lines(capsys.readouterr().out)
        together = answers[index]
        assert (alone["text"], alone["reason"]) == (together["text"], together["reason"])
        for one, other in zip(alone["digits"], together["digits"], strict=True):
            assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_the_explanation_is_a_picture(folder: Path, capsys: Capture) -> None:
    assert run(["recognize", "in/b-seven.png", "--explain", "why.png", "--json"]) == 0
    out, err = capsys.readouterr()
    assert len(lines(out)) == 1
    assert err == "drawn to why.png\n"
    strip = cv2.imread("why.png")
    assert strip is not None
    assert strip.shape[0] > 300
    assert strip.shape[1] > 500
    assert run(["recognize", "in/blank.png", "--explain", "blank.png"]) == 0
    assert cv2.imread("blank.png") is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in/b-seven.png", "in/a-two.jpg", "--explain", "why.png"], "--explain: expected one picture"),
        (["in/b-seven.png", "--explain", "why.gif"], "a file name in .png"),
        (["in/b-seven.png", "--explain", "in/b-seven.png/why.png"], "cannot be written"),
        (["in/b-seven.png", "--model", "nowhere"], "no model 'nowhere'"),
        ([], "IMAGE"),
    ],
)
def test_wrong_usage_is_one_line(folder: Path, arguments: list[str], message: str, capsys: Capture) -> None:
    assert run(["recognize", *arguments, "--json"]) == 2
    out, err = capsys.readouterr()
    assert message in err.splitlines()[-1]
    assert len(err.splitlines()) == 1
    assert "Traceback" not in out


def test_names_steer_no_terminal_and_break_no_line(
    folder: Path, drawn: Callable[[int], bytes], capsys: Capture
) -> None:
    for name in ("\x1b[2J.png", "line\nbreak.png", os.fsdecode(b"\xff\xfe.png")):
        Path("in", name).write_bytes(drawn(7))
    Path("in/\x1b[31mbad.png").touch()
    assert run(["recognize", "in/\x1b*", "in/line*", os.fsdecode(b"in/\xff*")]) == 2
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert "line\N{REPLACEMENT CHARACTER}break.png" in captured.out


def start(arguments: list[str], folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digitlab", "recognize", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, timeout=120, check=False, **options
    )


@pytest.mark.slow  # a process of its own
def test_no_helper_program_is_started_for_postscript_that_is_named_a_picture(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in ("gs", "gswin32c", "gswin64c", "convert", "magick", "inkscape"):
        script = programs / program
        script.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
        script.chmod(0o755)
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n%%EOF\n"
    (tmp_path / "seven.png").write_bytes(postscript)
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = start(["seven.png", "--json"], tmp_path, env=environment)
    assert done.returncode == 2
    assert "found PostScript" in lines(done.stdout)[0]["reason"]
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "started").exists()


MEASURE = """
import sys
from pathlib import Path
from digitlab.cli.main import run
code = run(["recognize", *sys.argv[1:], "--json"])
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
print(code, peak, file=sys.stderr)
"""


def cost(folder: Path) -> tuple[list[dict[str, Any]], int, float]:
    """Recognize a folder in a process of its own: answers, exit code, peak megabytes."""
    command = [sys.executable, "-c", MEASURE, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    code, megabytes = done.stderr.splitlines()[-1].split()
    return lines(done.stdout), int(code), float(megabytes)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_bombs_are_refused_in_little_more_than_an_idle_process_takes(tmp_path: Path) -> None:
    idle, bad = tmp_path / "idle", tmp_path / "bad"
    idle.mkdir()
    bad.mkdir()
    (idle / "blank.png").write_bytes(encoded(np.full((8, 8), 255, np.uint8), "PNG"))
    files = bombs() | padded_lies() | floods(10_000_000)
    for name, data in files.items():
        (bad / name).write_bytes(data)
    (bad / "of 5000 frames").write_bytes(_gif_of_frames(5_000))
    _, _, memory = cost(idle)
    answers, code, peak = cost(bad)
    assert code == 2
    refused = {Path(answer["file"]).name for answer in answers if answer["status"] == "error"}
    assert refused == set(files)  # of the animation the first frame is read
    assert peak - memory < 50 + 10  # the largest file itself


def _gif_of_frames(count: int) -> bytes:
    from PIL import Image

    digits = read_mnist().x_test
    first, *others = [
        Image.fromarray(np.kron(digits[i % 50], np.ones((4, 4), np.uint8))) for i in range(count)
    ]
    return encoded(first, "GIF", save_all=True, append_images=others)
