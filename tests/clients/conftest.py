"""Fixtures of the suites: a demo server for the session, its people, typed clients."""

from __future__ import annotations

import os
import pathlib

import pytest

import dancu_client
from dancu_client import Demo, Rest, Schemas, Server, Soap


def pytest_addoption(parser):
    parser.addoption("--demo-json", default=os.environ.get("DANCU_DEMO_JSON"),
                     help="use the running demo server that wrote this demo.json")


@pytest.fixture(scope="session")
def demo(request, tmp_path_factory):
    """The demo under test: the one of --demo-json, or one started for this session."""
    given = request.config.getoption("--demo-json")
    if given:
        yield Demo(pathlib.Path(given))
        return
    server = Server.start(tmp_path_factory.mktemp("demo") / "data")
    yield server.demo
    server.stop()


@pytest.fixture
def own_server(tmp_path):
    """A fresh server for one check that moves the clock or uses up a line."""
    server = Server.start(tmp_path / "data")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def schemas(demo):
    return Schemas(demo.soap_url)


@pytest.fixture(scope="session")
def soap(demo):
    return Soap(demo, "ONESTOP")


@pytest.fixture(scope="session")
def rest(demo):
    return Rest(demo, "ONESTOP")


@pytest.fixture(autouse=True)
def still_ready(request):
    """Whatever a check sent to the shared server, the program is alive and ready after it."""
    shared = "demo" in request.fixturenames and "own_server" not in request.fixturenames
    url = request.getfixturevalue("demo").base_url if shared else None
    yield
    if url:
        assert dancu_client.requests.get(f"{url}/readyz", timeout=10).status_code == 200
