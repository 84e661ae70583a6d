"""TLS from outside, with Python's ssl and requests and the openssl program: versions and ciphers,
client certificates, requests over mutual TLS, reload under load, slow callers. Each check starts
`dancu serve` itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests

from dancu_client import binary, free_port

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

# What a careful audit of TLS 1.2 accepts: forward secrecy and authenticated encryption.
GOOD_TLS12 = {f"ECDHE-{key}-{cipher}" for key in ("ECDSA", "RSA") for cipher in (
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")}


def openssl(*arguments: str, text: str = "") -> str:
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclasses.dataclass
class Authority:
    """A certificate authority made by the openssl program."""

    folder: pathlib.Path
    name: str

    def __post_init__(self):
        self.certificate = self.folder / f"{self.name}.crt"
        self.key = self.folder / f"{self.name}.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                "-subj", f"/CN={self.name}", "-addext", "keyUsage=keyCertSign,cRLSign",
                "-keyout", str(self.key), "-out", str(self.certificate))

    def issue(self, name: str, *, key: str = "rsa:2048", days: int = 20,
              names: str = "DNS:localhost,IP:127.0.0.1") -> tuple[str, str]:
        """Paths of certificate and key; fewer than 0 days: it has already ended."""
        base = self.folder / name
        more = ["-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else []
        openssl("req", "-new", "-newkey", key, *more, "-nodes", "-subj", f"/C=VN/CN={name}",
                "-keyout", f"{base}.key", "-out", f"{base}.csr")
        extensions = base.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", f"{base}.csr", "-CA", str(self.certificate),
                "-CAkey", str(self.key), "-CAcreateserial", "-days", str(days),
                "-extfile", str(extensions), "-out", f"{base}.crt")
        return f"{base}.crt", f"{base}.key"


@dataclasses.dataclass
class Serve:
    """A running `dancu serve`."""

    process: subprocess.Popen
    port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def s_client(self, *arguments: str) -> str:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *arguments],
            input="Q\n", capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr


@contextlib.contextmanager
def serving(data: pathlib.Path, sections: str):
    port = free_port()
    config = data.parent / f"dancu-{port}.toml"
    config.write_text(f'data = "{data}"\nlisten = "127.0.0.1:{port}"\n'
                      f'baseUrl = "https://localhost:{port}"\n{sections}')
    log = (data.parent / f"dancu-{port}.log").open("wb")
    process = subprocess.Popen([str(binary()), "serve", "--config", str(config)],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, \
                pathlib.Path(log.name).read_text()
            time.sleep(0.05)
        yield Serve(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        log.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder):
    return Authority(folder, "server-ca")


@pytest.fixture(scope="module")
def data(folder):
    """A data folder without systems: what is checked here comes before anybody is known."""
    path = folder / "data"
    config = folder / "plain.toml"
    config.write_text(f'data = "{path}"\n')
    done = subprocess.run([str(binary()), "migrate", "--config", str(config)],
                          capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return path


def section(certificate: str, key: str, more: str = "") -> str:
    return f'[tls]\nmode = "files"\ncertificate = "{certificate}"\nkey = "{key}"\n{more}'


def context(authority: Authority, **limits) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority.certificate))
    for name, value in limits.items():
        setattr(made, name, value)
    return made


def handshake(port: int, made: ssl.SSLContext) -> tuple[str, str]:
    """Version and cipher that were agreed on."""
    with socket.create_connection(("127.0.0.1", port), 10) as plain, \
            made.wrap_socket(plain, server_hostname="localhost") as secure:
        secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert secure.recv(100).startswith(b"HTTP/1.1 200")
        return secure.version(), secure.cipher()[0]


@pytest.mark.parametrize("key", ["rsa:2048", "ec"])
def test_versions_and_ciphers(data, authority, key):
    with serving(data, section(*authority.issue(f"server-{key[:2]}", key=key))) as server:
        both = context(authority)
        assert handshake(server.port, both)[0] == "TLSv1.3"
        agreed = set()
        for cipher in openssl("ciphers", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").strip().split(":"):
            made = context(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
            try:
                made.set_ciphers(f"{cipher}:@SECLEVEL=0")
                version, got = handshake(server.port, made)
            except (ssl.SSLError, ConnectionError):
                continue
            assert version == "TLSv1.2"
            agreed.add(got)
        assert agreed and agreed <= GOOD_TLS12
        assert len(agreed) == 3  # those of the certificate's kind of key
        for old in ("-tls1", "-tls1_1"):
            said = server.s_client(old, "-cipher", "ALL:@SECLEVEL=0")
            assert "Cipher is (NONE)" in said and "alert" in said
        said = server.s_client("-tls1_2", "-alpn", "h2,http/1.1")
        assert "Compression: NONE" in said
        assert "Secure Renegotiation IS supported" in said
        assert "Extended master secret: yes" in said
        assert "ALPN protocol: http/1.1" in said


def test_requests_over_mutual_tls(data, folder, authority):
    clients, others = Authority(folder, "clients-ca"), Authority(folder, "others-ca")
    good = clients.issue("one-stop")
    refused = {"expired": clients.issue("one-stop-old", days=-1),
               "foreign": others.issue("one-stop-foreign")}
    more = f'clientCertificates = "required"\ntrustAnchors = "{clients.certificate}"\n'
    with serving(data, section(*authority.issue("server-mutual"), more)) as server:
        form = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"}

        def token(certificate):
            with requests.Session() as session:
                session.trust_env = False
                session.verify, session.cert = str(authority.certificate), certificate
                return session.post(f"{server.url}/oauth/token", data=form, timeout=30)

        # The certificate opens the connection; it does not replace the client's secret.
        answer = token(good)
        assert answer.status_code == 401 and answer.json()["error"] == "invalid_client"
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        for name, certificate in refused.items():
            with pytest.raises(requests.exceptions.ConnectionError):
                token(certificate)
                pytest.fail(f"{name} was let in")
        with pytest.raises(requests.exceptions.ConnectionError):
            token(None)


def test_reload_under_load_fails_no_request(data, folder, authority):
    certificate, key = authority.issue("server-reload")
    failures, asked, stop = [], [0], threading.Event()
    with serving(data, section(certificate, key, "reloadSeconds = 1\n")) as server:
        def load(keep: bool):
            session = requests.Session()
            while not stop.is_set():
                try:
                    session.trust_env, session.verify = False, str(authority.certificate)
                    answer = session.get(f"{server.url}/readyz", timeout=30)
                    assert answer.status_code == 200
                    asked[0] += 1
                except Exception as error:
                    failures.append(repr(error))
                if not keep:
                    session.close()
                    session = requests.Session()

        threads = [threading.Thread(target=load, args=(keep,)) for keep in (True, False, False)]
        for thread in threads:
            thread.start()
        seen = set()
        for round_ in range(4):
            made = authority.issue(f"server-reload-{round_}")
            # Certificate first: for a moment the two files do not fit, and the old ones stay.
            shutil.copy(made[0], certificate)
            server.process.send_signal(signal.SIGHUP)
            shutil.copy(made[1], key)
            server.process.send_signal(signal.SIGHUP)
            expected = openssl("x509", "-noout", "-serial", "-in", made[0])
            deadline = time.monotonic() + 10
            while True:
                shown = ssl.get_server_certificate(("127.0.0.1", server.port))
                seen.add(openssl("x509", "-noout", "-serial", text=shown))
                if expected in seen:
                    break
                assert time.monotonic() < deadline, "the new certificate is not shown"
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == [] and asked[0] > 50


def test_slow_callers_are_cut_and_hold_nobody_up(data, authority):
    limits = "[http]\nheaderSeconds = 1\nidleSeconds = 2\n"
    tls = section(*authority.issue("server-slow"), "handshakeSeconds = 1\n")
    with serving(data, limits + tls) as server:
        made = context(authority)
        silent = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(100)]
        began = time.monotonic()
        assert handshake(server.port, made)[0] == "TLSv1.3"
        assert time.monotonic() - began < 2
        plain = socket.create_connection(("127.0.0.1", server.port), 20)
        with made.wrap_socket(plain, server_hostname="localhost") as drip:
            with contextlib.suppress(OSError, ssl.SSLError):
                for byte in b"GET /healthz HTTP/1.1\r\nHost: " + b"a" * 200:
                    drip.sendall(bytes([byte]))
                    time.sleep(0.1)
                pytest.fail("a header that never ends was let drip for 20 s")
        for one in silent:
            with one, contextlib.suppress(ConnectionError):
                assert one.recv(10) == b""
        assert time.monotonic() - began < 15


def test_the_development_authority(data):
    with serving(data, '[tls]\nmode = "development"\nnames = ["dancu.test"]\n') as server:
        ca = data / "tls" / "ca.crt"
        made = ssl.create_default_context(cafile=str(ca))
        assert handshake(server.port, made)[0] == "TLSv1.3"
        assert all(f.stat().st_mode & 0o777 == 0o600 for f in (data / "tls").iterdir())
        session = requests.Session()
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"{server.url}/healthz", timeout=10)
        answer = session.get(f"{server.url}/nowhere", verify=str(ca), timeout=10)
        assert answer.status_code == 404
