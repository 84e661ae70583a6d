"""Makes the folder of an older program that `test_upgrade.py` upgrades: run it with the program of
a resolved issue in DANCU_BIN, on an empty FOLDER; it writes FOLDER.tar.xz and FOLDER.json.

    DANCU_BIN=… .venv/bin/python upgrade/make_folder.py FOLDER
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from batch_jobs import pages, row, submit, table, taken, wait  # noqa: E402
from dancu_client import Rest, Server, binary, request_id, subject  # noqa: E402

# What the program leaves behind while it runs, or can make anew.
LEFT_OUT = {"LOCK", "demo.log", "control.sock"}


def main(folder: pathlib.Path) -> None:
    server = Server.start(folder)
    small = Rest(server.demo, "SMALL")
    citizen = server.demo.plain()
    answered = small.head("citizen.verify", subject(citizen))
    first = small.send("POST", "/api/v1/citizens/verify", json=answered)
    assert first.status_code == 200, first.text
    while (last := small.verify(citizen)).status_code == 200:
        pass
    assert last.json()["ruleId"] == "D2", last.text
    big, request = Rest(server.demo, "BIG"), request_id()
    rows = table([row(each) for each in server.demo.data["citizens"][:20]])
    job = wait(big, taken(submit(big, rows, request=request)), "done")
    batch = {"request": request, "job": job, "results": pages(big, job, "results", "results")}
    told = {"answered": answered, "answer": first.json(), "refused": last.json(),
            "line": small.line("citizen.verify"), "journal": small.journal(), "batch": batch}
    assert server.stop() == 0
    subprocess.run([str(binary()), "operate", "connection", "--data", str(folder), "--system",
                    "BANK", "--state", "suspended", "--reason", "upgrade test", "--by", "A"],
                   check=True, capture_output=True)
    pathlib.Path(f"{folder}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    with tarfile.open(f"{folder}.tar.xz", "w:xz", preset=9) as archive:
        for path in sorted(folder.iterdir()):
            if path.name not in LEFT_OUT and not path.name.endswith(("-wal", "-shm")):
                archive.add(path, path.name)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
