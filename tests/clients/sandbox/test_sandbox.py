"""The sandbox stage: from a sign-in to a passed conformance run over REST and over SOAP; a client
that does it wrong is told why; personas stay the same over a restart."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import time

import pytest
import requests

from accounts.test_accounts import Desk, said
from dancu_client import Rest, Server, Soap, System, request_id, set_clock, subject

DAY, NEXT = "2026-03-02", "2026-03-03"
#: Prefix of an Ed25519 public key as DER (RFC 8410).
DER = bytes.fromhex("302a300506032b6570032100")
SERVICES = ["citizen.verify", "citizen.lookup", "bloodGroup.provide"]


def field(page: requests.Response, name: str) -> str:
    return html.unescape(re.search(rf'id="{name}"[^>]*>([^<]*)<', page.text)[1])


class Tenant:
    """A test system that was made on the page, asked over REST or SOAP."""

    def __init__(self, demo):
        self.demo = demo
        self.desk = Desk(demo, "onestop.tichhop")
        laid = self.desk.post("/integrator/sandbox", self.desk.get("/integrator/sandbox"))
        assert laid.status_code == 200, said(laid)
        user, client = field(laid, "soap-user"), field(laid, "client-id")
        self.code = user.removesuffix("_SOAP")
        self.first, self.scarce = field(laid, "login1"), field(laid, "login2")
        demo.systems[self.code] = System(
            systemCode=self.code, unitCode="H26.001", accounts=[],
            soap={"user": user, "secret": field(laid, "soap-secret"), "serviceUrl": "/soap/dancu"},
            oauth={"clientId": client, "clientSecret": field(laid, "client-secret")},
            procedures=[{"code": "1.004194", "services": SERVICES}],
            services=[{"code": "citizen.verify", "maTichHop": "033"},
                      {"code": "citizen.lookup", "maTichHop": "037"}])
        self.rest, self.soap = Rest(demo, self.code, self.first), Soap(demo, self.code)
        self.laid = laid
        found = requests.get(f"{demo.base_url}/sandbox/personas.json", timeout=10).json()
        self.personas = {row["persona"]: row for row in found}

    def begin(self, client: str) -> dict:
        while True:
            answer = self.rest.send("POST", "/sandbox/conformance", json={"client": client})
            if answer.status_code != 429:
                assert answer.status_code == 201, answer.text
                return answer.json()
            time.sleep(1)

    def look(self) -> dict:
        answer = self.rest.send("GET", "/sandbox/conformance")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def missing(self) -> list[str]:
        return [row["case"] for row in self.look()["cases"] if not row["passed"]]

    def ask(self, kind: str, persona: str, account: str | None = None, **changes) -> int:
        """Puts a question over REST; waits where it is too fast (D7). Gives the status."""
        while True:
            answer = getattr(self.rest, kind)(
                self.personas[persona], account=account or self.first, **changes)
            if answer.status_code != 429 or answer.json()["ruleId"] != "D7":
                return answer.status_code
            time.sleep(int(answer.headers["Retry-After"]))

    def call(self, kind: str, persona: str, account: str | None = None, **changes) -> int:
        """The same over SOAP; a fault gives its code."""
        while True:
            answer = getattr(self.soap, kind)(
                self.personas[persona], account=account or self.first, **changes)
            if answer.status == 200:
                return 200
            if b"D7" not in answer.raw:
                return answer.status
            time.sleep(2)


def whole(ask, identifier: str, name: str, wrong: str, refused: set[int]) -> None:
    """What a client has to show, but for the windows and what is not granted."""
    first = request_id()
    assert ask("verify", "ordinary", **{identifier: first}) == 200
    assert ask("verify", "ordinary", **{identifier: first}) == 200
    assert ask("verify", "ordinary", **{identifier: first, name: wrong}) in refused | {409}
    assert ask("verify", "ordinary", **{name: wrong}) == 200
    for persona in ("yearOnly", "deceased", "nobody"):
        assert ask("verify", persona) == 200
    assert ask("lookup", "ordinary") == 200
    cut = request_id()
    assert ask("verify", "outage", **{identifier: cut}) in refused | {503}
    assert ask("verify", "outage", **{identifier: cut}) == 200


def checked(look: dict, vkey: str, tmp_path) -> dict:
    """The report behind its signature, checked with the key of the log by openssl."""
    text, signature = look["report"].split("\n\n")
    name, line = signature.removeprefix("\u2014 ").strip().rsplit(" ", 1)
    origin, number, key = vkey.split("+", 2)
    raw = base64.b64decode(line)
    assert (name, raw[:4].hex()) == (origin, number)
    (tmp_path / "text").write_text(text + "\n", encoding="utf-8")
    (tmp_path / "signature").write_bytes(raw[4:])
    (tmp_path / "key").write_bytes(DER + base64.b64decode(key)[1:])
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin",
         "-in", "text", "-sigfile", "signature"], cwd=tmp_path, check=True, timeout=30)
    return json.loads(text)


@pytest.fixture
def tenant(own_server: Server) -> Tenant:
    return Tenant(own_server.demo)


def test_a_client_passes_over_rest_and_over_soap(tenant, own_server, tmp_path):
    demo = own_server.demo
    began = tenant.begin("Một cửa mẫu 4.2")
    assert not began["passed"] and len(began["cases"]) == 13 and began["report"] is None
    assert all(row["toSendVi"] for row in began["cases"])

    def ask(kind, persona, **changes):
        if "fullName" in changes:
            changed = tenant.personas[persona] | {"fullName": changes.pop("fullName")}
            changes["subject"] = subject(changed)
        return tenant.ask(kind, persona, **changes)

    whole(ask, "requestId", "fullName", "Tên Hoàn Toàn Sai", {409, 503})
    while tenant.ask("verify", "ordinary", tenant.scarce) == 200:
        pass
    assert tenant.missing() == ["notGranted", "offHours"]
    # No question of REST asks for the blood group alone.
    tenant.soap.call("CungCapThongTinNhomMau", tenant.soap.fields(
        "bloodGroup.provide", tenant.personas["ordinary"], account=tenant.first, MaTichHop="044"))
    assert set_clock(demo, f"{DAY}T19:00:00+07:00").status_code == 200
    assert tenant.ask("verify", "ordinary") == 200
    look = tenant.look()
    assert look["passed"], (look, tenant.missing())
    report = checked(look, demo.data["logVkey"], tmp_path)
    assert report["systemCode"] == tenant.code and report["client"] == "Một cửa mẫu 4.2"
    assert all(row["passed"] and row["entries"] for row in report["cases"])
    assert report["run"] == look["run"]
    page = tenant.desk.get(f"/integrator/sandbox/{tenant.code}")
    assert "13/13" in said(page) and look["run"] in said(page)

    tenant.begin("Một cửa mẫu 4.2, SOAP")

    def call(kind, persona, **changes):
        return tenant.call(kind, persona, **changes)

    assert tenant.call("verify", "ordinary") == 200
    assert set_clock(demo, f"{NEXT}T09:00:00+07:00").status_code == 200
    whole(call, "MaYeuCau", "HoVaTen", "Tên Hoàn Toàn Sai", {500, 503})
    tenant.soap.call("CungCapThongTinNhomMau", tenant.soap.fields(
        "bloodGroup.provide", tenant.personas["ordinary"], account=tenant.first, MaTichHop="044"))
    while tenant.call("verify", "ordinary", tenant.scarce) == 200:
        pass
    assert tenant.missing() == []


def test_a_client_that_does_it_wrong_is_told_why(tenant):
    tenant.begin("Phần mềm sai 0.1")
    assert tenant.ask("verify", "ordinary", "nguoi.khong.co") == 403
    # A new id after 503 is cut off again: the same one is to be sent.
    assert [tenant.ask("verify", "outage") for _ in range(3)] == [503, 503, 503]
    look = tenant.look()
    assert not look["passed"] and look["report"] is None
    assert [row["ruleId"] for row in look["otherRefusals"]] == ["E1"]
    assert look["otherRefusals"][0]["whatToDoVi"]
    outage = next(row for row in look["cases"] if row["case"] == "outage")
    assert not outage["passed"] and "cùng mã yêu cầu" in outage["toSendVi"]


EDGES = {"ordinary", "noOldId", "yearOnly", "deceased", "sharedOldId", "outage", "abnormal",
         "nobody"}


def test_every_edge_has_a_persona_that_does_what_it_says(tenant):
    assert set(tenant.personas) == EDGES
    page = html.unescape(tenant.desk.get("/sandbox/personas").text)
    assert not [row["nameVi"] for row in tenant.personas.values() if row["nameVi"] not in page]
    assert tenant.personas["noOldId"]["oldId"] is None
    assert len(tenant.personas["yearOnly"]["dateOfBirth"]) == 4
    # Abnormal use locks the account that asks, and no other; a new run opens it.
    tenant.begin("Phần mềm quét 0.1")
    assert tenant.ask("verify", "ordinary") == 200
    assert tenant.ask("verify", "abnormal") == 403
    assert tenant.ask("verify", "ordinary") == 403
    assert tenant.ask("verify", "ordinary", tenant.scarce) == 200
    assert [row["ruleId"] for row in tenant.look()["otherRefusals"]] == ["E1", "E1"]
    time.sleep(5.1)
    tenant.begin("Phần mềm quét 0.1")
    assert tenant.ask("verify", "ordinary") == 200
    # Another system may ask about the same person.
    other = Rest(tenant.demo, "ONESTOP")
    assert other.verify(tenant.personas["abnormal"]).status_code == 200


def test_runs_belong_to_test_systems_and_systems_are_few(tenant):
    demo = tenant.demo
    foreign = Rest(demo, "ONESTOP")
    assert foreign.send("GET", "/sandbox/conformance").status_code == 404
    sent = foreign.send("POST", "/sandbox/conformance", json={"client": "x"})
    assert sent.status_code == 404
    assert tenant.rest.send("POST", "/sandbox/conformance", json={}).status_code == 422
    for number in range(2, 7):
        page = tenant.desk.get("/integrator/sandbox")
        answer = tenant.desk.post("/integrator/sandbox", page)
        assert answer.status_code == (200 if number <= 5 else 422), (number, said(answer))


def test_the_first_call_works_as_it_is_shown(tenant):
    command = field(tenant.laid, "first-call")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
    assert json.loads(done.stdout)["result"] == "match", (done.stdout, done.stderr)


def test_personas_stay_the_same(own_server):
    url = "/sandbox/personas.json"
    before = requests.get(own_server.demo.base_url + url, timeout=10).json()
    assert len(before) == 9 and all(row["personalId"].startswith("099") for row in before)
    shared = [row["oldId"] for row in before if row["persona"] == "sharedOldId"]
    assert shared[0] == shared[1]
    page = requests.get(own_server.demo.base_url + "/sandbox/personas", timeout=10)
    assert page.status_code == 200 and "XacThucThongTinCongDan" in page.text
    own_server.stop()
    again = Server.start(own_server.data)
    try:
        assert requests.get(again.demo.base_url + url, timeout=10).json() == before
    finally:
        again.stop()
