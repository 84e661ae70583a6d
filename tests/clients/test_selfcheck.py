"""The helpers of this folder against vectors of their own: needs no server."""

from __future__ import annotations

import functools
import http.server
import threading
import unicodedata

import pytest
import requests
from lxml import etree

import dancu_client as client
import strace_log
from dancu_client import NS_ANSWER, NS_REQUEST

WSDL = """<?xml version="1.0"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:t">
 <wsdl:types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="http://www.mic.gov.vn/dancu/1.0" schemaLocation="answer.xsd"/>
 </xs:schema></wsdl:types>
</wsdl:definitions>"""
XSD = """<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
  targetNamespace="http://www.mic.gov.vn/dancu/1.0">
 <xs:element name="KetQuaXacMinh"><xs:complexType><xs:sequence>
  <xs:element name="KhopDuLieu" type="xs:boolean"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


class Reply:
    """Enough of a response for SoapAnswer."""

    def __init__(self, text: str, status: int = 200):
        self.status_code, self.content, self.headers = status, text.encode(), {}


def answered(inner: str, status: int = 200) -> client.SoapAnswer:
    return client.SoapAnswer(Reply(
        f'<s:Envelope xmlns:s="{client.NS_SOAP}"><s:Body>{inner}</s:Body></s:Envelope>', status))


def test_the_signature_is_lowercase_hex_sha256_of_the_joined_parts():
    # printf '/soap/dancuh26.user1760000000000bi-mat' | sha256sum
    assert client.sign("/soap/dancu", "h26.user", "1760000000000", "bi-mat") == (
        "986a1ef3fc1d0c761690c91cfc53835e5f00bf131df44a1f4876607b43a0fdb3")


def test_timestamps_never_repeat():
    made = [client.Timestamps().next() for _ in range(2)]
    assert all(len(t) == 13 for t in made)
    stamps = client.Timestamps()
    assert len({stamps.next() for _ in range(5000)}) == 5000


def test_habits_of_names():
    habits = client.name_habits("nguyễn THỊ bình")
    assert habits["proper case"] == "Nguyễn Thị Bình"
    assert habits["upper case without accents and spaces"] == "NGUYENTHIBINH"
    assert habits["decomposed"] == unicodedata.normalize("NFD", "Nguyễn Thị Bình")
    assert client.unaccented("Đặng Đức Ưng") == "Dang Duc Ung"
    assert client.accents("Lê Hoa") == 1
    assert client.one_accent_wrong("Trần Bình") == "Trần Binh"


@pytest.mark.parametrize(("name", "other"), [
    ("Lê Hòa", "Lê Hoà"), ("Lê Hoà", "Lê Hòa"), ("THÚY AN", "THUÝ AN"), ("Thuỳ", "Thùy"),
    ("Võ Lụa", None), ("Lê Hoàn", None), ("Phạm Quý", None), ("Lê Hoa", None),
])
def test_tone_placement(name, other):
    assert client.other_tone_placement(name) == other


def test_envelopes_mean_the_same_under_any_prefix():
    fields = [("MaYeuCau", "a<b&c"), ("NgayThangNamSinh", [("Nam", "1990")])]
    for prefix in ("", "dc", "ns7"):
        root = etree.fromstring(client.envelope("X", fields, prefix=prefix).encode())
        assert root.findtext(f".//{{{NS_REQUEST}}}MaYeuCau") == "a<b&c"
        assert root.findtext(f".//{{{NS_REQUEST}}}NgayThangNamSinh/{{{NS_REQUEST}}}Nam") == "1990"


def test_answers_are_read_strictly():
    true = f'<n:KetQuaXacMinh xmlns:n="{NS_ANSWER}"><n:KhopDuLieu>true</n:KhopDuLieu>' \
           "</n:KetQuaXacMinh>"
    assert answered(true).agrees
    with pytest.raises(AssertionError):
        _ = answered(true.replace("true", "co")).agrees
    with pytest.raises(AssertionError):  # both kinds of readers must be told the same
        _ = answered("<XacThucThongTinCongDanResponse><TonTai>true</TonTai><SoLuongCongDan>0"
                     "</SoLuongCongDan></XacThucThongTinCongDanResponse>").exists
    fault = answered("<s:Fault><faultcode>s:Client</faultcode><faultstring>Không</faultstring>"
                     "<detail><d:refusal xmlns:d='urn:x'><d:code>004</d:code>"
                     "<d:ruleId>A4</d:ruleId></d:refusal></detail></s:Fault>", 500).fault
    assert fault == {"faultcode": "Client", "faultstring": "Không", "code": "004", "ruleId": "A4"}


def test_schemas_are_followed_and_applied(tmp_path):
    (tmp_path / "answer.xsd").write_text(XSD)
    (tmp_path / "dancu").write_text(WSDL)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        schemas = client.Schemas(f"http://127.0.0.1:{served.server_port}/dancu")
        served.shutdown()
    good = f'<n:KetQuaXacMinh xmlns:n="{NS_ANSWER}"><n:KhopDuLieu>true</n:KhopDuLieu>' \
           "</n:KetQuaXacMinh>"
    schemas.validate(answered(good))
    with pytest.raises(Exception, match="(?i)invalid value|not.*boolean"):
        schemas.validate(answered(good.replace("true", "maybe")))
    with pytest.raises(AssertionError, match="not declared"):
        schemas.validate(answered("<unknown/>"))


TRACE = """\
11 read(9<socket:[7]>, "POST /api/v1/citizens/verify {\\"requestId\\":\\"rq1\\"}", 8192) = 60
12 pwrite64(5</d/core.db-wal>, "x", 1, 0) = 1
12 fdatasync(5</d/core.db-wal> <unfinished ...>
11 epoll_wait(3, [], 64, 1) = 0
12 <... fdatasync resumed>) = 0
11 writev(9<socket:[7]>, [{iov_base="HTTP/1.1 200 OK rq1", iov_len=19}], 1) = 19
"""


def test_strace_reading_finds_the_sync_between_request_and_reply():
    assert strace_log.syncs_before_reply(TRACE.splitlines(), "rq1", "/d/") == ["/d/core.db-wal"]


def test_strace_reading_refuses_a_reply_that_leaves_first():
    lines = TRACE.splitlines()
    lines.insert(4, lines.pop())
    assert strace_log.syncs_before_reply(lines, "rq1", "/d/") == []


def test_strace_reading_refuses_a_sync_that_a_later_write_outdates():
    lines = TRACE.splitlines()
    lines.insert(5, '12 pwrite64(5</d/core.db-wal>, "y", 1, 1) = 1')
    assert strace_log.syncs_before_reply(lines, "rq1", "/d/") == []


def test_requests_does_not_use_a_proxy_for_the_local_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    proxies = requests.utils.get_environ_proxies("http://127.0.0.1:8080/")
    assert proxies == {}
