"""Several nodes on one PostgreSQL, from outside: the bounded torture run, and what a node refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading

import pytest
import requests

import torture
from dancu_client import Demo, Rest, Soap, binary, envelope
from postgres import Postgres, wait
from torture import Node, Torture, bare_environment


def test_no_count_lock_or_entry_is_wrong_whatever_dies(tmp_path):
    """Two rounds over 07:00 and 18:00 with a restart and a promotion of the primary."""
    found = torture.run(tmp_path, rounds=2, seconds=14, threads=8)
    assert found.fine(), found
    assert found["nodeKills"] == 4 and found["promotions"] == 1 and found["primaryKills"] == 2
    assert found["windows"] == 3, "the load crossed 07:00 and 18:00"
    assert found["answers"] > 200 and found["refused"] > 20, found


@pytest.fixture
def cluster(tmp_path):
    """A seeded database with one server, and no node yet."""
    cluster = Torture(tmp_path)
    cluster.primary.make()
    try:
        morning = torture.dt.datetime(2026, 3, 2, 9, tzinfo=torture.ZONE)
        yield cluster, cluster.seed(morning)
    finally:
        cluster.end()


def serve(node: Node) -> str:
    """What a node that does not start says."""
    done = subprocess.run([str(binary()), "serve", "--config", str(node.config)], timeout=60,
                          capture_output=True, text=True, env=bare_environment(), check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "panicked" not in done.stderr, done.stderr
    return done.stderr


def test_what_a_node_refuses_and_what_it_shares(cluster):
    cluster, demo = cluster
    master = cluster.folder / "node1" / "master.key"
    # No standby yet, while the configuration names several nodes.
    node = Node(cluster.folder / "node1", cluster.url, None)
    assert "synchronous_standby_names" in serve(node)
    alone = node.config.read_text().replace(f"nodes = {torture.NODES}", "nodes = 1")
    node.config.write_text(alone)
    cluster.nodes.append(node)
    node.start()
    # Another folder: without the master key, with a wrong one, and with the right one.
    other = Node(cluster.folder / "node2", cluster.url, None)
    other.config.write_text(other.config.read_text().replace("nodes = 3", "nodes = 1"))
    assert "master.key" in serve(other)
    assert not (other.folder / "master.key").exists(), "none is made where there is data"
    wrong = other.folder / "master.key"
    wrong.write_text("ab" * 32 + "\n")
    wrong.chmod(0o600)
    said = serve(other)
    assert "wrong master key" in said and "chép master.key" in said, said
    shutil.copy2(master, wrong)
    cluster.nodes.append(other)
    other.start()
    # One SOAP header on two nodes: the same body is answered, another one is not.
    one, two = demo_at(demo, node), demo_at(demo, other)
    citizen, header = demo.plain(), Soap(one, "ONESTOP").auth()
    fields = Soap(one, "ONESTOP").fields("citizen.verify", citizen)
    first = verify_envelope(fields)
    assert Soap(one, "ONESTOP").post(first, auth=header).exists
    changed = verify_envelope(Soap(one, "ONESTOP").fields("citizen.verify", citizen))
    assert Soap(two, "ONESTOP").post(changed, auth=header).status == 401
    assert Soap(two, "ONESTOP").post(first, auth=header).exists
    # The operator acts beside the nodes, with a folder of its own, and both follow at once.
    desk = Node(cluster.folder / "desk", cluster.url, master)
    desk.config.write_text(desk.config.read_text().replace("nodes = 3", "nodes = 1"))
    act = [str(binary()), "operate", "connection", "--config", str(desk.config), "--system",
           "ONESTOP", "--state", "suspended", "--reason", "thử", "--by", "Lê Mẫu"]
    done = subprocess.run(act, capture_output=True, text=True, env=bare_environment(), timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    for place in (one, two):
        assert Rest(place, "ONESTOP").verify(citizen).status_code == 403
    # A look at the database from the folder of a serving node.
    run = subprocess.run([str(binary()), "doctor", "--config", str(node.config), "--json"],
                         capture_output=True, text=True, env=bare_environment(), timeout=60,
                         check=False)
    found = {check["name"]: check["state"] for check in json.loads(run.stdout)["checks"]}
    assert run.returncode == 0, found
    assert found["journal"] == found["keys"] == found["registry"] == found["port"] == "ok", found
    # Migrating and checking beside serving nodes.
    for command in (["migrate"], ["doctor"], ["population", "stats"]):
        run = subprocess.run([str(binary()), *command, "--config", str(desk.config)],
                             capture_output=True, text=True, env=bare_environment(), timeout=60,
                             check=False)
        assert run.returncode == 0, (command, run.stdout, run.stderr)


def reasons(node: Node) -> list[str]:
    """Why a node says that it is not ready."""
    told = requests.get(f"{node.url}/readyz", timeout=5)
    return [] if told.status_code == 200 else told.json()["reasons"]


def test_readiness_follows_the_standby(cluster):
    """A commit that waits for a standby that is gone takes the node out while it waits, and so does
    a server that lost the setting."""
    cluster, demo = cluster
    primary, standby = cluster.pair
    standby.follow(primary)
    node = Node(cluster.folder / "node1", cluster.url, None)
    cluster.nodes.append(node)
    node.start()
    rest, citizen = Rest(demo_at(demo, node), "ONESTOP"), demo.plain()
    assert rest.verify(citizen).status_code == 200
    standby.die()
    told = []
    asking = threading.Thread(target=lambda: told.append(rest.verify(citizen).status_code))
    asking.start()
    wait(lambda: reasons(node) == ["commitStalled"], "the stall is told", 20)
    assert asking.is_alive(), "nobody is answered before it is durable on the standby"
    standby.start()
    asking.join(60)
    assert told == [200]
    wait(lambda: not reasons(node), "it is ready again")

    def standby_names(names: str) -> None:
        primary.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        primary.sql("SELECT pg_reload_conf()")

    standby_names("")
    primary.sql("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name LIKE 'dancu%'")
    wait(lambda: reasons(node) == ["databaseUnfit"], "the lost setting is told")
    standby_names("ANY 1 (*)")
    wait(lambda: not reasons(node), "it is ready again")
    assert rest.verify(citizen).status_code == 200


def demo_at(demo: Demo, node: Node) -> Demo:
    own = Demo(demo.path)
    own.base_url, own.soap_url = node.url, f"{node.url}/soap/dancu"
    return own


def verify_envelope(fields: list) -> str:
    return envelope("XacThucThongTinCongDan", fields)
