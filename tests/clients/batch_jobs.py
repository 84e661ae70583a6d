"""Batches as a caller uses them: a table is submitted, waited for, and read page by page."""

from __future__ import annotations

import re
import time

from dancu_client import Rest, request_id

BATCHES = "/api/v1/batches"
SERVICE = "citizen.batchVerify"
COLUMNS = "personalId,fullName,dateOfBirth"
WAIT_S = 120


def row(citizen: dict) -> str:
    return ",".join((citizen["personalId"], citizen["fullName"], citizen["dateOfBirth"]))


def table(rows: list[str]) -> bytes:
    return "\r\n".join([COLUMNS, *rows, ""]).encode()


def submit(rest: Rest, body: bytes, *, kind: str = "text/csv", request: str | None = None,
           **changes):
    head = {"requestId": request or request_id(), "account": rest.account,
            "procedureCode": rest.system.procedure(SERVICE), "caseCode": "HS.2026-LO1"}
    head.update(changes)
    params = {key: value for key, value in head.items() if value is not None}
    return rest.send("POST", BATCHES, params=params, data=body, headers={"Content-Type": kind})


def taken(answer) -> dict:
    assert answer.status_code == 202, (answer.status_code, answer.text[:500])
    job = answer.json()
    assert answer.headers["Location"] == job["statusUrl"]
    assert re.fullmatch("[0-9a-f]{32}", job["id"])
    return job


def status(rest: Rest, job: dict) -> dict:
    answer = rest.send("GET", f"{BATCHES}/{job['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait(rest: Rest, job: dict, *states: str, done: int = 0) -> dict:
    """Waits until the job stands in one of these states, or has so many results."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        now = status(rest, job)
        if now["state"] in states or (done and now["done"] >= done):
            return now
        time.sleep(0.1)
    raise AssertionError(f"still {now['state']} with {now['done']} results")


def pages(rest: Rest, job: dict, what: str, member: str, limit: int = 1000) -> list[dict]:
    found, start = [], 1
    while start:
        answer = rest.send("GET", f"{BATCHES}/{job['id']}/{what}?from={start}&limit={limit}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page[member]) <= limit
        found += page[member]
        start = page["next"]
    return found
