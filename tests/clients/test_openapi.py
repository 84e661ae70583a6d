"""The served OpenAPI document: complete, bilingual, and true under generated requests."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SECONDS = int(os.environ.get("DANCU_OPENAPI_SECONDS", "100"))
PATHS = {
    "/oauth/token": "post", "/api/v1/citizens/verify": "post", "/api/v1/citizens/lookup": "post",
    "/api/v1/households/lookup": "post", "/api/v1/relations/verify": "post",
    "/api/v1/accounts": "put", "/api/v1/accounts/changes/{id}": "get",
    "/api/v1/usage": "get", "/api/v1/refusals/{correlationId}": "get", "/api/v1/journal": "get",
}


@pytest.fixture(scope="module")
def document(demo, rest):
    answer = rest.session.get(f"{demo.base_url}/openapi.json", timeout=10)
    assert answer.status_code == 200
    return answer.json()


def test_version_and_paths(document):
    assert document["openapi"].startswith("3.1")
    for path, method in PATHS.items():
        assert method in document["paths"].get(path, {}), (path, method)


def test_refusals_are_declared_as_problems(document):
    for path, method in PATHS.items():
        if not path.startswith("/api/"):
            continue
        responses = document["paths"][path][method]["responses"]
        assert {"200", "401"} <= set(responses), path
        for status, response in responses.items():
            if int(status) >= 400:
                assert "application/problem+json" in response.get("content", {}), (path, status)
    for path in ("citizens/verify", "citizens/lookup", "households/lookup", "relations/verify"):
        responses = document["paths"][f"/api/v1/{path}"]["post"]["responses"]
        assert {"403", "409", "413", "415", "422", "429", "503"} <= set(responses), path


def test_every_field_name_is_english_and_explained_in_vietnamese(document):
    unexplained = []
    for name, schema in document["components"]["schemas"].items():
        for field, value in schema.get("properties", {}).items():
            assert re.fullmatch(r"[a-z][A-Za-z0-9_]*", field), (name, field)
            if not re.search(r"[^\x00-\x7f]", explained(document, value)):
                unexplained.append(f"{name}.{field}")
    assert not unexplained, unexplained


def explained(document, schema):
    """The description of a schema: its own, or that of the named schemas it stands for."""
    own = schema.get("description", "")
    if own:
        return own
    named = schema.get("$ref", "").rsplit("/", 1)[-1]
    parts = [document["components"]["schemas"].get(named, {}), *schema.get("oneOf", ()),
             *schema.get("anyOf", ())]
    return " ".join(explained(document, part) for part in parts if part)


def test_generated_requests_never_get_a_5xx(demo, tmp_path):
    """Examples, boundary values and random data on every operation, for a bounded time."""
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "run",
        f"{demo.base_url}/openapi.json", "--url", demo.base_url,
        "--checks", "not_a_server_error,response_schema_conformance,content_type_conformance",
        "--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "--seed", "20260302",
        "--max-examples", "200", "--request-timeout", "10", "--continue-on-failure",
        "--suppress-health-check", "all", "--warnings", "off", "--no-color",
        "--exclude-path", "/sandbox/clock",
    ]
    known = os.environ | {
        "SCHEMATHESIS_HOOKS": "openapi_hooks", "DANCU_DEMO_JSON": str(demo.path),
        "PYTHONPATH": str(HERE),
    }
    run = subprocess.run(command, env=known, cwd=tmp_path, text=True, capture_output=True,
                         timeout=SECONDS * 3 + 60, check=False)
    print(run.stdout[-8000:], run.stderr[-2000:])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
