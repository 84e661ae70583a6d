"""What an operator sees: figures, health, doctor, configuration, and logs that name nobody."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time

import pytest
import requests

from dancu_client import (
    REPOSITORY, Demo, Rest, Server, Soap, binary, free_port, name_habits, request_id,
)

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (-?[0-9.e+-]+|NaN|\+Inf)$')
METRIC = re.compile(r"\b(?:dancu|process)_[a-z_]+")
SHORTEST_NEEDLE = 8


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    known = {k: v for k, v in os.environ.items() if not k.startswith("DANCU_")} | variables
    return subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=60,
                          check=False, env=known, stdin=subprocess.DEVNULL)


def scrape(url: str) -> dict[str, float]:
    """Every sample by its name with its labels."""
    answer = requests.get(f"{url}/metrics", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {}
    for line in answer.text.splitlines():
        if line.startswith("# "):
            assert re.match(r"# (HELP|TYPE) [a-z_]+ \S", line), line
            continue
        found = SAMPLE.match(line)
        assert found, f"not a sample: {line}"
        key = f"{found[1]}{{{found[2] or ''}}}"
        assert key not in samples, f"twice: {key}"
        samples[key] = float(found[3])
    return samples


def of_all(samples: dict[str, float], name: str) -> float:
    return sum(v for k, v in samples.items() if k.startswith(f"{name}{{"))


def answers(samples: dict[str, float], route: str, status: str) -> float:
    return sum(v for k, v in samples.items() if k.startswith("dancu_http_requests_total{")
               and f'route="{route}"' in k and f'status="{status}"' in k)


# --- figures -------------------------------------------------------------------------------------


def test_requests_are_counted_by_route_and_status(demo, rest):
    before = scrape(demo.base_url)
    person = demo.plain()
    assert rest.verify(person).status_code == 200
    assert rest.verify(person, procedureCode="9.999999").status_code == 403
    assert requests.get(f"{demo.base_url}/api/v1/usage", timeout=10).status_code == 401
    for n in range(5):
        path = f"{demo.base_url}/nowhere/{person['personalId']}/{n}"
        assert requests.get(path, timeout=10).status_code == 404
    assert requests.delete(f"{demo.base_url}/docs", timeout=10).status_code == 405
    after = scrape(demo.base_url)
    more = lambda route, status: answers(after, route, status) - answers(before, route, status)
    assert more("/api/v1/citizens/verify", "2xx") == 1
    assert more("/api/v1/citizens/verify", "4xx") == 1
    assert more("/api/v1/usage", "4xx") == 1
    assert more("no such path", "4xx") == 5
    assert more("no such method", "4xx") == 1
    assert len(after) == len(before), "a path that was asked for became a label"
    assert after["dancu_journal_entries_total{}"] >= before["dancu_journal_entries_total{}"] + 2
    assert person["personalId"] not in str(after)


def test_durations_are_cumulative_and_agree_with_the_counts(demo, rest):
    assert rest.verify(demo.plain()).status_code == 200
    samples = scrape(demo.base_url)
    label = 'method="POST",route="/api/v1/citizens/verify"'
    buckets = [v for k, v in samples.items()
               if k.startswith(f"dancu_http_request_seconds_bucket{{{label}")]
    assert len(buckets) >= 10 and buckets == sorted(buckets) and buckets[-1] >= 1
    assert buckets[-1] == samples[f"dancu_http_request_seconds_count{{{label}}}"]
    assert buckets[-1] == sum(v for k, v in samples.items()
                              if k.startswith(f"dancu_http_requests_total{{{label}"))
    assert 0 < samples[f"dancu_http_request_seconds_sum{{{label}}}"] < 600


def test_every_figure_of_dashboard_and_alerts_exists(demo):
    names = {key.split("{")[0] for key in scrape(demo.base_url)}
    for file in ("grafana/dancu.json", "prometheus/alerts.yml"):
        named = set(METRIC.findall((REPOSITORY / "packaging" / file).read_text(encoding="utf-8")))
        assert len(named) > 5 and named <= names, (file, named - names)


def test_gauges_tell_the_state(demo):
    samples = scrape(demo.base_url)
    assert samples["dancu_ready{}"] == 1
    assert samples["dancu_registry_citizens{}"] >= 100
    live = sum(1 for s in demo.data["systems"] if s["state"] == "live")
    assert samples['dancu_registered_systems{state="live"}'] == live
    assert samples["dancu_lines{}"] > 0
    assert of_all(samples, "dancu_lines_near_count") >= samples["dancu_lines_used_up{}"]
    assert samples["dancu_ledger_queued{}"] >= 0
    assert samples["dancu_ledger_batches_failed_total{}"] == 0
    for scope in ("line", "connection"):
        assert samples[f'dancu_locks_in_force{{scope="{scope}"}}'] >= 0
    assert samples["process_resident_memory_bytes{}"] > 10 << 20
    assert samples["process_open_fds{}"] < samples["process_max_fds{}"]


def test_commits_are_counted_with_their_size_and_time(own_server):
    demo, rest = own_server.demo, Rest(own_server.demo, "BIG")
    before, person = scrape(demo.base_url), demo.plain()
    for _ in range(20):
        assert rest.verify(person).status_code == 200
    after = scrape(demo.base_url)
    more = lambda name: after[name] - before[name]
    batches = more("dancu_ledger_batch_entries_count{}")
    # One after the other: a batch each. The token's entry is an act, not a batch.
    assert batches == more("dancu_ledger_batch_entries_sum{}") == 20
    assert more("dancu_ledger_commit_seconds_count{}") == batches
    assert 0 < more("dancu_ledger_commit_seconds_sum{}") < 20
    buckets = [v for k, v in after.items() if k.startswith("dancu_ledger_commit_seconds_bucket{")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == after["dancu_ledger_commit_seconds_count{}"]


def test_a_locked_line_is_counted(own_server):
    demo, rest = own_server.demo, Rest(own_server.demo, "SMALL")
    person, lock = demo.plain(), 'dancu_locks_in_force{scope="line"}'
    assert scrape(demo.base_url)[lock] == 0
    for _ in range(rest.line("citizen.lookup")["left"] + 1):
        rest.lookup(person)
    moved = requests.put(f"{demo.base_url}/sandbox/clock", timeout=10,
                         json={"now": "2026-03-02T09:20:00+07:00"})
    assert moved.status_code == 200
    for _ in range(102):  # after the grace: the next above the tolerance locks (D3)
        rest.lookup(person)
    assert rest.line("citizen.lookup")["locked"]
    samples = scrape(demo.base_url)
    assert samples[lock] == 1 and samples["dancu_lines_locked{}"] == 1
    assert samples['dancu_locks_in_force{scope="connection"}'] == 0


def test_a_line_used_up_is_a_number_without_a_name(own_server):
    demo, rest = own_server.demo, Rest(own_server.demo, "SMALL")
    before, person = scrape(demo.base_url), demo.plain()
    for _ in range(rest.line("citizen.verify")["left"]):
        assert rest.verify(person).status_code == 200
    after = scrape(demo.base_url)
    near = 'dancu_lines_near_count{service="citizen.verify"}'
    for name in (near, "dancu_lines_used_up{}"):
        assert after[name] == before[name] + 1
    assert len(after) == len(before) and "SMALL" not in str(after)


def test_figures_are_for_configured_addresses_only(tmp_path, monkeypatch):
    monkeypatch.setenv("DANCU_METRICS_FROM", "192.0.2.0/24")
    server = Server.start(tmp_path / "data")
    try:
        assert requests.get(f"{server.demo.base_url}/metrics", timeout=10).status_code == 404
        assert requests.get(f"{server.demo.base_url}/healthz", timeout=10).status_code == 200
    finally:
        server.stop()


# --- logs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_under_traffic_name_nobody(tmp_path, monkeypatch, form):
    """At the finest level, with good, bad, refused and broken requests and a hard end."""
    monkeypatch.setenv("DANCU_LOG", "trace")
    monkeypatch.setenv("DANCU_LOG_FORMAT", form)
    server = Server.start(tmp_path / "data")
    demo = server.demo
    people, secrets = demo.citizens[:12], set()
    try:
        rest, soap = Rest(demo, "ONESTOP"), Soap(demo, "ONESTOP")
        secrets.add(rest.token())
        for person in people:
            rest.verify(person)
            rest.lookup(person)
            rest.verify(person, procedureCode="9.999999")
            rest.verify(person, subject={"personalId": person["personalId"] + "x"})
            soap.verify(person, MaYeuCau=request_id())
            url = f"{demo.base_url}/nowhere/{person['personalId']}"
            requests.get(url, params={"name": person["fullName"]}, timeout=10)
            requests.post(f"{demo.base_url}/api/v1/citizens/verify", timeout=10,
                          data=json.dumps(person).encode(),
                          headers={"Authorization": f"Bearer {rest.token()}",
                                   "Content-Type": "application/json"})
            requests.post(f"{demo.base_url}/soap/dancu", data=f"<a>{person['fullName']}".encode(),
                          timeout=10)
    finally:
        server.stop(signal.SIGTERM)
    logged = server.output_since_ready().decode("utf-8", errors="replace")
    for person in people:
        needles = {person["personalId"], person["oldId"] or "", person["fullName"]}
        needles |= set(name_habits(person["fullName"]).values())
        for needle in (n for n in needles if len(n) >= SHORTEST_NEEDLE):
            assert needle not in logged, "a person stands in the log"
    for system in demo.data["systems"]:
        secrets |= {(system["soap"] or {}).get("secret"),
                    (system["oauth"] or {}).get("clientSecret")}
        for account in system["accounts"]:
            assert account["login"] not in logged, "a login stands in the log"
    for secret in filter(None, secrets):
        assert secret not in logged, "a secret stands in the log"


def test_json_logs_are_one_object_per_line(tmp_path):
    config = tmp_path / "dancu.toml"
    port = free_port()
    config.write_text(f'data = "{tmp_path / "data"}"\nlisten = "127.0.0.1:{port}"\n'
                      '[log]\nformat = "json"\nlevel = "trace"\n')
    assert run("population", "generate", "--data", str(tmp_path / "data"),
               "--population", "200").returncode == 0
    process = subprocess.Popen([str(binary()), "serve", "--config", str(config)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert "phục vụ" in process.stdout.readline()
        assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=30)
    assert process.returncode == 0
    for line in logged.splitlines():
        assert {"timestamp", "level"} <= json.loads(line).keys(), line


# --- a process that goes on, and one that stops --------------------------------------------------


def centre(folder: pathlib.Path) -> tuple[list[str], str]:
    """The command of a centre on a new folder with plain HTTP, and its URL."""
    data, port = folder / "data", free_port()
    config = folder / "dancu.toml"
    config.write_text(f'data = "{data}"\nlisten = "127.0.0.1:{port}"\n')
    assert run("migrate", "--config", str(config)).returncode == 0
    return [str(binary()), "serve", "--config", str(config)], f"http://127.0.0.1:{port}"


def wait_until_ready(process: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it ended with {process.returncode}"
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("not ready after 30 s")


def test_output_that_cannot_be_written_stops_nothing(tmp_path):
    """A full disk under redirected output: what would be logged is lost, nothing else is."""
    command, url = centre(tmp_path)
    # A level that cannot be read is a line of the log right at the start.
    known = os.environ | {"DANCU_LOG": "dancu=nonsense"}
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=full, stderr=full,
                                   env=known)
    try:
        wait_until_ready(process, url)
        for path in ("healthz", "readyz", "metrics", "docs"):
            assert requests.get(f"{url}/{path}", timeout=10).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_sandbox_asks_nothing_of_its_log(tmp_path):
    """People are made, seeds registered and questions answered at the finest level."""
    port = free_port()
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(Server.command(tmp_path / "data", port),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=full, env=os.environ | {"DANCU_LOG": "trace"})
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}")
        demo = Demo(tmp_path / "data" / "demo.json")
        for _ in range(5):
            assert Rest(demo, "ONESTOP").verify(demo.plain()).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_signals_are_heard_as_soon_as_it_says_that_it_serves(tmp_path):
    """SIGHUP asks for renewed certificates: where there are none it must not end the process."""
    command, url = centre(tmp_path)
    for first in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        with process.stdout:
            assert "phục vụ" in process.stdout.readline()
            process.send_signal(first)
        if first == signal.SIGHUP:
            assert requests.get(f"{url}/readyz", timeout=10).status_code == 200
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, first.name


def test_bad_use_ends_with_2_and_touches_nothing(tmp_path):
    data = tmp_path / "data"
    for wrong in ([], ["nonsense"], ["serve"], ["demo", "--data", str(data), "--population", "5"],
                  ["demo", "--data", str(data), "--clock", "hôm qua"],
                  ["demo", "--data", str(data), "--clock", "2200-01-01T00:00:00+07:00"],
                  ["population", "generate", "--data", str(data), "--population", "many"],
                  ["operate", "lift", "--data", str(data)]):
        told = run(*wrong)
        assert told.returncode == 2 and told.stderr, (wrong, told.returncode, told.stderr)
    assert not data.exists()


def test_a_centre_has_no_sandbox_clock(tmp_path):
    command, url = centre(tmp_path)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(process, url)
        answer = requests.put(f"{url}/sandbox/clock", timeout=10,
                              json={"now": "2199-01-01T00:00:00+07:00"})
        assert answer.status_code == 404, answer.text
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


# --- configuration and doctor --------------------------------------------------------------------


def test_the_example_is_a_valid_configuration(tmp_path):
    example = run("config", "example")
    assert example.returncode == 0 and example.stdout.startswith("# Cấu hình")
    file = tmp_path / "dancu.toml"
    file.write_text(example.stdout, encoding="utf-8")
    report = json.loads(run("doctor", "--config", str(file), "--data", str(tmp_path / "none"),
                            "--json").stdout)
    assert report["checks"][0]["name"] == "config" and report["checks"][0]["state"] == "ok"


def test_a_wrong_configuration_is_refused_with_every_error(tmp_path):
    file = tmp_path / "dancu.toml"
    file.write_text('lisen = "127.0.0.1:1"\nbaseUrl = "x"\n[log]\nformat = "xml"\n')
    told = run("serve", "--config", str(file))
    assert told.returncode != 0
    for word in ("dòng 1", "`listen`", "dòng 2", "baseUrl", "dòng 4", "log.format"):
        assert word in told.stderr, told.stderr
    told = run("serve", "--config", str(file), DANCU_LISEN="127.0.0.1:2")
    assert "DANCU_LISTEN" in told.stderr, told.stderr


def test_doctor_finds_and_mends(tmp_path):
    data = tmp_path / "data"
    empty = run("doctor", "--data", str(data), "--json")
    assert empty.returncode == 1
    assert {c["name"]: c["state"] for c in json.loads(empty.stdout)["checks"]}["store"] == "fail"
    assert run("population", "generate", "--data", str(data), "--population", "200").returncode == 0
    assert stat.S_IMODE(data.stat().st_mode) == 0o700, "a new folder is its owner's alone"
    good = json.loads(run("doctor", "--data", str(data), "--json").stdout)
    state = {c["name"]: c["state"] for c in good["checks"]}
    for name in ("config", "clock", "profile", "modes", "store", "keys", "registry", "journal",
                 "lastEntry", "certificates"):
        assert state[name] == "ok", good
    for check in good["checks"]:
        assert (check["mend"] is None) == (check["state"] == "ok"), check
    key = data / "master.key"
    kept = key.read_text()
    key.write_text("00" * 32 + "\n")
    wrong = run("doctor", "--data", str(data))
    assert wrong.returncode == 1 and "✗ kho dữ liệu" in wrong.stdout and "→" in wrong.stdout
    key.write_text(kept)
    assert not (data / "doctor.tmp").exists()


def test_doctor_beside_a_running_centre(own_server):
    report = json.loads(run("doctor", "--data", str(own_server.data), "--json",
                            DANCU_LOG="error").stdout)
    store = next(c for c in report["checks"] if c["name"] == "store")
    assert store["state"] == "ok" and "in use" in store["found"]
    assert Rest(own_server.demo, "ONESTOP").verify(own_server.demo.plain()).status_code == 200


@pytest.mark.parametrize("word", ["closd", "", "Closed"])
def test_an_unknown_word_through_the_socket_changes_nothing(own_server, word):
    """Closed is final: a word that is not understood must not be taken for it."""
    demo = own_server.demo
    who = {"system": "ONESTOP", "reason": "thử", "by": ["Lê Mẫu"]}
    body = json.dumps({"connection": {"who": who, "state": word}}).encode()
    head = (f"POST /operate HTTP/1.1\r\nhost: dancu\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n")
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(own_server.data / "control.sock"))
        control.sendall(head.encode() + body)
        told = control.makefile("rb").read().decode()
    assert "error" in told.partition("\r\n\r\n")[2], told
    assert not told.startswith("HTTP/1.1 2"), told
    assert Rest(demo, "ONESTOP").verify(demo.plain()).status_code == 200
