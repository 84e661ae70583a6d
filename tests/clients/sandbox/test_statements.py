"""The monthly statement (rule A7): figures against the system's own journal, the signature against
the key of the log by openssl, and the program's own check."""

from __future__ import annotations

import base64
import collections
import hashlib
import subprocess

from dancu_client import Rest, Server, binary, set_clock

#: Prefix of an Ed25519 public key as DER (RFC 8410).
DER = bytes.fromhex("302a300506032b6570032100")
MONTH = "2026-03"


def operate(server: Server, *more: str) -> subprocess.CompletedProcess:
    command = [str(binary()), "operate", "statements", "--data", str(server.data), "--reason", "thử",
               "--by", "Lê Mẫu", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def verified(note: str, vkey: str, folder) -> list[str]:
    """The lines of a signed note, checked by openssl."""
    text, signature = note.split("\n\n")
    name, line = signature.removeprefix("\u2014 ").strip().rsplit(" ", 1)
    origin, number, key = vkey.strip().split("+", 2)
    raw = base64.b64decode(line)
    assert (name, raw[:4].hex()) == (origin, number)
    (folder / "text").write_text(text + "\n", encoding="utf-8")
    (folder / "signature").write_bytes(raw[4:])
    (folder / "key").write_bytes(DER + base64.b64decode(key)[1:])
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin",
         "-in", "text", "-sigfile", "signature"], cwd=folder, check=True, timeout=30)
    return text.split("\n")


def test_a_month_is_confirmed_and_anybody_can_check_it(own_server: Server, tmp_path):
    demo, rest = own_server.demo, Rest(own_server.demo, "ONESTOP")
    person = demo.plain()
    for who in (person, person, {**person, "fullName": "Không Có Ai"}):
        assert rest.verify(who).status_code == 200
    assert rest.send("GET", "/api/v1/statements").json()["statements"] == []
    assert rest.send("GET", f"/api/v1/statements/{MONTH}").status_code == 404
    assert set_clock(demo, "2026-04-01T07:30:00+07:00").status_code == 200
    made = operate(own_server)
    assert made.returncode == 0, made.stderr

    listed = rest.send("GET", "/api/v1/statements").json()
    row = next(row for row in listed["statements"] if row["month"] == MONTH)
    document = rest.send("GET", f"/api/v1/statements/{MONTH}")
    note = rest.send("GET", f"/api/v1/statements/{MONTH}/note").text
    digest = hashlib.sha256(document.content).hexdigest()
    key = rest.session.get(f"{demo.base_url}/log/key", timeout=10).text
    assert key.strip() == listed["logKey"]
    lines = verified(note, key, tmp_path)
    assert lines == ["dancu-statement-note/1", row["number"], digest]
    assert digest == row["sha256"]

    statement = document.json()
    assert (statement["system"]["code"], statement["month"]) == ("ONESTOP", MONTH)
    counted = collections.Counter()
    for served in statement["services"]:
        counted["accepted"] += served["questions"]
        counted["noMatch"] += served["noMatches"]
    entries = rest.send("GET", "/api/v1/journal?from=0").json()["entries"]
    own = [entry for entry in entries if entry["dutyDay"].startswith(MONTH)]
    accepted = [entry for entry in own if entry["decision"] == "accepted"]
    assert counted["accepted"] == len(accepted) >= 3
    assert counted["noMatch"] == sum(entry["answer"] == "noMatch" for entry in accepted)
    refused = sum(row["questions"] for row in statement["refused"])
    assert refused == sum(entry["decision"] == "refused" for entry in own)

    again = operate(own_server, "--system", "ONESTOP", "--month", MONTH)
    assert again.returncode == 0 and statement["journal"]["rootHash"] in again.stdout, again.stderr
    files = tmp_path / "statement.json", tmp_path / "statement.note"
    files[0].write_bytes(document.content)
    files[1].write_text(note, encoding="utf-8")
    check = [str(binary()), "statement", *map(str, files), "--key", key.strip()]
    fine = subprocess.run(check, capture_output=True, text=True, timeout=30, check=False)
    assert fine.returncode == 0 and row["number"] in fine.stdout, fine.stdout + fine.stderr
    files[0].write_bytes(document.content.replace(b'"repeats": 0', b'"repeats": 1'))
    wrong = subprocess.run(check, capture_output=True, text=True, timeout=30, check=False)
    assert wrong.returncode == 1, wrong.stdout + wrong.stderr
