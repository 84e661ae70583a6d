"""Sends a batch to a demo server and says how it went; `bench/batch.sh` is the way to run it.

    batch.py DEMO_JSON submit ROWS    sends a file of so many rows, 100 of them broken; prints its id
    batch.py DEMO_JSON wait ID        waits until it is over; prints rows a second, and the file
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.parse

BROKEN = 100
SERVICE = "citizen.batchVerify"


class Caller:
    """The system that is meant for load, with one connection."""

    def __init__(self, demo_json: str):
        with open(demo_json, encoding="utf-8") as file:
            self.demo = json.load(file)
        self.system = next(s for s in self.demo["systems"] if s["systemCode"] == "BIG")
        place = urllib.parse.urlsplit(self.demo["baseUrl"])
        self.line = http.client.HTTPConnection(place.hostname, place.port, timeout=600)
        oauth = self.system["oauth"]
        form = urllib.parse.urlencode({"grant_type": "client_credentials",
                                       "client_id": oauth["clientId"],
                                       "client_secret": oauth["clientSecret"]})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.send("POST", "/oauth/token", form.encode(), kind, token=False)
        self.token = json.loads(answer)["access_token"]

    def send(self, method, path, body=None, headers=None, token=True) -> bytes:
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {self.token}"
        self.line.request(method, path, body, headers, encode_chunked=body is not None
                          and not isinstance(body, bytes))
        answer = self.line.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text


def rows(citizens: list[dict], count: int):
    """The file, a thousand rows at a time."""
    part = ["personalId,fullName,dateOfBirth\r\n"]
    for n in range(count):
        c = citizens[n % len(citizens)]
        broken = n % max(count // BROKEN, 1) == 0
        part.append("0991,?,2020-13-45\r\n" if broken else
                    f"{c['personalId']},{c['fullName']},{c['dateOfBirth']}\r\n")
        if len(part) >= 1000:
            yield "".join(part).encode()
            part = []
    yield "".join(part).encode()


def submit(caller: Caller, count: int) -> None:
    account = next(a["login"] for a in caller.system["accounts"] if a["kind"] == "plan")
    procedure = next(p["code"] for p in caller.system["procedures"] if SERVICE in p["services"])
    head = urllib.parse.urlencode({"requestId": f"LO-{time.time_ns()}", "account": account,
                                   "procedureCode": procedure})
    began = time.monotonic()
    kind = {"Content-Type": "text/csv", "Transfer-Encoding": "chunked"}
    file = rows(caller.demo["citizens"], count)
    job = json.loads(caller.send("POST", f"/api/v1/batches?{head}", file, kind))
    took = time.monotonic() - began
    print(f"taken in: {job['rows']} rows, {job['bad']} bad, {took:.1f} s", file=sys.stderr)
    print(job["id"])


def wait(caller: Caller, job_id: str) -> None:
    path = f"/api/v1/batches/{job_id}"
    read = lambda: json.loads(caller.send("GET", path))
    job = read()
    began, before = time.monotonic(), job["done"]
    while job["state"] in ("waiting", "running", "paused"):
        time.sleep(0.5)
        job = read()
    took = time.monotonic() - began
    print(f"{job['state']}: {job['accepted']} accepted, {job['refused']} refused, {job['bad']} bad; "
          f"{(job['done'] - before) / max(took, 0.001):,.0f} rows/s over {took:.1f} s")
    began = time.monotonic()
    size = len(caller.send("GET", f"{path}/results.csv"))
    print(f"result file: {size / 1e6:.1f} MB in {time.monotonic() - began:.1f} s")
    lines = json.loads(caller.send("GET", "/api/v1/usage"))["lines"]
    used = sum(line["used"] for line in lines if line["service"] == SERVICE)
    if used != job["accepted"]:
        sys.exit(f"{used} persons counted, {job['accepted']} accepted")


if __name__ == "__main__":
    if sys.argv[2] == "submit":
        submit(Caller(sys.argv[1]), int(sys.argv[3]))
    else:
        wait(Caller(sys.argv[1]), sys.argv[3])
