"""Reading pictures over HTTP: the same answers as on the command line, and nothing bad breaks it."""

from __future__ import annotations

import base64
import gzip
import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitlab.bundle.runtime import Classifier
from digitlab.cli.main import run
from digitlab.pictures.decoder import decode_image
from digitlab.recognition import Reason
from digitlab.serving.settings import Limits
from drawings import blank, drawing
from in_process import Client

SEVEN_TWO_ONE_ZERO = (0, 1, 2, 3)


def picture(url: str) -> np.ndarray:
    kind, data = url.split(",", 1)
    assert kind == "data:image/png;base64"
    return decode_image(base64.b64decode(data)).grey


def test_it_answers_as_the_command_line_does(
    client: Client, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "drawing.png"
    file.write_bytes(drawing(SEVEN_TWO_ONE_ZERO))
    assert run(["recognize", str(file), "--model", str(network), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    answer = client.post("/api/recognize", content=file.read_bytes()).json()
    assert len(answer["text"]) == 4
    assert {**answer, "file": str(file)}.items() >= printed.items()
    assert answer.keys() - printed.keys() == {"model", "pages", "size", "seconds"}
    assert answer["size"] == [4 * 44 * 6, 44 * 6]


@pytest.mark.parametrize("field", ["image", "file", "whatever"])
def test_a_form_is_read_as_a_raw_body_is(client: Client, field: str) -> None:
    content = drawing([0])
    raw = client.post("/api/recognize", content=content, headers={"Content-Type": "image/png"}).json()
    form = client.post("/api/recognize", files={field: ("x.png", content)}, data={"other": "field"}).json()
    assert raw.pop("seconds") >= 0
    assert form.pop("seconds") >= 0
    assert form == raw


@pytest.mark.parametrize("length", ["2", "1-3", "-8", "2-"])
def test_a_known_length_may_stand_in_the_query_or_in_the_form(client: Client, length: str) -> None:
    content = drawing([0, 1])
    query = client.post("/api/recognize", params={"length": length}, content=content).json()
    form = client.post("/api/recognize", files={"image": content}, data={"length": length}).json()
    assert query["text"] == form["text"] == "72"


def test_nothing_of_another_length_is_read(client: Client) -> None:
    answer = client.post("/api/recognize?length=3", content=drawing([0, 1])).json()
    assert len(answer["text"]) in (0, 3)


@pytest.mark.parametrize("length", ["five", "0", "8-3", "301", "5,6", "9" * 40])
def test_a_length_that_is_none_is_422_in_one_line(client: Client, length: str) -> None:
    for answer in (
        client.post("/api/recognize", params={"length": length}, content=drawing([0])),
        client.post("/api/recognize", files={"image": drawing([0])}, data={"length": length}),
    ):
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("length: expected ")
        assert "\n" not in answer.json()["error"]


def test_two_lengths_that_differ_are_422(client: Client) -> None:
    form = {"files": {"image": drawing([0])}, "data": {"length": "2"}}
    assert client.post("/api/recognize?length=2", **form).status_code == 200
    assert client.post("/api/recognize?length=3", **form).status_code == 422


def test_an_empty_length_says_nothing(client: Client) -> None:
    assert client.post("/api/recognize?length=", content=drawing([0, 1])).json()["text"] == "72"


def test_rows_and_both_opinions_are_in_the_answer(client: Client) -> None:
    answer = client.post("/api/recognize", content=drawing(SEVEN_TWO_ONE_ZERO)).json()
    [line] = answer["lines"]
    assert (line["text"], line["page"]) == ("7210", 0)
    assert line["alternatives"][0]["text"] == "7210"
    assert 0 <= line["confidence"] <= 1
    for digit in answer["digits"]:
        assert digit["opinions"]["row"]["digit"] == digit["opinions"]["form"]["digit"] == digit["digit"]
    assert answer["notes"] == []


def test_all_pages_of_a_tiff_are_read(client: Client) -> None:
    pages = [Image.open(io.BytesIO(drawing([number]))) for number in (0, 1)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    answer = client.post("/api/recognize?steps=1", content=stream.getvalue()).json()
    assert (answer["text"], answer["pages"]) == ("7\n\n2", 2)


def test_a_compressed_body_is_read(client: Client) -> None:
    content = gzip.compress(drawing([0]))
    answer = client.post("/api/recognize", content=content, headers={"Content-Encoding": "gzip"})
    assert answer.json()["text"] == "7"


def test_the_steps_are_pictures(client: Client, digits: np.ndarray) -> None:
    answer = client.post("/api/recognize?steps=1", content=drawing([0, 1])).json()
    assert len(answer["steps"]) > 1
    for step in answer["steps"]:
        assert step["name"]
        assert picture(step["image"]).ndim == 2
    for shown, digit in zip(answer["digits"], digits[:2], strict=True):
        seen = picture(shown["image"])
        assert seen.shape == (28, 28)
        assert np.corrcoef(seen.ravel(), digit.ravel())[0, 1] > 0.8


def test_other_networks_answer_for_the_same_digits(client: Client, classifier: Classifier) -> None:
    model = client.get("/api/models").json()["default"]
    answer = client.post(f"/api/recognize?steps=1&models={model}", content=drawing([0, 1])).json()
    for digit in answer["digits"]:
        found = digit["answers"][model]
        assert found["digit"] == digit["digit"]
        expected = classifier.calibrated(picture(digit["image"])[None])[0]
        np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)


def test_blank_paper_is_rejected_and_that_is_an_answer(client: Client) -> None:
    values = client.post("/api/recognize?steps=1", content=blank()).json()
    assert (values["status"], values["text"], values["digits"]) == ("rejected", "", [])
    assert values["reason"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"\x89PNG\r\n\x1a\n", 422),
        (drawing([0])[:200], 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"%PDF-1.7", 415),
        (b"<!DOCTYPE html><script>alert(1)</script>", 415),
        (b"hello", 415),
    ],
)
@pytest.mark.parametrize("path", ["/api/recognize", "/api/look"])
@pytest.mark.parametrize("as_form", [False, True])
def test_what_is_no_picture_is_refused(
    client: Client, path: str, content: bytes, status: int, as_form: bool
) -> None:
    answer = client.post(path, files={"image": content}) if as_form else client.post(path, content=content)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize("before", [b"", b"data:image/png;base64,"])
def test_base64_text_of_a_picture_is_named_with_what_to_do(client: Client, before: bytes) -> None:
    answer = client.post("/api/recognize", content=before + base64.b64encode(drawing([7])))
    assert answer.status_code == 415
    assert "found base64 text of a picture: decode it to the bytes" in answer.json()["error"]


def test_a_header_that_lies_is_refused(client: Client) -> None:
    lying = bytearray(drawing([0]))
    lying[16:24] = (30_000).to_bytes(4, "big") * 2
    assert client.post("/api/recognize", content=bytes(lying)).status_code == 422


def form(*parts: bytes, boundary: bytes = b"edge") -> tuple[bytes, dict[str, str]]:
    body = (
        b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    )
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"}


FILE = b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + drawing([0])
FIELD = b'Content-Disposition: form-data; name="image"\r\n\r\ntext'


@pytest.mark.parametrize(
    ("parts", "status"),
    [((FILE,), 200), ((FIELD, FILE), 200), ((), 422), ((FIELD,), 422), ((FILE, FILE), 422)],
)
def test_a_form_has_one_file(client: Client, parts: tuple[bytes, ...], status: int) -> None:
    body, headers = form(*parts)
    assert client.post("/api/recognize", content=body, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"no form", "multipart/form-data; boundary=edge"),
        (b"--edge", "multipart/form-data"),
        (b"--edge\r\nnonsense", "multipart/form-data; boundary=edge"),
        (form(*[FIELD] * 50)[0], "multipart/form-data; boundary=edge"),
        (form(*[FILE] * 50)[0], "multipart/form-data; boundary=edge"),
        (b"--\xff\r\n\r\n", "multipart/mixed; boundary=\xff"),
    ],
)
def test_a_form_that_is_none_is_refused(client: Client, content: bytes, kind: str) -> None:
    answer = client.post("/api/recognize", content=content, headers={"Content-Type": kind.encode("latin-1")})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]


def test_too_long_a_body_is_413(make_client: Any) -> None:
    client = make_client(limits=Limits(picture_bytes=2000, json_bytes=100))
    for path in ("/api/recognize", "/api/look"):
        assert client.post(path, content=bytes(2001)).status_code == 413
        assert client.post(path, files={"image": bytes(2001)}).status_code == 413
        packed = gzip.compress(bytes(2001))
        assert client.post(path, content=packed, headers={"Content-Encoding": "gzip"}).status_code == 413


def test_a_full_queue_is_503(make_client: Any) -> None:
    client = make_client(limits=Limits(queue_pictures=0))
    answer = client.post("/api/recognize", content=drawing([0]))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("query", ["model=none", "models=none", "model=../best", "model=%2Ftmp", "model="])
def test_an_unknown_network_is_404(client: Client, query: str) -> None:
    assert client.post(f"/api/recognize?{query}", content=drawing([0])).status_code == 404


@pytest.mark.parametrize("query", ["steps=maybe", "models=" + "a," * 20])
def test_a_bad_query_is_422_in_one_line(client: Client, query: str) -> None:
    answer = client.post(f"/api/recognize?{query}", content=drawing([0]))
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


def test_looking_inside_shows_every_layer_of_the_digit(client: Client, classifier: Classifier) -> None:
    answer = client.post("/api/look?digit=1", content=drawing([0, 1])).json()
    assert (answer["digits"], answer["index"], answer["digit"]["digit"]) == (2, 1, 2)
    image = np.frombuffer(base64.b64decode(answer["image"]), np.uint8).reshape(28, 28)
    inside = classifier.activations(image[None])
    assert {layer["name"] for layer in answer["layers"]} == inside.keys() - {"features", "probabilities"}
    for layer in answer["layers"]:
        expected = inside[layer["name"]][0]
        assert layer["shape"] == list(expected.shape)
        shape = (expected.shape[-1], *expected.shape[:-1])  # channels first
        found = np.frombuffer(base64.b64decode(layer["maps"]), np.uint8).reshape(shape)
        found = layer["low"] + found / 255 * (layer["high"] - layer["low"])
        step = (layer["high"] - layer["low"]) / 255
        np.testing.assert_allclose(np.moveaxis(found, 0, -1), expected, atol=step + 1e-6)
    np.testing.assert_allclose(answer["probabilities"], classifier.calibrated(image[None])[0], atol=1e-5)


def test_the_answer_leans_on_the_ink(client: Client) -> None:
    answer = client.post("/api/look", content=drawing([0])).json()
    image = np.frombuffer(base64.b64decode(answer["image"]), np.uint8).reshape(28, 28)
    drop = np.array(answer["occlusion"]["drop"])
    assert drop.shape == tuple(answer["occlusion"]["shape"]) == (28, 28)
    assert abs(drop).max() <= 1
    ink = image > 128
    assert abs(drop[ink]).mean() > abs(drop[~ink]).mean()
    assert drop[:2, :2].max() == 0  # nothing can be covered there


@pytest.mark.parametrize(("query", "status"), [("digit=1", 404), ("digit=-1", 422), ("digit=x", 422)])
def test_a_digit_that_is_not_there_cannot_be_looked_at(client: Client, query: str, status: int) -> None:
    assert client.post(f"/api/look?{query}", content=drawing([0])).status_code == status


def test_there_is_nothing_to_look_at_on_blank_paper(client: Client) -> None:
    assert client.post("/api/look", content=blank()).status_code == 422


@pytest.mark.parametrize("reason", list(Reason))
def test_the_page_has_a_sentence_for_each_reason(reason: Reason) -> None:
    sentences = (files("digitlab.serving") / "static" / "words.js").read_text("utf-8")
    assert f'"{reason}":' in sentences
