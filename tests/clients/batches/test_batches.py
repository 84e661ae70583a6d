"""Batches inside an approved plan: submission as a file, status, results, kills, windows."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import time
import urllib.parse

import pytest

from batch_jobs import (BATCHES, COLUMNS, SERVICE, WAIT_S, pages, row, status, submit, table, taken,
                        wait)
from dancu_client import Rest, Server, request_id

ROWS = int(os.environ.get("DANCU_BATCH_ROWS", "20000"))
BROKEN = 100
ANSWERS = {"match", "noMatch"}


def counted(rest: Rest) -> int:
    """Persons counted by the system's own journal for batches."""
    total, start = 0, 0
    while start is not None:
        answer = rest.send("GET", f"/api/v1/journal?from={start}")
        if answer.status_code == 429:
            time.sleep(1)
            continue
        page = answer.json()
        total += sum(e["counted"] for e in page["entries"] if e["service"] == SERVICE)
        start = page["next"]
    return total


def problem(answer, code: int, rule: str = "") -> dict:
    assert answer.status_code == code, (answer.status_code, answer.text[:500])
    body = answer.json()
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert not rule or body["ruleId"] == rule, body
    assert re.search(r"[^\x00-\x7f]", body["titleVi"]), body
    return body


def test_a_table_with_a_bom_gives_results_in_three_forms(demo):
    rest = Rest(demo, "BIG")
    people = demo.data["citizens"][:20]
    nobody = {**people[0], "fullName": "Người Không Có"}
    rows = [row(p) for p in people] + [row(nobody), "12,x,y", ""]
    job = taken(submit(rest, b"\xef\xbb\xbf" + table(rows)))
    assert (job["rows"], job["items"], job["bad"]) == (22, 21, 1)
    job = wait(rest, job, "done")
    assert (job["accepted"], job["matched"], job["noMatch"], job["refused"]) == (21, 20, 1, 0)
    results = pages(rest, job, "results", "results", limit=7)
    assert [r["row"] for r in results] == list(range(1, 22))
    assert [r["result"] for r in results] == ["match"] * 20 + ["noMatch"]
    assert all(r["journal"]["index"] > 0 and len(r["correlationId"]) == 32 for r in results)
    file = rest.send("GET", f"{BATCHES}/{job['id']}/results.csv")
    assert file.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in file.headers["Content-Disposition"]
    cells = list(csv.DictReader(io.StringIO(file.content.decode())))
    assert [(int(c["row"]), c["result"]) for c in cells] == [(r["row"], r["result"]) for r in results]
    lines = rest.send("GET", f"{BATCHES}/{job['id']}/results.ndjson")
    assert [json.loads(line) for line in lines.content.decode().splitlines()] == results
    bad = pages(rest, job, "errors", "badRows")
    assert {b["row"] for b in bad} == {22}
    assert "12,x" not in json.dumps(bad), "an error repeats what was sent"
    listed = rest.send("GET", BATCHES).json()["jobs"]
    assert job["id"] in [j["id"] for j in listed]


def test_lines_of_objects_carry_claims(demo):
    rest = Rest(demo, "BIG")
    person = demo.plain()
    keys = {k: person[k] for k in ("personalId", "fullName", "dateOfBirth")}
    lines = [keys, {**keys, "claims": {"sex": person["sex"]}}, {**keys, "claims": {"x": 1}}]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    job = wait(rest, taken(submit(rest, body, kind="application/x-ndjson")), "done")
    assert (job["matched"], job["bad"]) == (2, 1)
    results = pages(rest, job, "results", "results")
    assert results[1]["claims"] == {"sex": "match"}


@pytest.mark.parametrize("body", [
    table([]), b"", "\n".join([COLUMNS, "x"]).encode("utf-16"), b"a,b,c\n1,2,3\n",
])
def test_files_that_are_none_are_refused_as_a_whole(demo, body):
    rest = Rest(demo, "BIG")
    before = len(rest.send("GET", BATCHES).json()["jobs"])
    assert problem(submit(rest, body), 422)["errors"]
    assert len(rest.send("GET", BATCHES).json()["jobs"]) == before


def test_heads_are_judged_before_the_file(demo):
    rest = Rest(demo, "BIG")
    body = table([row(demo.plain())])
    officer = rest.system.account("officer")
    problem(submit(rest, body, account=officer), 403, "D5")
    problem(submit(rest, body, account="nobody.here"), 403, "E1")
    problem(submit(rest, body, procedureCode="9.999999"), 403, "B10")
    problem(submit(rest, body, purpose="Việc khác"), 403, "A5")
    problem(submit(rest, body, kind="application/json"), 415)
    problem(submit(Rest(demo, "VERIFYONLY"), body, procedureCode="1.004194"), 403, "A4")
    problem(submit(Rest(demo, "SUSPENDED"), body, procedureCode="1.004194"), 403, "B3")
    problem(rest.send("POST", BATCHES, data=body, token="", headers={"Content-Type": "text/csv"}), 401)
    wrong = problem(submit(rest, body, caseCode="a b", account=demo.plain()["personalId"]), 422)
    assert {e["field"] for e in wrong["errors"]} == {"caseCode", "account"}


def begun(rest: Rest, length: int, first: bytes) -> socket.socket:
    """An upload that has sent its head and so much of its body."""
    url = urllib.parse.urlsplit(rest.demo.base_url)
    head = {"requestId": request_id(), "account": rest.account,
            "procedureCode": rest.system.procedure(SERVICE), "caseCode": "HS.2026-LO1"}
    line = socket.create_connection((url.hostname, url.port), timeout=60)
    line.sendall((f"POST {BATCHES}?{urllib.parse.urlencode(head)} HTTP/1.1\r\nHost: {url.netloc}\r\n"
                  f"Authorization: Bearer {rest.token()}\r\nContent-Type: text/csv\r\n"
                  f"Content-Length: {length}\r\n\r\n").encode() + first)
    return line


def test_a_broken_upload_leaves_nothing_and_frees_its_place(demo):
    rest = Rest(demo, "BIG")
    one = table([row(demo.plain())])
    before = rest.send("GET", BATCHES).json()["jobs"]
    line = begun(rest, 1 << 20, table([row(demo.plain())] * 5_000))
    try:
        time.sleep(2)
        refused = problem(submit(rest, one), 429, "D5")
        assert refused["errors"][0]["field"] == "body"
    finally:
        line.close()
    deadline = time.monotonic() + 10
    while (again := submit(rest, one)).status_code != 202:
        problem(again, 429, "D5")
        assert time.monotonic() < deadline, "the place is still taken"
        time.sleep(0.2)
    wait(rest, taken(again), "done")
    rows = {j["rows"] for j in rest.send("GET", BATCHES).json()["jobs"]}
    assert 5_000 not in rows and len(before) < len(rest.send("GET", BATCHES).json()["jobs"])


def test_a_slow_upload_is_let_go(demo):
    line = begun(Rest(demo, "SMALL"), 1 << 20, COLUMNS.encode() + b"\n")
    started, answer = time.monotonic(), b""
    with line:
        line.settimeout(0.5)
        while time.monotonic() - started < 60 and not answer:
            # Never silent for long, and never fast enough.
            line.sendall(b"\n")
            try:
                answer = line.recv(65536)
            except TimeoutError:
                continue
    assert b" 400 " in answer.split(b"\r\n")[0], answer[:300]
    assert "quá chậm".encode() in answer, answer
    assert 25 < time.monotonic() - started < 45


def test_the_same_request_is_the_same_job(demo):
    rest, other = Rest(demo, "BIG"), Rest(demo, "ONESTOP")
    one, request = table([row(demo.plain())]), request_id()
    job = taken(submit(rest, one, request=request))
    again = submit(rest, one, request=request)
    assert again.status_code == 200 and again.json()["id"] == job["id"]
    somebody = next(c for c in demo.data["citizens"] if row(c) != row(demo.plain()))
    problem(submit(rest, table([row(somebody)]), request=request), 409)
    # The id is taken for single questions too, and after the job is deleted.
    conflict = lambda: problem(rest.verify(demo.plain(), requestId=request), 409, "A3")  # noqa: E731
    conflict()
    for path in ("", "/results", "/results.csv", "/results.ndjson", "/errors"):
        problem(other.send("GET", f"{BATCHES}/{job['id']}{path}"), 404)
    problem(other.send("DELETE", f"{BATCHES}/{job['id']}"), 404)
    problem(rest.send("GET", f"{BATCHES}/{'0' * 32}"), 404)
    problem(rest.send("GET", f"{BATCHES}/{job['id']}/results?limit=0"), 422)
    wait(rest, job, "done")
    assert rest.send("DELETE", f"{BATCHES}/{job['id']}").status_code == 204
    problem(rest.send("GET", f"{BATCHES}/{job['id']}"), 404)
    conflict()
    problem(submit(rest, one, request=request), 409, "A3")


def test_a_large_file_survives_a_kill_and_counts_each_person_once(tmp_path):
    """Good rows are done, bad ones listed by row and reason; every person is counted once."""
    server = Server.start(tmp_path / "data")
    try:
        rest = Rest(server.demo, "BIG")
        people = server.demo.data["citizens"]
        rows = [row(people[n % len(people)]) for n in range(ROWS)]
        broken = [n * (ROWS // BROKEN) for n in range(BROKEN)]
        for n in broken:
            rows[n] = "0991,?,2020-13-45"
        job = taken(submit(rest, table(rows)))
        assert (job["rows"], job["bad"]) == (ROWS, BROKEN)
        wait(rest, job, "done", done=min(2_000, ROWS // 10))
        server.stop(signal.SIGKILL)
        server = Server.start(tmp_path / "data")
        rest = Rest(server.demo, "BIG")
        job = wait(rest, job, "done")
        good = ROWS - BROKEN
        assert (job["done"], job["accepted"], job["refused"]) == (good, good, 0)
        bad = pages(rest, job, "errors", "badRows")
        assert sorted({b["row"] for b in bad}) == [n + 1 for n in broken]
        assert all(b["field"] and b["reasonVi"] and b["reason"] for b in bad)
        lines = rest.send("GET", f"{BATCHES}/{job['id']}/results.ndjson").content.splitlines()
        results = [json.loads(line) for line in lines]
        assert [r["row"] for r in results] == [n + 1 for n in range(ROWS) if n not in set(broken)]
        assert all(r["result"] in ANSWERS for r in results)
        # One person, one count: on the line, in the journal, in the results.
        assert rest.line(SERVICE)["used"] == good
        assert counted(rest) == good
        in_clear = people[7]["fullName"].encode()
        for file in ("core.db", "core.db-wal"):
            path = tmp_path / "data" / file
            assert not path.exists() or in_clear not in path.read_bytes(), file
    finally:
        server.stop()


def test_rule_d2_a_line_that_is_used_up_holds_the_job_without_an_exceedance(own_server):
    rest = Rest(own_server.demo, "ONESTOP")
    registered = rest.line(SERVICE)["registered"]
    off_hours = rest.line(SERVICE, "offHours")["registered"]
    people = own_server.demo.data["citizens"]
    rows = [row(people[n % len(people)]) for n in range(registered + off_hours + 30)]
    job = wait(rest, taken(submit(rest, table(rows))), "paused")
    assert (job["accepted"], job["reason"]["ruleId"]) == (registered, "D2")
    assert job["until"].endswith("T18:00:00+07:00"), job
    line = rest.line(SERVICE)
    assert (line["used"], line["exceedances"], line["locked"]) == (registered, 0, None)
    evening = {"now": job["until"]}
    assert rest.send("PUT", "/sandbox/clock", json=evening).status_code == 200
    deadline = time.monotonic() + WAIT_S
    while (job := status(rest, job))["accepted"] < registered + off_hours:
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    job = wait(rest, job, "paused")
    assert job["until"].endswith("T07:00:00+07:00"), job
    assert rest.line(SERVICE, "offHours")["used"] == off_hours
    assert counted(rest) == registered + off_hours
    cancelled = rest.send("DELETE", f"{BATCHES}/{job['id']}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    kept = pages(rest, job, "results", "results")
    assert len(kept) == registered + off_hours
    assert rest.send("DELETE", f"{BATCHES}/{job['id']}").status_code == 204


def test_a_job_is_gone_seven_days_after_its_end(own_server):
    rest = Rest(own_server.demo, "BIG")
    job = wait(rest, taken(submit(rest, table([row(own_server.demo.plain())]))), "done")
    later = {"now": job["deletedAt"].replace("+07:00", "+06:00")}
    assert rest.send("PUT", "/sandbox/clock", json=later).status_code == 200
    deadline = time.monotonic() + 30
    while rest.send("GET", f"{BATCHES}/{job['id']}").status_code != 404:
        assert time.monotonic() < deadline, "the job is still there"
        time.sleep(0.5)
