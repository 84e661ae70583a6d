"""Three serving nodes on one PostgreSQL with a synchronous standby, under load over the edges of
07:00 and 18:00, while nodes are killed and the primary dies; afterwards every answer and the whole
journal are compared.

    python torture.py [--rounds 2] [--seconds 20] [--threads 12] [--folder DIR]

Each round crosses one edge. One node is killed and started again, then the primary: in even rounds
it is stopped as by a power cut and started again, in odd ones its standby is promoted and a new
standby made; then another node is killed. Ends with 1 unless all of this is 0: admitted beyond a
count, refused before it, counted twice, acknowledged and lost, gaps in the indexes.

DANCU_BIN names the program. PostgreSQL 15 or newer is needed under /usr/lib/postgresql.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from dancu_client import Demo, Rest, binary, free_port, request_id, subject  # noqa: E402
from postgres import Postgres, wait  # noqa: E402

NODES = 3
SYSTEMS = ("ONESTOP", "SMALL", "BIG")
PATHS = {"citizen.verify": "citizens/verify", "citizen.lookup": "citizens/lookup",
         "household.lookup": "households/lookup"}
FIRST_DAY = dt.date(2026, 3, 2)
ZONE = dt.timezone(dt.timedelta(hours=7))
# Refusals after which nobody asks a line again: from 101 on they would be a second exceedance (D3).
REFUSALS_PER_LINE = 60
# A client asks again with the same id until it is answered, at most this long.
PATIENCE_S = 45.0


def bare_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("DANCU_")}


# --- nodes -----------------------------------------------------------------------------------


class Node:
    """A serving process with a folder of its own."""

    def __init__(self, folder: pathlib.Path, url: str, master: pathlib.Path | None):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None
        folder.mkdir(mode=0o700, exist_ok=True)
        if master:
            shutil.copy2(master, folder / "master.key")
        self.config = folder.parent / f"{folder.name}.toml"
        self.config.write_text(
            f'data = "{folder}"\nlisten = "127.0.0.1:{self.port}"\nsandbox = true\n'
            f'[database]\nurl = "{url}"\nnodes = {NODES}\n')

    def start(self) -> None:
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as out:
            self.process = subprocess.Popen(
                [str(binary()), "serve", "--config", str(self.config)], stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, env=bare_environment())
        wait(self.is_ready, f"{self.folder.name} is ready; see its log")

    def is_ready(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"{self.folder.name} ended; see its log")
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(40)


# --- load ------------------------------------------------------------------------------------


@dataclasses.dataclass
class Answer:
    system: str
    request: str
    status: int
    index: int
    at: float


class Load:
    """Clients that ask any node, and ask again with the same id where nothing was answered."""

    def __init__(self, demo: Demo, nodes: list[Node], tokens: dict[str, str]):
        self.demo, self.nodes, self.tokens = demo, nodes, tokens
        self.answers: list[Answer] = []
        self.again, self.unanswered, self.odd = 0, 0, []
        self.refusals: collections.Counter = collections.Counter()
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def client(self, seed: int) -> None:
        dice, session = random.Random(seed), requests.Session()
        session.trust_env = False
        while not self.ended.is_set():
            system = self.demo.system(dice.choice(SYSTEMS))
            service = dice.choice(tuple(PATHS))
            line = (system["systemCode"], service)
            if self.refusals[line] > REFUSALS_PER_LINE:
                time.sleep(0.002)
                continue
            body = {"requestId": request_id(), "procedureCode": system.procedure(service),
                    "caseCode": "HS.2026-0001", "account": system.account(),
                    "subject": subject(dice.choice(self.demo.citizens))}
            self.ask(dice, session, line, body)

    def ask(self, dice: random.Random, session: requests.Session, line, body) -> None:
        system, service = line
        deadline = time.monotonic() + PATIENCE_S
        headers = {"Authorization": f"Bearer {self.tokens[system]}"}
        while time.monotonic() < deadline:
            url = f"{dice.choice(self.nodes).url}/api/v1/{PATHS[service]}"
            try:
                told = session.post(url, json=body, headers=headers, timeout=30)
            except requests.RequestException:
                told = None
            if told is None or told.status_code == 503:
                with self.lock:
                    self.again += 1
                time.sleep(0.1)
                continue
            answer = told.json()
            if told.status_code == 200:
                index = answer["journal"]["index"]
            elif told.status_code in (403, 429):
                index = int(answer["correlationId"][:16], 16)
            else:
                with self.lock:
                    self.odd.append((told.status_code, told.text[:300]))
                return
            with self.lock:
                self.refusals[line] += told.status_code != 200
                self.answers.append(
                    Answer(system, body["requestId"], told.status_code, index, time.monotonic()))
            return
        with self.lock:
            self.unanswered += 1

    def run(self, threads: int, seconds: float, meanwhile) -> None:
        clients = [threading.Thread(target=self.client, args=(n,)) for n in range(threads)]
        began = time.monotonic()
        for client in clients:
            client.start()
        try:
            meanwhile(began)
            time.sleep(max(0.0, began + seconds - time.monotonic()))
        finally:
            self.ended.set()
            for client in clients:
                client.join()


# --- what must hold --------------------------------------------------------------------------


class Verdict(collections.Counter):
    """What was found; everything but the figures of the run must be 0."""

    MUST_BE_ZERO = ("overAdmitted", "wronglyRefused", "countedTwice", "lost", "gaps", "odd",
                    "unanswered", "usageDiffers")

    def fine(self) -> bool:
        return all(self[name] == 0 for name in self.MUST_BE_ZERO)


def limits(demo: Demo) -> dict[tuple[str, str, str], int]:
    return {(code, service["code"], window): service[window]
            for code in SYSTEMS for service in demo.system(code)["services"]
            for window in ("inHours", "offHours")}


def judge(demo: Demo, answers: list[Answer], verdict: Verdict) -> None:
    """Recomputes every decision in the order of the journal, and finds every answer in it."""
    by_system, allowed = collections.defaultdict(list), limits(demo)
    windows = set()
    for answer in answers:
        by_system[answer.system].append(answer)
    for code in SYSTEMS:
        rest = Rest(demo, code)
        entries = {entry["index"]: entry for entry in rest.journal(0)}
        verdict["entries"] += len(entries)
        used: collections.Counter = collections.Counter()
        accepted = set()
        for entry in entries.values():
            line = (code, entry["service"], entry["window"])
            day = (*line, entry["dutyDay"])
            windows.add((entry["window"], entry["dutyDay"]))
            if entry["decision"] == "accepted":
                verdict["overAdmitted"] += used[day] + entry["counted"] > allowed[line]
                used[day] += entry["counted"]
                digest = entry.get("requestIdDigest")
                verdict["countedTwice"] += digest in accepted
                accepted.add(digest)
            elif entry["decision"] == "refused":
                verdict["refused"] += 1
                full = entry["reason"] == "LineUsedUp" and used[day] == allowed[line]
                verdict["wronglyRefused"] += not full
        for answer in by_system[code]:
            entry = entries.get(answer.index)
            digest = hashlib.sha256(answer.request.encode()).hexdigest()[:32]
            agrees = entry is not None and entry.get("requestIdDigest") == digest and (
                (answer.status == 200) == (entry["decision"] != "refused"))
            verdict["lost"] += not agrees
        usage = rest.usage()
        for row in usage["lines"]:
            if row["window"] == usage["window"]:
                day = (code, row["service"], row["window"], usage["dutyDay"])
                verdict["usageDiffers"] += row["used"] != used[day]
    verdict["windows"] = len(windows)


GAPS = """
SELECT COUNT(*) FILTER (WHERE first_idx <> expected)
     + (SELECT CAST(next_index <> (SELECT MAX(first_idx + entries) FROM entry_chunk) AS INTEGER)
        FROM ledger_head)
FROM (SELECT first_idx,
             COALESCE(LAG(first_idx + entries) OVER (ORDER BY first_idx), 0) AS expected
      FROM entry_chunk) AS chunks
"""


# --- the run ---------------------------------------------------------------------------------


class Torture:
    """A cluster in a folder, torn down at the end."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        # A folder of its own: those of the checks are closed to the user of the servers.
        base = self.base = pathlib.Path(tempfile.mkdtemp(prefix="dancu-pg-"))
        if Postgres.USER:
            shutil.chown(base, Postgres.USER)
        ports = free_port(), free_port()
        self.pair = [Postgres(base / f"server{n}", port) for n, port in enumerate(ports)]
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.url = f"postgresql://dancu@{hosts}/postgres"
        self.nodes: list[Node] = []
        self.answers: list[Answer] = []
        self.verdict = Verdict()
        self.longest_gap = 0.0

    @property
    def primary(self) -> Postgres:
        return self.pair[0]

    def seed(self, clock: dt.datetime) -> Demo:
        """`dancu demo` makes the data, or moves the clock of what is there."""
        known = bare_environment() | {"DANCU_DATABASE_URL": self.url}
        command = [str(binary()), "demo", "--data", str(self.folder / "node1"), "--port",
                   str(free_port()), "--population", "1000", "--once", "--clock",
                   clock.isoformat()]
        done = subprocess.run(command, env=known, capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise RuntimeError(f"demo: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return Demo(self.folder / "node1" / "demo.json")

    def round(self, number: int, seconds: float, threads: int) -> None:
        day = FIRST_DAY + dt.timedelta(days=number // 2)
        edge = dt.datetime.combine(day, dt.time(7 if number % 2 == 0 else 18), ZONE)
        # The nodes need about three seconds to start, and the edge lies in the middle of the load.
        demo = self.seed(edge - dt.timedelta(seconds=seconds * 0.5 + 3))
        if not self.nodes:
            self.pair[1].follow(self.primary)
            for n in range(1, NODES + 1):
                master = self.folder / "node1" / "master.key" if n > 1 else None
                self.nodes.append(Node(self.folder / f"node{n}", self.url, master))
        for node in self.nodes:
            node.start()
        demo.base_url = self.nodes[0].url
        load = Load(demo, self.nodes, {code: Rest(demo, code).token() for code in SYSTEMS})
        load.run(threads, seconds, lambda began: self.faults(number, began, seconds))
        for node in self.nodes:
            wait(node.is_ready, "every node is ready again")
        self.answers += load.answers
        times = sorted(answer.at for answer in load.answers)
        gaps = [b - a for a, b in zip(times, times[1:])]
        self.longest_gap = max([self.longest_gap, *gaps])
        self.verdict["repeated"] += load.again
        self.verdict["unanswered"] += load.unanswered
        self.verdict["odd"] += len(load.odd)
        for status, text in load.odd[:3]:
            print(f"    odd answer {status}: {text}", file=sys.stderr)
        self.judge(demo)
        for node in self.nodes:
            node.stop()

    def faults(self, number: int, began: float, seconds: float) -> None:
        def until(part: float) -> None:
            time.sleep(max(0.0, began + seconds * part - time.monotonic()))

        until(0.2)
        self.kill(self.nodes[number % NODES])
        until(0.4)
        self.primary.die()
        self.verdict["primaryKills"] += 1
        if number % 2 == 0:
            self.primary.start()
        else:
            self.pair[1].promote()
            self.pair.reverse()
            self.pair[1].follow(self.primary)
            self.verdict["promotions"] += 1
        until(0.75)
        self.kill(self.nodes[(number + 1) % NODES])

    def kill(self, node: Node) -> None:
        node.stop(signal.SIGKILL)
        self.verdict["nodeKills"] += 1
        node.start()

    def judge(self, demo: Demo) -> None:
        fresh = Verdict()
        judge(demo, self.answers, fresh)
        fresh["answers"] = len(self.answers)
        fresh["gaps"] = int(self.primary.sql(GAPS))
        kept = ("repeated", "unanswered", "odd", "nodeKills", "primaryKills", "promotions")
        fresh.update({name: self.verdict[name] for name in kept})
        self.verdict = fresh

    def doctor(self) -> None:
        """Opens every entry of the journal, beside the nodes' folders."""
        node = Node(self.folder / "check", self.url, self.folder / "node1" / "master.key")
        done = subprocess.run([str(binary()), "doctor", "--config", str(node.config), "--full",
                               "--json"], capture_output=True, text=True, timeout=300,
                              env=bare_environment(), stdin=subprocess.DEVNULL, check=False)
        states = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
        for name in ("database", "schema", "journal", "keys"):
            if states.get(name, {}).get("state") != "ok":
                raise AssertionError(f"doctor: {name}: {states.get(name)}")

    def end(self) -> None:
        for node in self.nodes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                node.stop(signal.SIGKILL)
        for server in self.pair:
            server.die()
        if sys.exc_info()[0] is None:
            shutil.rmtree(self.base, ignore_errors=True)
        else:
            print(f"the servers' folders are kept: {self.base}", file=sys.stderr)


def run(folder: pathlib.Path, rounds: int, seconds: float, threads: int) -> Verdict:
    torture = Torture(folder)
    try:
        torture.primary.make()
        for number in range(rounds):
            began = time.monotonic()
            torture.round(number, seconds, threads)
            found = torture.verdict
            print(f"round {number + 1}: {found['answers']} answers, {found['entries']} entries, "
                  f"{found['refused']} refused, {found['repeated']} asked again, longest pause "
                  f"{torture.longest_gap:.1f} s; "
                  + ", ".join(f"{name} {found[name]}" for name in Verdict.MUST_BE_ZERO)
                  + f" ({time.monotonic() - began:.0f} s)", flush=True)
        torture.doctor()
        return torture.verdict
    finally:
        torture.end()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--threads", type=int, default=12)
    parser.add_argument("--folder", type=pathlib.Path, help="kept; by default a temporary one")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = given.folder
        if folder is None:
            folder = pathlib.Path(stack.enter_context(
                tempfile.TemporaryDirectory(prefix="dancu-torture-")))
        folder.mkdir(parents=True, exist_ok=True)
        found = run(folder, given.rounds, given.seconds, given.threads)
    print(json.dumps(dict(found) | {"fine": found.fine()}, indent=2))
    return 0 if found.fine() else 1


if __name__ == "__main__":
    sys.exit(main())
