"""Mail about notices: a real SMTP server takes it, is down for a while, and sends it back."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import os
import re
import struct
import subprocess
import time

import pytest
import requests
from aiosmtpd.controller import Controller

from dancu_client import Server, binary, free_port, set_clock

ADDRESS = "can.bo.mau@dancu.example.vn"
OFFICER = "onestop.canbo1"
STEP_S = 30
#: Steps of the app that were used: each code is good once.
used: dict[str, int] = {}


class Sink:
    """Takes every mail, on one port, and can be away."""

    def __init__(self):
        self.port = free_port()
        self.mails: list[email.message.EmailMessage] = []
        self.recipients: list[str] = []
        self.controller = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.recipients.extend(envelope.rcpt_tos)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"

    def start(self):
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def wait(self, count: int, seconds: float = 30) -> email.message.EmailMessage:
        """The mail number `count`, which comes in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len(self.mails) >= count:
                return self.mails[count - 1]
            time.sleep(0.1)
        raise AssertionError(f"{len(self.mails)} mails, {count} expected: {self.subjects()}")

    def subjects(self) -> list[str]:
        return [mail["subject"] for mail in self.mails]


def text(mail: email.message.EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


class Person:
    """Somebody signed in, as a browser without a script."""

    def __init__(self, demo, login: str):
        self.base = demo.base_url
        self.person = next(p for p in demo.data["people"] if p["login"] == login)
        self.session = requests.Session()
        page = self.get("/sign-in")
        page = self.post("/sign-in", page, login=login, password=self.person["password"])
        page = self.post("/sign-in/factor", page, code=self.code())
        assert page.status_code == 200, page.text[:500]

    def code(self) -> str:
        login = self.person["login"]
        step = max(used.get(login, 0) + 1, int(time.time()) // STEP_S - 1)
        while int(time.time()) // STEP_S + 1 < step:
            time.sleep(0.5)
        used[login] = step
        secret = base64.b32decode(self.person["totpSecret"])
        digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
        at = digest[19] & 15
        return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.base + path, timeout=30)

    def post(self, path: str, page: requests.Response, **fields) -> requests.Response:
        for form in re.findall(r"<form\b.*?</form>", page.text, re.S):
            if f'action="{path}"' in form.split(">", 1)[0]:
                hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
                data = dict(hidden) | fields
                return self.session.post(self.base + path, timeout=60, data=data)
        raise AssertionError(f"{page.status_code} {page.url} has no form to {path}")


def operate(server: Server, state: str) -> None:
    command = [str(binary()), "operate", "account", "--data", str(server.data), "--system",
               "ONESTOP", "--login", OFFICER, "--state", state, "--reason", "kiểm tra",
               "--by", "Trần Văn A"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def sink():
    sink = Sink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(scope="module")
def server(sink, tmp_path_factory):
    os.environ |= {"DANCU_MAIL_URL": f"smtp://127.0.0.1:{sink.port}",
                   "DANCU_MAIL_FROM": "dancu@dancu.example.vn"}
    server = Server.start(tmp_path_factory.mktemp("mail") / "data")
    yield server
    server.stop()
    for name in ("DANCU_MAIL_URL", "DANCU_MAIL_FROM"):
        os.environ.pop(name, None)


def test_mail_from_the_address_to_the_bounce(server, sink):
    demo = server.demo
    officer = Person(demo, OFFICER)

    # An address is used once the code that was mailed to it came back.
    page = officer.get("/account/contact")
    page = officer.post("/account/contact", page, address=ADDRESS)
    assert page.status_code == 200
    first = sink.wait(1)
    assert sink.recipients[-1] == ADDRESS
    code = re.search(r"\b(\d{8})\b", text(first))[1]
    page = officer.post("/account/contact/confirm", page, code=code)
    assert ADDRESS in page.text and "đã được xác nhận" in page.text
    assert code not in first["subject"]

    # A lock is mailed at once, with nothing but the recipient's own name in it.
    operate(server, "locked")
    locked = sink.wait(2)
    assert "bị khóa" in locked["subject"]
    assert locked["auto-submitted"] == "auto-generated"
    assert re.fullmatch(r"<dancu\.\d+\.[0-9a-f]{16}@dancu\.example\.vn>", locked["message-id"])
    body = text(locked) + locked.get_body(("html",)).get_content()
    assert not re.search(r"\b\d{12}\b", body) and OFFICER not in body
    assert "/account/history" in body

    # While the server is away mail waits, and comes when it is back.
    sink.stop()
    operate(server, "live")
    time.sleep(6)
    assert len(sink.mails) == 2
    sink.start()
    assert "mở khóa" in sink.wait(3, 60)["subject"]

    # The head of the unit has both in the portal, and none by mail.
    head = Person(demo, "onestop.thutruong")
    page = head.get("/notices")
    assert page.text.count("Một tài khoản của đơn vị") >= 2
    page = head.post("/notices/read-all", page,
                     last=re.search(r'name="last" value="(\d+)"', page.text)[1])
    assert 'name="last"' not in page.text

    # What is not urgent is gathered into one mail at its hour of the next day.
    operator = Person(demo, "trungtam.vanhanh1")
    for title in ("Thông báo mẫu một", "Thông báo mẫu hai"):
        page = operator.get("/operate/announcements")
        operator.post("/operate/announcements", page, kind="notice", heading=title, text="Mẫu.")
    time.sleep(5)
    assert len(sink.mails) == 3
    assert set_clock(demo, "2026-03-03T08:00:01+07:00").status_code == 200
    daily = sink.wait(4)
    assert "mẫu một" in text(daily) and "mẫu hai" in text(daily)
    time.sleep(3)
    assert len(sink.mails) == 4, sink.subjects()

    # A bounce with somebody else's tag changes nothing; a real one is told.
    said = bounced(server, re.sub(r"[0-9a-f]{16}@", "0" * 16 + "@", daily["message-id"]))
    assert "no such mail" in said
    assert "marked" in bounced(server, daily["message-id"])
    officer = Person(demo, OFFICER)
    assert "bị trả lại" in officer.get("/account/contact").text
    operate(server, "locked")
    time.sleep(5)
    assert len(sink.mails) == 4, "nothing goes to an address that fails"


def bounced(server: Server, message_id: str) -> str:
    report = (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {ADDRESS}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
        f"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n--b--\r\n")
    done = subprocess.run([str(binary()), "mail-in", "--data", str(server.data)], check=True,
                          input=report.encode(), capture_output=True, timeout=60)
    return done.stdout.decode()
