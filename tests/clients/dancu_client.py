"""A small client for the platform's SOAP and REST interfaces, and helpers to run a demo server.

Written to be read: an integrator can take `Soap.sign`, `Soap.call` and `Rest` as examples.
The checks beside this file use nothing else, so what they prove, an integrator can do too.

    python dancu_client.py with-server -- COMMAND…   runs COMMAND with DANCU_DEMO_JSON set
    python dancu_client.py verify DEMO_JSON          one verification over REST and one over SOAP
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
import uuid

import requests
from lxml import etree

NS_REQUEST = "http://dancuquocgia.bca"
NS_REQUEST_OLD = "http://gtel.vn/qldc"
NS_ANSWER = "http://www.mic.gov.vn/dancu/1.0"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NS_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DEMO_CLOCK = "2026-03-02T09:00:00+07:00"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READY_TIMEOUT_S = 120.0
DATABASES = "DANCU_CLIENTS_DATABASES"
"""Where it is set: address of a PostgreSQL in which each demo server gets a database."""

# Answers come from the local machine: a proxy in the environment must not see them.
os.environ.setdefault("NO_PROXY", "127.0.0.1,localhost")
os.environ.setdefault("no_proxy", os.environ["NO_PROXY"])


# --- the demo's registrations and people -------------------------------------------------


class System(dict):
    """One registered system of demo.json."""

    def account(self, kind: str = "plan", number: int = 0) -> str:
        """The login of the system's account of this kind (officer, system, plan)."""
        return [a["login"] for a in self["accounts"] if a["kind"] == kind][number]

    def service(self, code: str) -> dict | None:
        """The registered service with this code, or None."""
        return next((s for s in self["services"] if s["code"] == code), None)

    def procedure(self, service: str) -> str:
        """A procedure code that may use this service; any procedure if none may."""
        fitting = [p for p in self["procedures"] if service in p["services"]]
        return (fitting or self["procedures"])[0]["code"]


class Demo:
    """demo.json: where the server listens, who may ask, and people to ask about."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = pathlib.Path(path)
        self.data = json.loads(self.path.read_text(encoding="utf-8"))
        self.base_url: str = self.data["baseUrl"].rstrip("/")
        self.soap_url: str = self.data["soapUrl"]
        self.systems = {s["systemCode"]: System(s) for s in self.data["systems"]}
        self.citizens: list[dict] = self.data["citizens"]
        self.by_id = {c["personalId"]: c for c in self.citizens}

    def system(self, code: str) -> System:
        return self.systems[code]

    def shared_old_id(self) -> tuple[dict, dict]:
        """Two people to whom the same old id was issued."""
        seen: dict[str, dict] = {}
        for citizen in self.citizens:
            old = citizen["oldId"]
            if old and old in seen:
                return seen[old], citizen
            if old:
                seen[old] = citizen
        raise LookupError("demo.json holds no two people who share an old id")

    def plain(self) -> dict:
        """Someone alive, with an old id of their own, a full birth date, an accented name."""
        olds = [c["oldId"] for c in self.citizens]
        return next(
            c for c in self.citizens
            if c["oldId"] and olds.count(c["oldId"]) == 1 and c["alive"]
            and len(c["dateOfBirth"]) == 10 and accents(c["fullName"]) >= 2
            and len(c["fullName"].split()) >= 3
        )

    def without_old_id(self) -> dict:
        return next(c for c in self.citizens if not c["oldId"] and c["alive"])

    def year_only(self) -> dict:
        return next(c for c in self.citizens if len(c["dateOfBirth"]) == 4)

    def deceased(self) -> dict:
        return next(c for c in self.citizens if c["alive"] is False)

    def child(self) -> dict:
        """Someone whose father and mother are both in demo.json."""
        return next(
            c for c in self.citizens
            if c["father"] in self.by_id and c["mother"] in self.by_id
        )

    def married(self) -> dict:
        return next(c for c in self.citizens if c["spouse"] in self.by_id and c["alive"])

    def household(self) -> tuple[dict, set[str]]:
        """A member of the largest household in demo.json, and the ids of its known members."""
        rooms: dict[str, set[str]] = {}
        for citizen in self.citizens:
            if citizen["householdHead"] and citizen["alive"]:
                rooms.setdefault(citizen["householdHead"], set()).add(citizen["personalId"])
        head = max(rooms, key=lambda key: len(rooms[key]))
        return self.by_id[sorted(rooms[head])[0]], rooms[head]


# --- the habits in which names and dates arrive -------------------------------------------


def accents(text: str) -> int:
    """How many combining marks a name carries (đ counts as one)."""
    decomposed = unicodedata.normalize("NFD", text)
    return sum(1 for ch in decomposed if unicodedata.combining(ch) or ch in "đĐ")


def unaccented(text: str) -> str:
    """The name as systems without accents store it."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    kept = "".join(ch for ch in decomposed if not unicodedata.combining(ch))
    return unicodedata.normalize("NFC", kept)


TONES = "\u0300\u0301\u0303\u0309\u0323"


def other_tone_placement(name: str) -> str | None:
    """The same name with the tone on the other vowel of oa, oe, uy (Hòa ↔ Hoà), or None."""
    decomposed = unicodedata.normalize("NFD", name)
    end = r"(?![a-z\u0300-\u036f])"
    old = re.compile(rf"(?i)(?<!q)(o(?=.[ae])|u(?=.y))([{TONES}])([aey]){end}")
    new = re.compile(rf"(?i)(?<!q)(o(?=[ae])|u(?=y))([aey])([{TONES}]){end}")
    for pattern in (old, new):
        changed, count = pattern.subn(r"\1\3\2", decomposed, count=1)
        if count:
            return unicodedata.normalize("NFC", changed)
    return None


def one_accent_wrong(name: str) -> str:
    """The name with one of its marks removed: accents are sent, but not all right."""
    decomposed = unicodedata.normalize("NFD", name)
    for at in range(len(decomposed) - 1, -1, -1):
        if unicodedata.combining(decomposed[at]):
            return unicodedata.normalize("NFC", decomposed[:at] + decomposed[at + 1:])
    raise ValueError("the name carries no mark that could be removed")


def name_habits(name: str) -> dict[str, str]:
    """The ways in which the same name is written by systems in use."""
    proper = unicodedata.normalize("NFC", name).title()
    return {
        "proper case": proper,
        "upper case": proper.upper(),
        "upper case without accents": unaccented(proper).upper(),
        "upper case without accents and spaces": unaccented(proper).upper().replace(" ", ""),
        "decomposed": unicodedata.normalize("NFD", proper),
        "decomposed upper case": unicodedata.normalize("NFD", proper.upper()),
        "spaces around and between": "  " + proper.replace(" ", "   ") + " ",
    }


def compact(date: str) -> str:
    return date.replace("-", "")


def birth(date: str) -> list:
    """NgayThangNamSinh as most clients send it: nested, yyyyMMdd or the year alone."""
    return [("Nam", date)] if len(date) == 4 else [("NgayThangNam", compact(date))]


def request_id() -> str:
    return uuid.uuid4().hex


# --- SOAP -----------------------------------------------------------------------------------


def sign(service_url: str, user: str, timestamp: str, secret: str) -> str:
    """hash = lowercase hex SHA-256(service_url + user + timestamp + secret)."""
    return hashlib.sha256(f"{service_url}{user}{timestamp}{secret}".encode()).hexdigest()


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def elements(fields: list, prefix: str) -> str:
    """Fields as XML: (name, text) or (name, [children])."""
    mark = f"{prefix}:" if prefix else ""
    out = []
    for name, value in fields:
        inner = elements(value, prefix) if isinstance(value, list) else escape(value)
        out.append(f"<{mark}{name}>{inner}</{mark}{name}>")
    return "".join(out)


def envelope(operation: str, fields: list, *, ns: str = NS_REQUEST, prefix: str = "dc",
             header: str = "", soap_prefix: str = "soapenv") -> str:
    """A SOAP 1.1 request. An empty prefix makes the request namespace the default one."""
    declared = f'xmlns:{prefix}="{ns}"' if prefix else f'xmlns="{ns}"'
    mark = f"{prefix}:" if prefix else ""
    head = f"<{soap_prefix}:Header>{header}</{soap_prefix}:Header>" if header else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>'
        f'<{soap_prefix}:Envelope xmlns:{soap_prefix}="{NS_SOAP}">{head}<{soap_prefix}:Body>'
        f"<{mark}{operation} {declared}>{elements(fields, prefix)}</{mark}{operation}>"
        f"</{soap_prefix}:Body></{soap_prefix}:Envelope>"
    )


def local(element) -> str:
    return etree.QName(element).localname


class SoapAnswer:
    """The answer to one SOAP call, read by local names."""

    def __init__(self, response: requests.Response):
        self.status = response.status_code
        self.headers = response.headers
        self.raw = response.content
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            self.root = etree.fromstring(self.raw, parser)
        except etree.XMLSyntaxError:
            self.root = None

    @property
    def body(self):
        """The one element under soap:Body."""
        if self.root is None:
            raise AssertionError(f"HTTP {self.status}, not XML: {self.raw[:300]!r}")
        (found,) = self.root.findall(f"{{{NS_SOAP}}}Body")
        (child,) = list(found)
        return child

    @property
    def is_fault(self) -> bool:
        return self.root is not None and self.body.tag == f"{{{NS_SOAP}}}Fault"

    @property
    def fault(self) -> dict[str, str]:
        """faultcode (local part), faultstring, and code, ruleId, correlationId of the detail."""
        assert self.is_fault, f"HTTP {self.status}, no Fault: {self.raw[:600]!r}"
        found = {"faultcode": self.body.findtext("faultcode", "").split(":")[-1],
                 "faultstring": self.body.findtext("faultstring", "")}
        detail = self.body.find("detail")
        for element in detail.iter() if detail is not None else ():
            if isinstance(element.tag, str) and len(element) == 0:
                found.setdefault(local(element), element.text or "")
        return found

    def text(self, name: str) -> str | None:
        """The text of the first element of this local name."""
        for element in self.body.iter():
            if isinstance(element.tag, str) and local(element) == name:
                return element.text or ""
        return None

    @property
    def citizens(self) -> list:
        """The CongDan elements of a CongdanCollection."""
        assert self.status == 200 and local(self.body) == "CongdanCollection", self.raw[:600]
        return [e for e in self.body if isinstance(e.tag, str) and local(e) == "CongDan"]

    @property
    def exists(self) -> bool:
        """What both kinds of clients read from a verification, which must agree."""
        assert self.status == 200, self.raw[:600]
        assert local(self.body) == "XacThucThongTinCongDanResponse", self.raw[:600]
        tells, count = self.text("TonTai"), self.text("SoLuongCongDan")
        assert tells in ("true", "false") and count in ("0", "1"), self.raw[:600]
        assert (tells == "true") == (count == "1"), self.raw[:600]
        return tells == "true"

    @property
    def agrees(self) -> bool:
        """KetQuaXacMinh/KhopDuLieu of the XacMinh… family."""
        assert self.status == 200 and local(self.body) == "KetQuaXacMinh", self.raw[:600]
        value = self.text("KhopDuLieu")
        assert value in ("true", "false"), self.raw[:600]
        return value == "true"


def child(element, name: str):
    """The direct child of this local name, or None."""
    return next((e for e in element if isinstance(e.tag, str) and local(e) == name), None)


class Timestamps:
    """Milliseconds that never repeat: a used (user, timestamp, hash) belongs to one body."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            self._last = max(int(time.time() * 1000), self._last + 1)
            return str(self._last)


TIMESTAMPS = Timestamps()


class Soap:
    """A hand-written SOAP client of one system."""

    def __init__(self, demo: Demo, system: str):
        self.demo = demo
        self.system = demo.system(system)
        self.session = requests.Session()
        self.session.trust_env = False

    def auth(self, *, timestamp: str | None = None, service_url: str | None = None,
             user: str | None = None, secret: str | None = None) -> dict[str, str]:
        """The Timestamp and Authorization headers of one call."""
        given = self.system["soap"]
        user = given["user"] if user is None else user
        timestamp = timestamp or TIMESTAMPS.next()
        url = given["serviceUrl"] if service_url is None else service_url
        digest = sign(url, user, timestamp, given["secret"] if secret is None else secret)
        basic = base64.b64encode(f"{user}:{digest}".encode()).decode()
        return {"Timestamp": timestamp, "Authorization": f"Basic {basic}"}

    def post(self, body: str | bytes, *, headers: dict | None = None,
             auth: dict | None = None) -> SoapAnswer:
        """Sends this body as it is; a header given as None is left out."""
        sent = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        sent.update(self.auth() if auth is None else auth)
        sent.update(headers or {})
        sent = {key: value for key, value in sent.items() if value is not None}
        data = body.encode() if isinstance(body, str) else body
        return SoapAnswer(
            self.session.post(self.demo.soap_url, data=data, headers=sent, timeout=30))

    def fields(self, service: str, citizen: dict, *, account: str | None = None,
               use_old: bool = False, **changes) -> list:
        """The request elements about a citizen; a change to None leaves an element out."""
        registered = self.system.service(service) or {}
        values: dict = {
            "MaYeuCau": request_id(),
            "MaDVC": self.system.procedure(service),
            "MaTichHop": registered.get("maTichHop"),
            "MaDonVi": self.system["unitCode"],
            "MaCanBo": account or self.system.account(),
            "MaHoSo": "HS.2026-0001",
            "SoDinhDanh": None if use_old else citizen["personalId"],
            "SoCMND": citizen["oldId"] if use_old else None,
            "HoVaTen": citizen["fullName"],
            "NgayThangNamSinh": birth(citizen["dateOfBirth"]),
        }
        values.update(changes)
        return [(name, value) for name, value in values.items() if value is not None]

    def call(self, operation: str, fields: list, **shape) -> SoapAnswer:
        return self.post(envelope(operation, fields, **shape))

    def verify(self, citizen: dict, **changes) -> SoapAnswer:
        return self.call("XacThucThongTinCongDan",
                         self.fields("citizen.verify", citizen, **changes))

    def lookup(self, citizen: dict, **changes) -> SoapAnswer:
        return self.call("TraCuuThongTinCongDan",
                         self.fields("citizen.lookup", citizen, **changes))


def related(citizen: dict) -> list:
    """NguoiLienQuan of the checks that name a second person."""
    return [("SoDinhDanh", citizen["personalId"]), ("HoVaTen", citizen["fullName"]),
            ("NgayThangNamSinh", birth(citizen["dateOfBirth"]))]


class Schemas:
    """The served WSDL with its schemas, against which every answer is validated."""

    def __init__(self, soap_url: str):
        import xmlschema.extras.wsdl  # heavy, and not needed by an integrator's client

        self.document = xmlschema.extras.wsdl.Wsdl11Document(f"{soap_url}?wsdl")
        self.elements = self.document.schema.maps.elements

    def validate(self, answer: SoapAnswer) -> SoapAnswer:
        """Raises unless the body's element (a fault's detail) fits the served schemas."""
        body = answer.body
        if answer.is_fault:
            detail = body.find("detail")
            parts = [] if detail is None else [e for e in detail if isinstance(e.tag, str)]
        else:
            parts = [body]
        for part in parts:
            assert part.tag in self.elements, f"{part.tag} is not declared in the served schemas"
            self.elements[part.tag].validate(part)
        return answer


# --- REST ------------------------------------------------------------------------------------


def token_request(demo: Demo, client_id: str, secret: str, *, how: str = "basic",
                  grant: str = "client_credentials") -> requests.Response:
    """Asks the token endpoint by client_secret_basic (basic), client_secret_post (post) or
    private_key_jwt (assertion; the secret is then what `client_assertion` made)."""
    form = {"grant_type": grant}
    auth = (client_id, secret) if how == "basic" else None
    if how == "post":
        form |= {"client_id": client_id, "client_secret": secret}
    if how == "assertion":
        form |= {"client_assertion_type": JWT_BEARER, "client_assertion": secret}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{demo.base_url}/oauth/token", data=form, auth=auth, timeout=30)


def client_assertion(oauth: dict, audience: str, *, life_s: int = 60, **claims: str) -> str:
    """A JWT of the client for private_key_jwt (RFC 7523), signed with its Ed25519 key."""
    now = int(time.time())
    body = {"iss": oauth["clientId"], "sub": oauth["clientId"], "aud": audience,
            "jti": uuid.uuid4().hex, "iat": now, "exp": now + life_s} | claims
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
             for part in ({"alg": "EdDSA", "typ": "JWT"}, body)]
    signed = b".".join(parts)
    with tempfile.TemporaryDirectory() as folder:
        key, data = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "data")
        key.write_text(oauth["privateKeyPem"])
        data.write_bytes(signed)
        signature = subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(key), "-in", str(data)],
            capture_output=True, check=True).stdout
    return b".".join([signed, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


class Rest:
    """A REST client of one system; asks for a new token before the old one ends."""

    def __init__(self, demo: Demo, system: str, account: str | None = None):
        self.demo = demo
        self.system = demo.system(system)
        self.account = account or self.system.account()
        self.session = requests.Session()
        self.session.trust_env = False
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        if time.monotonic() >= self._until:
            oauth = self.system["oauth"]
            answer = token_request(self.demo, oauth["clientId"], oauth["clientSecret"])
            answer.raise_for_status()
            body = answer.json()
            self._token = body["access_token"]
            self._until = time.monotonic() + body["expires_in"] * 0.8
        return self._token

    def send(self, method: str, path: str, *, token: str | None = None,
             headers: dict | None = None, **more) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        sent.update(headers or {})
        sent = {key: value for key, value in sent.items() if value is not None}
        return self.session.request(method, self.demo.base_url + path, headers=sent,
                                    timeout=30, **more)

    def head(self, service: str, subject: dict, **changes) -> dict:
        """The head every question has; a change to None leaves a member out."""
        body = {"requestId": request_id(), "procedureCode": self.system.procedure(service),
                "caseCode": "HS.2026-0001", "account": self.account, "subject": subject}
        body.update(changes)
        return {key: value for key, value in body.items() if value is not None}

    def ask(self, path: str, service: str, citizen: dict, **changes) -> requests.Response:
        body = self.head(service, changes.pop("subject", None) or subject(citizen), **changes)
        return self.send("POST", f"/api/v1/{path}", json=body)

    def verify(self, citizen: dict, **changes) -> requests.Response:
        return self.ask("citizens/verify", "citizen.verify", citizen, **changes)

    def lookup(self, citizen: dict, **changes) -> requests.Response:
        return self.ask("citizens/lookup", "citizen.lookup", citizen, **changes)

    def household(self, citizen: dict, **changes) -> requests.Response:
        return self.ask("households/lookup", "household.lookup", citizen, **changes)

    def relation(self, citizen: dict, relation: str, other: dict, **changes):
        return self.ask("relations/verify", "relation.verify", citizen, relation=relation,
                        other=subject(other), **changes)

    def usage(self) -> dict:
        answer = self.send("GET", "/api/v1/usage")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def line(self, service: str, window: str = "inHours") -> dict:
        """The usage of one line."""
        found = [row for row in self.usage()["lines"]
                 if row["service"] == service and row["window"] == window]
        assert len(found) == 1, (service, window, found)
        return found[0]

    def journal(self, start: int = 0) -> list[dict]:
        """All the caller's own entries from this index on, page after page."""
        entries: list[dict] = []
        while True:
            answer = self.send("GET", f"/api/v1/journal?from={start}")
            assert answer.status_code == 200, answer.text
            page = answer.json()
            page = page if isinstance(page, list) else page["entries"]
            page = [entry for entry in page if entry["index"] >= start]
            if not page:
                return entries
            entries += page
            start = page[-1]["index"] + 1


def subject(citizen: dict, *, use_old: bool = False, **changes) -> dict:
    """The three keys of a question about a citizen."""
    number = {"oldId": citizen["oldId"]} if use_old else {"personalId": citizen["personalId"]}
    keys = number | {"fullName": citizen["fullName"], "dateOfBirth": citizen["dateOfBirth"]}
    keys.update(changes)
    return {key: value for key, value in keys.items() if value is not None}


def set_clock(demo: Demo, now: str) -> requests.Response:
    """Moves the sandbox's clock."""
    with requests.Session() as session:
        session.trust_env = False
        return session.put(f"{demo.base_url}/sandbox/clock", json={"now": now}, timeout=30)


# --- a demo server of one's own ----------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binary() -> pathlib.Path:
    """The program under test: DANCU_BIN, or the workspace's release build."""
    built = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "release" / "dancu"
    return pathlib.Path(os.environ.get("DANCU_BIN") or built)


def environment(data: pathlib.Path) -> dict[str, str]:
    """Ours; on PostgreSQL with a database of the folder's own, made where it is missing."""
    server = os.environ.get(DATABASES)
    if not server:
        return dict(os.environ)
    # Not needed, and perhaps not there, on a machine that only runs the sandbox.
    from postgres import Postgres  # noqa: PLC0415

    name = "d" + hashlib.sha256(str(data).encode()).hexdigest()[:16]
    postgres = Postgres(data, int(server.rpartition(":")[2]))
    if not postgres.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
        postgres.sql(f"CREATE DATABASE {name}")
    return os.environ | {"DANCU_DATABASE_URL": f"postgres://dancu@{server}/{name}"}


@dataclasses.dataclass
class Server:
    """A demo server in its own folder; its output goes to a file beside the data."""

    data: pathlib.Path
    process: subprocess.Popen
    log: pathlib.Path
    demo: Demo
    ready_at: int
    """Length of the log when the server became ready, in bytes."""

    @staticmethod
    def command(data: pathlib.Path, port: int, clock: str = DEMO_CLOCK) -> list[str]:
        people = os.environ.get("DANCU_POPULATION", "2000")
        return [str(binary()), "demo", "--data", str(data), "--port", str(port),
                "--population", people, "--clock", clock]

    @classmethod
    def start(cls, data: pathlib.Path, *, clock: str = DEMO_CLOCK,
              wrap: list[str] | None = None, port: int | None = None) -> Server:
        """Starts the demo and waits until /readyz answers 200 and demo.json is written."""
        port = port or free_port()
        data.parent.mkdir(parents=True, exist_ok=True)
        log = data.parent / f"{data.name}.log"
        begun = log.stat().st_size if log.exists() else 0
        if not binary().exists():
            raise FileNotFoundError(f"{binary()} is missing: cargo build --release")
        with log.open("ab") as out:
            process = subprocess.Popen((wrap or []) + cls.command(data, port, clock),
                                       stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT, env=environment(data))
        deadline = time.monotonic() + READY_TIMEOUT_S
        url = f"http://127.0.0.1:{port}"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with contextlib.suppress(requests.RequestException, ValueError, KeyError, OSError):
                if requests.get(f"{url}/readyz", timeout=2).status_code == 200:
                    demo = Demo(data / "demo.json")
                    if demo.base_url.endswith(f":{port}"):
                        return cls(data, process, log, demo, log.stat().st_size)
            time.sleep(0.05)
        process.kill()
        process.wait()
        tail = log.read_bytes()[begun:][-3000:].decode(errors="replace")
        raise RuntimeError(f"the demo did not become ready (exit {process.returncode}):\n{tail}")

    def stop(self, how: int = signal.SIGTERM, timeout: float = 30) -> int:
        """Sends the signal and gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def output_since_ready(self) -> bytes:
        return self.log.read_bytes()[self.ready_at:]


@contextlib.contextmanager
def serving(**options):
    """A demo server in a temporary folder, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="dancu-check-") as folder:
        server = Server.start(pathlib.Path(folder) / "data", **options)
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.stop()


def instant(text: str) -> dt.datetime:
    """An RFC 3339 time."""
    return dt.datetime.fromisoformat(text)


def main(arguments: list[str]) -> int:
    if arguments[:2] == ["with-server", "--"] and len(arguments) > 2:
        with serving() as server:
            known = os.environ | {"DANCU_DEMO_JSON": str(server.demo.path)}
            return subprocess.run(arguments[2:], env=known, check=False).returncode
    if arguments[:1] == ["verify"] and len(arguments) == 2:
        demo = Demo(arguments[1])
        person = demo.plain()
        print("REST:", Rest(demo, "ONESTOP").verify(person).text)
        print("SOAP:", Soap(demo, "ONESTOP").verify(person).raw.decode())
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
