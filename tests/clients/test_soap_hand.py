"""Hand-written SOAP requests in every habit of clients in use; answers against our schemas."""

from __future__ import annotations

import random
import re
import socket
import time

import pytest
from lxml import etree

from dancu_client import (
    NS_ANSWER, NS_REQUEST, NS_REQUEST_OLD, NS_SOAP, Rest, Soap, birth, child, compact,
    envelope, local, name_habits, one_accent_wrong, other_tone_placement, related, request_id,
)

CONGDAN = [
    "SoDinhDanh", "SoCMND", "HoVaTen", "GioiTinh", "DanToc", "TonGiao", "TinhTrangHonNhan",
    "NhomMau", "NgayThangNamSinh", "NoiDangKyKhaiSinh", "QuocTich", "QueQuan", "ThuongTru",
    "NoiOHienTai", "Cha", "Me", "VoChong", "NguoiDaiDien", "ChuHo", "SoSoHoKhau",
]
ADDRESS = ["MaTinhThanh", "MaQuanHuyen", "MaPhuongXa", "ChiTiet", "QuocGia"]
RELATIVE = ["HoVaTen", "QuocTich", "SoDinhDanh", "SoCMND"]
LISTS = ["TheoDiaPhuong", "TheoDoTuoi", "TheoNhomMau", "TheoGioiTinh", "TheoDanToc", "TheoTonGiao"]
JOBS = [
    "GetRequests", "GetRequestStatus", "DeleteRequest", "GetRequestResult",
    "GetResultDetailAsRecords", "GetResultDetailAsFile", "GetRequestDetail", "GetRequestHistory",
]
VERIFY = "XacThucThongTinCongDan"


@pytest.fixture
def person(demo):
    return demo.plain()


def refused(answer, schemas, *, rule: str | None = None, code: str | None = None) -> dict:
    """Asserts a complete refusal: HTTP 500, a Fault in Vietnamese, and what detail carries."""
    assert answer.status == 500, (answer.status, answer.raw[:500])
    fault = schemas.validate(answer).fault
    assert fault["faultcode"] in ("Client", "Server")
    assert re.search(r"[^\x00-\x7f]", fault["faultstring"]), fault
    assert fault["correlationId"] and fault["code"], fault
    assert "ruleId" in fault, fault
    if rule:
        assert fault["ruleId"] == rule, fault
    if code:
        assert fault["code"] == code, fault
    return fault


def bad_input(answer, schemas) -> dict:
    fault = refused(answer, schemas)
    assert fault["faultcode"] == "Client", fault
    return fault


# --- shapes of requests ----------------------------------------------------------------------


@pytest.mark.parametrize("ns", [NS_REQUEST, NS_REQUEST_OLD])
@pytest.mark.parametrize(("prefix", "soap_prefix"), [
    ("dan", "soapenv"), ("ns2", "S"), ("", "soap"), ("x", "SOAP-ENV"),
])
def test_any_prefix_and_both_namespaces(soap, schemas, person, ns, prefix, soap_prefix):
    fields = soap.fields("citizen.verify", person)
    answer = soap.call(VERIFY, fields, ns=ns, prefix=prefix, soap_prefix=soap_prefix)
    assert schemas.validate(answer).exists


def test_unqualified_children(soap, schemas, person):
    inner = envelope(VERIFY, soap.fields("citizen.verify", person), prefix="")
    text = inner.replace(f'<{VERIFY} xmlns="{NS_REQUEST}">', f'<d:{VERIFY} xmlns:d="{NS_REQUEST}">')
    text = text.replace(f"</{VERIFY}>", f"</d:{VERIFY}>")
    assert schemas.validate(soap.post(text)).exists


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_elements(soap, schemas, person, seed):
    fields = soap.fields("citizen.verify", person)
    random.Random(seed).shuffle(fields)
    assert schemas.validate(soap.call(VERIFY, fields)).exists


def test_unknown_elements_are_ignored(soap, schemas, person):
    fields = soap.fields("citizen.verify", person)
    fields.insert(0, ("Moi", "1"))
    fields.insert(4, ("PhanMoRong", [("HoVaTen", "Người Khác"), ("Sau", [("Hon", "x")])]))
    assert schemas.validate(soap.call(VERIFY, fields)).exists


@pytest.mark.parametrize("missing", [{"MaHoSo": None}, {"MaDonVi": None}])
def test_optional_elements_may_be_missing(soap, schemas, person, missing):
    assert schemas.validate(soap.verify(person, **missing)).exists


def test_elements_of_newer_clients(soap, schemas, person):
    more = {"TaiKhoan": soap.system.account(), "SoDienThoai": "0900000000"}
    assert schemas.validate(soap.verify(person, **more)).exists


def test_whitespace_comments_and_cdata(soap, schemas, person):
    text = envelope(VERIFY, soap.fields("citizen.verify", person))
    text = text.replace("><", ">\n  <!-- x --><").replace(
        person["fullName"], f"<![CDATA[{person['fullName']}]]>")
    assert schemas.validate(soap.post(text)).exists


@pytest.mark.parametrize("headers", [
    {"Content-Type": "application/xml"},
    {"Content-Type": "text/xml"},
    {"Content-Type": "text/xml; charset=UTF-8"},
    {"Content-Type": 'application/xml;charset="utf-8"'},
    {"SOAPAction": None},
    {"SOAPAction": '""'},
    {"SOAPAction": ""},
    {"SOAPAction": '"XacThucThongTinCongDan"'},
    {"ApiKey": "x", "ESB_SOURCE_TYPE": "1", "ESB_SOURCE_USERNAME": "y"},
])
def test_headers_of_clients_in_use(soap, schemas, person, headers):
    text = envelope(VERIFY, soap.fields("citizen.verify", person))
    answer = soap.post(text, headers=headers)
    assert schemas.validate(answer).exists
    assert answer.headers["Content-Type"].split(";")[0] in ("text/xml", "application/xml")


def test_a_byte_order_mark_is_no_obstacle(soap, schemas, person):
    text = envelope(VERIFY, soap.fields("citizen.verify", person))
    assert schemas.validate(soap.post(b"\xef\xbb\xbf" + text.encode())).exists


# --- authentication ---------------------------------------------------------------------------


def test_timestamps_in_seconds(soap, schemas, person):
    text = envelope(VERIFY, soap.fields("citizen.verify", person))
    second = str(int(time.time()) - 30)
    assert schemas.validate(soap.post(text, auth=soap.auth(timestamp=second))).exists


@pytest.mark.parametrize("which", ["path", "registered"])
def test_service_url_as_path_and_as_registered(soap, schemas, person, which):
    url = "/soap/dancu" if which == "path" else soap.system["soap"]["serviceUrl"]
    text = envelope(VERIFY, soap.fields("citizen.verify", person))
    assert schemas.validate(soap.post(text, auth=soap.auth(service_url=url))).exists


def unauthenticated(soap, auth, headers=None):
    text = envelope(VERIFY, soap.fields("citizen.verify", soap.demo.plain()))
    answer = soap.post(text, auth=auth, headers=headers)
    assert answer.status == 401, (answer.status, answer.raw[:400])
    assert soap.demo.plain()["fullName"].encode() not in answer.raw
    return answer


def test_wrong_secret_and_unknown_user_look_alike(soap):
    wrong = unauthenticated(soap, soap.auth(secret="x" * 32))
    unknown = unauthenticated(soap, soap.auth(user="nobody.here"))
    hide = re.compile(rb"[0-9a-fA-F-]{16,}")
    assert hide.sub(b"*", wrong.raw) == hide.sub(b"*", unknown.raw)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_stale_and_early_timestamps(soap, minutes):
    moved = str(int(time.time() * 1000) + minutes * 60_000)
    unauthenticated(soap, soap.auth(timestamp=moved))


@pytest.mark.parametrize("timestamp", ["", "abc", "-1", "9" * 40, "1e12"])
def test_unreadable_timestamps(soap, timestamp):
    auth = soap.auth(timestamp=timestamp or " ")
    unauthenticated(soap, auth | {"Timestamp": timestamp})


@pytest.mark.parametrize("value", [None, "", "Basic", "Basic !!!", "Basic YQ==", "Bearer x",
                                   "Digest username=x"])
def test_missing_or_unreadable_authorization(soap, value):
    unauthenticated(soap, soap.auth() | {"Authorization": value})


def test_missing_timestamp(soap):
    unauthenticated(soap, soap.auth() | {"Timestamp": None})


def test_an_unregistered_service_url_and_the_host_header(soap):
    unauthenticated(soap, soap.auth(service_url="/another/path"))
    evil = soap.auth(service_url="http://evil.example/soap/dancu")
    unauthenticated(soap, evil, headers={"Host": "evil.example"})


def test_another_systems_secret(soap):
    other = soap.demo.system("SMALL")["soap"]["secret"]
    unauthenticated(soap, soap.auth(secret=other))


def test_a_used_signature_belongs_to_its_body(soap, schemas, person):
    auth = soap.auth()
    text = envelope(VERIFY, soap.fields("citizen.verify", person))
    assert schemas.validate(soap.post(text, auth=auth)).exists
    assert schemas.validate(soap.post(text, auth=auth)).exists, "the same body may be sent again"
    other = envelope(VERIFY, soap.fields("citizen.verify", person))
    assert soap.post(other, auth=auth).status == 401


# --- names, dates, ids -------------------------------------------------------------------------


HABITS = ["proper case", "upper case", "upper case without accents",
          "upper case without accents and spaces", "decomposed", "decomposed upper case",
          "spaces around and between"]


@pytest.mark.parametrize("habit", HABITS)
def test_names_in_every_habit(soap, schemas, person, habit):
    name = name_habits(person["fullName"])[habit]
    assert schemas.validate(soap.verify(person, HoVaTen=name)).exists


def test_both_tone_placements(soap, schemas, demo):
    found = [(c, other_tone_placement(c["fullName"])) for c in demo.citizens]
    found = [(citizen, other) for citizen, other in found if other]
    if not found:
        pytest.skip("nobody in demo.json has a name with two tone placements")
    citizen, other = found[0]
    assert schemas.validate(soap.verify(citizen, HoVaTen=other)).exists


def test_accents_once_sent_must_be_right(soap, schemas, person):
    wrong = one_accent_wrong(person["fullName"])
    assert not schemas.validate(soap.verify(person, HoVaTen=wrong)).exists


def dates(date: str) -> dict[str, object]:
    return {
        "nested yyyyMMdd": [("NgayThangNam", compact(date))],
        "nested yyyy-MM-dd": [("NgayThangNam", date)],
        "nested year": [("Nam", date[:4])],
        "nested both": [("Nam", date[:4]), ("NgayThangNam", compact(date))],
        "nested, year empty": [("Nam", ""), ("NgayThangNam", compact(date))],
        "plain yyyyMMdd": compact(date),
        "plain yyyy-MM-dd": date,
        "plain year": date[:4],
    }


@pytest.mark.parametrize("form", dates("2000-01-01"))
def test_birth_dates_in_every_form(soap, schemas, person, form):
    value = dates(person["dateOfBirth"])[form]
    assert schemas.validate(soap.verify(person, NgayThangNamSinh=value)).exists


def test_a_year_only_record(soap, schemas, demo):
    citizen = demo.year_only()
    year = citizen["dateOfBirth"]
    assert schemas.validate(soap.verify(citizen)).exists
    full = [("NgayThangNam", f"{year}0704")]
    assert schemas.validate(soap.verify(citizen, NgayThangNamSinh=full)).exists
    other = [("Nam", str(int(year) - 1))]
    assert not schemas.validate(soap.verify(citizen, NgayThangNamSinh=other)).exists


def test_old_ids_and_two_people_who_share_one(soap, schemas, demo, person):
    assert schemas.validate(soap.verify(person, use_old=True)).exists
    for citizen in demo.shared_old_id():
        assert schemas.validate(soap.verify(citizen, use_old=True)).exists
        (found,) = schemas.validate(soap.lookup(citizen, use_old=True)).citizens
        assert child(found, "SoDinhDanh").text == citizen["personalId"]


# --- the operations ------------------------------------------------------------------------------


def test_verify_as_request_element_with_service_033(soap, schemas, person):
    fields = soap.fields("citizen.verify", person, MaTichHop=None)
    answer = soap.call("XacThucThongTinCongDanRequest", [("MaDichVu", "033"), *fields])
    assert schemas.validate(answer).exists


def test_verify_003_by_number(soap, schemas, person):
    assert schemas.validate(soap.verify(person, MaTichHop="003")).exists


def test_verify_that_does_not_agree(soap, schemas, person, demo):
    other = next(c for c in demo.citizens if c["fullName"] != person["fullName"])
    for changes in ({"HoVaTen": other["fullName"]}, {"SoDinhDanh": "099099999999"},
                    {"NgayThangNamSinh": birth("1901-01-01")}):
        assert not schemas.validate(soap.verify(person, **changes)).exists


def test_lookup_has_exactly_the_known_shape(soap, schemas, person):
    answer = schemas.validate(soap.lookup(person))
    assert answer.body.tag == f"{{{NS_ANSWER}}}CongdanCollection"
    assert answer.body.prefix == "ns1"
    (found,) = answer.citizens
    assert found.tag == f"{{{NS_ANSWER}}}CongDan"
    assert [local(e) for e in found] == CONGDAN
    assert child(found, "SoDinhDanh").text == person["personalId"]
    assert child(found, "SoCMND").text == person["oldId"]
    name = child(found, "HoVaTen")
    assert [local(e) for e in name] == ["Ho", "ChuDem", "Ten"]
    assert [e.text or "" for e in name] == ["", "", person["fullName"].upper()]
    born = child(found, "NgayThangNamSinh")
    assert [local(e) for e in born] == ["Nam", "NgayThangNam"]
    assert born[1].text == compact(person["dateOfBirth"])
    assert child(found, "GioiTinh").text in ("1", "2", "3")
    assert child(found, "QuocTich").text == "VN"
    head = [local(e) for e in child(found, "ChuHo")]
    assert head in ([], ["QuanHe", "SoDinhDanh", "SoCMND", "HoVaTen"])
    for place in ("NoiDangKyKhaiSinh", "QueQuan", "ThuongTru", "NoiOHienTai"):
        parts = {local(e): e.text or "" for e in child(found, place)}
        assert [n for n in ADDRESS if n in parts] == list(parts), place
        assert not parts or re.fullmatch(r"\d{2}", parts["MaTinhThanh"]), parts
        assert not parts or re.fullmatch(r"\d{5}", parts["MaPhuongXa"]), parts
        assert re.fullmatch(r"(\d{3})?", parts.get("MaQuanHuyen", "")), parts
    assert child(found, "ThuongTru") is not None and len(child(found, "ThuongTru")) > 0
    for who in ("Cha", "Me", "VoChong", "NguoiDaiDien"):
        assert [local(e) for e in child(found, who)] in ([], RELATIVE), who


def test_lookup_names_the_relatives(soap, schemas, demo):
    citizen = demo.child()
    (found,) = schemas.validate(soap.lookup(citizen)).citizens
    for element, key in (("Cha", "father"), ("Me", "mother")):
        assert child(child(found, element), "SoDinhDanh").text == citizen[key]


def test_lookup_of_a_year_only_record(soap, schemas, demo):
    citizen = demo.year_only()
    (found,) = schemas.validate(soap.lookup(citizen)).citizens
    born = child(found, "NgayThangNamSinh")
    assert [e.text or "" for e in born] == [citizen["dateOfBirth"], ""]


def test_not_found_is_an_empty_collection_and_no_fault(soap, schemas, person, demo):
    other = next(c for c in demo.citizens if c["fullName"] != person["fullName"])
    for changes in ({"SoDinhDanh": "099099999999"}, {"HoVaTen": other["fullName"]},
                    {"NgayThangNamSinh": birth("1901-01-01")}):
        answer = schemas.validate(soap.lookup(person, **changes))
        assert answer.status == 200 and answer.citizens == []
        assert person["personalId"].encode() not in answer.raw


def test_provide_citizen_information(soap, schemas, person):
    answer = soap.call("CungCapThongTinCongDan", soap.fields("citizen.provide", person))
    (found,) = schemas.validate(answer).citizens
    assert [local(e) for e in found] == CONGDAN
    assert child(found, "SoDinhDanh").text == person["personalId"]


def test_provide_household(soap, schemas, demo):
    citizen, members = demo.household()
    answer = soap.call("CungCapThongTinHoGiaDinh", soap.fields("household.lookup", citizen))
    found = schemas.validate(answer).citizens
    assert members <= {child(e, "SoDinhDanh").text for e in found}
    assert all([local(e) for e in member] == CONGDAN for member in found)


def test_provide_blood_group(soap, schemas, person):
    answer = soap.call("CungCapThongTinNhomMau", soap.fields("bloodGroup.provide", person))
    (found,) = schemas.validate(answer).citizens
    assert child(found, "NhomMau").text in ("00", "01", "02", "03", "04")


def relation(soap, schemas, operation, citizen, other) -> bool:
    fields = soap.fields("relation.verify", citizen)
    answer = soap.call(operation, [*fields, ("NguoiLienQuan", related(other))])
    return schemas.validate(answer).agrees


def test_relatives(soap, schemas, demo):
    citizen = demo.child()
    stranger = demo.without_old_id()
    operation = "XacMinhThongTinNhanThan"
    assert relation(soap, schemas, operation, citizen, demo.by_id[citizen["father"]])
    assert relation(soap, schemas, operation, citizen, demo.by_id[citizen["mother"]])
    couple = demo.married()
    assert relation(soap, schemas, operation, couple, demo.by_id[couple["spouse"]])
    strangers = {citizen["father"], citizen["mother"], citizen["spouse"]}
    assert stranger["personalId"] not in strangers
    assert not relation(soap, schemas, operation, citizen, stranger)


def test_head_of_household(soap, schemas, demo):
    citizen = demo.child()
    head = demo.by_id[citizen["householdHead"]]
    assert relation(soap, schemas, "XacMinhThongTinChuHo", citizen, head)
    other = next(c for c in demo.citizens if c["householdHead"] not in (None, head["personalId"]))
    assert not relation(soap, schemas, "XacMinhThongTinChuHo", citizen, other)


def test_guardian(soap, schemas, demo):
    citizen = demo.child()
    stranger = next(c for c in demo.citizens if c["householdHead"] != citizen["householdHead"])
    assert not relation(soap, schemas, "XacMinhThongTinNguoiGiamHo", citizen, stranger)


def test_current_address(soap, schemas, person):
    (found,) = soap.lookup(person).citizens
    lives = child(found, "NoiOHienTai")
    if lives is None or len(lives) == 0:
        lives = child(found, "ThuongTru")
    at = {local(e): e.text or "" for e in lives}
    fields = soap.fields("residence.verify", person)
    ask = [("MaTinhThanh", at["MaTinhThanh"]), ("MaPhuongXa", at["MaPhuongXa"])]
    operation = "XacMinhThongTinNoiOHienTai"
    assert schemas.validate(soap.call(operation, [*fields, ("DiaChi", ask)])).agrees
    fields = soap.fields("residence.verify", person)
    elsewhere = "01" if at["MaTinhThanh"] != "01" else "79"
    ask = [("MaTinhThanh", elsewhere), ("MaPhuongXa", "00004" if elsewhere == "01" else "26740")]
    assert not schemas.validate(soap.call(operation, [*fields, ("DiaChi", ask)])).agrees


def states(soap, schemas, operation, service, citizen, values) -> list[str]:
    """Those of the states that the registry confirms."""
    found = []
    for state in values:
        fields = [*soap.fields(service, citizen), ("TinhTrang", state)]
        if schemas.validate(soap.call(operation, fields)).agrees:
            found.append(state)
    return found


def test_marital_status(soap, schemas, demo):
    confirmed = states(soap, schemas, "XacMinhTinhTrangHonNhan", "marital.verify",
                       demo.married(), "123")
    assert confirmed == ["2"]


def test_vital_status(soap, schemas, demo, person):
    operation = "XacMinhTinhTrangChetMatTich"
    for citizen, expected in ((person, ["1"]), (demo.deceased(), ["2"])):
        found = states(soap, schemas, operation, "vitalStatus.verify", citizen, "123")
        assert found == expected


XROAD = """<xro:client xmlns:xro="http://x-road.eu/xsd/xroad.xsd"
 xmlns:id="http://x-road.eu/xsd/identifiers" id:objectType="SUBSYSTEM">
 <id:xRoadInstance>VN</id:xRoadInstance><id:memberClass>GOV</id:memberClass>
 <id:memberCode>H26</id:memberCode><id:subsystemCode>mot-cua</id:subsystemCode></xro:client>
<xro:service xmlns:xro="http://x-road.eu/xsd/xroad.xsd"
 xmlns:id="http://x-road.eu/xsd/identifiers" id:objectType="SERVICE">
 <id:serviceCode>dancu</id:serviceCode></xro:service>
<xro:id xmlns:xro="http://x-road.eu/xsd/xroad.xsd">c0ffee-1</xro:id>
<xro:userId xmlns:xro="http://x-road.eu/xsd/xroad.xsd">VN099</xro:userId>
<xro:issue xmlns:xro="http://x-road.eu/xsd/xroad.xsd">HS.2026-0002</xro:issue>
<xro:protocolVersion xmlns:xro="http://x-road.eu/xsd/xroad.xsd">4.0</xro:protocolVersion>"""


def headers_of(text: bytes) -> list[bytes]:
    root = etree.fromstring(text)
    header = root.find(f"{{{NS_SOAP}}}Header")
    assert header is not None, text[:500]
    return [etree.tostring(e, method="c14n", exclusive=True).strip() for e in header]


def test_x_road_headers_are_echoed_unchanged(soap, schemas, person):
    fields = soap.fields("citizen.verify", person)
    sent = envelope(VERIFY, fields, header=XROAD)
    answer = schemas.validate(soap.post(sent))
    assert answer.exists
    assert headers_of(answer.raw) == headers_of(sent.encode())


def test_x_road_issue_stands_for_a_missing_case(soap, schemas, person):
    fields = soap.fields("citizen.verify", person, MaHoSo=None)
    assert schemas.validate(soap.post(envelope(VERIFY, fields, header=XROAD))).exists


@pytest.mark.parametrize("operation", [f"CungCapDanhSach{what}" for what in LISTS] + JOBS)
def test_lists_and_jobs_name_what_they_need(soap, schemas, operation):
    """The suite `lists` asks them; here only that each is known and reads its own elements."""
    fields = soap.fields("citizen.list", soap.demo.plain(), MaTichHop=None)
    fields = [pair for pair in fields if pair[0].startswith("Ma")]
    if operation == "GetRequests":
        fields.append(("Trang", "0"))
    fault = refused(soap.call(operation, fields), schemas, rule="A3", code="017")
    needed = {"TheoDiaPhuong": "DiaChi", "TheoDoTuoi": "TuTuoi", "TheoNhomMau": "NhomMau",
              "TheoGioiTinh": "GioiTinh", "TheoDanToc": "DanToc", "TheoTonGiao": "TonGiao",
              "GetRequests": "Trang"}
    assert fault["field"] == needed.get(operation.removeprefix("CungCapDanhSach"), "MaCongViec")


# --- refusals ----------------------------------------------------------------------------------


def test_a_service_that_is_not_granted(demo, schemas, person):
    only = Soap(demo, "VERIFYONLY")
    refused(only.lookup(person), schemas, rule="A4", code="004")


def test_a_connection_that_is_not_live(demo, schemas, person):
    refused(Soap(demo, "SUSPENDED").verify(person), schemas, rule="B3")


def test_unknown_and_foreign_accounts_look_alike(soap, schemas, demo, person):
    foreign = demo.system("SMALL").account("officer")
    seen = []
    for account in ("khong.co.ai.ca", foreign):
        fault = refused(soap.verify(person, account=account), schemas, rule="E1", code="005")
        seen.append({key: fault[key] for key in ("faultcode", "faultstring", "code", "ruleId")})
    assert seen[0] == seen[1]


def test_two_names_must_name_one_account(soap, schemas, person):
    own = soap.system.account()
    assert schemas.validate(soap.verify(person, TaiKhoan=own, MaCanBo=own)).exists
    for other in (soap.system.account("officer"), "nobody.at.all"):
        answer = soap.verify(person, TaiKhoan=own, MaCanBo=other)
        refused(answer, schemas, rule="E1", code="005")
        assert int(answer.headers["x-dancu-remaining"]) >= 0, "remaining stands on refusals too"


def test_a_procedure_without_the_service(soap, schemas, person):
    fault = refused(soap.verify(person, MaDVC="9.999999"), schemas, code="004")
    assert fault["ruleId"] in ("A5", "B10")


def test_a_refusal_never_tells_whether_someone_exists(demo, schemas, person):
    only = Soap(demo, "VERIFYONLY")
    hide = re.compile(rb"[0-9a-fA-F-]{16,}|\d{4}-\d\d-\d\dT[^<]*")
    there = only.lookup(person)
    nobody = only.lookup(person, SoDinhDanh="099099999999")
    assert hide.sub(b"*", there.raw) == hide.sub(b"*", nobody.raw)


def test_a_refusal_can_be_read_about_afterwards(demo, schemas, person):
    only = Soap(demo, "VERIFYONLY")
    fault = refused(only.lookup(person), schemas)
    answer = Rest(demo, "VERIFYONLY").send("GET", f"/api/v1/refusals/{fault['correlationId']}")
    assert answer.status_code == 200 and answer.json()["ruleId"] == "A4"


# --- request ids -------------------------------------------------------------------------------


def test_a_repeat_is_answered_again_and_not_counted(soap, schemas, rest, person):
    fields = soap.fields("citizen.verify", person)
    assert schemas.validate(soap.call(VERIFY, fields)).exists
    used = rest.line("citizen.verify")["used"]
    again = soap.call(VERIFY, fields, prefix="other")
    assert schemas.validate(again).exists, "the same infoset under another prefix is a repeat"
    assert rest.line("citizen.verify")["used"] == used


def test_an_id_with_another_body_is_a_conflict(soap, schemas, demo, person):
    number = request_id()
    assert soap.verify(person, MaYeuCau=number).exists
    other = demo.without_old_id()
    refused(soap.verify(other, MaYeuCau=number), schemas)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [
    {"SoDinhDanh": "09912345"}, {"SoDinhDanh": "0991234567"}, {"SoDinhDanh": "09912345678"},
    {"SoDinhDanh": "0991234567890"}, {"SoDinhDanh": "09912345678A"},
    {"SoDinhDanh": "٠٩٩١٢٣٤٥٦٧٨٩"}, {"SoDinhDanh": None},
    {"SoDinhDanh": None, "SoCMND": "12345678"}, {"SoDinhDanh": None, "SoCMND": "1234567890"},
    {"NgayThangNamSinh": "19900230"}, {"NgayThangNamSinh": "1990-13-01"},
    {"NgayThangNamSinh": [("NgayThangNam", "2026-03-10")]}, {"NgayThangNamSinh": "2031"},
    {"NgayThangNamSinh": "01/02/1990"}, {"NgayThangNamSinh": None}, {"NgayThangNamSinh": ""},
    {"HoVaTen": "Ô" * 1000}, {"HoVaTen": "An\u0085Bình"}, {"HoVaTen": None}, {"HoVaTen": " "},
    {"MaYeuCau": None}, {"MaYeuCau": "x" * 41}, {"MaDVC": None}, {"MaCanBo": None},
    {"MaDVC": "x" * 21}, {"MaTichHop": "x03"}, {"MaTichHop": "9" * 21},
    {"MaHoSo": "ab"}, {"MaHoSo": "h" * 61}, {"MaHoSo": "HS 2026"},
], ids=lambda changes: repr(changes)[:60])
def test_bad_fields(soap, schemas, person, changes):
    bad_input(soap.verify(person, **changes), schemas)


@pytest.mark.parametrize("name", ["MaYeuCau", "SoDinhDanh", "HoVaTen", "NgayThangNamSinh",
                                  "MaCanBo", "MaDVC"])
def test_doubled_single_elements(soap, schemas, person, name):
    fields = soap.fields("citizen.verify", person)
    (pair,) = [pair for pair in fields if pair[0] == name]
    bad_input(soap.call(VERIFY, [*fields, pair]), schemas)


def good(soap) -> str:
    return envelope(VERIFY, soap.fields("citizen.verify", soap.demo.plain()))


def with_doctype(text: str, doctype: str) -> str:
    return text.replace("?>", f"?>{doctype}", 1)


BROKEN = {
    "empty": lambda text: b"",
    "not XML": lambda text: b"hello",
    "JSON": lambda text: b'{"a": 1}',
    "truncated": lambda text: text.encode()[: len(text) // 2],
    "truncated in a tag": lambda text: text.encode()[:-3],
    "text after the end": lambda text: text.encode() + b"<more/>",
    "unclosed": lambda text: text.replace("</dc:HoVaTen>", "").encode(),
    "unbound prefix": lambda text: text.replace("<dc:HoVaTen>", "<zz:HoVaTen>").encode(),
    "harmless DTD": lambda text: with_doctype(text, "<!DOCTYPE x>").encode(),
    "entity": lambda text: with_doctype(
        text, '<!DOCTYPE x [<!ENTITY e "Nguyen">]>').encode(),
    "external entity": lambda text: with_doctype(
        text, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>').replace(
        "<dc:HoVaTen>", "<dc:HoVaTen>&e;").encode(),
    "entity bomb": lambda text: with_doctype(
        text, '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;">]>').replace(
        "<dc:HoVaTen>", "<dc:HoVaTen>&c;").encode(),
    "unknown entity": lambda text: text.replace("<dc:HoVaTen>", "<dc:HoVaTen>&nope;").encode(),
    "invalid UTF-8": lambda text: text.encode().replace(b"<dc:HoVaTen>", b"<dc:HoVaTen>\xff\xfe"),
    "NUL": lambda text: text.encode().replace(b"<dc:HoVaTen>", b"<dc:HoVaTen>\x00"),
    "control character": lambda text: text.replace("<dc:HoVaTen>", "<dc:HoVaTen>&#1;").encode(),
    "100 deep": lambda text: text.replace(
        "<dc:MaDVC>", "<dc:Sau>" * 100 + "</dc:Sau>" * 100 + "<dc:MaDVC>").encode(),
    "10000 deep": lambda text: text.replace(
        "<dc:MaDVC>", "<a>" * 8000 + "<dc:MaDVC>").encode(),
    "no envelope": lambda text: f'<{VERIFY} xmlns="{NS_REQUEST}"/>'.encode(),
    "empty body": lambda text: re.sub(
        r"<soapenv:Body>.*</soapenv:Body>", "<soapenv:Body/>", text, flags=re.S).encode(),
    "two operations": lambda text: text.replace(
        "</soapenv:Body>", f'<x:{VERIFY} xmlns:x="{NS_REQUEST}"/></soapenv:Body>').encode(),
    "unknown operation": lambda text: text.replace(VERIFY, "XoaCongDan").encode(),
    "unknown namespace": lambda text: text.replace(NS_REQUEST, "urn:nobody").encode(),
    "SOAP 1.2": lambda text: text.replace(
        NS_SOAP, "http://www.w3.org/2003/05/soap-envelope").encode(),
    "declared Latin-1": lambda text: text.replace('"UTF-8"', '"ISO-8859-1"', 1).encode(
        "latin-1", "replace"),
    "UTF-16": lambda text: text.replace('"UTF-8"', '"UTF-16"', 1).encode("utf-16"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_bodies(soap, schemas, what):
    started = time.monotonic()
    answer = soap.post(BROKEN[what](good(soap)))
    fault = bad_input(answer, schemas)
    assert time.monotonic() - started < 5
    assert "nguyen" not in fault["faultstring"].lower()


def test_other_charsets_are_refused(soap, schemas):
    kind = "text/xml; charset=iso-8859-1"
    bad_input(soap.post(good(soap), headers={"Content-Type": kind}), schemas)


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/related"])
def test_other_media_types_are_refused(soap, kind):
    assert soap.post(good(soap), headers={"Content-Type": kind}).status == 415


def test_a_body_that_breaks_off_is_a_fault_and_journaled(demo, soap, schemas, person):
    before = Rest(demo, "ONESTOP").journal(0)[-1]["index"]
    auth = soap.auth()
    lines = ["POST /soap/dancu HTTP/1.1", "Host: localhost", "Content-Length: 500",
             "Content-Type: text/xml", *(f"{name}: {value}" for name, value in auth.items())]
    host, port = demo.base_url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", "<a"]).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0] and b"Fault>" in body, answer[:600]
    index = int(re.search(rb"(?i)x-dancu-journal-index: (\d+)", head)[1])
    assert index > before
    (entry,) = [e for e in Rest(demo, "ONESTOP").journal(before) if e["index"] == index]
    assert entry["decision"] == "refused"
    # No body was read, so that the signature was not used up.
    assert schemas.validate(soap.post(good(soap), auth=auth)).exists


def test_bodies_over_64_kib(soap, schemas):
    text = good(soap)
    padded = text.replace("<dc:MaDVC>", f"<dc:Dai>{'x' * 65_536}</dc:Dai><dc:MaDVC>")
    assert soap.post(padded).status == 413
    fits = text.replace("<dc:MaDVC>", f"<dc:Dai>{'x' * 60_000}</dc:Dai><dc:MaDVC>")
    assert schemas.validate(soap.post(fits)).exists


def test_the_wsdl_names_where_it_was_fetched_and_every_operation(demo, schemas, soap):
    answer = soap.session.get(f"{demo.soap_url}?wsdl", timeout=10)
    assert answer.status_code == 200 and "xml" in answer.headers["Content-Type"]
    root = etree.fromstring(answer.content)
    address = root.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == demo.soap_url
    offered = {e.get("name") for e in root.findall(
        ".//{http://schemas.xmlsoap.org/wsdl/}portType/{http://schemas.xmlsoap.org/wsdl/}operation")}
    assert offered >= {
        VERIFY, "TraCuuThongTinCongDan", "CungCapThongTinCongDan", "CungCapThongTinHoGiaDinh",
        "XacMinhThongTinNhanThan", "XacMinhThongTinNguoiGiamHo", "XacMinhThongTinChuHo",
        "XacMinhThongTinNoiOHienTai", "XacMinhTinhTrangHonNhan", "XacMinhTinhTrangChetMatTich",
        "CungCapThongTinNhomMau",
    }
