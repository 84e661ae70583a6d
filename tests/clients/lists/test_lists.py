"""Lists over SOAP: asked for, made in the background, read page by page; what they count."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import time

import pytest
import requests
import zeep

from dancu_client import Rest, Schemas, Server, Soap, child, local, request_id, set_clock

WAIT_S = 60.0
LISTS = {
    "CungCapDanhSachTheoDiaPhuong": [("DiaChi", [("MaTinhThanh", "01")])],
    "CungCapDanhSachTheoDoTuoi": [("TuTuoi", "30"), ("DenTuoi", "32")],
    "CungCapDanhSachTheoNhomMau": [("NhomMau", "03")],
    "CungCapDanhSachTheoGioiTinh": [("GioiTinh", "2"), ("TuTuoi", "20"), ("DenTuoi", "21")],
    "CungCapDanhSachTheoDanToc": [("DanToc", "02")],
    "CungCapDanhSachTheoTonGiao": [("TonGiao", "02")],
}


def head(soap: Soap, **changes) -> list:
    """The elements that every request about lists begins with."""
    registered = soap.system.service("citizen.list") or {}
    values = {
        "MaYeuCau": request_id(),
        "MaDVC": soap.system.procedure("citizen.list"),
        "MaTichHop": registered.get("maTichHop"),
        "MaDonVi": soap.system["unitCode"],
        "MaCanBo": soap.system.account(),
        "MaHoSo": "HS.2026-0001",
    } | changes
    return [(name, value) for name, value in values.items() if value is not None]


class Lists:
    """The list operations of one system; each answer is validated against the served schemas."""

    def __init__(self, soap: Soap, schemas):
        self.soap, self.schemas = soap, schemas

    def call(self, operation: str, *more, **changes):
        answer = self.soap.call(operation, head(self.soap, **changes) + list(more))
        return self.schemas.validate(answer)

    def job(self, operation: str, *more, **changes) -> dict[str, str]:
        """The CongViec of an answer, as texts."""
        answer = self.call(operation, *more, **changes)
        assert answer.status == 200, answer.raw[:800]
        assert local(answer.body) == f"{operation}Response"
        return {local(e): e.text or "" for e in child(answer.body, "CongViec")}

    def submit(self, operation: str = "CungCapDanhSachTheoGioiTinh", **changes) -> str:
        job = self.job(operation, *LISTS[operation], **changes)
        assert re.fullmatch("[0-9a-f]{32}", job["MaCongViec"]), job
        assert job["LoaiCongViec"] == "DANH_SACH"
        return job["MaCongViec"]

    def status(self, job: str) -> dict[str, str]:
        return self.job("GetRequestStatus", ("MaCongViec", job))

    def until(self, job: str, *states: str) -> dict[str, str]:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            found = self.status(job)
            if found["TrangThai"] in states:
                return found
            time.sleep(0.1)
        raise AssertionError(f"not {states}: {found}")

    def page(self, job: str, number: int, size: int):
        paging = [("Trang", str(number)), ("SoBanGhi", str(size))]
        return self.call("GetResultDetailAsRecords", ("MaCongViec", job), *paging)

    def people(self, job: str, size: int = 100) -> list[dict[str, str]]:
        """Every CongDan of every page, its direct texts by name."""
        found, number = [], 1
        while True:
            answer = self.page(job, number, size)
            assert answer.status == 200, answer.raw[:800]
            for one in answer.body:
                if local(one) == "CongDan":
                    found.append({local(e): e for e in one})
            if answer.text("ConTrang") == "false":
                return found
            number += 1

    def ids(self, job: str, size: int = 100) -> list[str]:
        return [one["SoDinhDanh"].text for one in self.people(job, size)]


@pytest.fixture(scope="module")
def big(demo, schemas):
    """A system whose count is far above the people there are."""
    return Lists(Soap(demo, "BIG"), schemas)


def refused(answer, rule: str, code: str | None = None) -> dict[str, str]:
    assert answer.status == 500, answer.raw[:500]
    fault = answer.fault
    assert fault["ruleId"] == rule and fault["correlationId"], fault
    assert re.search(r"[^\x00-\x7f]", fault["faultstring"]), fault
    assert code is None or fault["code"] == code, fault
    return fault


def journaled(rest: Rest) -> list[dict]:
    return [e for e in rest.journal() if e.get("service") == "citizen.list"]


# --- what is on a list -------------------------------------------------------------------------


def test_each_list_holds_who_fits_and_counts_each_person_once(demo, big):
    rest = Rest(demo, "BIG")
    fits = {
        "CungCapDanhSachTheoDiaPhuong":
            lambda one: child(one["NoiOHienTai"], "MaTinhThanh").text == "01",
        "CungCapDanhSachTheoDoTuoi":
            lambda one: 1993 <= int(child(one["NgayThangNamSinh"], "Nam").text) <= 1996,
        "CungCapDanhSachTheoNhomMau": lambda one: one["NhomMau"].text == "03",
        "CungCapDanhSachTheoGioiTinh":
            lambda one: one["GioiTinh"].text == "2"
            and 2004 <= int(child(one["NgayThangNamSinh"], "Nam").text) <= 2006,
        "CungCapDanhSachTheoDanToc": lambda one: one["DanToc"].text == "02",
        "CungCapDanhSachTheoTonGiao": lambda one: one["TonGiao"].text == "02",
    }
    for operation in LISTS:
        before, entries = rest.line("citizen.list")["used"], len(journaled(rest))
        job = big.submit(operation)
        done = big.until(job, "HOAN_THANH")
        people = big.people(job)
        assert all(fits[operation](one) for one in people), operation
        ids = [one["SoDinhDanh"].text for one in people]
        assert ids and len(set(ids)) == len(ids), operation
        assert int(done["TongSoBanGhi"]) == int(done["SoCongDan"]) == len(ids)
        assert done["SoTuChoi"] == "0"
        # D2: one per person; a page that is read again counts nothing (small pages here).
        assert sorted(big.ids(job, 7)) == sorted(ids)
        assert rest.line("citizen.list")["used"] - before == len(ids)
        assert len(journaled(rest)) - entries == len(ids), "one entry for each person"


def test_the_lists_by_sex_are_all_who_are_alive(demo, big):
    alive = [c for c in demo.citizens if c["alive"] and c["sex"] in ("1", "2", 1, 2)]
    jobs = []
    for sex in ("1", "2"):
        job = big.job("CungCapDanhSachTheoGioiTinh", ("GioiTinh", sex))["MaCongViec"]
        big.until(job, "HOAN_THANH")
        jobs.append(set(big.ids(job, 500)))
    men, women = jobs
    assert not men & women
    missing = {c["personalId"] for c in alive} - men - women
    assert not missing, "everybody of demo.json who is alive is on one of the two"
    dead = {c["personalId"] for c in demo.citizens if c["alive"] is False}
    assert not dead & (men | women)


def test_a_page_as_file(big):
    job = big.submit("CungCapDanhSachTheoNhomMau")
    big.until(job, "HOAN_THANH")
    ids = big.ids(job)

    def file(*more) -> tuple[str, str]:
        answer = big.call("GetResultDetailAsFile", ("MaCongViec", job), *more)
        assert answer.status == 200, answer.raw[:500]
        content = base64.b64decode(answer.text("NoiDung"), validate=True).decode()
        return answer.text("TenTep"), content

    name, text = file(("SoBanGhi", "1000"))
    assert name == f"{job}-1.csv"
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["personalId"] for row in rows] == ids
    assert all(row["result"] == "listed" and row["bloodGroup"] == "03" for row in rows)
    assert not any(re.match(r"[=+\-@\t\r]", v) for row in rows for v in row.values())
    name, text = file(("SoBanGhi", "1000"), ("DinhDang", "NDJSON"))
    assert name.endswith(".ndjson")
    assert [json.loads(line)["citizen"]["personalId"] for line in text.splitlines()] == ids
    _, second = file(("SoBanGhi", "3"), ("Trang", "2"))
    assert [row["personalId"] for row in csv.DictReader(io.StringIO(second))] == ids[3:6]


def test_detail_history_result_and_the_list_of_jobs(big):
    operation = "CungCapDanhSachTheoDoTuoi"
    case = "HS.2026-7"
    mine = request_id()
    job = big.submit(operation, MaYeuCau=mine, MaHoSo=case)
    done = big.until(job, "HOAN_THANH")
    assert done["MaYeuCau"] == mine and done["ThoiDiemXoa"] > done["ThoiDiemKetThuc"]
    detail = big.call("GetRequestDetail", ("MaCongViec", job))
    assert (detail.text("TuTuoi"), detail.text("DenTuoi")) == ("30", "32")
    assert detail.text("MaHoSo") == case and int(detail.text("ChiSoNhatKy")) >= 0
    history = big.call("GetRequestHistory", ("MaCongViec", job))
    steps = [child(e, "TrangThai").text for e in history.body if local(e) == "LichSu"]
    assert steps[0] == "CHO_XU_LY" and steps[-1] == "HOAN_THANH", steps
    result = big.call("GetRequestResult", ("MaCongViec", job))
    assert int(result.text("SoTrang")) == -(-int(done["TongSoBanGhi"]) // 100)
    page = big.call("GetRequests", ("Trang", "1"), ("SoBanGhi", "2"))
    jobs = [child(e, "MaCongViec").text for e in page.body if local(e) == "CongViec"]
    assert len(jobs) <= 2 and job in jobs and int(page.text("TongSo")) >= len(jobs)
    early = big.call("GetRequests", ("DenNgay", "2020-01-01"))
    assert early.text("TongSo") == "0"
    # Page by page the same jobs once each, and as many as TongSo says.
    seen, number = [], 1
    while len(seen) < int(page.text("TongSo")):
        part = big.call("GetRequests", ("Trang", str(number)), ("SoBanGhi", "1"))
        assert part.text("TongSo") == page.text("TongSo")
        seen += [child(e, "MaCongViec").text for e in part.body if local(e) == "CongViec"]
        assert len(seen) == number
        number += 1
    assert seen[: len(jobs)] == jobs and len(set(seen)) == len(seen)


def test_the_same_request_is_the_same_job(big):
    mine = request_id()
    first = big.submit(MaYeuCau=mine)
    assert big.submit(MaYeuCau=mine) == first
    other = big.call("CungCapDanhSachTheoGioiTinh", ("GioiTinh", "1"), MaYeuCau=mine)
    refused(other, "A3", "016")


def test_deleted_jobs_are_gone(big):
    job = big.submit()
    big.until(job, "HOAN_THANH")
    big.job("DeleteRequest", ("MaCongViec", job))
    for operation in ("GetRequestStatus", "GetResultDetailAsRecords", "DeleteRequest"):
        fault = refused(big.call(operation, ("MaCongViec", job)), "A3", "017")
        assert fault["field"] == "MaCongViec", fault
    listed = big.call("GetRequests")
    assert job not in [e.text for e in listed.body.iter() if local(e) == "MaCongViec"]


# --- generated clients -------------------------------------------------------------------------


class SignedTransport(zeep.transports.Transport):
    """Adds the two headers of one system to each call."""

    def __init__(self, soap: Soap):
        session = requests.Session()
        session.trust_env = False
        super().__init__(session=session, timeout=20, operation_timeout=20)
        self.soap = soap

    def post(self, address, message, headers):
        return super().post(address, message, headers | self.soap.auth())


def test_a_zeep_client_makes_and_reads_a_list(demo):
    soap = Soap(demo, "BIG")
    client = zeep.Client(f"{demo.soap_url}?wsdl", transport=SignedTransport(soap))
    values = dict(head(soap))
    job = client.service.CungCapDanhSachTheoDiaPhuong(**values, DiaChi={"MaTinhThanh": "01"})
    number = job.MaCongViec
    deadline = time.monotonic() + WAIT_S
    while client.service.GetRequestStatus(**values, MaCongViec=number).TrangThai != "HOAN_THANH":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    page = client.service.GetResultDetailAsRecords(**values, MaCongViec=number, SoBanGhi=50)
    assert page.CongDan and page.CongDan[0].NoiOHienTai.MaTinhThanh == "01"
    file = client.service.GetResultDetailAsFile(**values, MaCongViec=number, SoBanGhi=50)
    assert file.NoiDung.startswith(b"row,result,personalId")
    jobs = client.service.GetRequests(**values)
    assert jobs.TongSo >= 1 and jobs.CongViec
    history = client.service.GetRequestHistory(**values, MaCongViec=number)
    assert [step.TrangThai for step in history.LichSu][-1] == "HOAN_THANH"
    with pytest.raises(zeep.exceptions.Fault):
        client.service.GetRequestStatus(**values, MaCongViec="0" * 32)


def test_a_list_over_rest_is_the_same_list(demo, big):
    rest = Rest(demo, "BIG")
    service = "citizen.list"

    def ask(filters, request=None, **changes):
        body = {"requestId": request or request_id(), "account": rest.account,
                "procedureCode": rest.system.procedure(service), "caseCode": "HS.2026-1",
                "filter": filters} | changes
        return rest.send("POST", "/api/v1/lists", json=body)

    request = request_id()
    women = {"sex": "2", "age": {"from": 20, "to": 21}}
    answer = ask(women, request)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["service"], answer.headers["Location"]) == (service, job["statusUrl"])
    again = ask(women, request)
    assert again.status_code == 200 and again.json()["id"] == job["id"]
    assert ask({"sex": "1"}, request).status_code == 409
    big.until(job["id"], "HOAN_THANH")
    page = rest.send("GET", f"{job['resultsUrl']}?limit=1000").json()
    told = sorted(r["citizen"]["personalId"] for r in page["results"])
    over_soap = big.submit()
    big.until(over_soap, "HOAN_THANH")
    assert told and told == sorted(big.ids(over_soap))
    file = rest.send("GET", f"{job['resultsUrl']}.csv")
    assert len(list(csv.DictReader(io.StringIO(file.content.decode())))) == len(told)
    wrong = ask({"age": {"from": 30, "to": 20}})
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "filter.age"
    assert ask({}).status_code == 422
    refused_d5 = ask(women, account=rest.system.account("officer"))
    assert (refused_d5.status_code, refused_d5.json()["ruleId"]) == (403, "D5")
    assert ask(women, procedureCode="9.999999").json()["ruleId"] == "B10"


# --- refusals ----------------------------------------------------------------------------------


def test_lists_are_granted_by_plan_only(demo, schemas):
    onestop = Lists(Soap(demo, "ONESTOP"), schemas)
    one = ("GioiTinh", "1")
    operation = "CungCapDanhSachTheoGioiTinh"
    officer = onestop.soap.system.account("officer")
    refused(onestop.call(operation, one, MaCanBo=officer), "D5", "015")
    refused(onestop.call(operation, one, MaCanBo="nobody.here"), "E1", "005")
    only = Lists(Soap(demo, "VERIFYONLY"), schemas)
    refused(only.call(operation, one), "A4", "004")
    refused(Lists(Soap(demo, "SUSPENDED"), schemas).call(operation, one), "B3")


def test_jobs_of_others_do_not_exist(demo, schemas, big):
    job = big.submit()
    other = Lists(Soap(demo, "SMALL"), schemas)
    for operation in ("GetRequestStatus", "GetResultDetailAsRecords", "GetResultDetailAsFile",
                      "GetRequestDetail", "GetRequestHistory", "DeleteRequest"):
        own = refused(other.call(operation, ("MaCongViec", job)), "A3", "017")
        none = refused(other.call(operation, ("MaCongViec", "0" * 32)), "A3", "017")
        assert own["faultstring"] == none["faultstring"]
    refused(big.call("GetRequestStatus", ("MaCongViec", job), MaCanBo="nobody.here"), "E1", "005")


@pytest.mark.parametrize(("operation", "more", "field"), [
    ("CungCapDanhSachTheoDiaPhuong", [], "DiaChi"),
    ("CungCapDanhSachTheoDiaPhuong", [("DiaChi", [("MaTinhThanh", "99")])], "DiaChi"),
    ("CungCapDanhSachTheoDoTuoi", [("TuTuoi", "60"), ("DenTuoi", "18")], "TuTuoi"),
    ("CungCapDanhSachTheoNhomMau", [("NhomMau", "AB")], "NhomMau"),
    ("CungCapDanhSachTheoDanToc", [("DanToc", "77")], "DanToc"),
    ("GetRequestStatus", [], "MaCongViec"),
    ("GetRequestStatus", [("MaCongViec", "x' OR 1=1")], "MaCongViec"),
    ("GetRequests", [("SoBanGhi", "100000")], "SoBanGhi"),
    ("GetRequests", [("TuNgay", "2026-02-30")], "TuNgay"),
])
def test_bad_input_names_its_element(big, operation, more, field):
    fault = refused(big.call(operation, *more), "A3", "017")
    assert fault["field"] == field, fault


# --- counts over days --------------------------------------------------------------------------


def test_a_list_over_its_count_waits_for_the_next_day(own_server: Server):
    demo = own_server.demo
    small = Lists(Soap(demo, "SMALL"), Schemas(demo.soap_url))
    rest = Rest(demo, "SMALL")
    job = small.job("CungCapDanhSachTheoNhomMau", ("NhomMau", "03"))["MaCongViec"]
    paused = small.until(job, "TAM_DUNG", "HOAN_THANH")
    assert (paused["TrangThai"], paused["MaQuyTac"]) == ("TAM_DUNG", "D2")
    line = rest.line("citizen.list")
    assert (line["used"], line["left"], line["exceedances"]) == (20, 0, 0), line
    first = small.ids(job)
    assert len(first) == 20
    assert set_clock(demo, "2026-03-03T09:00:00+07:00").status_code == 200
    deadline = time.monotonic() + WAIT_S
    while len(small.ids(job)) <= 20:
        assert time.monotonic() < deadline, small.status(job)
        time.sleep(0.2)
    small.until(job, "TAM_DUNG", "HOAN_THANH")
    second = small.ids(job)
    assert second[:20] == first and len(set(second)) == len(second) <= 40
    assert rest.line("citizen.list")["used"] == len(second) - 20
    # Nothing of it stands in clear in the data folder.
    names = [one.encode() for one in second]
    for path in own_server.data.rglob("*"):
        if path.is_file() and path.name != "demo.json":
            content = path.read_bytes()
            assert not any(name in content for name in names), path.name
