"""The API's description: whole, offline, and kept to, whatever is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from in_process import Client
from serving_process import ServingProcess

EXAMPLES = 12
IGNORED = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.mark.slow
def test_whatever_is_sent_the_answer_is_as_described(start_serving: Callable[..., ServingProcess]) -> None:
    # Imported here, as it takes longer than the other tests of this file.
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    conformance = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    schema: Any = schemathesis.openapi.from_url(start_serving().url + "/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:

        @given(operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=IGNORED)
        def keeps_to_it(case: Any) -> None:
            case.call_and_validate(checks=[not_a_server_error, *conformance], timeout=60)

        keeps_to_it()


def test_the_description_has_every_endpoint(client: Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    described = {(path, method) for path, methods in paths.items() for method in methods}
    for path, method in {
        ("/v2/models/{model}/infer", "post"),
        ("/v2/health/ready", "get"),
        ("/api/recognize", "post"),
        ("/api/look", "post"),
        ("/api/compare", "get"),
        ("/api/studies", "post"),
        ("/api/studies/{name}/events", "get"),
        ("/api/kept", "post"),
        ("/metrics", "get"),
    }:
        assert (path, method) in described


def test_it_is_shown_without_the_network(client: Client) -> None:
    page = client.get("/docs")
    assert "https:" not in page.text
    assert "http:" not in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    for path in ("/docs/files/swagger-ui.css", "/docs/files/swagger-ui-bundle.js", "/docs/start.js"):
        assert path in page.text
        assert client.get(path).status_code == 200


def test_every_error_is_described_as_one_line(client: Client) -> None:
    description = client.get("/openapi.json").json()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation.get("responses", {}).items() if method != "parameters" else ():
                if status >= "400":
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Error"}, f"{method} {path} {status}"
