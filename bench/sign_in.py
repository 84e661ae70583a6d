"""People of a demo server sign in again and again; `bench/sign-in.sh` is the way to run it.

    sign_in.py DEMO_JSON SECONDS    each signs in at a device of theirs, all at once, so long;
                                    prints how many a second, and how long one took

The first sign-in of each gives the second factor and makes the device known; those that are
counted are as at 07:50: password, device, session, both entries.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import struct
import sys
import threading
import time
import urllib.parse

STEP_S = 30
SESSION = "dancu"
#: Status of an answer that sends on, and of one that says: come back in a moment.
SENT_ON, BUSY = 303, 503


class Browser:
    """One person's browser: a connection, cookies, the token of the last page."""

    def __init__(self, base_url: str, person: dict):
        place = urllib.parse.urlsplit(base_url)
        self.line = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        self.person, self.cookies = person, {}

    def send(self, method: str, path: str, **fields) -> tuple[int, str, str]:
        headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded",
                   "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        body = urllib.parse.urlencode(fields) if method == "POST" else None
        self.line.request(method, path, body, headers)
        answer = self.line.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, value = cookie.split(";", 1)[0].split("=", 1)
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer.status, answer.headers.get("location", ""), text

    def sign_in(self) -> tuple[int, str]:
        """From the form to the session, as in the morning; the last status and page."""
        self.cookies.pop(SESSION, None)
        _, _, page = self.send("GET", "/sign-in")
        status, _, page = self.send("POST", "/sign-in", **hidden(page, "/sign-in"),
                                    login=self.person["login"], password=self.person["password"])
        return status, page

    def enrol(self) -> None:
        """The first sign-in, with the factor, from then on at a known device."""
        _, page = self.sign_in()
        status, _, page = self.send("POST", "/sign-in/factor", **hidden(page, "/sign-in/factor"),
                                    code=code(self.person["totpSecret"]), enrol="yes")
        if status != SENT_ON:
            sys.exit(f"{self.person['login']}: {status} at the second factor")


def hidden(page: str, action: str) -> dict[str, str]:
    """Hidden fields of the form that goes to `action`."""
    for form in re.findall(r"<form\b.*?</form>", page, re.S):
        if f'action="{action}"' in form.split(">", 1)[0]:
            return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    sys.exit(f"no form to {action}: {page[:300]}")


def code(secret: str) -> str:
    """The code of an app (RFC 6238)."""
    step = struct.pack(">Q", int(time.time()) // STEP_S)
    digest = hmac.new(base64.b32decode(secret), step, hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def again_and_again(browser: Browser, end: float, times: list[float], busy: list[int],
                    odd: list[str]) -> None:
    while time.monotonic() < end:
        began = time.monotonic()
        status, _ = browser.sign_in()
        if status == SENT_ON:
            times.append(time.monotonic() - began)
        elif status == BUSY:
            busy.append(status)
            time.sleep(1)
        else:
            odd.append(f"{browser.person['login']}: {status}")
            return


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        demo = json.load(file)
    browsers = [Browser(demo["baseUrl"], person) for person in demo["people"]]
    for browser in browsers:
        browser.enrol()
    print("ready", flush=True)
    times, busy, odd = [], [], []
    began = time.monotonic()
    end = began + float(sys.argv[2])
    threads = [threading.Thread(target=again_and_again, args=(browser, end, times, busy, odd))
               for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    if odd or not times:
        sys.exit(f"somebody was not let in: {odd}")
    times.sort()
    print(f"sign-ins: {len(times) / took:.1f}/s of {len(browsers)} people, "
          f"p50 {times[len(times) // 2]:.2f} s, "
          f"p99 {times[len(times) * 99 // 100]:.2f} s, busy {len(busy)}")


if __name__ == "__main__":
    main()
