"""The list of networks, their cards, two of them compared, and kept drawings."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from clothes import CLOTHES
from digitlab.bundle.files import shipped_names
from digitlab.bundle.runtime import Classifier
from digitlab.data import load
from digitlab.data.importer import import_folder
from digitlab.recognition.explain import encode_png
from digitlab.serving.kept import KeptDrawings
from drawings import drawing
from in_process import Client, token_of
from real_digits import read_mnist


@pytest.fixture
def results(tmp_path: Path, network: Path) -> Path:
    """A folder of results with a sound network, a damaged one and something else."""
    models = tmp_path / "results" / "models"
    shutil.copytree(network, models / "my net")
    shutil.copytree(network, models / "damaged")
    with (models / "damaged" / "model.onnx").open("ab") as file:
        file.write(b"x")
    (models / "empty").mkdir()
    (models / "empty" / "dangling").symlink_to("nowhere")
    (models / ".draft").mkdir()
    (models / "file").write_text("no folder")
    return tmp_path / "results"


def test_the_list_has_all_networks_and_says_which_are_unsound(make_client: Any, results: Path) -> None:
    values = make_client(results=results).get("/api/models").json()
    found = {model["id"]: model for model in values["models"]}
    assert values["models"][0]["id"] == values["default"]
    assert set(shipped_names()) <= found.keys()
    assert {name for name in found if name.startswith("user:")} == {
        "user:my net",
        "user:damaged",
        "user:empty",
    }
    assert found["user:my net"]["error"] is None
    assert found["user:my net"]["test_error"] < 10
    assert found["user:my net"]["data"] == "mnist"
    assert "SHA-256" in found["user:damaged"]["error"]
    assert found["user:empty"]["error"]


def test_a_network_of_other_classes_is_listed_with_the_reason_and_reads_no_digits(
    make_client: Any, results: Path
) -> None:
    path = results / "models" / "my net" / "card.json"
    card = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(card | {"classes": list(CLOTHES)}), "utf-8")
    client = make_client(results=results)
    [listed] = [each for each in client.get("/api/models").json()["models"] if each["id"] == "user:my net"]
    assert "received one of other classes (Top, Trouser, Pullover" in listed["error"]
    refused = [
        client.post("/api/recognize?model=user%3Amy%20net", content=drawing([0])),
        client.post("/api/recognize?models=user%3Amy%20net", content=drawing([0])),
        client.post("/api/look?model=user%3Amy%20net", content=drawing([0])),
        client.get("/api/compare?a=mlp&b=user%3Amy%20net"),
    ]
    for answer in refused:
        assert answer.status_code == 422
        assert "received one of other classes" in answer.json()["error"]


def test_a_users_network_answers_under_its_id(
    make_client: Any, results: Path, classifier: Classifier
) -> None:
    client = make_client(results=results)
    answer = client.post("/api/recognize?model=user%3Amy%20net", content=drawing([0])).json()
    assert (answer["model"], answer["text"]) == ("user:my net", "7")
    assert client.get("/v2/models/user:my net/ready").json() == {"name": "user:my net", "ready": True}
    card = client.get("/api/models/user:my net").json()
    assert card["card"] == json.loads(json.dumps(classifier.card.to_values()))
    assert card["path"] == str(results / "models" / "my net")


@pytest.mark.parametrize("path", ["/v2/models/user:damaged/infer", "/api/recognize?model=user:damaged"])
def test_an_unsound_network_does_not_answer(make_client: Any, results: Path, path: str) -> None:
    answer = make_client(results=results).post(path, content=drawing([0]))
    assert answer.status_code == 422
    assert "SHA-256" in answer.json()["error"]


def test_a_network_that_was_mended_answers(make_client: Any, results: Path, network: Path) -> None:
    client = make_client(results=results)
    path = "/api/recognize?model=user:damaged"
    assert client.post(path, content=drawing([0])).status_code == 422
    shutil.copy(network / "model.onnx", results / "models" / "damaged" / "model.onnx")
    assert client.post(path, content=drawing([0])).json()["text"] == "7"
    listed = {model["id"]: model for model in client.get("/api/models").json()["models"]}
    assert listed["user:damaged"]["error"] is None


def test_a_network_that_was_trained_anew_answers_anew(
    make_client: Any, results: Path, network: Path, tmp_path: Path
) -> None:
    client = make_client(results=results)
    path = "/api/recognize?model=user:my%20net"
    assert client.post(path, content=drawing([0])).json()["text"] == "7"
    shutil.copytree(
        exchanged(network, tmp_path / "anew", 7, 3), results / "models" / "my net", dirs_exist_ok=True
    )
    # The reader of rows still reads a 7; the second opinion is the new network's.
    digit = client.post(path, content=drawing([0])).json()["digits"][0]
    assert digit["opinions"]["form"]["digit"] == 3
    shutil.rmtree(results / "models" / "my net")
    assert client.post(path, content=drawing([0])).status_code == 404


def test_a_card_that_is_not_there_is_404(client: Client) -> None:
    assert client.get("/api/models/none").status_code == 404


@pytest.mark.slow
def test_a_network_is_no_better_than_itself(client: Client, classifier: Classifier) -> None:
    name = client.get("/api/models").json()["default"]
    values = client.get(f"/api/compare?a={name}&b={name}").json()
    dataset = read_mnist()
    errors = int((classifier.probabilities(dataset.x_test).argmax(axis=1) != dataset.y_test).sum())
    assert values["errors"] == {"a": errors, "b": errors}
    assert (values["both_wrong"], values["only_a_wrong"], values["p"]) == (errors, 0, 1.0)
    assert values["differences"] == []


@pytest.mark.parametrize(("query", "status"), [("a=none&b=none", 404), ("a=x", 422), ("", 422)])
def test_a_comparison_needs_two_networks(client: Client, query: str, status: int) -> None:
    assert client.get(f"/api/compare?{query}").status_code == status


def kept(client: Client, values: Any) -> Any:
    return client.post("/api/kept", headers=token_of(client), json=values)


def url(image: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode()


def test_a_corrected_drawing_is_kept_once(make_client: Any, tmp_path: Path, digits: np.ndarray) -> None:
    client = make_client()
    values = {"label": 7, "image": url(digits[0]), "consent": True}
    first, again = kept(client, values), kept(client, values)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert list((tmp_path / "drawings" / "7").iterdir()) == [Path(first.json()["path"])]
    assert client.get("/api/kept").json()["counts"] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


def test_a_drawing_that_comes_many_times_at_once_is_kept_once(tmp_path: Path, digits: np.ndarray) -> None:
    drawings = KeptDrawings(tmp_path / "drawings")
    start = Barrier(8)

    def keep(_: int) -> bool:
        start.wait()
        return drawings.keep(7, digits[0])[1]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(keep, range(8))) == [False] * 7 + [True]
    assert drawings.counts() == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


@pytest.mark.slow
def test_what_was_kept_can_be_imported(make_client: Any, tmp_path: Path) -> None:
    client = make_client()
    dataset = read_mnist()
    for digit in range(10):
        for index in np.flatnonzero(dataset.y_test == digit)[:7]:
            answer = kept(client, {"label": digit, "image": url(dataset.x_test[index]), "consent": True})
            assert answer.status_code == 201
    assert client.get("/api/kept").json()["count"] == 70
    import_folder(tmp_path / "drawings", tmp_path / "imported")
    imported = load(tmp_path / "imported")
    everything = np.concatenate([imported.x_train, imported.x_test])
    originals = {
        dataset.x_test[index].tobytes()
        for digit in range(10)
        for index in np.flatnonzero(dataset.y_test == digit)[:7]
    }
    assert {image.tobytes() for image in everything} == originals


@pytest.mark.parametrize(
    "change",
    [
        {"consent": False},
        {"consent": "true"},
        {"consent": None},
        {"label": 10},
        {"label": -1},
        {"label": "7"},
        {"label": True},
        {"image": "data:image/png;base64,???"},
        {"image": ""},
        {"image": 7},
        {"image": url(np.zeros((28, 29), np.uint8))},
        {"image": "/etc/passwd"},
    ],
)
def test_nothing_else_is_kept(
    make_client: Any, tmp_path: Path, digits: np.ndarray, change: dict[str, Any]
) -> None:
    answer = kept(make_client(), {"label": 7, "image": url(digits[0]), "consent": True} | change)
    assert answer.status_code in (415, 422)
    assert answer.json()["error"]
    assert not (tmp_path / "drawings").exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"x"'])
def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("/api/kept", headers=token_of(client), content=body)
    assert answer.status_code in (400, 422)


@pytest.mark.slow
def test_two_networks_differ_where_their_answers_do(
    make_client: Any, tmp_path: Path, network: Path, classifier: Classifier
) -> None:
    """The other network is the same one with two of its answers exchanged: 4 for 9."""
    other = exchanged(network, tmp_path / "models" / "exchanged", 4, 9)
    values = make_client().get("/api/compare?a=user:exchanged&b=" + network.name).json()
    dataset = read_mnist()
    mine = classifier.probabilities(dataset.x_test).argmax(axis=1)
    theirs = np.select([mine == 4, mine == 9], [9, 4], mine)
    assert values["different"] == int((mine != theirs).sum())
    assert values["errors"]["a"] == int((theirs != dataset.y_test).sum())
    assert values["only_a_wrong"] > 1000
    assert values["p"] < 1e-100
    assert values["sentence"].count(network.name) == 2
    assert len(values["differences"]) == 200
    for shown in values["differences"]:
        index = shown["index"]
        assert (shown["a"]["digit"], shown["b"]["digit"]) == (theirs[index], mine[index])
        assert base64.b64decode(shown["image"]) == dataset.x_test[index].tobytes()
        assert shown["label"] == dataset.y_test[index]
    assert other.is_dir()


def exchanged(network: Path, folder: Path, one: int, another: int) -> Path:
    """Copy a bundle and let its network answer one digit where it meant another."""
    import onnx

    order = list(range(10))
    order[one], order[another] = another, one
    shutil.copytree(network, folder)
    card = json.loads((folder / "card.json").read_text())
    # Both are read before either is written: the weights of inside.onnx stand in model.onnx.
    models = {name: onnx.load(folder / name) for name in ("model.onnx", "inside.onnx")}
    for name, model in models.items():
        node = next(node for node in model.graph.node if "probabilities" in node.output)
        node.output[0] = "in the usual order"
        indices = onnx.numpy_helper.from_array(np.array(order), "order")
        model.graph.initializer.append(indices)
        model.graph.node.append(
            onnx.helper.make_node("Gather", ["in the usual order", "order"], ["probabilities"], axis=1)
        )
        onnx.save(model, folder / name)
        card["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    card["answers"] = np.array(card["answers"])[:, order].tolist()
    (folder / "card.json").write_text(json.dumps(card))
    return folder
