"""The REST interface: tokens, questions and answers, refusals, request ids, bad input."""

from __future__ import annotations

import concurrent.futures
import json
import re

import pytest
import requests

from dancu_client import (
    Rest, client_assertion, instant, name_habits, one_accent_wrong, request_id, subject,
    token_request,
)

VERIFY = "/api/v1/citizens/verify"
NOBODY = {"personalId": "099099999999"}


@pytest.fixture
def person(demo):
    return demo.plain()


def ok(answer) -> dict:
    assert answer.status_code == 200, (answer.status_code, answer.text[:500])
    return answer.json()


def problem(answer, status: int, rules: str = "") -> dict:
    """Asserts an RFC 9457 problem with all that a caller needs to go on."""
    assert answer.status_code == status, (answer.status_code, answer.text[:500])
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    body = answer.json()
    assert body["correlationId"] and body["title"] and body["status"] == status, body
    for text in ("titleVi", "whatToDoVi"):
        assert re.search(r"[^\x00-\x7f]", body[text]), (text, body)
    if rules:
        assert body["ruleId"] in rules.split(), body
    return body


def bad_input(answer, field: str = "") -> dict:
    body = problem(answer, 422)
    assert body["errors"], body
    for error in body["errors"]:
        assert re.search(r"[^\x00-\x7f]", error["messageVi"]), error
    if field:
        assert any(error["field"].split(".")[-1] == field for error in body["errors"]), body
    return body


# --- tokens -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["basic", "post"])
def test_tokens_by_client_secret(demo, rest, person, how):
    oauth = demo.system("ONESTOP")["oauth"]
    answer = token_request(demo, oauth["clientId"], oauth["clientSecret"], how=how)
    token = ok(answer)
    assert token["token_type"].lower() == "bearer" and token["expires_in"] > 0
    assert "no-store" in answer.headers["Cache-Control"]
    usage = rest.send("GET", "/api/v1/usage", token=token["access_token"])
    assert usage.status_code == 200


@pytest.mark.parametrize("how", ["basic", "post"])
def test_wrong_secret_and_unknown_client_look_alike(demo, how):
    oauth = demo.system("ONESTOP")["oauth"]
    seen = []
    for client, secret in ((oauth["clientId"], "x" * 40), ("nobody-here", "x" * 40)):
        answer = token_request(demo, client, secret, how=how)
        assert answer.status_code == 401, answer.text
        assert answer.json()["error"] == "invalid_client"
        seen.append({k: v for k, v in answer.json().items() if k != "correlationId"})
    assert seen[0] == seen[1]


def test_tokens_by_private_key_jwt(demo, person):
    """RFC 7523: an assertion names this token endpoint, is fresh, and is used once."""
    oauth = demo.system("BANK")["oauth"]
    endpoint = f"{demo.base_url}/oauth/token"
    for audience in (endpoint, demo.base_url):
        assertion = client_assertion(oauth, audience)
        token = ok(token_request(demo, "", assertion, how="assertion"))["access_token"]
        bank = Rest(demo, "BANK")
        body = bank.head("citizen.verify", subject(person))
        assert ok(bank.send("POST", VERIFY, json=body, token=token))["result"] == "match"
    head, claims, signature = client_assertion(oauth, endpoint).split(".")
    other_claims = client_assertion(oauth, endpoint).split(".")[1]
    wrong = {
        "replayed": assertion,
        "another audience": client_assertion(oauth, "https://dancu.example/oauth/token"),
        "expired": client_assertion(oauth, endpoint, life_s=-5),
        "good for an hour": client_assertion(oauth, endpoint, life_s=3600),
        "another client": client_assertion(oauth, endpoint, iss="onestop", sub="onestop"),
        "nobody": client_assertion(oauth, endpoint, iss="nobody-here", sub="nobody-here"),
        "issuer is not subject": client_assertion(oauth, endpoint, iss="onestop"),
        "altered": f"{head}.{other_claims}.{signature}",
        "no signature": f"{head}.{claims}.",
    }
    seen = set()
    for what, sent in wrong.items():
        answer = token_request(demo, "", sent, how="assertion")
        assert answer.status_code == 401, (what, answer.text)
        told = {k: v for k, v in answer.json().items() if k != "correlationId"}
        assert told["error"] == "invalid_client", (what, told)
        seen.add(json.dumps(told, sort_keys=True))
    assert len(seen) == 1, "what was wrong is not told"
    # What failed used nothing up: the same claims with their own signature are good.
    ok(token_request(demo, "", f"{head}.{claims}.{signature}", how="assertion"))
    holders = [code for code, s in demo.systems.items() if "privateKeyPem" in s["oauth"]]
    assert holders == ["BANK"], "the others have no key pair registered"


def test_other_grants_are_not_offered(demo):
    oauth = demo.system("ONESTOP")["oauth"]
    answer = token_request(demo, oauth["clientId"], oauth["clientSecret"], grant="password")
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi"])
def test_requests_without_a_valid_token(rest, person, value):
    body = rest.head("citizen.verify", subject(person))
    answer = rest.send("POST", VERIFY, json=body, headers={"Authorization": value})
    problem(answer, 401)
    assert "bearer" in answer.headers["WWW-Authenticate"].lower()


def test_a_token_cannot_be_altered(rest):
    token = rest.token()
    at = len(token) // 2
    altered = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
    problem(rest.send("GET", "/api/v1/usage", token=altered), 401)


# --- verification ---------------------------------------------------------------------------


def test_a_match_carries_everything_promised(rest, person):
    sent = request_id()
    first = ok(rest.verify(person, requestId=sent))
    assert first["requestId"] == sent and first["result"] == "match"
    assert first["alive"] is True and first["correlationId"]
    assert "precision" not in first and "claims" not in first
    assert instant(first["usage"]["resetsAt"]) == instant("2026-03-03T07:00:00+07:00")
    second = ok(rest.verify(person))
    assert second["journal"]["index"] > first["journal"]["index"]
    assert second["usage"]["remaining"] == first["usage"]["remaining"] - 1


def test_what_does_not_agree_is_no_match_and_tells_nothing_more(rest, person, demo):
    other = next(c for c in demo.citizens if c["fullName"] != person["fullName"])
    for changes in (NOBODY, {"fullName": other["fullName"]}, {"dateOfBirth": "1901-01-01"},
                    {"fullName": one_accent_wrong(person["fullName"])}):
        answer = ok(rest.verify(person, subject=subject(person, **changes), claims={"sex": "1"}))
        assert answer["result"] == "noMatch"
        assert "claims" not in answer and answer.get("alive") is None
        assert "precision" not in answer


@pytest.mark.parametrize("habit", name_habits("An"))
def test_names_in_every_habit(rest, person, habit):
    name = name_habits(person["fullName"])[habit]
    assert ok(rest.verify(person, subject=subject(person, fullName=name)))["result"] == "match"


def test_old_id(rest, person):
    assert ok(rest.verify(person, subject=subject(person, use_old=True)))["result"] == "match"


def test_a_shared_old_id_is_decided_by_name_and_birth(rest, demo):
    one, two = demo.shared_old_id()
    for citizen in (one, two):
        keys = subject(citizen, use_old=True)
        assert ok(rest.verify(citizen, subject=keys))["result"] == "match"
        found = ok(rest.lookup(citizen, subject=keys))["citizen"]
        assert found["personalId"] == citizen["personalId"]
    mixed = subject(one, use_old=True, fullName=two["fullName"])
    if (one["fullName"], one["dateOfBirth"]) != (two["fullName"], two["dateOfBirth"]):
        expected = "match" if one["dateOfBirth"] == two["dateOfBirth"] else "noMatch"
        assert ok(rest.verify(one, subject=mixed))["result"] == expected


def test_precision_year_is_said_then_and_only_then(rest, demo, person):
    by_year = subject(person, dateOfBirth=person["dateOfBirth"][:4])
    answer = ok(rest.verify(person, subject=by_year))
    assert (answer["result"], answer["precision"]) == ("match", "year")
    old = demo.year_only()
    asked_fully = subject(old, dateOfBirth=f"{old['dateOfBirth']}-07-04")
    answer = ok(rest.verify(old, subject=asked_fully))
    assert (answer["result"], answer["precision"]) == ("match", "year")
    wrong = subject(old, dateOfBirth=str(int(old["dateOfBirth"]) + 1))
    answer = ok(rest.verify(old, subject=wrong))
    assert answer["result"] == "noMatch" and "precision" not in answer


def test_the_dead_are_said_to_be_dead(rest, demo):
    answer = ok(rest.verify(demo.deceased()))
    assert answer["result"] == "match" and answer["alive"] is False


def test_a_purpose_may_be_stated(rest, person):
    purpose = rest.system["procedures"][0]["purpose"]
    code = rest.system["procedures"][0]["code"]
    answer = rest.verify(person, procedureCode=code, purpose=purpose)
    assert ok(answer)["result"] == "match"


def test_claims_agree_with_what_a_look_up_tells(rest, person):
    known = ok(rest.lookup(person))["citizen"]
    grant = set(rest.system.service("citizen.verify")["fields"])
    keys = {"personalId", "oldId", "fullName", "dateOfBirth", "vitalStatus"}
    told = {k: v for k, v in known.items() if v and k in grant and k not in keys
            and isinstance(v, str)
            # An unknown code on record is no data: a claim about it stays unknown.
            and (k, v) not in {("bloodGroup", "00"), ("maritalStatus", "0"), ("ethnicity", "99")}}
    assert {"sex", "ethnicity"} <= set(told), (told, grant)
    answer = ok(rest.verify(person, claims=told))
    assert answer["claims"] == dict.fromkeys(told, "match")
    wrong = {"sex": "2" if told["sex"] == "1" else "1",
             "ethnicity": "02" if told["ethnicity"] != "02" else "03"}
    assert ok(rest.verify(person, claims=wrong))["claims"] == dict.fromkeys(wrong, "mismatch")


def test_claims_about_an_address(rest, person):
    home = ok(rest.lookup(person))["citizen"]["permanentResidence"]
    asked = {"provinceCode": home["provinceCode"], "communeCode": home["communeCode"]}
    answer = ok(rest.verify(person, claims={"permanentResidence": asked}))
    assert answer["claims"] == {"permanentResidence": "match"}
    asked = {"provinceCode": "01", "communeCode": "00004"}
    if home["communeCode"] == "00004":
        asked = {"provinceCode": "79", "communeCode": "26740"}
    answer = ok(rest.verify(person, claims={"permanentResidence": asked}))
    assert answer["claims"] == {"permanentResidence": "mismatch"}


def test_claims_about_relatives(rest, demo):
    citizen = demo.child()
    father = demo.by_id[citizen["father"]]
    stranger = demo.without_old_id()
    for who, expected in ((father, "match"), (stranger, "mismatch")):
        claim = {"father": {"personalId": who["personalId"], "fullName": who["fullName"]}}
        assert ok(rest.verify(citizen, claims=claim))["claims"] == {"father": expected}


# --- look-up, household, relation ------------------------------------------------------------


def test_lookup_gives_granted_fields_only(rest, person):
    answer = ok(rest.lookup(person))
    found = answer["citizen"]
    assert found["personalId"] == person["personalId"]
    assert found["oldId"] == person["oldId"]
    assert found["dateOfBirth"] == person["dateOfBirth"]
    assert name_habits(found["fullName"])["upper case"] == person["fullName"].upper()
    assert set(found) <= set(rest.system.service("citizen.lookup")["fields"])
    assert answer["journal"]["index"] >= 0 and answer["usage"]["remaining"] >= 0


def test_lookup_of_nobody_is_null(rest, person):
    for changes in (NOBODY, {"dateOfBirth": "1901-01-01"}):
        answer = rest.lookup(person, subject=subject(person, **changes))
        assert ok(answer)["citizen"] is None
        assert person["personalId"] not in answer.text


def test_household(rest, demo):
    citizen, members = demo.household()
    found = ok(rest.household(citizen))["household"]
    assert found["number"]
    assert members <= {member["personalId"] for member in found["members"]}
    roles = [member["householdRole"] for member in found["members"]]
    assert roles.count("CH01") == 1, roles
    grant = set(rest.system.service("household.lookup")["fields"]) | {"householdRole"}
    assert all(set(member) <= grant for member in found["members"])


def test_household_of_nobody_is_null_and_counts_one(rest, person):
    before = rest.line("household.lookup")["used"]
    answer = ok(rest.household(person, subject=subject(person, **NOBODY)))
    assert answer["household"] is None
    citizen, _ = rest.demo.household()
    ok(rest.household(citizen))
    assert rest.line("household.lookup")["used"] == before + 2


def test_relations(rest, demo):
    citizen = demo.child()
    for relation in ("father", "mother", "householdHead"):
        other = demo.by_id[citizen[relation]]
        assert ok(rest.relation(citizen, relation, other))["result"] == "match"
    father = demo.by_id[citizen["father"]]
    assert ok(rest.relation(citizen, "mother", father))["result"] == "noMatch"
    couple = demo.married()
    spouse = demo.by_id[couple["spouse"]]
    assert ok(rest.relation(couple, "spouse", spouse))["result"] == "match"
    assert ok(rest.relation(citizen, "guardian", demo.without_old_id()))["result"] == "noMatch"


def test_a_relative_without_a_number(rest, demo):
    citizen = demo.child()
    mother = demo.by_id[citizen["mother"]]
    body = rest.head("relation.verify", subject(citizen), relation="mother",
                     other={"fullName": mother["fullName"]})
    answer = ok(rest.send("POST", "/api/v1/relations/verify", json=body))
    assert answer["result"] == "match"


def test_an_unknown_relation(rest, demo):
    citizen = demo.child()
    bad_input(rest.relation(citizen, "cousin", demo.by_id[citizen["father"]]), "relation")


# --- refusals ----------------------------------------------------------------------------------


def test_a_service_that_is_not_granted(demo, person):
    only = Rest(demo, "VERIFYONLY")
    assert ok(only.verify(person))["result"] == "match"
    told = problem(only.lookup(person), 403, "A4")
    problem(only.household(person), 403, "A4")
    nobody = problem(only.lookup(person, subject=subject(person, **NOBODY)), 403, "A4")
    for body in (told, nobody):
        for changing in ("correlationId", "instance", "requestId", "journal"):
            body.pop(changing, None)
    assert told == nobody, "a refusal must not tell whether someone exists"


def test_a_field_that_is_not_granted(demo, person):
    only = Rest(demo, "VERIFYONLY")
    granted = set(only.system.service("citizen.verify")["fields"])
    samples = {"religion": "00", "bloodGroup": "01", "ethnicity": "01", "maritalStatus": "1"}
    field = next(name for name in samples if name not in granted)
    problem(only.verify(person, claims={field: samples[field]}), 403, "A4")


def test_a_group_two_system_may_verify_and_no_more(demo, person):
    bank = Rest(demo, "BANK")
    assert bank.system["group"] == 2
    assert ok(bank.verify(person))["result"] == "match"
    problem(bank.household(person), 403, "A4")


def test_a_connection_that_is_not_live_gets_a_token_and_the_reason(demo, person):
    problem(Rest(demo, "SUSPENDED").verify(person), 403, "B3")


@pytest.mark.parametrize("code", ["9.999999", "1.000000"])
def test_an_unregistered_procedure(rest, person, code):
    problem(rest.verify(person, procedureCode=code), 403, "B10")


def test_a_purpose_that_is_not_registered(rest, person):
    problem(rest.verify(person, purpose="tò mò"), 403, "A5")


def test_unknown_foreign_and_dead_accounts_look_alike(rest, demo, person):
    accounts = ["khong.co.ai.ca", demo.system("SMALL").account("officer")]
    accounts += [a["login"] for a in rest.system["accounts"]
                 if a.get("state", "active") != "active"]
    seen = []
    for account in accounts:
        body = problem(rest.verify(person, account=account), 403, "E1")
        for changing in ("correlationId", "instance", "requestId", "journal"):
            body.pop(changing, None)
        seen.append(json.dumps(body, sort_keys=True))
    assert len(set(seen)) == 1, seen


def test_logins_are_case_insensitive(rest, person):
    assert ok(rest.verify(person, account=rest.account.upper()))["result"] == "match"


def test_a_refusal_is_explained_to_its_system_only(demo, person):
    only = Rest(demo, "VERIFYONLY")
    told = problem(only.lookup(person), 403, "A4")
    path = f"/api/v1/refusals/{told['correlationId']}"
    answer = only.send("GET", path)
    why = ok(answer)
    assert why["ruleId"] == "A4" and why["whatToDoVi"]
    assert person["personalId"] not in answer.text and person["fullName"] not in answer.text
    problem(Rest(demo, "ONESTOP").send("GET", path), 404)
    problem(only.send("GET", "/api/v1/refusals/khong-co"), 404)


# --- request ids -------------------------------------------------------------------------------


def test_a_repeat_is_answered_again_journaled_and_not_counted(rest, person):
    body = rest.head("citizen.verify", subject(person), claims={"sex": "1"})
    first = ok(rest.send("POST", VERIFY, json=body))
    used = rest.line("citizen.verify")["used"]
    turned = json.dumps(dict(reversed(body.items())), indent=3, ensure_ascii=True)
    answer = rest.send("POST", VERIFY, data=turned, headers={"Content-Type": "application/json"})
    again = ok(answer)
    assert rest.line("citizen.verify")["used"] == used
    assert again["journal"]["index"] > first["journal"]["index"]
    for name in ("result", "claims", "alive", "requestId"):
        assert again[name] == first[name]


def test_an_id_with_another_body_is_a_conflict(rest, demo, person):
    number = request_id()
    ok(rest.verify(person, requestId=number))
    used = rest.line("citizen.verify")["used"]
    problem(rest.verify(demo.without_old_id(), requestId=number), 409)
    problem(rest.lookup(person, requestId=number), 409)
    assert rest.line("citizen.verify")["used"] == used


def test_ids_of_two_systems_do_not_meet(demo, rest, person):
    number = request_id()
    ok(rest.verify(person, requestId=number))
    ok(Rest(demo, "VERIFYONLY").verify(demo.without_old_id(), requestId=number))


def test_a_refused_id_is_decided_as_new(rest, person):
    number = request_id()
    body = rest.head("citizen.verify", subject(person), requestId=number)
    problem(rest.send("POST", VERIFY, json=body | {"procedureCode": "9.999999"}), 403)
    assert ok(rest.send("POST", VERIFY, json=body))["result"] == "match"


def test_two_in_flight_count_once(rest, person):
    before = rest.line("citizen.verify")["used"]
    bodies = [rest.head("citizen.verify", subject(person)) for _ in range(5)]
    twice = [body for body in bodies for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda body: rest.send("POST", VERIFY, json=body), twice))
    assert {answer.status_code for answer in answers} == {200}
    indexes = [answer.json()["journal"]["index"] for answer in answers]
    assert len(set(indexes)) == len(twice), "each answer has its own journal entry"
    assert rest.line("citizen.verify")["used"] == before + len(bodies)


# --- usage and journal ------------------------------------------------------------------------


def test_usage_lists_every_line_of_both_windows(rest):
    usage = rest.usage()
    assert usage["dutyDay"] == "2026-03-02" and usage["window"] == "inHours"
    registered = {s["code"]: s for s in rest.system["services"]}
    lines = {(row["service"], row["window"]): row for row in usage["lines"]}
    assert set(lines) == {(code, window) for code in registered
                          for window in ("inHours", "offHours")}
    for (service, window), row in lines.items():
        assert row["registered"] == registered[service][window]
        assert row["left"] == row["registered"] - row["used"] >= 0
        assert row["exceedances"] == 0 and row["locked"] is None
        assert instant(row["resetsAt"]).utcoffset() is not None
    assert usage["offHoursTotal"]["cap"] == 1000
    accounts = {row["login"].lower(): row for row in usage["accounts"]}
    for account in rest.system["accounts"]:
        row = accounts[account["login"].lower()]
        assert row["daily"] == account["daily"] and row["hardStop"] == 2 * row["daily"]
        assert row["used"] <= row["hardStop"]


def test_one_query_counts_on_its_line_and_account(rest, person):
    before = rest.usage()
    ok(rest.verify(person))
    ok(rest.verify(person, subject=subject(person, **NOBODY)))
    problem(rest.verify(person, procedureCode="9.999999"), 403)
    bad_input(rest.verify(person, subject=subject(person, personalId="1")))
    after = rest.usage()

    def used(usage, part, key, value):
        return next(row["used"] for row in usage[part] if row[key] == value)

    for row in before["lines"]:
        now = next(r for r in after["lines"]
                   if (r["service"], r["window"]) == (row["service"], row["window"]))
        expected = 2 if (row["service"], row["window"]) == ("citizen.verify", "inHours") else 0
        assert now["used"] - row["used"] == expected, row
    assert used(after, "accounts", "login", rest.account) - used(
        before, "accounts", "login", rest.account) == 2


def test_the_callers_own_journal(rest, demo, person):
    answered = ok(rest.verify(person))
    refused = problem(rest.verify(person, procedureCode="9.999999"), 403)
    index = answered["journal"]["index"]
    entries = rest.journal(index)
    assert [e["index"] for e in entries] == sorted({e["index"] for e in entries})
    assert entries[0]["index"] == index and len(entries) >= 2
    text = json.dumps(rest.journal(0), ensure_ascii=False)
    assert answered["correlationId"] in text and refused["correlationId"] in text
    for citizen in demo.citizens:
        for secret in (citizen["personalId"], citizen["oldId"], citizen["fullName"]):
            assert not secret or secret not in text
    others = {e["index"] for e in Rest(demo, "VERIFYONLY").journal(0)}
    assert not others & {e["index"] for e in entries}


@pytest.mark.parametrize("value", ["-1", "abc", "1.5", "", "99999999999999999999999"])
def test_a_journal_position_that_is_none(rest, value):
    answer = rest.send("GET", f"/api/v1/journal?from={value}")
    assert answer.status_code == 422, answer.text


def test_a_journal_position_beyond_the_end_is_empty(rest):
    assert rest.journal(10**12) == []


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "value"), [
    ("personalId", "09912345"), ("personalId", "0991234567"), ("personalId", "09912345678"),
    ("personalId", "0991234567890"), ("personalId", "09912345678A"), ("personalId", ""),
    ("personalId", "٠٩٩١٢٣٤٥٦٧٨٩"), ("personalId", " 99123456789"), ("personalId", 99123456789),
    ("personalId", ["099123456789"]), ("personalId", {"a": 1}),
    ("oldId", "12345678"), ("oldId", "1234567890"), ("oldId", "12345678A"),
    ("dateOfBirth", "1990-02-30"), ("dateOfBirth", "1990-13-01"), ("dateOfBirth", "1990-00-10"),
    ("dateOfBirth", "2026-03-03"), ("dateOfBirth", "2027"), ("dateOfBirth", "01/02/1990"),
    ("dateOfBirth", "1990-2-3"), ("dateOfBirth", "0000"), ("dateOfBirth", ""),
    ("dateOfBirth", None), ("dateOfBirth", 1990), ("dateOfBirth", "1990-01-01T00:00:00Z"),
    ("fullName", "Ô" * 1000), ("fullName", "An\u0000Bình"), ("fullName", "An\u0085Bình"),
    ("fullName", "An\u001bBình"), ("fullName", ""), ("fullName", "   "), ("fullName", None),
    ("fullName", 7),
], ids=lambda value: repr(value)[:40])
def test_bad_subjects(rest, person, field, value):
    keys = subject(person, use_old=field == "oldId")
    keys[field] = value
    if value is None:
        del keys[field]
    bad_input(rest.verify(person, subject=keys), field)


@pytest.mark.parametrize(("field", "value"), [
    ("requestId", ""), ("requestId", "x" * 41), ("requestId", "a\nb"), ("requestId", "a\u0007"),
    ("requestId", None), ("requestId", 12),
    ("procedureCode", None), ("procedureCode", ""), ("procedureCode", "x" * 200),
    ("procedureCode", 5),
    ("caseCode", "ab"), ("caseCode", "h" * 61), ("caseCode", "HS 2026"), ("caseCode", "hồ-sơ"),
    ("caseCode", "a;b"), ("caseCode", 5),
    ("account", None), ("account", 5), ("account", ""),
    ("claims", "sex"), ("claims", ["sex"]),
], ids=lambda value: repr(value)[:40])
def test_bad_heads(rest, person, field, value):
    bad_input(rest.verify(person, **{field: value}), field)


@pytest.mark.parametrize("keys", [None, {}, [], "x", 1, {"fullName": "An", "dateOfBirth": "1990"}],
                         ids=repr)
def test_no_usable_subject(rest, person, keys):
    body = rest.head("citizen.verify", subject(person))
    body["subject"] = keys
    bad_input(rest.send("POST", VERIFY, json=body))


def test_several_mistakes_are_told_together(rest, person):
    keys = subject(person, personalId="1", dateOfBirth="1990-02-30")
    errors = bad_input(rest.verify(person, subject=keys))["errors"]
    told = {error["field"].split(".")[-1] for error in errors}
    assert {"personalId", "dateOfBirth"} <= told


def test_a_mistake_never_echoes_what_was_sent(rest, person):
    keys = subject(person, personalId=person["personalId"] + "7")
    answer = rest.verify(person, subject=keys)
    bad_input(answer, "personalId")
    assert person["personalId"] not in answer.text and person["fullName"] not in answer.text


def raw(rest, data: bytes, kind: str = "application/json"):
    headers = {"Content-Type": kind} if kind else {}
    return rest.send("POST", VERIFY, data=data, headers=headers)


def good(rest) -> str:
    return json.dumps(rest.head("citizen.verify", subject(rest.demo.plain())), ensure_ascii=False)


BROKEN = {
    "empty": lambda text: b"",
    "not JSON": lambda text: b"hello",
    "XML": lambda text: b"<a/>",
    "truncated": lambda text: text.encode()[: len(text) // 2],
    "truncated at the end": lambda text: text.encode()[:-1],
    "two values": lambda text: (text + text).encode(),
    "null": lambda text: b"null",
    "array": lambda text: b"[]",
    "string": lambda text: b'"x"',
    "number": lambda text: b"1",
    "trailing comma": lambda text: text[:-1].encode() + b",}",
    "comment": lambda text: b"/* x */" + text.encode(),
    "NaN": lambda text: text[:-1].encode() + b', "x": NaN}',
    "doubled key": lambda text: text[:-1].encode() + b', "requestId": "again"}',
    "doubled key inside": lambda text: text.replace(
        '"fullName"', '"fullName": "X", "fullName"', 1).encode(),
    "doubled key by escapes": lambda text: text[:-1].encode() + rb', "request\u0049d": "again"}',
    "doubled unknown key": lambda text: text[:-1].encode() + b', "x": {"y": 1, "y": 2}}',
    "100 deep": lambda text: text[:-1].encode() + b', "x": ' + b"[" * 100 + b"]" * 100 + b"}",
    "100 deep objects": lambda text: text[:-1].encode() + b', "x": '
        + b'{"a":' * 100 + b"1" + b"}" * 101,
    "30000 deep": lambda text: b"[" * 30_000,
    "invalid UTF-8": lambda text: text.encode().replace(
        b'"fullName": "', b'"fullName": "\xff\xc3'),
    "overlong UTF-8": lambda text: text.encode().replace(
        b'"fullName": "', b'"fullName": "\xc0\xaf'),
    "lone surrogate": lambda text: text.encode().replace(
        b'"fullName": "', rb'"fullName": "\ud800'),
    "UTF-16": lambda text: text.encode("utf-16"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_bodies(rest, what):
    used = rest.line("citizen.verify")["used"]
    bad_input(raw(rest, BROKEN[what](good(rest))))
    assert rest.line("citizen.verify")["used"] == used


@pytest.mark.parametrize(("levels", "fields"), [(2, ["x"]), (32, ["x"]), (33, ["body", "x"]),
                                                (100, ["body", "x"])])
def test_nesting_up_to_32_levels_is_no_obstacle(rest, levels, fields):
    """An unknown member is refused by its name; beyond 32 levels the nesting is named as well."""
    inside = levels - 1
    text = good(rest)[:-1] + ', "x": ' + "[" * inside + "]" * inside + "}"
    errors = bad_input(raw(rest, text.encode()))["errors"]
    assert sorted(error["field"] for error in errors) == fields, errors
    assert ("32 mức" in str(errors)) == (levels > 32)


def test_bodies_over_64_kib(rest):
    text = good(rest)
    over = text[:-1] + " " * (65_537 - len(text.encode())) + "}"
    assert len(over.encode()) == 65_537
    problem(raw(rest, over.encode()), 413)
    within = text[:-1] + " " * (65_000 - len(text.encode())) + "}"
    ok(raw(rest, within.encode()))


def test_chunked_bodies_over_64_kib(rest):
    def chunks():
        for _ in range(100):
            yield b" " * 4096

    answer = rest.send("POST", VERIFY, data=chunks(), headers={"Content-Type": "application/json"})
    problem(answer, 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "",
                                  "application/x-www-form-urlencoded",
                                  "application/json; charset=utf-16",
                                  "application/json; charset=iso-8859-1",
                                  "application/json; charset=utf-8; charset=utf-16"])
def test_other_media_types_and_charsets(rest, kind):
    told = problem(raw(rest, good(rest).encode(), kind), 415, "A3")
    assert told["code"] and told["journal"]["index"] >= 0 and told["usage"]["remaining"] >= 0


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8",
                                  "application/json;charset=UTF-8", "Application/JSON",
                                  "application/json; charset=utf8"])
def test_spellings_of_json(rest, kind):
    ok(raw(rest, good(rest).encode(), kind))


def test_unknown_paths_and_methods(rest):
    assert rest.send("GET", "/api/v1/nothing").status_code == 404
    assert rest.send("GET", VERIFY).status_code == 405
    assert rest.send("DELETE", "/api/v1/usage").status_code == 405


@pytest.mark.parametrize("id", ["%ff", "%ff%fe", "zz", "0" * 31])
def test_a_refusal_that_is_none(rest, id):
    problem(rest.send("GET", f"/api/v1/refusals/{id}"), 404)


def test_operations_endpoints(demo, rest):
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
        answer = rest.session.get(demo.base_url + path, timeout=10)
        assert answer.status_code == 200, path
        for citizen in demo.citizens:
            assert citizen["personalId"] not in answer.text, path


def test_demo_json_has_what_the_contract_promises(demo):
    assert len(demo.by_id) == len(demo.citizens) >= 50
    assert all(citizen["personalId"].startswith("099") for citizen in demo.citizens)
    # Each of these fails where there is no such person.
    demo.plain(), demo.without_old_id(), demo.year_only(), demo.deceased(), demo.married()
    one, two = demo.shared_old_id()
    assert one["personalId"] != two["personalId"]
    child = demo.child()
    father, mother = demo.by_id[child["father"]], demo.by_id[child["mother"]]
    assert father["householdHead"] == mother["householdHead"] == child["householdHead"]
    expected = {"ONESTOP": "live", "SMALL": "live", "VERIFYONLY": "live", "BANK": "live",
                "SUSPENDED": "suspended", "BIG": "live", "NIGHT": "live"}
    assert expected.items() <= {code: s["state"] for code, s in demo.systems.items()}.items()
    for code, system in demo.systems.items():
        kinds = [a["kind"] for a in system["accounts"] if a.get("state", "live") == "live"]
        assert kinds.count("officer") >= 2 and kinds.count("plan") == 1, (code, kinds)


def test_the_clock_does_not_go_back(demo, rest):
    answer = rest.session.put(f"{demo.base_url}/sandbox/clock",
                              json={"now": "2026-03-02T08:00:00+07:00"}, timeout=10)
    problem(answer, 409)
    for bad in ({"now": "yesterday"}, {}, {"now": 5}):
        answer = rest.session.put(f"{demo.base_url}/sandbox/clock", json=bad, timeout=10)
        assert answer.status_code == 422, answer.text


def test_the_clock_does_not_go_beyond_2199(demo, rest):
    for far in ("2200-01-01T00:00:00+07:00", "2250-01-01T00:00:00+07:00"):
        answer = rest.session.put(f"{demo.base_url}/sandbox/clock", json={"now": far}, timeout=10)
        bad_input(answer, "now")


def test_reading_about_oneself_has_a_limit_of_its_own(own_server):
    rest, other = Rest(own_server.demo, "SMALL"), Rest(own_server.demo, "BANK")
    other.token()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: rest.send("GET", "/api/v1/journal?from=0"), range(600)))
    assert {a.status_code for a in answers} == {200, 429}
    refused = next(a for a in answers if a.status_code == 429)
    assert problem(refused, 429, "D7")["retryAfter"] == int(refused.headers["Retry-After"])
    # Neither questions nor other systems are held up by it.
    assert ok(rest.verify(own_server.demo.plain()))["result"] == "match"
    assert other.send("GET", "/api/v1/usage").status_code == 200


def test_two_moves_of_the_clock_at_once_add_nothing_up(own_server):
    set_to = instant("2026-03-02T10:00:00+07:00")

    def move(_):
        return requests.put(f"{own_server.demo.base_url}/sandbox/clock",
                            json={"now": set_to.isoformat()}, timeout=30)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(move, range(16)))
    assert {a.status_code for a in answers} <= {200, 409}
    moved = [instant(a.json()["now"]) for a in answers if a.status_code == 200]
    assert moved and all(0 <= (m - set_to).total_seconds() < 30 for m in moved), moved


# --- the account list of a system ---------------------------------------------------------------


def account(login: str, number: int) -> dict:
    return {"login": login, "fullName": "Nguyễn Thị Mẫu", "personalId": f"0993{number:08}",
            "phone": "0900000000", "role": "Tiếp nhận hồ sơ", "daily": 20,
            "purpose": "Giải quyết thủ tục hộ tịch"}


def test_an_account_list_waits_for_the_head_and_opens_nothing(demo, person):
    """B6, E1: sent twice it is one list; nobody on it may ask before the head approved it."""
    rest = Rest(demo, "NIGHT")
    # The third officer of a demo system is revoked, and no login opens again.
    known = [one["login"] for one in rest.system["accounts"] if one["kind"] == "officer"][:2]
    new = f"canbo.moi.{request_id()[-8:]}".lower()
    rows = [account(login, number) for number, login in enumerate([*known, new])]
    answer = rest.send("PUT", "/api/v1/accounts", json={"accounts": rows})
    assert answer.status_code == 202, answer.text[:500]
    sent = answer.json()
    assert sent["state"] == "waiting" and sent["added"] == [new] and sent["missing"] == [], sent
    again = rest.send("PUT", "/api/v1/accounts", json={"accounts": rows}).json()
    assert again["id"] == sent["id"]
    problem(rest.verify(person, account=new), 403, "E1")
    path = f"/api/v1/accounts/changes/{sent['id']}"
    assert ok(rest.send("GET", path))["state"] == "waiting"
    problem(Rest(demo, "SMALL").send("GET", path), 404)
    newer = rest.send("PUT", "/api/v1/accounts", json={"accounts": rows[-1:]}).json()
    assert set(newer["missing"]) == set(known), newer
    assert ok(rest.send("GET", path))["state"] == "replaced"


def test_a_wrong_account_list_is_told_by_account_and_field(demo):
    rest = Rest(demo, "NIGHT")
    wrong = account("ngan", 1) | {"daily": 0}
    answer = rest.send("PUT", "/api/v1/accounts", json={"accounts": [account("canbo.dung", 2), wrong]})
    fields = {error["field"] for error in bad_input(answer)["errors"]}
    assert fields == {"accounts.2.login", "accounts.2.daily"}, fields
    assert "09930000" not in answer.text
    bad_input(rest.send("PUT", "/api/v1/accounts", json={"accounts": []}), "accounts")
