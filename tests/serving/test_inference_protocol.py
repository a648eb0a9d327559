"""The Open Inference Protocol, against a service in this process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import orjson
import pytest

from digitlab.bundle.runtime import Classifier
from digitlab.serving.settings import Limits
from digitlab.serving.tensors import MOST_ID, MOST_IMAGES
from in_process import Client
from requests_of_the_protocol import binary_request, request, tensor

ONE = np.zeros((1, 28, 28), np.uint8)


@pytest.fixture(scope="module")
def model(client: Client) -> str:
    return client.get("/api/models").json()["default"]


@pytest.fixture(scope="module")
def infer(client: Client, model: str) -> str:
    return f"/v2/models/{model}/infer"


def probabilities(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert (output["name"], output["datatype"]) == ("probabilities", "FP32")
    return np.array(output["data"], np.float32).reshape(output["shape"])


def test_the_server_says_what_it_is(client: Client) -> None:
    values = client.get("/v2").json()
    assert values["name"] == "digitlab"
    assert values["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/").json() == values


def test_it_is_alive_before_it_is_ready(make_client: Any) -> None:
    client = make_client()
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").status_code == 400  # the protocol's no
    client.get("/v2/models/mlp/ready")
    answer = client.get("/v2/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True})


@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_a_network_says_what_it_takes_and_gives(client: Client, model: str, version: str) -> None:
    values = client.get(f"/v2/models/{model}{version}").json()
    assert values["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28]}]
    assert values["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}]
    assert client.get(f"/v2/models/{model}{version}/ready").json() == {"name": model, "ready": True}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [(), (1,)])
def test_answers_are_the_classifiers(
    client: Client,
    infer: str,
    classifier: Classifier,
    digits: np.ndarray,
    dtype: type,
    channels: tuple[int, ...],
) -> None:
    images = digits[:5].astype(dtype)
    answer = client.post(infer, json=request(images.reshape(5, 28, 28, *channels)))
    np.testing.assert_allclose(probabilities(answer), classifier.probabilities(images), atol=1e-5)


def test_nested_data_is_read_as_flat_data_is(client: Client, infer: str, digits: np.ndarray) -> None:
    images = digits[:2]
    nested = client.post(infer, json={"inputs": [tensor(images, data=images.tolist())]})
    np.testing.assert_array_equal(
        probabilities(nested), probabilities(client.post(infer, json=request(images)))
    )


def test_the_id_comes_back(client: Client, infer: str, model: str) -> None:
    values = client.post(infer, json=request(ONE, id="a b")).json()
    assert (values["id"], values["model_name"], values["model_version"]) == ("a b", model, "1")
    assert "id" not in client.post(infer, json=request(ONE)).json()
    longest = "\N{GREEK SMALL LETTER PI}" * MOST_ID
    assert client.post(infer, json=request(ONE, id=longest)).json()["id"] == longest


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_tensors_may_follow_the_json_as_bytes_both_ways(
    client: Client, infer: str, classifier: Classifier, digits: np.ndarray, dtype: type
) -> None:
    images = digits[:3].astype(dtype)
    body, headers = binary_request(images, parameters={"binary_data_output": True}, id="7")
    answer = client.post(infer, content=body, headers=headers)
    length = int(answer.headers["inference-header-content-length"])
    values = orjson.loads(answer.content[:length])
    assert values["outputs"][0]["parameters"] == {"binary_data_size": 120}
    assert values["id"] == "7"
    found = np.frombuffer(answer.content[length:], "<f4").reshape(3, 10)
    np.testing.assert_allclose(found, classifier.probabilities(images), atol=1e-5)


def test_an_output_may_be_asked_for_as_json_though_the_request_is_binary(client: Client, infer: str) -> None:
    outputs = [{"name": "probabilities", "parameters": {"binary_data": False}}]
    body, headers = binary_request(ONE, outputs=outputs, parameters={"binary_data_output": True})
    assert probabilities(client.post(infer, content=body, headers=headers)).shape == (1, 10)


def test_no_images_are_answered_with_no_probabilities(client: Client, infer: str) -> None:
    assert probabilities(client.post(infer, json=request(ONE[:0]))).shape == (0, 10)


def test_a_thousand_images_are_answered_in_one_request(
    client: Client, infer: str, classifier: Classifier, digits: np.ndarray
) -> None:
    images = np.concatenate([digits] * 5)
    body, headers = binary_request(images)
    found = probabilities(client.post(infer, content=body, headers=headers))
    np.testing.assert_allclose(found, classifier.probabilities(images), atol=1e-5)


def test_many_clients_at_once_each_get_their_own_answer(
    client: Client, infer: str, classifier: Classifier, digits: np.ndarray
) -> None:
    expected = classifier.probabilities(digits)

    def ask(index: int) -> np.ndarray:
        return probabilities(client.post(infer, json=request(digits[index : index + 1])))[0]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(len(digits))))
    np.testing.assert_allclose(found, expected, atol=1e-5)


BAD_REQUESTS = {
    "no JSON": b"{",
    "no object": b"[]",
    "not UTF-8": b'{"id": "\xff"}',
    "no inputs": b"{}",
    "inputs is no list": {"inputs": {}},
    "two inputs": {"inputs": [tensor(ONE), tensor(ONE)]},
    "another name": {"inputs": [tensor(ONE, name="x")]},
    "no name": {"inputs": [tensor(ONE, name=...)]},
    "another type": {"inputs": [tensor(ONE, datatype="INT64")]},
    "a type that is no text": {"inputs": [tensor(ONE, datatype=["UINT8"])]},
    "another shape": {"inputs": [tensor(ONE, shape=[1, 784])]},
    "three channels": {"inputs": [tensor(ONE, shape=[1, 28, 28, 3])]},
    "a shape below nothing": {"inputs": [tensor(ONE, shape=[-1, 28, 28])]},
    "a shape of fractions": {"inputs": [tensor(ONE, shape=[1.5, 28, 28])]},
    "a huge shape": {"inputs": [tensor(ONE, shape=[2**62, 28, 28])]},
    "too many images": {"inputs": [tensor(ONE, shape=[MOST_IMAGES + 1, 28, 28])]},
    "a shape of true": {"inputs": [tensor(ONE, shape=[True, 28, 28])]},
    "a shape of false": {"inputs": [tensor(ONE, shape=[False, 28, 28], data=[])]},
    "a side that is a float": {"inputs": [tensor(ONE, shape=[1, 28.0, 28])]},
    "a count that is a float": {"inputs": [tensor(ONE, shape=[1.0, 28, 28])]},
    "a channel that is true": {"inputs": [tensor(ONE, shape=[1, 28, 28, True])]},
    "a channel that is a float": {"inputs": [tensor(ONE, shape=[1, 28, 28, 1.0])]},
    "a side below nothing": {"inputs": [tensor(ONE, shape=[1, 28, -28])]},
    "a shape of texts": {"inputs": [tensor(ONE, shape=["1", "28", "28"])]},
    "a shape of null": {"inputs": [tensor(ONE, shape=[None, 28, 28])]},
    "a nested shape": {"inputs": [tensor(ONE, shape=[[1, 28, 28]])]},
    "a shape that is null": {"inputs": [tensor(ONE, shape=None)]},
    "a shape that is a text": {"inputs": [tensor(ONE, shape="[1, 28, 28]")]},
    "a shape that is a number": {"inputs": [tensor(ONE, shape=784)]},
    "a shape that is an object": {"inputs": [tensor(ONE, shape={"n": 1})]},
    "an empty shape": {"inputs": [tensor(ONE, shape=[])]},
    "a shape beyond 64 bits": b'{"inputs": [{"name": "images", "datatype": "UINT8", "data": [], "shape": ['
    + b"9" * 40
    + b", 28, 28]}]}",
    "no data": {"inputs": [tensor(ONE, data=...)]},
    "data of a text": {"inputs": [tensor(ONE, data="0" * 784)]},
    "too few values": {"inputs": [tensor(ONE, data=[0] * 783)]},
    "too many values": {"inputs": [tensor(ONE, data=[0] * 785)]},
    "a value below 0": {"inputs": [tensor(ONE, data=[-1] + [0] * 783)]},
    "a value above 255": {"inputs": [tensor(ONE, data=[256] + [0] * 783)]},
    "a fraction as UINT8": {"inputs": [tensor(ONE, data=[0.5] + [0] * 783)]},
    "a text among numbers": {"inputs": [tensor(ONE, data=["0"] + [0] * 783)]},
    "a long text among many short ones": {"inputs": [tensor(ONE, data=["0" * 10**6] + [""] * 10**5)]},
    "a long text among nested numbers": {"inputs": [tensor(ONE, data=[[["0" * 10**4] + [0] * 27] * 28])]},
    "null among numbers": {"inputs": [tensor(ONE, data=[None] + [0] * 783)]},
    "ragged": {"inputs": [tensor(ONE, data=[[[0] * 28] * 27 + [[0] * 27]])]},
    "nested too deep": {"inputs": [tensor(ONE, data=[[[[[0] * 28] * 28]]])]},
    "an FP32 above 255": {"inputs": [tensor(ONE, datatype="FP32", data=[255.5] + [0] * 783)]},
    "an FP32 beyond floats": {"inputs": [tensor(ONE, datatype="FP32", data=[1e300] + [0] * 783)]},
    "an id that is no text": request(ONE, id=7),
    "an id that is too long": request(ONE, id="x" * (MOST_ID + 1)),
    "parameters that are no object": request(ONE, parameters=[1]),
    "an unknown output": request(ONE, outputs=[{"name": "digits"}]),
    "classes of an output": request(
        ONE, outputs=[{"name": "probabilities", "parameters": {"classification": 3}}]
    ),
    "bytes that do not come": {"inputs": [tensor(ONE, data=..., parameters={"binary_data_size": 784})]},
}


@pytest.mark.parametrize("bad", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_bad_request_is_refused_in_one_line(client: Client, infer: str, bad: Any) -> None:
    content = bad if isinstance(bad, bytes) else orjson.dumps(bad)
    answer = client.post(infer, content=content)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "x", "99999999", "9" * 30])
def test_a_bad_length_of_the_json_is_refused(client: Client, infer: str, length: str) -> None:
    body, _ = binary_request(ONE)
    answer = client.post(infer, content=body, headers={"Inference-Header-Content-Length": length})
    assert answer.status_code == 400
    assert "Inference-Header-Content-Length" in answer.json()["error"]


@pytest.mark.parametrize("nan", [b"NaN", b"Infinity", b"1e999"])
def test_numbers_that_are_none_are_refused(client: Client, infer: str, nan: bytes) -> None:
    body = orjson.dumps({"inputs": [tensor(ONE, datatype="FP32", data=[7.5] + [0] * 783)]})
    assert client.post(infer, content=body.replace(b"7.5", nan)).status_code == 400


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 255.01])
def test_binary_values_out_of_range_are_refused(client: Client, infer: str, value: float) -> None:
    images = np.zeros((1, 28, 28), np.float32)
    images[0, 3, 4] = value
    body, headers = binary_request(images)
    assert client.post(infer, content=body, headers=headers).status_code == 400


@pytest.fixture
def shade(digits: np.ndarray) -> np.ndarray:
    """Three digits of 0..1, as they are after a division by 255, float32 [3, 28, 28]."""
    return digits[:3].astype(np.float32) / 255


def test_digits_of_0_to_1_are_refused_and_not_answered_wrongly(
    client: Client, infer: str, shade: np.ndarray
) -> None:
    one = shade[:1]
    requests = [
        request(shade),
        request(one),
        request(1.1 * one),  # what a cubic kernel makes of 1
        {"inputs": [tensor(one, data=one.tolist())]},
        request((one > 0.5).astype(np.uint8)),
        {"inputs": [tensor(one, data=[value > 0.5 for value in one.ravel().tolist()])]},
    ]
    answers = [client.post(infer, json=body) for body in requests]
    content, headers = binary_request(one)
    answers.append(client.post(infer, content=content, headers=headers))
    assert [answer.status_code for answer in answers] == [400] * len(requests) + [400]
    for answer in answers:
        assert "multiply by 255" in answer.json()["error"]


def test_one_image_of_0_to_1_among_others_is_named(client: Client, infer: str, shade: np.ndarray) -> None:
    mixed = np.concatenate([255 * shade[:2], shade[2:]])
    answer = client.post(infer, json=request(mixed))
    assert answer.status_code == 400
    assert "image 3 of 3" in answer.json()["error"]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_blank_image_is_answered_alone_and_among_others(
    client: Client, infer: str, digits: np.ndarray, dtype: type
) -> None:
    blank = np.zeros_like(digits[:1])
    for images in (blank, np.concatenate([blank, digits[:2]])):
        answer = client.post(infer, json=request(images.astype(dtype)))
        assert probabilities(answer).shape == (len(images), 10)


@pytest.mark.parametrize("size", [784.0, True, "784", -784, [784]])
def test_a_size_of_bytes_that_is_no_whole_number_is_refused(client: Client, infer: str, size: Any) -> None:
    text = orjson.dumps({"inputs": [tensor(ONE, data=..., parameters={"binary_data_size": size})]})
    headers = {"Inference-Header-Content-Length": str(len(text))}
    answer = client.post(infer, content=text + bytes(784), headers=headers)
    assert answer.status_code == 400
    assert "binary_data_size" in answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/none",
        "/v2/models/none/ready",
        "/v2/models/mlp/versions/2",
        "/v2/models",
        "/v2/nothing",
        "/v2x",
    ],
)
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2F..%2Fbest", "%2Ftmp", "user:../best"])
def test_no_path_leads_to_a_network(client: Client, name: str) -> None:
    assert client.post(f"/v2/models/{name}/infer", json=request(ONE)).status_code == 404


def test_another_method_is_405_and_says_which_is_right(client: Client, infer: str) -> None:
    answer = client.get(infer)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    answer = client.post("/v2/health/live")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_a_full_queue_is_503_with_a_time_to_come_back(make_client: Any) -> None:
    client = make_client(limits=Limits(queue_images=0, queue_seconds=0))
    client.get("/v2/models/mlp/ready")
    answer = client.post("/v2/models/mlp/infer", json=request(ONE))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert client.get("/v2/health/live").status_code == 200
    assert 'digitlab_requests_total{endpoint="infer",status="503"} 1.0' in client.get("/metrics").text
