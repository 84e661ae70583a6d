"""Backup and restore as an operator runs them: beside a serving process, interrupted, damaged,
onto a full disk, with the wrong key; older copies of the data are recognised."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest
import requests

from dancu_client import Rest, Server, Soap, binary, free_port
from postgres import Postgres, wait

WRITE_LIMIT = 200_000
"""Bytes per file that the limited commands may write: less than a part of the registry."""


def run(*arguments, limited: bool = False, wrap: list[str] | None = None,
        **variables: str) -> subprocess.CompletedProcess:
    """Runs the program; `limited` makes each of its files end where a full disk would."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("DANCU_")} | variables
    limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (WRITE_LIMIT, WRITE_LIMIT)))
    # Signals stay as Python has them: a write beyond the limit is then an error, not the end.
    return subprocess.run([*(wrap or []), str(binary()), *map(str, arguments)], timeout=120,
                          capture_output=True, text=True, check=False, env=known,
                          stdin=subprocess.DEVNULL, preexec_fn=limit if limited else None,
                          restore_signals=not limited)


def told(done: subprocess.CompletedProcess) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def back_up(data: pathlib.Path, to: pathlib.Path, *more) -> dict:
    return told(run("backup", "--data", data, "--to", to, "--keys", f"{to}.keys", "--json", *more))


def verify(backup: pathlib.Path, data: pathlib.Path, keys: pathlib.Path | None = None):
    keys = keys or pathlib.Path(f"{backup}.keys")
    return run("backup", "verify", backup, "--keys", keys, "--data", data, "--json")


def target(folder: pathlib.Path, data: pathlib.Path) -> pathlib.Path:
    """An empty data folder with the master key of another."""
    folder.mkdir()
    shutil.copy2(data / "master.key", folder)
    return folder


def restore(backup: pathlib.Path, into: pathlib.Path, **how) -> subprocess.CompletedProcess:
    return run("restore", "--from", backup, "--keys", f"{backup}.keys", "--data", into, "--json",
               **how)


def accept(data: pathlib.Path) -> dict:
    return told(run("restore", "accept", "--data", data, "--actor", "Trần Thị B",
                    "--reason", "diễn tập", "--json"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """A sandbox that was asked and stopped, with one backup of it. Checks leave it as it is."""
    folder = tmp_path_factory.mktemp("backup")
    server = Server.start(folder / "data")
    rest = Rest(server.demo, "ONESTOP")
    for person in server.demo.citizens[:10]:
        assert rest.verify(person).status_code == 200
    assert server.stop() == 0
    back_up(server.data, folder / "one")
    return server


# --- the drill -----------------------------------------------------------------------------------


def test_drill_beside_a_serving_process(tmp_path):
    server = Server.start(tmp_path / "data")
    rest, person = Rest(server.demo, "ONESTOP"), server.demo.plain()
    asked, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            asked.append(rest.verify(person).status_code)
            time.sleep(0.005)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        made = back_up(server.data, tmp_path / "one")
        again = back_up(server.data, tmp_path / "two", "--base", tmp_path / "one")
    finally:
        stop.set()
        asking.join()
    assert set(asked) == {200}
    assert made["parts"] > 20 and made["rows"] > 2000 and made["nextIndex"] > 0
    assert again["shared"] > made["parts"] / 2 and again["written"] < made["written"]
    used = rest.line("citizen.verify")["used"]
    assert server.stop() == 0
    people = told(run("population", "stats", "--data", server.data, "--json"))
    for name, index in (("one", made["nextIndex"]), ("two", again["nextIndex"])):
        checked = told(verify(tmp_path / name, server.data))
        assert checked["problems"] == [] and checked["opened"]
        assert checked["entries"] == checked["nextIndex"] == index

    copy = target(tmp_path / "copy", server.data)
    assert told(restore(tmp_path / "two", copy))["nextIndex"] == again["nextIndex"]
    refused = run(*Server.command(copy, free_port())[1:])
    assert refused.returncode == 1 and "dancu restore accept" in refused.stderr
    assert accept(copy) | {"seconds": 0} == {
        "index": again["nextIndex"], "generation": 1, "lost": None, "backup": again["id"],
        "seconds": 0}
    assert told(run("population", "stats", "--data", copy, "--json")) == people
    restored = Server.start(copy)
    try:
        person, rest = restored.demo.plain(), Rest(restored.demo, "ONESTOP")
        before = rest.line("citizen.verify")["used"]
        assert 0 < before <= used, "the snapshot's count, not a new one"
        assert rest.verify(person).status_code == 200
        assert Soap(restored.demo, "ONESTOP").verify(person).exists
        assert rest.line("citizen.verify")["used"] == before + 2
        # The search was not in the backup: it is made anew from the journal.
        found = [entry["index"] for entry in rest.journal()]
        assert len(found) >= before + 2 and found == sorted(found)
    finally:
        assert restored.stop() == 0


@pytest.fixture
def postgres():
    """A PostgreSQL server of its own, gone with the check."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dancu-backup-"))
    if Postgres.USER:
        shutil.chown(folder, Postgres.USER)
    server = Postgres(folder / "data", free_port())
    try:
        server.make()
        yield server
    finally:
        server.die()
        shutil.rmtree(folder, ignore_errors=True)


def held(postgres, text: str) -> None:
    """Runs what is ended from outside."""
    with contextlib.suppress(RuntimeError):
        postgres.sql(text)


def test_a_killed_restore_into_a_database_is_not_served(sandbox, tmp_path, postgres):
    """Killed while it fills the database: what is there says so to whoever opens it."""
    backup, port = sandbox.data.parent / "one", free_port()
    node, config = target(tmp_path / "node", sandbox.data), tmp_path / "dancu.toml"
    config.write_text(f'data = "{node}"\nlisten = "127.0.0.1:{port}"\nsandbox = true\n[database]\n'
                      f'url = "postgres://dancu@127.0.0.1:{postgres.port}/postgres"\n')
    arguments = ("restore", "--from", backup, "--keys", f"{backup}.keys", "--config", config)

    def mark() -> str:
        return postgres.sql("SELECT COUNT(*) FROM meta WHERE name = 'restore.unfinished'")

    # Tables without rows, one of which somebody holds, so that it is caught in the middle.
    told(run(*arguments, "--json"))
    tables = postgres.sql("SELECT string_agg(relname, ', ') FROM pg_class WHERE relkind IN "
                          "('r', 'p') AND NOT relispartition AND relname <> 'schema_version' "
                          "AND relnamespace = 'public'::regnamespace")
    postgres.sql(f"TRUNCATE {tables}")
    hold = "BEGIN; LOCK TABLE household IN SHARE MODE; SELECT pg_sleep(60)"
    holder = threading.Thread(target=held, args=(postgres, hold))
    holder.start()
    locked = "SELECT COUNT(*) FROM pg_locks WHERE mode = 'ShareLock' AND granted"
    wait(lambda: postgres.sql(locked) == "1", "the lock")
    made = subprocess.Popen([str(binary()), *map(str, arguments)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted"
    wait(lambda: postgres.sql(waiting) != "0", "the restoring that waits")
    assert made.poll() is None and mark() == "1"
    made.kill()
    made.wait()
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE pid <> pg_backend_pid() AND datname = 'postgres'")
    holder.join()
    assert postgres.sql("SELECT COUNT(*) FROM system") == "0" and mark() == "1"
    for command in (("serve", "--config", config), ("migrate", "--config", config),
                    ("restore", "accept", "--config", config, "--actor", "B", "--reason", "x"),
                    ("backup", "--config", config, "--to", tmp_path / "none")):
        refused = run(*command)
        assert refused.returncode == 1 and "was not finished" in refused.stderr, refused.stderr
    doctor = run("doctor", "--config", config, "--json")
    assert doctor.returncode == 1 and "was not finished" in doctor.stdout
    told(run(*arguments, "--json"))
    assert mark() == "0"
    refused = run("serve", "--config", config)
    assert refused.returncode == 1 and "not accepted yet" in refused.stderr


def test_drill_across_engines(sandbox, tmp_path, postgres):
    """From SQLite into PostgreSQL, from there beside its node back into SQLite."""
    backup, port = sandbox.data.parent / "one", free_port()
    node, config = target(tmp_path / "node", sandbox.data), tmp_path / "dancu.toml"
    config.write_text(f'data = "{node}"\nlisten = "127.0.0.1:{port}"\nsandbox = true\n[database]\n'
                      f'url = "postgres://dancu@127.0.0.1:{postgres.port}/postgres"\n')
    arguments = ("restore", "--from", backup, "--keys", f"{backup}.keys", "--config", config)
    first = told(run(*arguments, "--json"))
    again = run(*arguments)
    assert again.returncode == 1 and "holds data already" in again.stderr
    refused = run("serve", "--config", config)
    assert refused.returncode == 1 and "dancu restore accept" in refused.stderr
    told(run("restore", "accept", "--config", config, "--actor", "B", "--reason", "x", "--json"))
    process = subprocess.Popen([str(binary()), "serve", "--config", str(config)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert "phục vụ" in process.stdout.readline()
        keys = tmp_path / "two.keys"
        made = told(run("backup", "--config", config, "--to", tmp_path / "two",
                        "--keys", keys, "--json"))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert made["nextIndex"] > first["nextIndex"] and made["rows"] >= first["rows"]
    checked = told(verify(tmp_path / "two", node))
    assert checked["problems"] == [] and checked["entries"] == made["nextIndex"]
    back = target(tmp_path / "back", node)
    told(restore(tmp_path / "two", back))
    accept(back)
    stats = [told(run("population", "stats", "--data", place, "--json"))
             for place in (sandbox.data, back)]
    assert stats[0] == stats[1]


def test_a_backup_names_nobody(sandbox):
    backup = sandbox.data.parent / "one"
    held = b"".join(p.read_bytes() for p in backup.rglob("*") if p.is_file())
    held += pathlib.Path(f"{backup}.keys").read_bytes()
    for person in sandbox.demo.citizens[:50]:
        for needle in (person["personalId"], person["fullName"]):
            assert needle.encode() not in held
    master = (sandbox.data / "master.key").read_text().strip().encode()
    assert master not in held and bytes.fromhex(master.decode()) not in held
    for path in [backup, *backup.rglob("*"), pathlib.Path(f"{backup}.keys")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_without_keys_it_says_what_is_missing(sandbox, tmp_path):
    done = run("backup", "--data", sandbox.data, "--to", tmp_path / "one")
    assert done.returncode == 0 and "NO KEYS IN IT" in done.stdout and "--keys" in done.stdout
    checked = told(run("backup", "verify", tmp_path / "one", "--json"))
    assert checked["problems"] == [] and not checked["opened"] and checked["entries"] == 0
    inside = run("backup", "--data", sandbox.data, "--to", tmp_path / "two",
                 "--keys", tmp_path / "two" / "keys")
    assert inside.returncode == 1 and not (tmp_path / "two").exists()


# --- faults --------------------------------------------------------------------------------------


def test_a_flipped_bit_is_found_and_nothing_is_restored(sandbox, tmp_path):
    backup = tmp_path / "one"
    shutil.copytree(sandbox.data.parent / "one", backup)
    shutil.copy2(sandbox.data.parent / "one.keys", tmp_path)
    assert verify(backup, sandbox.data).returncode == 0
    for part in sorted((backup / "parts").iterdir())[::5]:
        whole = part.read_bytes()
        for place in (len(whole) // 3, len(whole) - 1):
            broken = bytearray(whole)
            broken[place] ^= 0x10
            part.write_bytes(broken)
            for checked in (verify(backup, sandbox.data),
                            run("backup", "verify", backup, "--json")):
                assert checked.returncode == 1
                problems = json.loads(checked.stdout)["problems"]
                assert len(problems) >= 1 and part.name in problems[0]
        into = tmp_path / f"into-{part.name}"
        failed = restore(backup, target(into, sandbox.data))
        assert failed.returncode == 1 and part.name in failed.stderr
        assert [p.name for p in into.iterdir()] == ["master.key"]
        part.write_bytes(whole)
    assert verify(backup, sandbox.data).returncode == 0


def test_a_wrong_key_opens_nothing(sandbox, tmp_path):
    backup = sandbox.data.parent / "one"
    other = {"DANCU_MASTER_KEY": "ab" * 32}
    for arguments in (("backup", "verify", backup, "--keys", f"{backup}.keys"),
                      ("restore", "--from", backup, "--keys", f"{backup}.keys",
                       "--data", tmp_path / "into"),
                      ("backup", "--data", sandbox.data, "--to", tmp_path / "made")):
        failed = run(*arguments, **other)
        assert failed.returncode == 1 and "master" in failed.stderr, failed.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "cut.keys").write_bytes(pathlib.Path(f"{backup}.keys").read_bytes()[:-40])
    failed = verify(backup, sandbox.data, tmp_path / "cut.keys")
    assert failed.returncode == 1 and "cut.keys" in failed.stderr


def test_an_interrupted_backup_is_none(sandbox, tmp_path):
    """Killed as soon as it writes; what it leaves is no backup, and the next run succeeds."""
    killed = False
    for n in range(20):
        backup = tmp_path / f"backup-{n}"
        partial = tmp_path / f"backup-{n}.partial"
        process = subprocess.Popen(
            [str(binary()), "backup", "--data", str(sandbox.data), "--to", str(backup),
             "--keys", f"{backup}.keys"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (partial / "parts").exists():
            time.sleep(0.0005)
        process.kill()
        process.wait()
        if partial.exists():
            killed = True
            break
    assert killed, "it was never caught while it wrote"
    assert not backup.exists() and not pathlib.Path(f"{backup}.keys").exists()
    assert run("backup", "verify", partial).returncode == 1
    assert run("restore", "--from", partial, "--keys", f"{partial}.keys",
               "--data", tmp_path / "into").returncode == 1
    back_up(sandbox.data, backup)
    assert verify(backup, sandbox.data).returncode == 0 and not partial.exists()


def test_a_full_disk_leaves_no_backup(sandbox, tmp_path):
    failed = run("backup", "--data", sandbox.data, "--to", tmp_path / "one",
                 "--keys", tmp_path / "keys", limited=True)
    assert failed.returncode == 1 and "File too large" in failed.stderr, failed.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_that_is_served(sandbox, tmp_path):
    backup, into = sandbox.data.parent / "one", target(tmp_path / "into", sandbox.data)
    failed = restore(backup, into, limited=True)
    assert failed.returncode == 1, failed.stdout
    assert not (into / "core.db").exists()
    refused = run(*Server.command(into, free_port())[1:])
    assert refused.returncode == 1 and "dancu restore" in refused.stderr
    assert not (into / "core.db").exists()
    told(restore(backup, into))
    accept(into)


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0,
                    reason="a small disk of its own can only be mounted by root")
def test_a_small_disk_that_fills_up(sandbox, tmp_path):
    """A real full file system: ENOSPC comes at any write, also of the last frame."""
    for kib in (64, 300, 1000):
        disk = tmp_path / f"disk-{kib}"
        disk.mkdir()
        script = (f'mount -t tmpfs -o size={kib}k none {disk} && "$@"; code=$?; '
                  f"ls -A {disk}; exit $code")
        done = run("backup", "--data", sandbox.data, "--to", disk / "one",
                   wrap=["unshare", "-m", "sh", "-c", script, "sh"])
        if "mount" in done.stderr:
            pytest.skip("mounting is not permitted here")
        assert done.returncode == 1 and "No space left" in done.stderr, done.stderr
        assert done.stdout.strip() == "", "something was left on the full disk"


def test_restoring_twice_is_refused(sandbox, tmp_path):
    backup, into = sandbox.data.parent / "one", target(tmp_path / "into", sandbox.data)
    told(restore(backup, into))
    before = (into / "core.db").read_bytes()
    for place in (into, sandbox.data):
        again = restore(backup, place)
        assert again.returncode == 1 and "holds data already" in again.stderr
    assert (into / "core.db").read_bytes() == before


def test_bad_use_is_told_apart(sandbox, tmp_path):
    for arguments in (("backup",), ("backup", "--data", sandbox.data), ("restore",),
                      ("restore", "--from", tmp_path), ("restore", "accept"),
                      ("restore", "accept", "--data", sandbox.data, "--actor", " ",
                       "--reason", "x"),
                      ("backup", "--to", tmp_path / "x", "--by-path")):
        assert run(*arguments).returncode == 2, arguments
    # Nothing to accept, nothing to verify.
    copy = tmp_path / "data"
    shutil.copytree(sandbox.data, copy)
    assert run("restore", "accept", "--data", copy, "--actor", "A",
               "--reason", "x").returncode == 1
    assert run("backup", "verify", tmp_path / "none").returncode == 1


# --- older copies --------------------------------------------------------------------------------


class Centre:
    """A centre on a folder of its own, with its anchor where it is wanted."""

    def __init__(self, folder: pathlib.Path, anchor: pathlib.Path | None):
        self.data, self.port = folder / "data", free_port()
        self.config = folder / "dancu.toml"
        line = f'anchor = "{anchor}"\n' if anchor else ""
        self.config.write_text(f'data = "{self.data}"\nlisten = "127.0.0.1:{self.port}"\n{line}')
        assert run("migrate", "--config", self.config).returncode == 0

    def serve(self) -> None:
        """Serves, journals one failure, and stops in order."""
        process = subprocess.Popen([str(binary()), "serve", "--config", str(self.config)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        url, deadline = f"http://127.0.0.1:{self.port}", time.monotonic() + 30
        try:
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(requests.RequestException):
                    if requests.get(f"{url}/readyz", timeout=2).status_code == 200:
                        break
                time.sleep(0.05)
            asked = requests.get(f"{url}/api/v1/usage", timeout=10,
                                 headers={"Authorization": "Bearer nobody"})
            assert asked.status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

    def refused(self) -> str:
        done = run("serve", "--config", self.config)
        assert done.returncode == 1
        return done.stderr


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_older_copy_is_refused_until_it_is_accepted(tmp_path, elsewhere):
    anchor = tmp_path / "other-disk.anchor" if elsewhere else None
    centre = Centre(tmp_path, anchor)
    centre.serve()
    shutil.copytree(centre.data, tmp_path / "older")
    centre.serve()
    newest = json.loads((anchor or centre.data / "head.anchor").read_text())["nextIndex"]
    # Brought back: the whole folder, or where the anchor lies in it, the databases.
    for file in (tmp_path / "older").iterdir():
        if elsewhere or file.name != "head.anchor":
            shutil.copy2(file, centre.data)
    text = centre.refused()
    assert "dancu restore accept" in text and str(newest) in text, text
    checks = json.loads(run("doctor", "--config", centre.config, "--json").stdout)["checks"]
    assert any(c["state"] == "fail" and "accept" in json.dumps(c, ensure_ascii=False)
               for c in checks), checks
    done = told(run("restore", "accept", "--config", centre.config, "--actor", "Trần Thị B",
                    "--reason", "hỏng đĩa", "--json"))
    assert done["lost"] == newest - done["index"] > 0 and done["generation"] == 1
    centre.serve()
    again = run("restore", "accept", "--config", centre.config, "--actor", "B", "--reason", "x")
    assert again.returncode == 1


def test_the_anchor_follows_a_serving_process(tmp_path):
    """Within seconds, so that a copy taken while it serves is recognised after a kill too."""
    server = Server.start(tmp_path / "data")
    anchor = server.data / "head.anchor"
    index = lambda: json.loads(anchor.read_text())["nextIndex"] if anchor.exists() else 0
    try:
        rest, person = Rest(server.demo, "ONESTOP"), server.demo.plain()
        time.sleep(2.5)
        before = index()
        assert rest.verify(person).status_code == 200
        deadline = time.monotonic() + 10
        while index() <= before and time.monotonic() < deadline:
            time.sleep(0.1)
        assert index() > before
    finally:
        server.stop(signal.SIGKILL)
    again = Server.start(tmp_path / "data")
    assert again.stop() == 0
