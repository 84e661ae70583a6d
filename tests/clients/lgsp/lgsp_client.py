"""A client of the provincial JSON interface: one system, one bearer token, one answer shape."""

from __future__ import annotations

from lxml import etree

from dancu_client import NS_SOAP, Demo, Rest, compact, request_id

OPERATIONS = {
    "xacThucThongTinCongDan": "citizen.verify",
    "traCuuThongTinCongDan": "citizen.lookup",
    "cungCapThongTinCongDan": "citizen.provide",
    "cungCapThongTinHoGiaDinh": "household.lookup",
    "xacMinhThongTinNhanThan": "relation.verify",
    "xacMinhThongTinNguoiGiamHo": "relation.verify",
    "xacMinhThongTinChuHo": "relation.verify",
    "xacMinhThongTinNoiOHienTai": "residence.verify",
    "xacMinhTinhTrangHonNhan": "marital.verify",
    "xacMinhTinhTrangChetMatTich": "vitalStatus.verify",
    "cungCapThongTinNhomMau": "bloodGroup.provide",
}
VERIFY, LOOKUP = "xacThucThongTinCongDan", "traCuuThongTinCongDan"
HOUSEHOLD = "cungCapThongTinHoGiaDinh"


def relative(citizen: dict) -> dict:
    """The keys of a relative."""
    return {"soDinhDanh": citizen["personalId"], "hoVaTen": citizen["fullName"],
            "ngayThangNam": compact(citizen["dateOfBirth"])}


class Answer:
    """An answer in any shape, brought to one form: status, refusal, boolean, citizens."""

    def __init__(self, shape: str | None, response):
        self.response, self.status, self.shape = response, response.status_code, shape
        self.headers = response.headers
        self.json = response.json()

    @property
    def refusal(self) -> dict:
        """code, ruleId, correlationId, titleVi … of a refusal; asserts that it is one."""
        assert self.status != 200, self.response.text
        if self.shape == "data":
            assert set(self.json) == {"error"}, self.json
            return self.json["error"]
        if self.shape == "envelope":
            assert set(self.json) == {"code", "status", "correlationId", "response"}, self.json
            told = self.json["response"]
            assert self.json["code"] == self.status and self.json["status"] == told["code"]
            assert self.json["correlationId"] == told["correlationId"]
            return told
        if self.shape == "soap":
            assert set(self.json) == {"message"}, self.json
            detail = self.soap_body().find("detail")[0]
            told = {etree.QName(e).localname: e.text for e in detail if len(e) == 0}
            told["errors"] = [{etree.QName(part).localname: part.text for part in error}
                              for error in detail.iter("{http://dancuquocgia.bca}error")]
            return told
        assert self.headers["Content-Type"].startswith("application/problem+json")
        return self.json

    def soap_body(self):
        """The element under soap:Body of the message."""
        root = etree.fromstring(self.json["message"].encode())
        (body,) = root.findall(f"{{{NS_SOAP}}}Body")
        (child,) = list(body)
        return child

    def ok(self) -> Answer:
        assert self.status == 200, (self.status, self.response.text[:600])
        assert self.headers["Content-Type"] == "application/json"
        assert "no-store" in self.headers["Cache-Control"]
        return self

    @property
    def agrees(self) -> bool:
        """TonTai or KhopDuLieu."""
        self.ok()
        if self.shape == "data":
            return self.json["data"]
        if self.shape == "envelope":
            assert (self.json["code"], self.json["status"]) == (200, "000")
            (root,) = [v for k, v in self.json["response"].items() if k != "conSong"]
            (told,) = [root[k] for k in ("tonTai", "khopDuLieu") if k in root]
            return told
        (told,) = [e.text for e in self.soap_body().iter()
                   if etree.QName(e).localname in ("TonTai", "KhopDuLieu")]
        return {"true": True, "false": False}[told]

    @property
    def citizens(self) -> list[dict]:
        """The citizens found, by the JSON names, ids only in the shape soap."""
        self.ok()
        if self.shape == "data":
            found = self.json["data"]
            return found if isinstance(found, list) else [found] if found else []
        if self.shape == "envelope":
            return self.json["response"]["congdanCollection"]["congDan"]
        found = [e for e in self.soap_body() if etree.QName(e).localname == "CongDan"]
        return [{"soDinhDanh": e[0].text, "soCMND": e[1].text} for e in found]

    @property
    def precision(self) -> str | None:
        if self.shape == "data":
            return self.json.get("precision")
        if self.shape == "envelope":
            root = next(iter(self.json["response"].values()))
            return root.get("precision")
        return self.soap_body().get("precision")


class Lgsp:
    """One system on /lgsp/v1."""

    def __init__(self, demo: Demo, system: str, account: str | None = None):
        self.rest = Rest(demo, system, account)
        self.demo, self.system = demo, self.rest.system
        self.shape = self.system["lgsp"]["shape"]
        self.account = self.rest.account

    def body(self, operation: str, citizen: dict, **changes) -> dict:
        """The eight members that public clients send; a change to ... leaves one out."""
        sent = {
            "maYeuCau": request_id(), "maDVC": self.system.procedure(OPERATIONS[operation]),
            "maCanBo": self.account, "soDinhDanh": citizen["personalId"], "soCMND": "",
            "hoVaTen": citizen["fullName"], "ngayThangNam": compact(citizen["dateOfBirth"]),
            "userNameService": "lgsp.tinh",
        }
        sent.update(changes)
        return {key: value for key, value in sent.items() if value is not ...}

    def send(self, operation: str, **more) -> Answer:
        return Answer(self.shape, self.rest.send("POST", f"/lgsp/v1/{operation}", **more))

    def ask(self, operation: str, citizen: dict, **changes) -> Answer:
        return self.send(operation, json=self.body(operation, citizen, **changes))
