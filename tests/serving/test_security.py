"""Who may call, and what browsers may do."""

from __future__ import annotations

import tracemalloc
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.serving.metrics import Metrics
from digitlab.serving.security import HostNames
from in_process import Client, token_of

PAGES = ("/", "/look", "/studies", "/models")
CHANGES = ("/api/kept", "/api/studies", "/api/studies/mlp-neurons/stop", "/api/studies/mlp-neurons/resume")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost:1",
        "LOCALHOST",
        "[::1]:8000",
        "desk.example",
        "Desk.Example.:80",
    ],
)
def test_the_services_own_names_are_answered(client: Client, host: str) -> None:
    assert client.get("/v2/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "127.0.0.1:x",
        "",
        "::1",
    ],
)
@pytest.mark.parametrize("path", ["/", "/v2", "/api/models", "/metrics", "/static/icon.svg"])
def test_any_other_name_is_refused(client: Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "--allow-host" in answer.json()["error"]


def test_two_names_are_refused(client: Client) -> None:
    headers = httpx.Headers([("Host", "localhost"), ("Host", "evil.example")])
    assert client.get("/v2", headers=headers).status_code == 400


def test_what_strangers_ask_for_takes_no_memory() -> None:
    hosts, metrics = HostNames("127.0.0.1"), Metrics()
    tracemalloc.start()
    for number in range(200):
        long = f"{number:05}" * 4000
        assert not hosts.allows(long.encode())
        metrics.count(f"/{long}", 404, 0.001)
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < 500_000


@given(st.text(st.characters(max_codepoint=255), max_size=40))
@settings(deadline=None)
def test_only_names_that_were_allowed_are(name: str) -> None:
    hosts = HostNames("127.0.0.1", ["desk.example"])
    bare = name.lower().rsplit(":", 1)[0].rstrip(".")
    allowed = bare in ("127.0.0.1", "localhost", "[::1]", "desk.example")
    assert not hosts.allows(name.encode("latin-1")) or allowed


@pytest.mark.parametrize("page", PAGES)
def test_pages_run_only_what_comes_from_here(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"  # it holds the token
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


@pytest.mark.parametrize("path", ["/api/models", "/nothing", "/static/icon.svg", "/metrics"])
def test_whatever_is_answered_is_not_sniffed(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Digitlab-Token": ""},
        {"X-Digitlab-Token": "guessed"},
        {"X-Digitlab-Token": "\N{LATIN SMALL LETTER A WITH GRAVE}"},
    ],
)
def test_nothing_is_changed_without_the_pages_token(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    answer = client.post(path, headers={name: value.encode() for name, value in headers.items()}, json={})
    assert answer.status_code == 403
    assert answer.json()["error"]


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1.evil.example", "http://localhost", "http://[", ""],
)
def test_nothing_is_changed_from_another_origin(client: Client, path: str, origin: str) -> None:
    answer = client.post(path, headers={**token_of(client), "Origin": origin}, json={})
    assert answer.status_code == 403


def test_the_page_itself_may(client: Client) -> None:
    headers = {**token_of(client), "Origin": "http://127.0.0.1"}
    assert client.post("/api/kept", headers=headers, json={}).status_code == 422


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        ("127.0.0.1", {}, True),
        ("127.8.9.10", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("127.0.0.1", {"Host": "localhost:8000"}, True),
        ("127.0.0.1", {"Host": "[::1]"}, True),
        ("127.0.0.1", {"Host": "desk.example"}, False),
        ("192.168.1.7", {}, False),
        ("fe80::1", {}, False),
        *(
            ("127.0.0.1", {name: "10.0.0.1"}, False)
            for name in (
                "Forwarded",
                "Via",
                "X-Real-IP",
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "X-Forwarded",
                "True-Client-IP",
                "CF-Connecting-IP",
            )
        ),
    ],
)
def test_studies_are_started_on_this_machine_only(
    make_client: Any, address: str, headers: dict[str, str], local: bool
) -> None:
    client = make_client(address)
    token = token_of(client)
    assert client.get("/api/studies", headers=headers).json()["runnable"] is local
    answer = client.post("/api/studies", headers={**token, **headers}, json={})
    assert answer.status_code == (422 if local else 403)


@pytest.mark.parametrize("key", ["", "guessed", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_only_who_has_the_key_starts_studies(make_client: Any, key: str) -> None:
    client = make_client()
    headers = {"X-Digitlab-Token": client.service.token}
    assert client.get("/studies", params={"key": key}).status_code == 303
    assert "data-owner" not in client.get("/studies").text
    assert client.get("/api/studies").json()["runnable"] is False
    for path in CHANGES[1:]:
        answer = client.post(path, headers=headers, json={})
        assert answer.status_code == 403
        assert "the address that it printed" in answer.json()["error"]


def test_the_key_does_not_stay_in_the_address(make_client: Any) -> None:
    client = make_client()
    answer = client.get("/studies", params={"key": client.service.settings.owner_key})
    assert (answer.status_code, answer.headers["location"]) == (303, "/studies")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.service.settings.owner_key not in client.get("/studies").text
    assert "data-owner" in client.get("/studies").text


def test_the_key_is_worth_nothing_elsewhere(make_client: Any) -> None:
    client = make_client("192.168.1.7")
    answer = client.get("/", params={"key": client.service.settings.owner_key})
    assert "set-cookie" not in answer.headers


def test_a_drawing_may_be_kept_from_a_phone(make_client: Any) -> None:
    client = make_client("192.168.1.7")
    assert client.post("/api/kept", headers=token_of(client), json={}).status_code == 422


LONG = "x" * 60_000


@pytest.mark.parametrize(
    "path",
    [
        f"/{LONG}",
        f"/v2/{LONG}",
        f"/v2/models/{LONG}",
        f"/v2/models/mlp/versions/{LONG}",
        f"/api/models/{LONG}",
        f"/api/compare?a={LONG}&b=mlp",
        f"/api/studies/{LONG}",
        f"/api/studies/{LONG}/events",
        f"/studies/{LONG}/report",
        f"/static/{LONG}",
    ],
)
def test_an_error_quotes_little_of_what_was_asked(client: Client, path: str) -> None:
    answer = client.get(path)
    assert 400 <= answer.status_code < 500
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "body",
    [
        {"study": LONG},
        {"study": {LONG: 1}},
        {"study": {"name": LONG, "question": LONG, "recipe": LONG, "axes": []}},
        {
            "study": {
                "name": "x",
                "question": "?",
                "recipe": "mlp",
                "axes": [{"path": LONG, "values": [LONG]}],
            }
        },
    ],
)
def test_an_error_quotes_little_of_what_was_sent(client: Client, body: Any) -> None:
    answer = client.post("/api/studies", headers=token_of(client), json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 3000


def test_every_service_has_a_token_of_its_own(make_client: Any) -> None:
    assert token_of(make_client()) != token_of(make_client())
