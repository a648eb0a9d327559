from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlab.bundle.card import Card
from digitlab.bundle.files import CARD, INSIDE, MAX_CARD_BYTES, MODEL, ONNX, check_bundle
from digitlab.results.record import Result

Refusal = Callable[..., str]
Rewrite = Callable[[Callable[[dict[str, Any]], None]], None]


def test_a_bundle_that_was_written_passes_its_check(bundle: Path, result: Result) -> None:
    checked = check_bundle(str(bundle))
    assert checked.folder == bundle
    assert checked.card.trial.id == result.trial.id
    text = (bundle / CARD).read_text("utf-8")
    assert Card.from_json(text) == checked.card
    assert Card.from_json(checked.card.to_json()) == checked.card
    assert text.count("\n") > 20, "people read it, too"


@pytest.mark.parametrize("name", [MODEL, ONNX, INSIDE, "README.md"])
def test_an_altered_file_is_refused_by_name(name: str, bundle: Path, refusal: Refusal) -> None:
    whole = (bundle / name).read_bytes()
    for content in (whole + b"!", whole[:-1], bytes([whole[0] ^ 1]) + whole[1:], b""):
        (bundle / name).write_bytes(content)
        message = refusal(check_bundle, bundle)
        assert message.startswith(f"{bundle / name}: its SHA-256 is not the one in card.json")


@pytest.mark.parametrize("name", [MODEL, ONNX, INSIDE, CARD])
def test_a_missing_file_is_named(name: str, bundle: Path, refusal: Refusal) -> None:
    (bundle / name).unlink()
    message = refusal(check_bundle, bundle)
    assert message.startswith(f"{bundle}: expected a ")
    assert name in message


@pytest.mark.parametrize("name", [MODEL, CARD])
def test_a_folder_in_a_files_place_is_refused(name: str, bundle: Path, refusal: Refusal) -> None:
    (bundle / name).unlink()
    (bundle / name).mkdir()
    assert name in refusal(check_bundle, bundle)


def test_a_pipe_or_a_device_in_the_networks_place_is_refused_and_not_waited_for(
    bundle: Path, refusal: Refusal
) -> None:
    (bundle / MODEL).unlink()
    os.mkfifo(bundle / MODEL)
    assert "expected a file 'model.keras' in the bundle" in refusal(check_bundle, bundle)
    (bundle / MODEL).unlink()
    (bundle / MODEL).symlink_to("/dev/zero")
    assert "expected a file 'model.keras' in the bundle" in refusal(check_bundle, bundle)


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    for place in (tmp_path, tmp_path / "nowhere", tmp_path / "file", tmp_path / ("n" * 300)):
        message = refusal(check_bundle, place)
        assert message.startswith(f"{place}: expected a bundle (a folder that  digitlab train  wrote): ")


def test_a_file_that_the_card_names_is_checked_as_well(
    bundle: Path, refusal: Refusal, rewrite: Rewrite
) -> None:
    (bundle / "labels.txt").write_bytes(b"0123456789")
    digest = hashlib.sha256(b"0123456789").hexdigest()
    rewrite(lambda card: card["files"].update({"labels.txt": digest}))
    assert check_bundle(bundle).card.files["labels.txt"] == digest
    (bundle / "labels.txt").write_bytes(b"1234567890")
    assert "labels.txt: its SHA-256 is not the one" in refusal(check_bundle, bundle)
    (bundle / "labels.txt").unlink()
    assert "expected a file 'labels.txt'" in refusal(check_bundle, bundle)


def test_a_file_that_the_card_does_not_name_is_nobodys_business(bundle: Path) -> None:
    (bundle / ".DS_Store").write_bytes(b"a file browser was here")
    assert check_bundle(bundle)


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/hostname",
        "a/../model.keras",
        "./model.keras",
        "..",
        ".",
        "",
        "a\0b",
        "n" * 5000,
        "sub/file",
    ],
)
def test_a_card_that_names_what_lies_elsewhere_is_refused(
    name: str, bundle: Path, refusal: Refusal, rewrite: Rewrite
) -> None:
    secret = b"not in the bundle"
    (bundle.parent / "secret").write_bytes(secret)
    (bundle / "sub").mkdir()
    (bundle / "sub" / "file").write_bytes(secret)
    rewrite(lambda card: card["files"].update({name: hashlib.sha256(secret).hexdigest()}))
    refusal(check_bundle, bundle)


@pytest.mark.parametrize("files", [{}, {"other": "0" * 64}])
def test_a_card_that_does_not_name_the_network_is_refused(
    files: dict[str, str], bundle: Path, refusal: Refusal, rewrite: Rewrite
) -> None:
    (bundle / "other").touch()
    rewrite(lambda card: card.update(files=files))
    assert "its SHA-256 is not the one in card.json" in refusal(check_bundle, bundle)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected JSON"),
        (b"{", "expected JSON"),
        (b"[]", "expected a table of settings, received []"),
        (b"null", "expected a table of settings, received None"),
        (b"{}", "this setting is missing"),
        (b"[" * 100_000, "expected JSON"),
        (b"\xff\xfe{}", "expected UTF-8 text"),
        (b" " * (MAX_CARD_BYTES + 1), "expected at most 1,000,000 bytes"),
    ],
)
def test_a_card_that_is_none_is_refused(content: bytes, words: str, bundle: Path, refusal: Refusal) -> None:
    (bundle / CARD).write_bytes(content)
    message = refusal(check_bundle, bundle)
    assert message.startswith(f"{bundle / CARD}: ")
    assert words in message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "colour: there is no such setting"),
        ({"parameters": "many"}, "parameters: expected "),
        ({"files": {MODEL: "0" * 63}}, "files.model.keras: expected a SHA-256 of 64 hexadecimal digits"),
        (
            {"calibration": {"temperature": 0}},
            "calibration.temperature: expected a number from 0.05 up to 20",
        ),
        ({"files": [MODEL]}, "files: expected a table of settings"),
        (
            {"trial": {"model": {"family": "svm"}}},
            "trial.model.family: expected one of 'mlp', 'cnn', 'python'",
        ),
    ],
)
def test_a_card_with_a_wrong_value_is_refused_by_field(
    change: dict[str, Any], words: str, bundle: Path, refusal: Refusal, rewrite: Rewrite
) -> None:
    rewrite(lambda card: card.update(change))
    message = refusal(check_bundle, bundle)
    assert message.startswith(f"{bundle / CARD}: {words}")
