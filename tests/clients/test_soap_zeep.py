"""A zeep client generated from the served WSDL; only the two headers are added."""

from __future__ import annotations

import pytest
import requests
import zeep

from dancu_client import Soap, birth


class SignedTransport(zeep.transports.Transport):
    """Adds the Timestamp and Authorization headers of one system to each call."""

    def __init__(self, soap: Soap):
        session = requests.Session()
        session.trust_env = False
        super().__init__(session=session, timeout=20, operation_timeout=20)
        self.soap = soap

    def post(self, address, message, headers):
        return super().post(address, message, headers | self.soap.auth())


def generated(demo, system: str = "ONESTOP"):
    soap = Soap(demo, system)
    return zeep.Client(f"{demo.soap_url}?wsdl", transport=SignedTransport(soap)), soap


@pytest.fixture(scope="module")
def client(demo):
    return generated(demo)


def arguments(soap: Soap, service: str, citizen: dict, **changes) -> dict:
    """The request as a generated client's caller writes it."""
    values = dict(soap.fields(service, citizen, **changes))
    values["NgayThangNamSinh"] = dict(birth(citizen["dateOfBirth"]))
    return values


def ask(pair, operation: str, service: str, citizen: dict, **changes):
    client, soap = pair
    return client.service[operation](**arguments(soap, service, citizen, **changes))


def test_verify(client, demo):
    answer = ask(client, "XacThucThongTinCongDan", "citizen.verify", demo.plain())
    assert answer.TonTai is True
    assert str(answer.SoLuongCongDan) == "1"
    nobody = ask(client, "XacThucThongTinCongDan", "citizen.verify", demo.plain(),
                 SoDinhDanh="099099999999")
    assert nobody.TonTai is False
    assert str(nobody.SoLuongCongDan) == "0"


def people(answer) -> list:
    """The CongDan list, whether or not zeep unwrapped the collection."""
    if answer is None:
        return []
    if isinstance(answer, list):
        return answer
    found = answer.CongDan
    return found if isinstance(found, list) else [found] if found is not None else []


def test_lookup(client, demo):
    person = demo.plain()
    (found,) = people(ask(client, "TraCuuThongTinCongDan", "citizen.lookup", person))
    assert found.SoDinhDanh == person["personalId"]
    assert found.HoVaTen.Ten == person["fullName"].upper()
    assert found.NgayThangNamSinh.NgayThangNam == person["dateOfBirth"].replace("-", "")


def test_lookup_of_nobody(client, demo):
    answer = ask(client, "TraCuuThongTinCongDan", "citizen.lookup", demo.plain(),
                 SoDinhDanh="099099999999")
    assert people(answer) == []


@pytest.mark.parametrize(("operation", "service"), [
    ("CungCapThongTinCongDan", "citizen.provide"),
    ("CungCapThongTinHoGiaDinh", "household.lookup"),
    ("CungCapThongTinNhomMau", "bloodGroup.provide"),
])
def test_provided_information(client, demo, operation, service):
    person = demo.plain()
    found = people(ask(client, operation, service, person))
    assert person["personalId"] in [one.SoDinhDanh for one in found]


def test_relative(client, demo):
    citizen = demo.child()
    father = demo.by_id[citizen["father"]]
    other = {"SoDinhDanh": father["personalId"], "HoVaTen": father["fullName"],
             "NgayThangNamSinh": dict(birth(father["dateOfBirth"]))}
    answer = ask(client, "XacMinhThongTinNhanThan", "relation.verify", citizen,
                 NguoiLienQuan=other)
    assert answer is True or answer.KhopDuLieu is True


def test_refusals_are_faults_with_detail(demo):
    only = generated(demo, "VERIFYONLY")
    with pytest.raises(zeep.exceptions.Fault) as raised:
        ask(only, "TraCuuThongTinCongDan", "citizen.lookup", demo.plain())
    told = {e.tag.split("}")[-1]: e.text for e in raised.value.detail.iter()}
    assert told["ruleId"] == "A4" and told["code"] == "004" and told["correlationId"]


def test_an_unset_request_id_never_leaves_the_client(client, demo):
    made, soap = client
    values = arguments(soap, "citizen.verify", demo.plain())
    del values["MaYeuCau"]
    with pytest.raises(zeep.exceptions.ValidationError):
        made.service["XacThucThongTinCongDan"](**values)
