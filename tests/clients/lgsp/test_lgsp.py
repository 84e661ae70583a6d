"""Provincial JSON: every shape × operation × class of refusal, and what stands in the journal."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import json
import re

import pytest

from dancu_client import (
    Rest, Server, instant, name_habits, request_id, set_clock, unaccented,
)
from lgsp_client import HOUSEHOLD, LOOKUP, OPERATIONS, VERIFY, Lgsp, relative

# One system per shape that is granted every service.
SHAPES = {"envelope": "ONESTOP", "data": "SMALL", "soap": "BIG"}
NOBODY = "099099999999"


@pytest.fixture(scope="session", params=SHAPES)
def lgsp(request, demo):
    client = Lgsp(demo, SHAPES[request.param])
    assert client.shape == request.param
    return client


@pytest.fixture(scope="session")
def onestop(demo):
    return Lgsp(demo, "ONESTOP")


@pytest.fixture(scope="session")
def person(demo):
    return demo.plain()


def refused(answer, status: int, rule: str, code: str = "") -> dict:
    """Asserts a refusal that names its rule, its reason in both languages and what to do."""
    told = answer.refusal
    assert (answer.status, told["ruleId"]) == (status, rule), answer.response.text
    assert re.fullmatch("[0-9a-f]{32}", told["correlationId"])
    assert answer.headers["X-Dancu-Correlation-Id"] == told["correlationId"]
    for text in ("titleVi", "whatToDoVi"):
        assert re.search(r"[^\x00-\x7f]", told[text]), told
    assert told["title"].isascii()
    if code:
        assert told["code"] == code, told
    return told


def bad_input(answer, *fields: str, status: int = 422) -> None:
    told = refused(answer, status, "A3", "017")
    named = {error["field"] for error in told["errors"]}
    assert set(fields) <= named, told
    assert all(re.search(r"[^\x00-\x7f]", error["messageVi"]) for error in told["errors"])


# --- registration ---------------------------------------------------------------------------------


def test_shapes_are_registered(demo):
    shapes = {code: system["lgsp"]["shape"] for code, system in demo.systems.items()}
    assert {"data", "envelope", "soap", None} <= set(shapes.values()), shapes


def test_a_system_without_a_shape_is_refused_clearly(demo, person):
    client = Lgsp(demo, "NIGHT")
    assert client.shape is None
    told = refused(client.ask(VERIFY, person), 403, "B1", "023")
    (error,) = told["errors"]
    assert error["field"] == "lgsp.shape" and "dạng trả lời" in error["messageVi"]
    assert client.rest.verify(person).status_code == 200, "the other facades stay open"


def test_shapes_and_secrets_stay_when_the_folder_is_used_again(tmp_path):
    seen = []
    for _ in range(2):
        server = Server.start(tmp_path / "data")
        seen.append([(c, s["lgsp"], s["oauth"]) for c, s in sorted(server.demo.systems.items())])
        client = Lgsp(server.demo, "ONESTOP")
        assert client.ask(VERIFY, server.demo.plain()).agrees
        server.stop()
    assert seen[0] == seen[1]


# --- answers --------------------------------------------------------------------------------------


def test_verification(lgsp, person):
    assert lgsp.ask(VERIFY, person).agrees is True
    assert lgsp.ask(VERIFY, person, soDinhDanh=NOBODY).agrees is False
    answer = lgsp.ask(VERIFY, person, ngayThangNam=person["dateOfBirth"][:4])
    assert answer.agrees is True and answer.precision == "year"


def test_names_and_dates_in_every_habit(demo, person):
    client = Lgsp(demo, "BIG")
    for habit, name in name_habits(person["fullName"]).items():
        assert client.ask(VERIFY, person, hoVaTen=name).agrees, habit
    assert client.ask(VERIFY, person, ngayThangNam=person["dateOfBirth"]).agrees
    nested = {"ngayThangNam": person["dateOfBirth"].replace("-", ""), "nam": None}
    answer = client.ask(VERIFY, person, ngayThangNam=..., ngayThangNamSinh=nested)
    assert answer.agrees and answer.precision is None
    assert client.ask(VERIFY, person, soDinhDanh=None, soCMND=person["oldId"]).agrees
    assert client.ask(VERIFY, person, maYeuCau=1_772_000_000_000).agrees
    assert client.ask(VERIFY, person, truongLa={"x": [1]}, maTichHop="033").agrees


def test_the_shape_data_is_exactly_a_boolean(demo, person):
    client = Lgsp(demo, "VERIFYONLY")
    answer = client.ask(VERIFY, person).ok()
    assert answer.json == {"data": True}
    assert int(answer.headers["X-Dancu-Remaining"]) > 0
    assert answer.headers["X-Dancu-Journal-Index"].isdigit()
    assert client.ask(VERIFY, person, soDinhDanh=NOBODY).json == {"data": False}


def test_the_shape_envelope(onestop, demo, person):
    answer = onestop.ask(VERIFY, person).ok()
    assert set(answer.json) == {"code", "status", "correlationId", "response"}
    assert answer.json["correlationId"] == answer.headers["X-Dancu-Correlation-Id"]
    root = answer.json["response"]["xacThucThongTinCongDanResponse"]
    assert root == {"tonTai": True, "soLuongCongDan": "1"}
    assert answer.json["response"]["conSong"] is True
    assert onestop.ask(VERIFY, demo.deceased()).json["response"]["conSong"] is False
    nobody = onestop.ask(VERIFY, person, soDinhDanh=NOBODY).json["response"]
    assert nobody == {"xacThucThongTinCongDanResponse": {"tonTai": False, "soLuongCongDan": "0"}}


def test_the_shape_soap_is_valid_soap(demo, schemas, person):
    bank = Lgsp(demo, "BANK")
    assert bank.ask(VERIFY, person).agrees is True
    client = Lgsp(demo, "BIG")
    for operation in (VERIFY, LOOKUP, HOUSEHOLD):
        body = client.ask(operation, person).ok().soap_body()
        schemas.elements[body.tag].validate(body)
    fault = client.ask(VERIFY, person, maDVC="9.999999").soap_body()
    assert fault.findtext("faultcode").endswith("Client")
    detail = fault.find("detail")[0]
    schemas.elements[detail.tag].validate(detail)


@pytest.mark.parametrize("operation", [LOOKUP, "cungCapThongTinCongDan"])
def test_look_ups(lgsp, person, operation):
    (found,) = lgsp.ask(operation, person).citizens
    assert (found["soDinhDanh"], found["soCMND"]) == (person["personalId"], person["oldId"])
    if lgsp.shape != "soap":
        assert found["hoVaTen"] == {"ho": None, "chuDem": None, "ten": person["fullName"].upper()}
        day = person["dateOfBirth"]
        assert found["ngayThangNamSinh"] == {"nam": day[:4], "ngayThangNam": day.replace("-", "")}
        assert found["gioiTinh"] == person["sex"] or found["gioiTinh"] == str(person["sex"])
        assert set(found["thuongTru"]) >= {"maTinhThanh", "maPhuongXa", "chiTiet", "quocGia"}
        assert len(found) == 20
    assert lgsp.ask(operation, person, soDinhDanh=NOBODY).citizens == []


def test_households(lgsp, demo):
    member, known = demo.household()
    found = {c["soDinhDanh"] for c in lgsp.ask(HOUSEHOLD, member).citizens}
    assert known <= found
    assert lgsp.ask(HOUSEHOLD, member, hoVaTen="Không Phải").citizens == []


def test_relation_checks(lgsp, demo, person):
    child = demo.child()
    father = demo.by_id[child["father"]]
    kin, stranger = "xacMinhThongTinNhanThan", demo.without_old_id()
    assert lgsp.ask(kin, child, nguoiLienQuan=relative(father)).agrees is True
    wrong = {**relative(father), "soDinhDanh": NOBODY}
    assert lgsp.ask(kin, child, nguoiLienQuan=wrong).agrees is False
    assert lgsp.ask(kin, stranger, nguoiLienQuan=relative(child)).agrees is False
    member, _ = demo.household()
    head = demo.by_id.get(member["householdHead"])
    if head:
        asked = relative(head)
        assert lgsp.ask("xacMinhThongTinChuHo", member, nguoiLienQuan=asked).agrees is True
    guardian = lgsp.ask("xacMinhThongTinNguoiGiamHo", person, nguoiLienQuan=relative(father))
    assert guardian.agrees is False


def test_other_checks(lgsp, demo, person):
    vital = "xacMinhTinhTrangChetMatTich"
    assert lgsp.ask(vital, person, tinhTrang="1").agrees is True
    assert lgsp.ask(vital, demo.deceased(), tinhTrang=2).agrees is True
    assert lgsp.ask(vital, demo.deceased(), tinhTrang="1").agrees is False
    married = "xacMinhTinhTrangHonNhan"
    assert lgsp.ask(married, demo.married(), tinhTrang="2").agrees is True
    assert lgsp.ask(married, demo.married(), tinhTrang="1").agrees is False
    home = Rest(demo, "BIG").lookup(person).json()["citizen"]["currentResidence"]
    place = "xacMinhThongTinNoiOHienTai"
    if home:
        known = {"maTinhThanh": home["provinceCode"], "maPhuongXa": home["communeCode"],
                 "ngayDuLieu": home["datasetDate"]}
        assert lgsp.ask(place, person, diaChi=known).agrees is True
    other = "01" if not home or home["provinceCode"] != "01" else "79"
    assert lgsp.ask(place, person, diaChi={"maTinhThanh": other}).agrees is False


def test_blood_groups(lgsp, person):
    (found,) = lgsp.ask("cungCapThongTinNhomMau", person).citizens
    assert found["soDinhDanh"] == person["personalId"]
    if lgsp.shape != "soap":
        assert re.fullmatch("0[0-4]", found["nhomMau"]) and found["hoVaTen"] is None


# --- refusals by the rules -------------------------------------------------------------------------


def test_unknown_foreign_and_dead_accounts_look_alike(lgsp, demo, person):
    revoked = [a["login"] for a in lgsp.system["accounts"] if a.get("state") == "revoked"]
    foreign = demo.system("VERIFYONLY").account("officer")
    seen = []
    for officer in ("khong.co.that", foreign, revoked[0]):
        told = refused(lgsp.ask(VERIFY, person, maCanBo=officer), 403, "E1", "005")
        seen.append({k: v for k, v in told.items() if k != "correlationId"})
    assert seen[0] == seen[1] == seen[2]


def test_what_is_not_granted(demo, lgsp, person):
    narrow = Lgsp(demo, "VERIFYONLY")
    for operation, service in OPERATIONS.items():
        if narrow.system.service(service) is None:
            needs = {"nguoiLienQuan": {"hoVaTen": "A"}, "diaChi": {"maTinhThanh": "01"},
                     "tinhTrang": "1"}
            told = refused(narrow.ask(operation, person, **needs), 403, "A4", "004")
            assert "errors" not in told
    refused(lgsp.ask(VERIFY, person, maDVC="9.999999"), 403, "B10", "004")
    refused(lgsp.ask(LOOKUP, person, maDVC="2.000488"), 403, "B10", "004")
    shared = lgsp.system.account("system")
    refused(lgsp.ask(LOOKUP, person, maCanBo=shared), 403, "B6", "005")
    assert lgsp.ask(VERIFY, person, maCanBo=shared).agrees is True


def test_connections_channels_and_tokens(demo, lgsp, person):
    suspended = Lgsp(demo, "SUSPENDED")
    refused(suspended.ask(VERIFY, person), 403, "B3", "006")
    written = Lgsp(demo, "WRITTEN")
    refused(written.ask(VERIFY, person), 403, "A2", "008")
    for value in (None, "", "Bearer", "Bearer x", "Basic YTpi"):
        answer = lgsp.rest.send("POST", f"/lgsp/v1/{VERIFY}", headers={"Authorization": value},
                                json=lgsp.body(VERIFY, person))
        assert answer.status_code == 401 and answer.json()["correlationId"]
        assert "bearer" in answer.headers["WWW-Authenticate"].lower()


def test_a_refusal_tells_nothing_about_the_person(lgsp, person):
    seen = []
    for changes in ({}, {"soDinhDanh": NOBODY}, {"hoVaTen": unaccented("Ai Đó Khác")}):
        told = refused(lgsp.ask(VERIFY, person, maDVC="9.999999", **changes), 403, "B10")
        seen.append({k: v for k, v in told.items() if k != "correlationId"})
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_count_used_up(own_server, shape):
    """SMALL's line ends after 20, and an officer of the others at twice the daily average."""
    demo = own_server.demo
    client, citizen = Lgsp(demo, SHAPES[shape]), demo.plain()
    if client.system["systemCode"] != "SMALL":
        client.account = client.system.account("officer")
    paced = 0
    for _ in range(200):
        answer = client.ask(VERIFY, citizen)
        if answer.status == 200:
            continue
        told = answer.refusal
        if told["ruleId"] != "D7":
            break
        refused(answer, 429, "D7", "014")
        paced += 1
        assert answer.headers["Retry-After"] == str(told["retryAfter"])
        now = instant(client.rest.journal()[-1]["at"])
        later = now + dt.timedelta(seconds=int(told["retryAfter"]) + 30)
        assert set_clock(demo, later.isoformat()).status_code == 200
    refused(answer, 429, "D2", "010" if client.system["systemCode"] == "SMALL" else "013")
    assert client.system["systemCode"] == "SMALL" or paced > 0


# --- bad input --------------------------------------------------------------------------------------


def test_wrong_values_are_named_by_their_json_names(lgsp, person):
    for key, value in [
        ("soDinhDanh", "0993010123"), ("soDinhDanh", "09930101234x"), ("soDinhDanh", 1),
        ("soCMND", "1"), ("hoVaTen", ""), ("hoVaTen", "x" * 1000), ("hoVaTen", "A\u0001B"),
        ("ngayThangNam", "20010230"), ("ngayThangNam", "29990101"), ("maYeuCau", "y" * 41),
        ("maDVC", None), ("maCanBo", [1]), ("maHoSo", "!"), ("maTichHop", "999"),
        ("nguoiLienQuan", 7), ("userNameService", {}),
    ]:
        bad_input(lgsp.ask(VERIFY, person, **{key: value}), key)
    bad_input(lgsp.send(VERIFY, json={}), "maYeuCau", "maDVC", "maCanBo", "hoVaTen",
              "ngayThangNam", "soDinhDanh")
    bad_input(lgsp.ask("xacMinhThongTinChuHo", person), "nguoiLienQuan")


def test_bodies_that_are_no_readable_json(lgsp, person):
    kind = {"Content-Type": "application/json"}
    whole = json.dumps(lgsp.body(VERIFY, person))
    doubled = whole.replace("{", '{"maDVC": "1.004194", ', 1)
    bad_input(lgsp.send(VERIFY, data=doubled, headers=kind), "maDVC")
    for body in (b"", b"{", b"[]", b"\xef\xbb\xbf{}", whole.encode("utf-16"), b'{"a":"\xff"}',
                 b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", whole[:-3].encode()):
        bad_input(lgsp.send(VERIFY, data=body, headers=kind), "body")
    large = lgsp.send(VERIFY, data=b" " * 70_000, headers=kind)
    refused(large, 413, "A3", "020")
    for other in ("text/plain", "application/json; charset=utf-16", None):
        answer = lgsp.send(VERIFY, data=whole, headers={"Content-Type": other})
        bad_input(answer, "body", status=415)


def test_operations_that_are_not_there(lgsp, person):
    answer = lgsp.send("khongCoThaoTacNay", json=lgsp.body(VERIFY, person))
    bad_input(answer, "operation")
    assert LOOKUP in answer.response.text
    assert lgsp.rest.send("GET", f"/lgsp/v1/{VERIFY}").status_code == 405
    assert lgsp.rest.send("POST", "/lgsp/v1/a/b", json={}).status_code == 404


def test_lists_say_that_they_are_not_offered(onestop, person):
    answer = onestop.send("getRequests", json=onestop.body(VERIFY, person))
    refused(answer, 501, "B5", "018")


# --- request ids and journal ------------------------------------------------------------------------


def test_request_ids(lgsp, person):
    body = lgsp.body(VERIFY, person)
    first = lgsp.send(VERIFY, json=body).ok()
    again = lgsp.send(VERIFY, data=json.dumps(dict(reversed(body.items())), indent=3),
                      headers={"Content-Type": "application/json"}).ok()
    assert again.agrees == first.agrees
    assert again.headers["X-Dancu-Remaining"] == first.headers["X-Dancu-Remaining"]
    other = lgsp.send(VERIFY, json=body | {"maHoSo": "HS-2"})
    refused(other, 409, "A3", "016")
    refused(lgsp.send(LOOKUP, json=body), 409, "A3", "016")
    index = int(first.headers["X-Dancu-Journal-Index"])
    entries = [e["decision"] for e in lgsp.rest.journal(index)][:4]
    assert entries == ["accepted", "repeat", "refused", "refused"]


def test_two_in_flight_are_counted_once(onestop, person):
    body = onestop.body(VERIFY, person)
    onestop.rest.token()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: onestop.send(VERIFY, json=body).ok(), range(8)))
    start = min(int(a.headers["X-Dancu-Journal-Index"]) for a in answers)
    decisions = [e["decision"] for e in onestop.rest.journal(start)][:8]
    assert sorted(decisions) == ["accepted"] + ["repeat"] * 7


def test_journal_entries_name_the_protocol_and_the_case(lgsp, person):
    sent = request_id()
    answer = lgsp.ask(LOOKUP, person, maYeuCau=sent, maHoSo="HS.2026-0001").ok()
    refusal = lgsp.ask(LOOKUP, person, maDVC="9.999999")
    unread = lgsp.send(VERIFY, json={})
    for given, decision in ((answer, "accepted"), (refusal, "refused"), (unread, "refused")):
        index = int(given.headers["X-Dancu-Journal-Index"])
        entry = lgsp.rest.journal(index)[0]
        assert (entry["index"], entry["decision"]) == (index, decision)
        assert entry["channel"] == "lgsp", entry
        assert entry["correlationId"] == given.headers["X-Dancu-Correlation-Id"]
    entry = lgsp.rest.journal(int(answer.headers["X-Dancu-Journal-Index"]))[0]
    code = lgsp.system.procedure("citizen.lookup")
    (purpose,) = [p["purpose"] for p in lgsp.system["procedures"] if p["code"] == code]
    assert (entry["caseCode"], entry["purpose"]) == ("HS.2026-0001", purpose)
    assert (entry["service"], entry["answer"]) == ("citizen.lookup", "delivered")
    assert person["personalId"] not in json.dumps(entry)
    why = lgsp.rest.send("GET", f"/api/v1/refusals/{refusal.refusal['correlationId']}")
    assert why.status_code == 200 and why.json()["ruleId"] == "B10"


# --- documents --------------------------------------------------------------------------------------


def test_the_documents_show_it(demo, lgsp):
    document = lgsp.rest.session.get(f"{demo.base_url}/openapi.json", timeout=10).json()
    operation = document["paths"]["/lgsp/v1/{operation}"]["post"]
    (parameter,) = operation["parameters"]
    assert set(parameter["schema"]["enum"]) == set(OPERATIONS)
    page = lgsp.rest.session.get(f"{demo.base_url}/docs", timeout=10).text
    assert "/lgsp/v1/{operation}" in page and "userNameService" in page
