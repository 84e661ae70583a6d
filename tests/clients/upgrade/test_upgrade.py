"""A data folder of an older program goes on under this one: nothing is lost, nothing is counted
anew. Each folder here was made by `make_folder.py` with the program of a resolved issue."""

from __future__ import annotations

import contextlib
import json
import pathlib
import sqlite3
import subprocess
import tarfile

import pytest
from batch_jobs import pages, row, status, submit, table
from dancu_client import Demo, Rest, Server, binary, free_port

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = sorted(path.name.removesuffix(".tar.xz") for path in HERE.glob("*.tar.xz"))
# An hour after the folder was made, within the same duty day.
LATER = "2026-03-02T10:00:00+07:00"
# An item of a search run: kind 1, digest 16, index 8 bytes; the kind of acts.
ITEM, ACTS = 25, 5


@pytest.fixture(params=FOLDERS)
def folder(request, tmp_path):
    """The folder, and what its program answered."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with tarfile.open(HERE / f"{request.param}.tar.xz") as archive:
        archive.extractall(data, filter="data")
    (data / "master.key").chmod(0o600)
    return data, json.loads((HERE / f"{request.param}.json").read_text())


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL)


def test_there_is_a_folder_to_upgrade():
    assert FOLDERS


def test_a_centre_refuses_it_until_it_is_migrated(folder, tmp_path):
    data, _ = folder
    config = tmp_path / "dancu.toml"
    config.write_text(f'data = "{data}"\nlisten = "127.0.0.1:{free_port()}"\nsandbox = true\n')
    before = (data / "core.db").read_bytes()
    refused = run("serve", "--config", str(config))
    assert refused.returncode == 1 and "dancu migrate" in refused.stderr, refused.stderr
    assert (data / "core.db").read_bytes() == before
    migrated = run("migrate", "--config", str(config))
    assert migrated.returncode == 0, migrated.stderr
    checked = run("doctor", "--config", str(config), "--full")
    assert checked.returncode == 0, checked.stdout


def test_counts_journal_requests_and_secrets_go_on(folder):
    data, told = folder
    old = Demo(data / "demo.json")
    server = Server.start(data, clock=LATER)
    try:
        for was, now in zip(old.data["systems"], server.demo.data["systems"], strict=True):
            same = ("systemCode", "soap", "accounts", "procedures")
            assert [was[k] for k in same] == [now[k] for k in same]
            assert was["oauth"].items() <= now["oauth"].items()
        small = Rest(server.demo, "SMALL")
        line = small.line("citizen.verify")
        kept = ("registered", "used", "left", "exceedances", "resetsAt", "locked")
        assert {k: line[k] for k in kept} == {k: told["line"][k] for k in kept}
        assert (line["left"], line["exceedances"]) == (0, 1)
        journal = small.journal()
        assert journal[:len(told["journal"])] == told["journal"]
        again = small.send("POST", "/api/v1/citizens/verify", json=told["answered"])
        assert again.status_code == 200, again.text
        assert again.json()["result"] == told["answer"]["result"]
        assert small.journal(again.json()["journal"]["index"])[0]["decision"] == "repeat"
        full = small.verify(server.demo.plain())
        assert (full.status_code, full.json()["ruleId"]) == (429, "D2")
        why = small.send("GET", f"/api/v1/refusals/{told['refused']['correlationId']}")
        assert why.json()["ruleId"] == "D2"
        bank = Rest(server.demo, "BANK").verify(server.demo.plain())
        assert (bank.status_code, bank.json()["ruleId"]) == (403, "B3")
        assert Rest(server.demo, "ONESTOP").verify(server.demo.plain()).status_code == 200
        batch_goes_on(server, told.get("batch"))
        assert server.demo.data["people"], "the portal's people are not made in an older folder"
        assert small.session.get(f"{server.demo.base_url}/sign-in", timeout=30).status_code == 200
    finally:
        assert server.stop() == 0


def batch_goes_on(server: Server, batch: dict | None) -> None:
    """A batch done before is read as it was; its request id gives the same job, not a new one."""
    if batch is None:
        return
    big, job = Rest(server.demo, "BIG"), batch["job"]
    assert status(big, job) == job
    assert pages(big, job, "results", "results") == batch["results"]
    rows = table([row(each) for each in server.demo.data["citizens"][:20]])
    again = submit(big, rows, request=batch["request"])
    assert (again.status_code, again.json()["id"]) == (200, job["id"]), again.text


def acts(search: sqlite3.Connection) -> set[int]:
    """Journal indexes of the acts that the runs of the search hold."""
    chunks = [items for items, in search.execute("SELECT items FROM run_chunk")]
    items = [chunk[at:at + ITEM] for chunk in chunks for at in range(0, len(chunk), ITEM)]
    return {int.from_bytes(item[17:], "big") for item in items if item[0] == ACTS}


def without_acts(search: sqlite3.Connection) -> None:
    """As the program before wrote its runs."""
    chunks = search.execute("SELECT run, first_key, items FROM run_chunk").fetchall()
    for run, first, items in chunks:
        parts = (items[at:at + ITEM] for at in range(0, len(items), ITEM))
        left = b"".join(item for item in parts if item[0] != ACTS)
        search.execute("UPDATE run_chunk SET items = ? WHERE run = ? AND first_key = ?",
                       (left, run, first))
    search.execute("PRAGMA user_version = 1")
    search.commit()


def test_acts_are_found_in_a_search_that_was_made_without_them(folder):
    data, _ = folder
    assert Server.start(data, clock=LATER).stop() == 0
    with contextlib.closing(sqlite3.connect(data / "search.db")) as search:
        before = acts(search)
        without_acts(search)
        assert before and not acts(search)
    assert Server.start(data, clock=LATER).stop() == 0
    with contextlib.closing(sqlite3.connect(data / "search.db")) as search:
        assert acts(search) >= before
