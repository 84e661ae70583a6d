"""What may be used once, on whichever node and after a restart: headers of requests that leave no
entry, and client assertions. And a refusal that is seen by whoever is still sending."""

from __future__ import annotations

import shutil
import socket
import time

import pytest

import torture
from dancu_client import Soap, client_assertion, envelope, request_id, token_request
from test_nodes import cluster, demo_at  # noqa: F401  (a fixture)
from torture import Node


# Far more than the pace admits at the rate at which one client asks: about 200 a second.
ASKED_MAX = 2_000


@pytest.fixture
def two(cluster):  # noqa: F811
    """Two serving nodes, and how to reach each."""
    cluster, demo = cluster
    nodes = []
    for n in (1, 2):
        master = cluster.folder / "node1" / "master.key"
        node = Node(cluster.folder / f"node{n}", cluster.url, None)
        alone = node.config.read_text().replace(f"nodes = {torture.NODES}", "nodes = 1")
        node.config.write_text(alone)
        if n == 2:
            shutil.copy2(master, node.folder / "master.key")
        cluster.nodes.append(node)
        node.start()
        nodes.append(node)
    return nodes, [demo_at(demo, node) for node in nodes]


def restart(nodes: list[Node]) -> None:
    for node in nodes:
        node.stop()
    for node in nodes:
        node.start()


def listed(soap: Soap, **changes) -> str:
    """An envelope that asks for the system's jobs."""
    values = {"MaYeuCau": request_id(), "MaDVC": soap.system.procedure("citizen.list"),
              "MaTichHop": soap.system.service("citizen.list")["maTichHop"],
              "MaDonVi": soap.system["unitCode"], "MaCanBo": soap.system.account(),
              "MaHoSo": "HS.2026-0001"}
    return envelope("GetRequests", list((values | changes).items()))


def test_a_header_that_read_is_used_on_every_node_and_after_a_restart(two):
    nodes, demos = two
    one, other = (Soap(demo, "BIG") for demo in demos)
    header, first = one.auth(), listed(one)
    assert one.post(first, auth=header).status == 200
    for soap in (other, one):
        assert soap.post(listed(soap), auth=header).status == 401
        assert soap.post(first, auth=header).status == 200, "the body that it is bound to"
    citizen = demos[0].plain()
    question = envelope("XacThucThongTinCongDan", other.fields("citizen.verify", citizen))
    assert other.post(question, auth=header).status == 401, "nor for a question"
    restart(nodes)
    for soap in (one, other):
        assert soap.post(listed(soap), auth=header).status == 401
        assert soap.post(question, auth=header).status == 401
        assert soap.post(first, auth=header).status == 200


def beyond_the_pace(ask) -> None:
    """Asks one node until it refuses for its pace of 300 at once and 20 a second. `ask` tells
    whether it was admitted."""
    for _ in range(ASKED_MAX):
        if not ask():
            return
    raise AssertionError(f"{ASKED_MAX} requests without a pause were all admitted")


def test_what_is_refused_for_the_pace_is_not_used_up(two):
    _, demos = two
    one, other = (Soap(demo, "BIG") for demo in demos)
    headers = []

    def read() -> bool:
        headers.append(one.auth())
        answer = one.post(listed(one), auth=headers[-1])
        assert answer.status == 200 or answer.fault["ruleId"] == "D7", answer.raw
        return answer.status == 200

    def token() -> bool:
        status = token_request(demos[0], *secret).status_code
        assert status in (200, 429)
        return status == 200

    beyond_the_pace(read)
    # With another body: no node heard that the header was used.
    assert other.post(listed(other), auth=headers[-1]).status == 200
    assert other.post(listed(other), auth=headers[0]).status == 401
    oauth = demos[0].system("BANK")["oauth"]
    secret = (oauth["clientId"], oauth["clientSecret"])
    audience = [f"{demo.base_url}/oauth/token" for demo in demos]
    # A place comes free each 50 ms: the next request may meet it.
    for _ in range(5):
        assertion = client_assertion(oauth, audience)
        beyond_the_pace(token)
        refused = token_request(demos[0], "", assertion, how="assertion").status_code
        if refused == 429:
            break
    assert refused == 429
    time.sleep(1)
    for status in (200, 401):
        answer = token_request(demos[0], "", assertion, how="assertion")
        assert answer.status_code == status


def test_an_assertion_gives_one_token_over_all_nodes(two):
    nodes, demos = two
    oauth = demos[0].system("BANK")["oauth"]
    audience = [f"{demo.base_url}/oauth/token" for demo in demos]
    assertion = client_assertion(oauth, audience, life_s=500)
    assert token_request(demos[0], "", assertion, how="assertion").status_code == 200
    for turn in range(2):
        for demo in reversed(demos):
            answer = token_request(demo, "", assertion, how="assertion")
            assert answer.status_code == 401, turn
            assert answer.json()["error"] == "invalid_client"
        if turn == 0:
            restart(nodes)
    fresh = client_assertion(oauth, audience)
    assert token_request(demos[1], "", fresh, how="assertion").status_code == 200


def test_a_refusal_is_seen_by_who_still_sends(two):
    """A wrong token is refused before the body is read; the body comes slowly, and two requests on
    one connection are answered."""
    nodes, _ = two
    body = b"x" * 40_000
    with socket.create_connection(("127.0.0.1", nodes[0].port), timeout=10) as door:
        for _ in range(2):
            door.sendall(b"POST /api/v1/citizens/verify HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Type: application/json\r\nAuthorization: Bearer no\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body))
            for start in range(0, len(body), 10_000):
                time.sleep(0.05)
                door.sendall(body[start:start + 10_000])
            told = b""
            while b"\r\n\r\n" not in told:
                part = door.recv(65_536)
                assert part, "closed before the answer"
                told += part
            head, rest = told.split(b"\r\n\r\n", 1)
            assert head.startswith(b"HTTP/1.1 401 "), head
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n")
                              if line.lower().startswith(b"content-length:")))
            while len(rest) < length:
                rest += door.recv(65_536)
