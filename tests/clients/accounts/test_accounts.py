"""Account lists as spreadsheets, made and read by openpyxl: out, in, and what is not taken in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import re
import struct
import time
import zipfile

import openpyxl
import pytest
import requests

HEADS = ["TT", "Tên tài khoản đăng nhập", "Họ và tên", "Số CCCD", "Mã cán bộ (nếu có)",
         "Số điện thoại", "Số lần truy vấn trong ngày"]
HEADS_2021 = ["TT", "Họ tên ²", "Tài khoản đăng nhập ³", "SĐT", "Vai trò trách nhiệm ⁴",
              "Số lần truy vấn trong ngày ⁵", "Mục đích sử dụng ⁶"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STEP_S = 30
ROWS_MAX = 5_000
#: Steps of the app that were used: each code is good once.
used: dict[str, int] = {}
UNIT = "1. Đơn vị đăng ký: Trung tâm Phục vụ hành chính công thành phố Mẫu"


def code(person: dict) -> str:
    """A code of the person's app that was not used before (RFC 6238); waits where it must."""
    now = lambda: int(time.time()) // STEP_S  # noqa: E731
    step = max(used.get(person["login"], 0) + 1, now() - 1)
    while now() + 1 < step:
        time.sleep(0.5)
    used[person["login"]] = step
    secret = base64.b32decode(person["totpSecret"])
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[19] & 15
    number = (struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000
    return f"{number:06d}"


class Desk:
    """A signed-in head, as a browser without a script."""

    def __init__(self, demo, login: str):
        self.base = demo.base_url
        self.person = next(p for p in demo.data["people"] if p["login"] == login)
        self.session = requests.Session()
        page = self.get("/sign-in")
        page = self.post("/sign-in", page, login=login, password=self.person["password"])
        for _ in range(4):
            # Another walk may have used a code of this half minute.
            answer = self.post("/sign-in/factor", page, code=code(self.person))
            if answer.status_code == 200:
                break
            page = answer
        assert answer.status_code == 200, answer.status_code

    def get(self, path: str, **options) -> requests.Response:
        return self.session.get(self.base + path, timeout=30, **options)

    def post(self, path: str, page: requests.Response, **fields) -> requests.Response:
        return self.session.post(self.base + path, timeout=60, data=hidden(page, path) | fields)

    def upload(self, content: bytes, name: str = "danh-sach.xlsx", **fields) -> requests.Response:
        page = self.get("/unit/officers/import")
        data = hidden(page, "/unit/officers/import") | {"service": "0"} | fields
        return self.session.post(f"{self.base}/unit/officers/import", timeout=60, data=data,
                                 files={"file": (name, content, XLSX)})

    def apply(self, page: requests.Response) -> requests.Response:
        return self.post("/unit/officers/import/apply", page)

    def export(self, **which) -> requests.Response:
        return self.get("/unit/officers.xlsx", params=which)


def hidden(page: requests.Response, action: str) -> dict[str, str]:
    """Hidden fields of the form that goes to `action`."""
    for form in re.findall(r"<form\b.*?</form>", page.text, re.S):
        if f'action="{action}"' in form.split(">", 1)[0]:
            found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
            return dict(found)
    raise AssertionError(f"{page.status_code} {page.url} has no form to {action}")


def said(page: requests.Response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def counts(page: requests.Response) -> tuple[int, ...]:
    words = said(page)
    number = lambda word: int(re.search(rf"{word} (\d+)", words)[1])  # noqa: E731
    return number("Thêm"), number("Đổi"), number("Giữ nguyên")


def workbook(rows: list[list], heads: list[str] = HEADS) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.append(heads)
    for row in rows:
        book.active.append(row)
    return book


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def opened(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def table(book: openpyxl.Workbook, heads: list[str] = HEADS) -> list[list]:
    """Rows below the head of the table, as the file has them."""
    rows = [list(row) for row in book.active.iter_rows(values_only=True)]
    head = next(n for n, row in enumerate(rows) if row[:7] == heads)
    return [row[:7] for row in rows[head + 1:] if row[1]]


@pytest.fixture(scope="module")
def desk(demo):
    return Desk(demo, "onestop.thutruong")


@pytest.fixture
def login() -> str:
    return f"canbo.x{time.time_ns() % 10**9:09d}"


def officer(login: str, daily=25, phone="+84900000001") -> list:
    return [1, login, "Trần Thị Thử Nghiệm", f"099{login[-9:]}", f"@{login[-6:]}", phone, daily]


def test_the_list_goes_out_in_the_layout_of_the_form(desk):
    answer = desk.export()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == XLSX
    assert "attachment" in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]
    book = opened(answer.content)
    sheet = book.active
    assert sheet["A1"].value == "DANH SÁCH TÀI KHOẢN ĐĂNG KÝ"
    assert sheet["A3"].value == UNIT
    rows = table(book)
    assert any(row[1] == "onestop.canbo1" for row in rows)
    assert all(isinstance(row[6], int) for row in rows)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


def test_round_trip_and_nothing_becomes_a_formula(desk, login):
    book = opened(desk.export().content)
    before = table(book)
    # As somebody would: one row added below the last, one number changed.
    sheet = book.active
    last = max(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 2).value)
    for column, value in enumerate(officer(login), 1):
        sheet.cell(last + 1, column).value = value
    preview = desk.upload(saved(book))
    assert preview.status_code == 200, said(preview)
    assert counts(preview) == (1, 0, len(before))
    assert login not in str(table(opened(desk.export().content))), "nothing before it is applied"
    done = desk.apply(preview)
    assert done.status_code == 200 and "Đã áp dụng danh sách nhập" in said(done)
    # The same post again: done once.
    again = desk.apply(preview)
    assert again.status_code == 200 and "Đã áp dụng danh sách nhập" in said(again)
    book = opened(desk.export().content)
    rows = table(book)
    assert len(rows) == len(before) + 1
    added = next(row for row in rows if row[1] == login)
    assert added[2:] == officer(login)[2:]
    for cell in (cell for row in book.active.iter_rows() for cell in row if cell.value):
        assert cell.data_type != "f", cell.coordinate
        if isinstance(cell.value, str) and cell.value[0] in "=+-@":
            assert cell.quotePrefix, f"{cell.coordinate} would be computed elsewhere"
    # A second import that changes only the count.
    changed = [[1, login, "Trần Thị Thử Nghiệm", None, f"@{login[-6:]}", "+84900000001", 30]]
    preview = desk.upload(saved(workbook(changed)))
    assert counts(preview) == (0, 1, 0)
    desk.apply(preview)
    rows = table(opened(desk.export().content))
    kept = next(row for row in rows if row[1] == login)
    assert kept[6] == 30 and kept[3] == f"099{login[-9:]}", "the id that is stored stays"


def test_errors_are_told_by_row_and_column(desk, login):
    other = login[:-1] + ("1" if login[-1] != "1" else "2")
    rows = [
        officer("thử sai"),
        officer(login, daily="nhiều"),
        officer(f"{login}.ba", phone="gọi sau"),
        officer(other),
        officer(other),
        [5, "onestop.congdvc.thu", "=1+1", "12345", None, None, 0],
        officer("<script>alert(1)</script>"),
    ]
    page = desk.upload(saved(workbook(rows)))
    words = said(page)
    assert page.status_code == 200
    assert "chữ cái không dấu" in words
    assert "số nguyên từ 1" in words
    assert "Số điện thoại gồm" in words
    assert "Trùng với dòng 5 của tệp" in words
    assert "Ô C7 là công thức" in words
    assert "<script>alert" not in page.text
    assert "Áp dụng danh sách" not in words
    # Whoever sends the apply by hand is refused, and nothing of it is carried out.
    token = re.search(r'name="file" value="([0-9a-f]{32})"', page.text)[1]
    refused = desk.post("/unit/officers/import/apply", page, file=token)
    assert refused.status_code == 409
    assert login not in str(table(opened(desk.export().content)))


def refused(desk, content: bytes, sentence: str, name: str = "danh-sach.xlsx"):
    page = desk.upload(content, name)
    assert page.status_code == 422, page.status_code
    assert sentence in said(page), said(page)[:600]


def test_files_that_are_not_taken(desk, login):
    good = saved(workbook([officer(login)]))
    macros = io.BytesIO(good)
    with zipfile.ZipFile(macros, "a") as package:
        package.writestr("xl/vbaProject.bin", b"\0" * 100)
    refused(desk, macros.getvalue(), "có macro", "danh-sach.xlsm")
    bomb = io.BytesIO(good)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/media/image1.xml", b" " * (200 << 20))
    assert len(bomb.getvalue()) < 1 << 20
    began = time.monotonic()
    refused(desk, bomb.getvalue(), "Tệp quá lớn")
    assert time.monotonic() - began < 5
    refused(desk, b"\x89PNG\r\n\x1a\n\0\0\0", "không phải bảng tính")
    refused(desk, good[:len(good) // 2], "không phải bảng tính")
    refused(desk, bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 512, "có mật khẩu")
    refused(desk, b"", "Chọn tệp bảng tính")
    heads = [h for h in HEADS if h != "Số CCCD"]
    refused(desk, saved(workbook([], heads)), "“Số CCCD”")
    refused(desk, saved(workbook([], HEADS + ["Ghi chú"])), "Ô H1")
    refused(desk, saved(workbook([])), "Không có dòng nào")


def test_a_hundred_thousand_rows_and_a_huge_body(desk):
    rows = [officer(f"canbo.{n:09d}") for n in range(ROWS_MAX + 1)]
    refused(desk, saved(workbook(rows)), "quá 5.000 dòng")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADS)
    for n in range(100_000):
        sheet.append([n, "canbo.mot", "A"])
    content = saved(book)
    assert len(content) < 5 << 20
    refused(desk, content, "quá 5.000 dòng")
    answer = desk.upload(b"\0" * (6 << 20))
    assert answer.status_code == 413


def test_the_layout_of_2021_goes_out_and_comes_in(desk, login):
    """What that form has no column for is kept; a new account says what it lacks by its title."""
    sheet = opened(desk.export(edition="2021").content).active
    assert sheet["A1"].value == "PHIẾU ĐĂNG KÝ SỬ DỤNG DỊCH VỤ XÁC THỰC"
    assert sheet["A4"].value == UNIT
    book = opened(desk.export(edition="2021").content)
    before = {row[1]: row for row in table(opened(desk.export().content))}
    rows = table(book, HEADS_2021)
    assert {row[2] for row in rows} == set(before)
    changed = next(row for row in rows if row[2] == "onestop.canbo2")
    daily = 40 if changed[5] != 40 else 41
    sheet = book.active
    at = next(n for n in range(1, sheet.max_row + 1) if sheet.cell(n, 3).value == changed[2])
    sheet.cell(at, 6).value = "nhiều"
    assert "Số lần truy vấn trong ngày" in refused_rows(desk, book)
    sheet.cell(at, 6).value = daily
    preview = desk.upload(saved(book))
    assert counts(preview) == (0, 1, len(rows) - 1), said(preview)
    assert "năm 2021" in said(preview)
    assert desk.apply(preview).status_code == 200
    after = {row[1]: row for row in table(opened(desk.export().content))}
    was = before[changed[2]]
    assert after[changed[2]] == was[:6] + [daily], "id and officer code are kept"
    # Somebody more: the form has no citizen id; with the column added it is taken.
    more = [1, "Trần Thị Thử Nghiệm", login, "0900000001", "Một cửa", 25, "Hộ tịch"]
    assert "Số CCCD" in refused_rows(desk, workbook([more], HEADS_2021))
    more = workbook([[*more, f"099{login[-9:]}"]], [*HEADS_2021, "Số CCCD"])
    assert counts(desk.upload(saved(more))) == (1, 0, 0)


def refused_rows(desk, book: openpyxl.Workbook) -> str:
    """What the preview says of rows that cannot be applied."""
    preview = desk.upload(saved(book))
    assert "dòng cần sửa" in said(preview), said(preview)
    return said(preview)


def test_many_rows_in_one_act(desk, login):
    base = int(login[-9:-4]) * 10_000
    rows = [officer(f"canbo.y{base + n:09d}") for n in range(200)]
    began = time.monotonic()
    preview = desk.upload(saved(workbook(rows)))
    assert counts(preview)[0] == 200
    assert "Đã áp dụng" in said(desk.apply(preview))
    assert time.monotonic() - began < 10


def test_only_the_head_exports_and_imports(demo):
    officer_desk = Desk(demo, "onestop.canbo1")
    assert officer_desk.export().status_code == 403
    assert officer_desk.get("/unit/officers/import").status_code == 403
