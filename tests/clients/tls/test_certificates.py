"""Client certificates per system, from outside: certificates made by the openssl program, requests
sent by curl. The demo's systems are registered with certificates by `dancu operate`, then served
over TLS.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time

import pytest
import requests

from dancu_client import Rest, Server, Soap, binary, envelope, subject
from test_tls import Authority, openssl, section, serving

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("curl") is None,
    reason="openssl or curl is not installed")


def run(*arguments: str) -> str:
    done = subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fingerprint(certificate: str) -> str:
    said = openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", certificate)
    return said.strip().split("=")[1].replace(":", "").lower()


class Centre:
    """The demo's data, served over TLS with client certificates asked for but not forced."""

    def __init__(self, folder):
        self.authority = Authority(folder, "server-ca")
        self.clients = Authority(folder, "clients-ca")
        self.certificate = self.authority.issue("server")
        server = Server.start(folder / "data")
        self.demo, self.data = server.demo, folder / "data"
        assert server.stop() == 0

    def operate(self, system: str, *arguments: str) -> str:
        return run("operate", "certificates", "--data", str(self.data), "--system", system,
                   "--reason", "kiểm thử", "--by", "Trần Văn Thử", *arguments)

    @contextlib.contextmanager
    def serve(self, more: str = ""):
        asked = f'clientCertificates = "optional"\ntrustAnchors = "{self.clients.certificate}"\n'
        with serving(self.data, "sandbox = true\n" + section(*self.certificate, asked + more)) \
                as server:
            yield Caller(self, server)


class Caller:
    """curl, with or without a certificate."""

    def __init__(self, centre: Centre, server):
        self.centre, self.server, self.demo = centre, server, centre.demo

    def curl(self, path: str, shown=None, body: str | None = None, **headers) -> tuple[int, str]:
        arguments = ["curl", "--silent", "--noproxy", "*", "--max-time", "20", "--cacert",
                     str(self.centre.authority.certificate), "--write-out", "\n%{http_code}"]
        if shown:
            arguments += ["--cert", shown[0], "--key", shown[1]]
        for name, value in headers.items():
            arguments += ["--header", f"{name.replace('_', '-')}: {value}"]
        if body is not None:
            arguments += ["--data-binary", "@-"]
        done = subprocess.run([*arguments, self.server.url + path], input=body, text=True,
                              capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    def token(self, system: str, shown=None, secret: str | None = None) -> tuple[int, dict]:
        given = self.demo.system(system)["oauth"]
        form = (f"grant_type=client_credentials&client_id={given['clientId']}"
                f"&client_secret={secret or given['clientSecret']}")
        status, text = self.curl("/oauth/token", shown, form,
                                 Content_Type="application/x-www-form-urlencoded")
        return status, json.loads(text)

    def bearer(self, system: str, shown=None) -> str:
        status, answer = self.token(system, shown)
        assert status == 200, answer
        return f"Bearer {answer['access_token']}"

    def usage(self, token: str, shown=None) -> int:
        return self.curl("/api/v1/usage", shown, Authorization=token)[0]

    def rest(self, system: str, token: str, shown=None) -> int:
        asked = Rest(self.demo, system).head("citizen.verify", subject(self.demo.plain()))
        body = json.dumps(asked)
        return self.curl("/api/v1/citizens/verify", shown, body, Authorization=token,
                         Content_Type="application/json")[0]

    def soap(self, system: str, shown=None, secret: str | None = None,
             token: str | None = None) -> tuple[int, str]:
        client = Soap(self.demo, system)
        body = envelope("XacThucThongTinCongDan",
                        client.fields("citizen.verify", self.demo.plain()))
        headers = {"Authorization": token} if token else client.auth(secret=secret)
        return self.curl("/soap/dancu", shown, body, Content_Type="text/xml", **headers)

    def lgsp(self, system: str, token: str, shown=None) -> int:
        person = self.demo.plain()
        fields = dict(Soap(self.demo, system).fields("citizen.verify", person))
        body = json.dumps({
            "maYeuCau": fields["MaYeuCau"], "maDVC": fields["MaDVC"], "maCanBo": fields["MaCanBo"],
            "soDinhDanh": person["personalId"], "hoVaTen": person["fullName"],
            "ngayThangNam": person["dateOfBirth"].replace("-", "")})
        return self.curl("/lgsp/v1/xacThucThongTinCongDan", shown, body, Authorization=token,
                         Content_Type="application/json")[0]


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    return Centre(tmp_path_factory.mktemp("certificates"))


def test_a_system_that_has_to_show_a_certificate(centre):
    ours, other = centre.clients.issue("one-stop"), centre.clients.issue("another")
    said = centre.operate("ONESTOP", "--mode", "required", "--add", ours[0])
    assert fingerprint(ours[0]) in said
    with centre.serve() as caller:
        token = caller.bearer("ONESTOP", ours)
        assert caller.usage(token, ours) == 200
        assert caller.rest("ONESTOP", token, ours) == 200
        assert caller.lgsp("ONESTOP", token, ours) == 200
        assert caller.soap("ONESTOP", ours)[0] == 200
        # A token of the token endpoint opens the SOAP path as well, as gateways use it.
        assert caller.soap("ONESTOP", ours, token=token)[0] == 200
        wrong_secret = caller.token("ONESTOP", ours, "0" * 32)
        assert wrong_secret[0] == 401
        unknown = [caller.soap("ONESTOP", ours, "0" * 32) for _ in range(2)]
        for shown in (None, other):
            # No certificate, and another one, look like a wrong secret.
            assert caller.token("ONESTOP", shown) == wrong_secret
            assert caller.usage(token, shown) == 401
            assert caller.rest("ONESTOP", token, shown) == 401
            assert caller.lgsp("ONESTOP", token, shown) == 401
            assert caller.soap("ONESTOP", shown, token=token)[0] == 401
            status, text = caller.soap("ONESTOP", shown)
            assert status == 401
            assert _loose(text) == _loose(unknown[0][1]) == _loose(unknown[1][1])
        # Other systems are not concerned.
        assert caller.usage(caller.bearer("SMALL")) == 200


def _loose(fault: str) -> str:
    """A fault without what differs between any two of them: the correlation id."""
    head, _, tail = fault.partition("correlationId>")
    return head + tail.partition("<")[2]


def test_renewal_with_two_certificates(centre):
    old, new = centre.clients.issue("bank-old"), centre.clients.issue("bank-new")
    centre.operate("BIG", "--mode", "required", "--add", old[0])
    with centre.serve() as caller:
        before = caller.bearer("BIG", old)
    centre.operate("BIG", "--add", new[0])
    with centre.serve() as caller:
        # What was issued by the former registration has ended; both certificates are good.
        assert caller.usage(before, old) == 401
        for shown, stolen_by in ((old, new), (new, old)):
            token = caller.bearer("BIG", shown)
            assert caller.usage(token, shown) == 200
            # Registered too, and yet not the one that the token was issued over.
            assert caller.usage(token, stolen_by) == 401
    centre.operate("BIG", "--remove", fingerprint(old[0]).upper())
    with centre.serve() as caller:
        assert caller.token("BIG", old)[0] == 401
        assert caller.usage(caller.bearer("BIG", new), new) == 200


def test_a_system_that_may_show_a_certificate(centre):
    ours, other = centre.clients.issue("verify-only"), centre.clients.issue("verify-other")
    centre.operate("VERIFYONLY", "--mode", "optional", "--add", ours[0])
    with centre.serve() as caller:
        assert caller.usage(caller.bearer("VERIFYONLY")) == 200
        bound = caller.bearer("VERIFYONLY", ours)
        assert caller.usage(bound, ours) == 200
        assert caller.usage(bound) == 401, "a stolen token alone is useless"
        assert caller.token("VERIFYONLY", other)[0] == 401
    refused = subprocess.run(
        [str(binary()), "operate", "certificates", "--data", str(centre.data), "--system", "SMALL",
         "--reason", "x", "--by", "A", "--mode", "required"], capture_output=True, text=True,
        timeout=60, check=False)
    assert refused.returncode == 1 and "--add" in refused.stderr


def test_failures_for_want_of_a_certificate_are_journaled_in_sum(centre):
    """Counted as authentication failures: an aggregate of the minute, and no entry each."""
    ours = centre.clients.issue("night")
    centre.operate("NIGHT", "--mode", "required", "--add", ours[0])
    with centre.serve() as caller:
        entries = lambda: _sample(caller, "dancu_journal_entries_total")
        token = caller.bearer("NIGHT", ours)
        before = entries()
        for _ in range(5):
            assert caller.usage(token) == 401
        assert entries() == before
    with centre.serve() as caller:
        assert _sample(caller, "dancu_journal_entries_total") == before + 1


def _sample(caller: Caller, name: str) -> float:
    status, text = caller.curl("/metrics")
    assert status == 200
    (row,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(row.split()[1])


def test_a_certificate_revoked_while_serving_ends_its_open_connections(centre):
    ours = centre.clients.issue("small")
    folder = centre.data.parent
    revoke = Revocation(centre.clients, folder)
    revoke.write()
    centre.operate("SMALL", "--mode", "required", "--add", ours[0])
    with centre.serve(f'revocationLists = "{revoke.list}"\nreloadSeconds = 1\n') as caller:
        token = caller.bearer("SMALL", ours)
        session = requests.Session()
        session.trust_env = False
        session.verify, session.cert = str(centre.authority.certificate), ours
        url, headers = f"{caller.server.url}/api/v1/usage", {"Authorization": token}
        connections = lambda: _sample(caller, "dancu_connections_accepted_total")
        assert session.get(url, headers=headers, timeout=10).status_code == 200
        # A look that finds nothing new leaves the connection open.
        before = connections()
        time.sleep(1.5)
        assert session.get(url, headers=headers, timeout=10).status_code == 200
        assert connections() == before + 1, "only the look at the figures connected"
        revoke.write(ours[0])
        deadline = time.monotonic() + 15
        with pytest.raises(requests.exceptions.ConnectionError):
            while time.monotonic() < deadline:
                assert session.get(url, headers=headers, timeout=10).status_code == 200
                time.sleep(0.1)
        # Who has a good certificate goes on.
        assert caller.curl("/healthz", centre.clients.issue("not-revoked"))[0] == 200


class Revocation:
    """The revocation list of an authority, kept by `openssl ca`."""

    def __init__(self, authority: Authority, folder):
        self.authority, self.list = authority, folder / "clients.crl"
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")
        self.config = folder / "ca.cnf"
        self.config.write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {folder}/index.txt\n"
            f"crlnumber = {folder}/crlnumber\ndefault_md = sha256\ndefault_crl_days = 30\n")

    def _ca(self, *arguments: str) -> str:
        return openssl("ca", "-config", str(self.config), "-cert", str(self.authority.certificate),
                       "-keyfile", str(self.authority.key), *arguments)

    def write(self, *revoked: str):
        for certificate in revoked:
            self._ca("-revoke", certificate)
        fresh = self.list.with_suffix(".new")
        self._ca("-gencrl", "-out", str(fresh))
        fresh.replace(self.list)


def test_a_certificate_that_has_ended_is_not_taken_while_serving(centre):
    """A renewal by mistake with an old or foreign file: the one in use stays, and is told."""
    certificate, key = centre.authority.issue("server-swapped")
    good = openssl("x509", "-noout", "-serial", "-in", certificate)
    ended = centre.authority.issue("server-ended", days=-1)
    foreign = centre.authority.issue("server-foreign", names="DNS:other.test")
    with serving(centre.data, "sandbox = true\n" + section(
            certificate, key, 'reloadSeconds = 1\nnames = ["localhost"]\n')) as server:
        refused = 0
        for files in (ended, foreign):
            shutil.copy(files[0], certificate)
            shutil.copy(files[1], key)
            refused += 1
            deadline = time.monotonic() + 10
            while _reloads(centre, server, "refused") < refused:
                assert time.monotonic() < deadline, "the files were not looked at"
                time.sleep(0.1)
            said = server.s_client("-showcerts", "-servername", "localhost")
            shown = said[said.index("-----BEGIN"):said.index("-----END") + 25]
            assert openssl("x509", "-noout", "-serial", text=shown + "\n") == good
        assert _reloads(centre, server, "taken") == 0


def _reloads(centre: Centre, server, outcome: str) -> float:
    answer = requests.get(f"{server.url}/metrics", verify=str(centre.authority.certificate),
                          timeout=10)
    key = f'dancu_tls_reloads_total{{outcome="{outcome}"}} '
    return float(next(line for line in answer.text.splitlines() if line.startswith(key))[len(key):])
