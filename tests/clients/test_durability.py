"""What is promised about the disk: synced before the reply, drained, alone, sealed."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
import requests

import strace_log
from dancu_client import (
    Rest, Server, Soap, binary, free_port, name_habits, request_id, subject, unaccented,
)

SHORTEST_NEEDLE_BYTES = 8
TRACED = ("read,recvfrom,recvmsg,readv,write,writev,sendto,sendmsg,pwrite64,pwritev,pwritev2,"
          "fdatasync,fsync,sync_file_range")


def test_the_journal_is_synced_before_the_reply(tmp_path):
    """Under strace: between a request and its reply the last write to the journal is synced."""
    assert shutil.which("strace"), "strace is missing (Debian package strace)"
    log = tmp_path / "trace"
    wrap = ["strace", "-D", "-f", "-y", "-s", "4096", "-o", str(log), "-e", f"trace={TRACED}"]
    server = Server.start(tmp_path / "data", wrap=wrap)
    try:
        rest = Rest(server.demo, "ONESTOP")
        person = server.demo.plain()
        rest.token()
        numbers = []
        for changes in ({}, {}, {"procedureCode": "9.999999"}, {}):
            numbers.append(request_id())
            answer = rest.verify(person, requestId=numbers[-1], **changes)
            assert answer.status_code == (403 if changes else 200), answer.text
        soap_number = request_id()
        assert Soap(server.demo, "ONESTOP").verify(person, MaYeuCau=soap_number).exists
        numbers.append(soap_number)
    finally:
        stop_traced(server, log)
    lines = log.read_text(errors="replace").splitlines()
    for number in numbers:
        synced = strace_log.syncs_before_reply(lines, number, str(server.data))
        assert synced, f"the reply to {number} left before its journal entry was synced"


def stop_traced(server: Server, log) -> None:
    """Ends the program and waits until strace, which is detached (-D), has written its log."""
    server.stop()
    for _ in range(100):
        if re.search(rf"^{server.process.pid}\s+\+\+\+ ", log.read_text(errors="replace"), re.M):
            return
        time.sleep(0.1)
    raise AssertionError("strace did not finish its log")


def test_a_database_that_cannot_be_written_is_503_and_needs_no_restart(own_server):
    """Somebody else holds the journal's file: nothing is answered, nothing is counted, and when it
    is free again the same process goes on."""
    demo = own_server.demo
    rest = Rest(demo, "ONESTOP")
    assert rest.verify(demo.plain()).status_code == 200
    used, last = rest.line("citizen.verify")["used"], rest.journal()[-1]["index"]
    body = rest.head("citizen.verify", subject(demo.plain()))
    with contextlib.closing(sqlite3.connect(own_server.data / "core.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = rest.send("POST", "/api/v1/citizens/verify", json=body)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2"), refused.text
        assert "journal" not in refused.json()
        assert requests.get(f"{demo.base_url}/readyz", timeout=10).status_code == 503
        assert requests.get(f"{demo.base_url}/healthz", timeout=10).status_code == 200
        other.rollback()
    deadline = time.monotonic() + 15
    while requests.get(f"{demo.base_url}/readyz", timeout=10).status_code != 200:
        assert time.monotonic() < deadline, "it does not recover"
        time.sleep(0.1)
    answer = rest.send("POST", "/api/v1/citizens/verify", json=body)
    assert answer.status_code == 200, answer.text
    assert rest.line("citizen.verify")["used"] == used + 1
    assert [e["decision"] for e in rest.journal(last + 1)] == ["accepted"]


def test_a_second_process_on_the_same_folder_is_refused(own_server):
    run = subprocess.run(Server.command(own_server.data, free_port()), capture_output=True,
                         text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    told = run.stdout + run.stderr
    assert run.returncode == 1, (run.returncode, told)
    assert "panicked" not in told and len(told.strip().splitlines()) <= 10, told
    assert str(own_server.data) in told, told
    assert re.search(r"đang|already|another", told), told
    person = own_server.demo.plain()
    assert Rest(own_server.demo, "ONESTOP").verify(person).status_code == 200


class Load:
    """Eight callers who ask without a pause until the server is gone."""

    def __init__(self, demo):
        self.answered: list[int] = []
        self.failed: list[str] = []
        self.leaving = threading.Event()
        self.threads = [threading.Thread(target=self.ask, args=(demo,)) for _ in range(8)]
        for thread in self.threads:
            thread.start()

    def ask(self, demo) -> None:
        rest = Rest(demo, "BIG")
        person = demo.plain()
        while True:
            try:
                answer = rest.verify(person)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                if not self.leaving.is_set():
                    self.failed.append(repr(error))
                return
            if answer.status_code == 200:
                self.answered.append(answer.json()["journal"]["index"])
            elif not (self.leaving.is_set() and answer.status_code == 503):
                self.failed.append(answer.text[:200])
                return

    def until_gone(self, server: Server, how: int) -> int:
        """Sends the signal in the middle of the load; gives the exit code."""
        self.leaving.set()
        code = server.stop(how, timeout=20)
        for thread in self.threads:
            thread.join()
        assert not self.failed, self.failed[:3]
        assert len(self.answered) > 50
        assert len(set(self.answered)) == len(self.answered)
        return code


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signals_drain_and_lose_nothing(tmp_path, how):
    server = Server.start(tmp_path / "data")
    used = Rest(server.demo, "BIG").line("citizen.verify")["used"]
    load = Load(server.demo)
    time.sleep(2)
    assert load.until_gone(server, how) == 0
    again = Server.start(server.data)
    try:
        rest = Rest(again.demo, "BIG")
        kept = {entry["index"] for entry in rest.journal(min(load.answered))}
        assert set(load.answered) <= kept
        counted = rest.line("citizen.verify")["used"] - used
        assert counted == len(load.answered), "what was accepted before the signal is answered"
        assert again.demo.data["systems"] == server.demo.data["systems"]
        assert again.demo.citizens == server.demo.citizens
    finally:
        again.stop()


def test_kill_9_loses_nothing_that_was_answered(tmp_path):
    server = Server.start(tmp_path / "data")
    used = Rest(server.demo, "BIG").line("citizen.verify")["used"]
    load = Load(server.demo)
    time.sleep(1.5)
    load.until_gone(server, signal.SIGKILL)
    again = Server.start(server.data)
    try:
        rest = Rest(again.demo, "BIG")
        kept = {entry["index"] for entry in rest.journal(0)}
        assert set(load.answered) <= kept
        counted = rest.line("citizen.verify")["used"] - used
        assert len(load.answered) <= counted <= len(load.answered) + len(load.threads)
    finally:
        again.stop()


def needles(demo) -> dict[bytes, str]:
    """Byte strings that must not lie about in clear, with what each is."""
    found: dict[bytes, str] = {}
    for citizen in demo.citizens:
        found[citizen["personalId"].encode()] = "personal id"
        if citizen["oldId"]:
            found[citizen["oldId"].encode()] = "old id"
        written = set(name_habits(citizen["fullName"]).values())
        written |= {citizen["fullName"], unaccented(citizen["fullName"]),
                    unaccented(citizen["fullName"]).lower().replace(" ", "")}
        for name in written:
            if len(name.encode()) >= SHORTEST_NEEDLE_BYTES:
                found[name.encode()] = "name"
    return found


def traffic(demo) -> None:
    """Questions of every kind, good and bad, about people of demo.json."""
    rest, soap = Rest(demo, "ONESTOP"), Soap(demo, "ONESTOP")
    for citizen in demo.citizens[:40]:
        rest.verify(citizen)
        rest.lookup(citizen)
        soap.lookup(citizen)
        rest.household(citizen)
        broken = subject(citizen, personalId=citizen["personalId"] + "1")
        assert rest.verify(citizen, subject=broken).status_code == 422
        soap.verify(citizen, SoDinhDanh=citizen["personalId"][:-1])
        rest.verify(citizen, account=citizen["personalId"])
        rest.verify(citizen, procedureCode="9.999999")
        body = json.dumps(rest.head("citizen.verify", subject(citizen)), ensure_ascii=False)
        rest.send("POST", "/api/v1/citizens/verify", data=body.encode()[:-3],
                  headers={"Content-Type": "application/json"})
        rest.send("GET", f"/api/v1/refusals/{citizen['personalId']}")


def test_nothing_but_demo_json_holds_people_or_secrets_in_clear(tmp_path):
    server = Server.start(tmp_path / "data")
    demo = server.demo
    try:
        traffic(demo)
        metrics = requests.get(f"{demo.base_url}/metrics", timeout=10).content
        time.sleep(2.5)  # background runs write what they derive
        folder = read_folder(server.data)
    finally:
        server.stop()
    secrets = needles(demo)
    for system in demo.systems.values():
        secrets[system["soap"]["secret"].encode()] = "SOAP secret"
        secrets[system["oauth"]["clientSecret"].encode()] = "OAuth secret"
        if "privateKeyPem" in system["oauth"]:
            key = system["oauth"]["privateKeyPem"].splitlines()[1]
            secrets[key.encode()] = "private key of an OAuth client"
    searched = folder | read_folder(server.data)
    searched |= {"output after ready": server.output_since_ready(), "/metrics": metrics}
    assert sum(len(content) for content in searched.values()) > 100_000
    leaks = {(place, what) for place, content in searched.items()
             for needle, what in secrets.items() if needle in content}
    leaks |= {(place, "some 12-digit id") for place, content in searched.items()
              if re.search(rb"(?<![\d.])099\d{9}(?!\d)", content)}
    assert not leaks, leaks


def operate(server, *arguments: str) -> subprocess.CompletedProcess:
    act, *rest = arguments
    command = [str(binary()), "operate", act, "--data", str(server.data), *rest]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


RAISE = ["raise", "--system", "ONESTOP", "--service", "citizen.verify", "--window", "inHours"]


def test_acts_of_the_operator_leave_nobody_in_clear(own_server):
    person = own_server.demo.plain()
    assert own_server.stop() == 0
    reason = f"hồ sơ của {person['fullName']} {person['personalId']}"
    done = operate(own_server, *RAISE, "--extra", "5", "--reason", reason,
                   "--by", person["fullName"])
    assert done.returncode == 0, done.stderr
    secrets = {person["fullName"].encode(), person["personalId"].encode()}
    for place, content in read_folder(own_server.data).items():
        assert not [s for s in secrets if s in content], place


def test_acts_of_the_operator_are_somebodys_and_final_states_final(own_server):
    assert own_server.stop() == 0
    why = ["--reason", "thử"]
    for by in (["--by", ""], ["--by", " "], ["--by", "A", "--by", ""]):
        assert operate(own_server, *RAISE, "--extra", "5", *why, *by).returncode == 1
    double = [*RAISE, "--extra", "5000", *why]
    for by in (["--by", "A", "--by", "a"], ["--by", "Lê Mẫu", "--by", " le mau "]):
        refused = operate(own_server, *double, *by)
        assert refused.returncode == 1 and "D8" in refused.stderr, refused.stderr
    assert operate(own_server, *double, "--by", "A", "--by", "B").returncode == 0
    close = ["connection", "--system", "BANK", *why, "--by", "A", "--state"]
    assert operate(own_server, *close, "closed").returncode == 0
    again = operate(own_server, *close, "live")
    assert again.returncode == 1 and "cuối cùng" in again.stderr, again.stderr
    revoked = ["account", "--system", "ONESTOP", "--login", "onestop.nghiviec", *why, "--by", "A"]
    again = operate(own_server, *revoked, "--state", "live")
    assert again.returncode == 1 and "cuối cùng" in again.stderr, again.stderr


def read_folder(data) -> dict[str, bytes]:
    return {f"{path.relative_to(data)}": path.read_bytes() for path in data.rglob("*")
            if path.is_file() and path.name != "demo.json"}


def test_keys_and_demo_json_are_readable_by_their_owner_only(own_server):
    for path in own_server.data.rglob("*"):
        if path.is_file() and ("key" in path.name or path.name == "demo.json"):
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_same_folder_goes_on_where_it_was(tmp_path):
    server = Server.start(tmp_path / "data")
    rest = Rest(server.demo, "ONESTOP")
    number = request_id()
    body = rest.head("citizen.verify", subject(server.demo.plain()), requestId=number)
    first = rest.send("POST", "/api/v1/citizens/verify", json=body).json()
    used = rest.line("citizen.verify")["used"]
    assert server.stop() == 0
    again = Server.start(server.data)
    try:
        rest = Rest(again.demo, "ONESTOP")
        assert rest.line("citizen.verify")["used"] == used
        repeat = rest.send("POST", "/api/v1/citizens/verify", json=body).json()
        assert repeat["result"] == first["result"]
        assert repeat["journal"]["index"] > first["journal"]["index"]
        assert rest.line("citizen.verify")["used"] == used
    finally:
        again.stop()
