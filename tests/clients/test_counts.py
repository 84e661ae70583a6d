"""Daily counts, windows, locks and pace, seen from outside; each check has its own server."""

from __future__ import annotations

import subprocess

import pytest
from dancu_client import Rest, Server, Soap, binary, environment, instant, set_clock, subject

DAY = "2026-03-02"
NEXT = "2026-03-03"
VERIFY = "citizen.verify"
NOBODY = {"personalId": "099099999999"}


def move(demo, now: str) -> None:
    answer = set_clock(demo, now)
    assert answer.status_code in (200, 204), answer.text


def at(day: str, clock: str) -> str:
    return f"{day}T{clock}+07:00"


def refused(answer, status: int, rule: str) -> dict:
    assert answer.status_code == status, (answer.status_code, answer.text[:400])
    body = answer.json()
    assert body["ruleId"] == rule, body
    assert body["correlationId"] and body["titleVi"] and body["whatToDoVi"], body
    return body


def use_up(rest: Rest, citizen: dict, window: str = "inHours") -> int:
    """Sends until the verify line has nothing left; gives how many were accepted."""
    left = rest.line(VERIFY, window)["left"]
    for more in range(left, 0, -1):
        answer = rest.verify(citizen)
        assert answer.status_code == 200, (more, answer.text[:400])
        assert answer.json()["usage"]["remaining"] == more - 1
    return left


@pytest.fixture
def demo(own_server):
    return own_server.demo


@pytest.fixture
def small(demo):
    return Rest(demo, "SMALL")


@pytest.fixture
def person(demo):
    return demo.plain()


def test_the_21st_is_refused(small, person):
    line = small.line(VERIFY)
    assert (line["registered"], line["used"], line["left"]) == (20, 0, 20)
    assert use_up(small, person) == 20
    told = refused(small.verify(person), 429, "D2")
    assert told["usage"]["remaining"] == 0, "remaining and reset stand on refusals too"
    assert instant(told["usage"]["resetsAt"]) == instant(at(NEXT, "07:00:00"))
    line = small.line(VERIFY)
    assert (line["used"], line["left"], line["exceedances"]) == (20, 0, 1)
    assert line["locked"] is None
    assert instant(line["resetsAt"]) == instant(at(NEXT, "07:00:00"))
    assert small.lookup(person).status_code == 200, "the other lines go on"
    soap = Soap(small.demo, "SMALL").verify(person)
    assert soap.status == 500 and soap.fault["ruleId"] == "D2", "SOAP uses the same line"


def test_no_match_counts_and_refusals_do_not(small, person):
    for _ in range(5):
        assert small.verify(person, procedureCode="9.999999").status_code == 403
        assert small.verify(person, subject=subject(person, personalId="1")).status_code == 422
    nobody = subject(person, **NOBODY)
    for _ in range(20):
        assert small.verify(person, subject=nobody).status_code == 200
    refused(small.verify(person, subject=nobody), 429, "D2")


def test_a_repeat_is_answered_on_a_full_line(small, person):
    body = small.head(VERIFY, subject(person))
    path = "/api/v1/citizens/verify"
    assert small.send("POST", path, json=body).status_code == 200
    use_up(small, person)
    refused(small.verify(person), 429, "D2")
    assert small.send("POST", path, json=body).json()["result"] == "match"
    assert small.line(VERIFY)["used"] == 20
    refused(small.verify(person, requestId=body["requestId"] + "x"), 429, "D2")


def test_windows_and_the_duty_day(demo, small, person):
    use_up(small, person)
    refused(small.verify(person), 429, "D2")
    move(demo, at(DAY, "17:59:50"))
    refused(small.verify(person), 429, "D2")
    move(demo, at(DAY, "18:00:00"))
    usage = small.usage()
    assert (usage["window"], usage["dutyDay"]) == ("offHours", DAY)
    assert small.line(VERIFY, "offHours")["left"] == 10
    assert use_up(small, person, "offHours") == 10
    refused(small.verify(person), 429, "D2")
    assert small.usage()["offHoursTotal"]["used"] == 10
    move(demo, at(NEXT, "00:00:01"))
    refused(small.verify(person), 429, "D2")
    assert small.usage()["dutyDay"] == DAY, "an off-hours window belongs to the date it began on"
    move(demo, at(NEXT, "06:59:58"))
    refused(small.verify(person), 429, "D2")
    move(demo, at(NEXT, "07:00:00"))
    answer = small.verify(person)
    assert answer.status_code == 200 and answer.json()["usage"]["remaining"] == 19
    usage = small.usage()
    assert (usage["window"], usage["dutyDay"]) == ("inHours", NEXT)
    assert usage["offHoursTotal"]["used"] == 0
    assert all(row["exceedances"] == 0 for row in usage["lines"])


def test_the_second_exceedance_locks_the_line(demo, small, person):
    body = small.head(VERIFY, subject(person))
    path = "/api/v1/citizens/verify"
    assert small.send("POST", path, json=body).status_code == 200
    use_up(small, person)
    for _ in range(150):  # the whole quarter of an hour belongs to the first exceedance
        refused(small.verify(person), 429, "D2")
    assert small.line(VERIFY)["exceedances"] == 1
    move(demo, at(DAY, "09:20:00"))
    for _ in range(101):  # max(100, 10 % of 20) may be refused; one more makes the second
        refused(small.verify(person), 429, "D2")
    told = refused(small.verify(person), 403, "D3")
    assert "retryAfter" not in told or told["retryAfter"] > 0
    line = small.line(VERIFY)
    assert line["exceedances"] == 2
    assert line["locked"]["ruleId"] == "D3" and instant(line["locked"]["since"])
    assert instant(line["locked"]["until"]) == instant(at(NEXT, "07:00:00"))
    refused(small.send("POST", path, json=body), 403, "D3")
    assert small.lookup(person).status_code == 200, "the lock is on one line"
    move(demo, at(NEXT, "07:00:00"))
    assert small.verify(person).status_code == 200
    assert small.line(VERIFY)["locked"] is None


def test_a_lock_survives_a_restart(own_server, small, person):
    use_up(small, person)
    refused(small.verify(person), 429, "D2")
    move(own_server.demo, at(DAY, "09:20:00"))
    for _ in range(101):
        refused(small.verify(person), 429, "D2")
    refused(small.verify(person), 403, "D3")
    own_server.stop()
    again = Server.start(own_server.data, clock=at(DAY, "10:00:00"))
    try:
        rest = Rest(again.demo, "SMALL")
        refused(rest.verify(person), 403, "D3")
        line = rest.line(VERIFY)
        assert (line["used"], line["exceedances"]) == (20, 2)
    finally:
        again.stop()


class Services:
    """One question to each service, over the interface that offers it."""

    def __init__(self, demo, system: str):
        self.rest, self.soap, self.citizen = Rest(demo, system), Soap(demo, system), demo.plain()
        self.other = demo.without_old_id()

    def ask(self, service: str) -> tuple[bool, str | None] | None:
        """(accepted, rule id) of one question; None for services without an operation yet."""
        over_rest = {
            "citizen.verify": lambda: self.rest.verify(self.citizen),
            "citizen.lookup": lambda: self.rest.lookup(self.citizen),
            "household.lookup": lambda: self.rest.household(self.citizen),
            "relation.verify": lambda: self.rest.relation(self.citizen, "father", self.other),
        }
        over_soap = {
            "citizen.provide": ("CungCapThongTinCongDan", []),
            "bloodGroup.provide": ("CungCapThongTinNhomMau", []),
            "marital.verify": ("XacMinhTinhTrangHonNhan", [("TinhTrang", "1")]),
            "vitalStatus.verify": ("XacMinhTinhTrangChetMatTich", [("TinhTrang", "1")]),
            "residence.verify": ("XacMinhThongTinNoiOHienTai", [
                ("DiaChi", [("MaTinhThanh", "01"), ("MaPhuongXa", "00004")])]),
        }
        if service in over_rest:
            answer = over_rest[service]()
            return answer.status_code == 200, answer.json().get("ruleId")
        if service in over_soap:
            operation, more = over_soap[service]
            answer = self.soap.call(operation, self.soap.fields(service, self.citizen) + more)
            return answer.status == 200, answer.fault["ruleId"] if answer.is_fault else None
        return None


def test_the_off_hours_total_ends_at_1000(demo):
    move(demo, at(DAY, "18:00:00"))
    night = Services(demo, "NIGHT")
    lines = [row for row in night.rest.usage()["lines"] if row["window"] == "offHours"]
    assert sum(row["registered"] for row in lines) == 1000
    asked = 0
    for row in lines:
        for _ in range(row["left"]):
            answer = night.ask(row["service"])
            if answer is None:
                break
            assert answer == (True, None), (row["service"], asked, answer)
            asked += 1
    total = night.rest.usage()["offHoursTotal"]
    assert total["cap"] == 1000 and total["used"] == asked
    assert asked == 1000, "NIGHT's lines belong to services that can be asked"
    for row in lines:  # the line and the total end together
        accepted, rule = night.ask(row["service"])
        assert not accepted and rule == "D2", (row["service"], rule)
    assert night.rest.usage()["offHoursTotal"]["used"] == 1000
    move(demo, at(NEXT, "07:00:00"))
    assert night.rest.usage()["offHoursTotal"]["used"] == 0


def test_the_off_hours_total_refuses_while_the_line_has_room(own_server, demo, person):
    """A raise adds to its line, not to the total of all lines (D4)."""
    own_server.stop()
    act = ["operate", "raise", "--data", str(own_server.data), "--system", "NIGHT", "--service",
           "citizen.verify", "--window", "offHours", "--extra", "500", "--reason", "cao điểm",
           "--by", "Lê Mẫu"]
    done = subprocess.run([str(binary()), *act], capture_output=True, text=True, timeout=60,
                          env=environment(own_server.data))
    assert done.returncode == 0, done.stderr
    again = Server.start(own_server.data, clock=at(DAY, "18:00:00"))
    try:
        night = Rest(again.demo, "NIGHT")
        for asked in range(1000):
            answer = night.verify(person)
            assert answer.status_code == 200, (asked, answer.text[:400])
        told = refused(night.verify(person), 429, "D4")
        assert told["code"] == "012"
        assert night.line(VERIFY, "offHours")["left"] == 100
        total = night.usage()["offHoursTotal"]
        assert total == {"cap": 1000, "used": 1000}
        refused(night.lookup(person), 429, "D4")
    finally:
        again.stop()


def test_no_form_grants_more_than_1000_off_hours(demo):
    for code, system in demo.systems.items():
        assert sum(s["offHours"] for s in system["services"]) <= 1000, code


def test_pace_stops_a_script_on_an_officers_account(demo, person):
    officer = Rest(demo, "ONESTOP", demo.system("ONESTOP").account("officer"))
    before = officer.line(VERIFY)["used"]
    accepted = 0
    for _ in range(400):
        answer = officer.verify(person)
        if answer.status_code != 200:
            break
        accepted += 1
    told = refused(answer, 429, "D7")
    assert 1 <= accepted < 400
    assert told["retryAfter"] > 0
    assert int(answer.headers["Retry-After"]) == told["retryAfter"]
    assert officer.line(VERIFY)["used"] == before + accepted, "a refusal for pace counts nothing"
    assert Rest(demo, "ONESTOP").verify(person).status_code == 200, "pace is per account"
    move(demo, at(DAY, "09:10:00"))
    assert officer.verify(person).status_code == 200


def test_an_accounts_hard_stop_is_twice_its_daily_figure(demo, person):
    """An officer who keeps within the pace is stopped at twice the declared figure."""
    choices = [(account["daily"], code, account["login"])
               for code, system in demo.systems.items() if system["state"] == "live"
               for account in system["accounts"] if account["kind"] == "officer"
               and (system.service(VERIFY) or {"inHours": 0})["inHours"] > 2 * account["daily"]]
    assert choices, "no officer could reach the hard stop before the line ends"
    daily, code, login = min(choices)
    officer = Rest(demo, code, login)
    used = next(row["used"] for row in officer.usage()["accounts"]
                if row["login"].lower() == login.lower())
    minute, accepted = 9 * 60 + 1, 0
    while True:
        answer = officer.verify(person)
        if answer.status_code == 200:
            accepted += 1
            assert accepted <= 2 * daily
        elif answer.json()["ruleId"] == "D7":
            minute += max(1, -(-answer.json()["retryAfter"] // 60))
            assert minute < 18 * 60, f"the pace lets {accepted} of {2 * daily} through in a day"
            move(demo, at(DAY, f"{minute // 60:02}:{minute % 60:02}:00"))
        else:
            break
    refused(answer, 429, "D2")
    assert used + accepted == 2 * daily
    other = Rest(demo, code)
    assert other.verify(person).status_code == 200, "the line itself goes on"


def test_the_clock_moves_forward_only(demo, small, person):
    move(demo, at(DAY, "12:00:00"))
    assert set_clock(demo, at(DAY, "11:59:00")).status_code == 409
    entries = small.verify(person).json()["journal"]["index"]
    assert small.verify(person).json()["journal"]["index"] > entries
