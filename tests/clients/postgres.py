"""A real PostgreSQL for the suites, from the binaries that are installed.

    postgres.py with -- COMMAND…   runs a command whose demo servers keep their data in databases
                                   of one server, which is gone afterwards
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

START_S = 30.0


def wait(fits, what: str, seconds: float = START_S) -> None:
    deadline = time.monotonic() + seconds
    while not fits():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


class Postgres:
    """One server of a pair, in a folder and on a port of its own."""

    BIN = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
              key=lambda p: int(p.parts[-3])).parent
    USER = "postgres" if os.geteuid() == 0 else None

    def __init__(self, folder: pathlib.Path, port: int):
        self.folder, self.port = folder, port

    @classmethod
    def run(cls, program: str, *arguments: str, check: bool = True) -> str:
        done = subprocess.run([str(cls.BIN / program), *arguments], user=cls.USER, cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")
        return done.stdout.strip()

    def sql(self, text: str) -> str:
        return self.run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "dancu",
                        "-p", str(self.port), "-d", "postgres", "-c", text)

    def start(self) -> None:
        # pg_ctl's child keeps what it inherits: no pipe, or reading it would never end.
        subprocess.run([str(self.BIN / "pg_ctl"), "-s", "-w", "-t", "60", "-D", str(self.folder),
                        "-l", f"{self.folder}.log", "start"], user=self.USER, cwd="/", check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def die(self) -> None:
        """As by a power cut."""
        self.run("pg_ctl", "-s", "-m", "immediate", "-D", str(self.folder), "stop", check=False)

    def _settings(self) -> None:
        text = (f"listen_addresses = '127.0.0.1'\nport = {self.port}\nfsync = on\n"
                f"unix_socket_directories = ''\nsynchronous_commit = on\n"
                f"full_page_writes = on\nmax_connections = 150\n")
        with (self.folder / "postgresql.auto.conf").open("a") as out:
            out.write(text)

    def make(self) -> None:
        self.run("initdb", "-D", str(self.folder), "-U", "dancu", "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--data-checksums", "-N")
        self._settings()
        self.start()

    def follow(self, primary: Postgres) -> None:
        """Begins anew as the synchronous standby of a primary."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.run("pg_basebackup", "-h", "127.0.0.1", "-U", "dancu", "-p", str(primary.port),
                 "-X", "stream", "-c", "fast", "-R", "-D", str(self.folder))
        self._settings()
        with (self.folder / "postgresql.auto.conf").open("a") as out:
            out.write("synchronous_standby_names = ''\n")  # once promoted it waits for nobody
        self.start()
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
        primary.sql("SELECT pg_reload_conf()")
        state = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
        wait(lambda: primary.sql(state) == "1", "the standby follows")

    def promote(self) -> None:
        self.run("pg_ctl", "-s", "-w", "-D", str(self.folder), "promote")


def main(arguments: list[str]) -> int:
    if arguments[:2] != ["with", "--"] or len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    from dancu_client import DATABASES, free_port  # noqa: PLC0415 - it needs this module

    folder = pathlib.Path(tempfile.mkdtemp(prefix="dancu-pg-", dir="/tmp"))
    if Postgres.USER:
        shutil.chown(folder, Postgres.USER)
    server = Postgres(folder / "data", free_port())
    try:
        server.make()
        known = os.environ | {DATABASES: f"127.0.0.1:{server.port}"}
        return subprocess.run(arguments[2:], env=known, check=False).returncode
    finally:
        with contextlib.suppress(OSError):
            server.die()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
