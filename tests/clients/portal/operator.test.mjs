// The operator's and the auditor's desks over a day in which a system exceeds its count: the lock
// with its evidence, unlocking with a fresh factor and a reason, a raise by two people, an account
// locked at once, an announcement on the status page; and what the auditors see of all that.
// Needs a demo whose clock stands at 09:00 of a working day.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { base, demo, fill, follow, freshCode, launch, look, newPage, person, signIn } from './browser.mjs';

const [first, second] = [person('trungtam.vanhanh1'), person('trungtam.vanhanh2')];
const head = person('onestop.thutruong');
const auditor = person('kiemtra.canbo1');
const small = demo.systems.find((one) => one.systemCode === 'SMALL');
const plan = small.accounts.find((one) => one.kind === 'plan');
const citizen = demo.citizens.find((one) => one.alive);
const CASE = 'HS.2026-0099';
let browser;
let page;

const path = (at = page) => new URL(at.url()).pathname;
const words = (at = page) => at.evaluate(() => document.querySelector('#main').innerText);
const open = (where, at = page) => at.goto(`${base}${where}`);

async function token() {
  const { clientId, clientSecret } = small.oauth;
  const answer = await fetch(`${demo.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

/** Asks `times` times for SMALL; how often each status came. */
async function ask(times) {
  const bearer = await token();
  const came = {};
  for (let n = 0; n < times; n += 1) {
    const answer = await fetch(`${demo.baseUrl}/api/v1/citizens/verify`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        requestId: randomUUID(),
        procedureCode: small.procedures[0].code,
        caseCode: CASE,
        // The pace of an officer is not a program's: most are asked under the plan.
        account: n < 2 ? small.accounts[0].login : plan.login,
        subject: { personalId: citizen.personalId, fullName: citizen.fullName, dateOfBirth: citizen.dateOfBirth },
      }),
    });
    came[answer.status] = (came[answer.status] ?? 0) + 1;
    await answer.text();
  }
  return came;
}

async function clock(now) {
  const answer = await fetch(`${demo.baseUrl}/sandbox/clock`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ now }),
  });
  assert.ok(answer.status < 300, await answer.text());
}

/** Sends the form of a button, and gives the second factor where it is asked for first. */
async function send(button, who, at = page) {
  await follow(at, button);
  if (await at.$('#main input[name=code]')) {
    await look(at, 'confirm');
    await fill(at, { code: await freshCode(who) });
  }
}

const type = async (selector, text, at = page) => {
  const field = await at.waitForSelector(selector, { visible: true });
  await field.type(text);
};

before(async () => {
  browser = await launch();
  page = await newPage(await browser.createBrowserContext());
  await signIn(page, first);
});
after(async () => { await browser?.close(); });

test('systems, filtered in the address, and a day without anything', async () => {
  assert.equal(path(), '/operate/systems', 'the desk is the first page');
  assert.match(await words(), /ONESTOP[\s\S]*SMALL/);
  await look(page, 'operator-systems');
  await fill(page, { q: 'small' });
  assert.equal(new URL(page.url()).searchParams.get('q'), 'small');
  assert.doesNotMatch(await words(), /ONESTOP/);
  await open('/operate/systems?state=stopped');
  assert.match(await words(), /SUSPENDED/);
  await open('/operate/systems?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E');
  assert.match(await words(), /Không có dòng nào/);
  await look(page, 'operator-systems-none');
  for (const [where, name] of [['exceedances', /chưa có hệ thống nào/], ['locks', /Không có khóa/], ['raises', /Không có đề nghị/]]) {
    await open(`/operate/${where}`);
    assert.match(await words(), name);
    await look(page, `operator-${where}-empty`);
  }
  await open('/operate/systems/KHONGCO');
  assert.match(await page.evaluate(() => document.body.innerText), /Không tìm thấy|không có/i);
});

test('a line is exceeded, locked and unlocked with a reason and a fresh factor', async () => {
  assert.deepEqual(await ask(30), { 200: 20, 429: 10 });
  await open('/operate/exceedances');
  assert.match(await words(), /SMALL[\s\S]*Đã vượt/);
  await look(page, 'operator-exceedances');
  await clock('2026-03-02T09:20:00+07:00');
  const came = await ask(103);
  assert.ok(came[403] >= 1, JSON.stringify(came));
  await open('/operate/systems/SMALL');
  assert.match(await words(), /Đang khóa/);
  assert.equal(await page.$eval('.hours tbody tr:nth-child(3) td', (cell) => cell.innerText), '20', '09:00');
  assert.equal(await page.$eval('.hours tbody tr:nth-child(4) td', (cell) => cell.innerText), '–', '10:00');
  await look(page, 'operator-system');
  await open('/operate/systems');
  assert.match(await page.$eval('tbody tr:has([href$="/SMALL"])', (row) => row.innerText), /20\t113\t2\t1/);
  await follow(page, '[href="/operate/locks?system=SMALL"]');
  await look(page, 'operator-locks');
  await follow(page, 'tbody th a');
  assert.match(await words(), /Vượt số lượt 2 lần/);
  await look(page, 'operator-lock');
  // No reason: the page says so, and nothing was done.
  await send('.main-act', first);
  assert.match(await words(), /Nêu lý do, không quá 500 ký tự/);
  await look(page, 'operator-lock-error');
  await type('#reason', 'Đợt cấp giấy lưu động <b>tại xã</b>');
  await send('.main-act', first);
  assert.match(await words(), /Đã mở khóa SMALL/);
  await look(page, 'operator-unlocked');
  assert.deepEqual(await ask(1), { 429: 1 }, 'open again, and still used up');
});

test('an account and a connection are locked at once, and both are unlocked with one reason', async () => {
  await open('/operate/systems/SMALL');
  await page.click('details > summary');
  await type('#login', 'khong.co');
  await type('#reason', 'báo mất điện thoại');
  await follow(page, 'button[value=account]');
  assert.match(await words(), /Không có tài khoản nào/);
  await look(page, 'operator-now-error');
  await page.$eval('#login', (field) => { field.value = ''; });
  await type('#login', small.accounts[0].login);
  await follow(page, 'button[value=account]');
  assert.match(await words(), new RegExp(`Đã khóa ${small.accounts[0].login}`));
  assert.ok((await ask(1))[403], 'the next question is refused');
  await open('/operate/systems/SMALL');
  await page.click('details > summary');
  await type('#reason', 'nghi lộ khóa');
  await follow(page, 'button[value=connection]');
  await open('/operate/locks');
  const boxes = await page.$$('tbody input[type=checkbox]');
  assert.equal(boxes.length, 2);
  await look(page, 'operator-locks-two');
  for (const box of boxes) await box.click();
  await page.click('form details > summary');
  await type('#reason', 'Báo động nhầm');
  await send('form .main-act', first);
  assert.match(await words(), /Đã mở 2 khóa/);
  await look(page, 'operator-bulk-done');
});

test('a raise above twice the count takes two operators, and never the asker', async () => {
  const desk = await newPage(await browser.createBrowserContext());
  await signIn(desk, head, '/unit/raises/new');
  const line = await desk.$('input[name=line]');
  await line.click();
  // The first day is filled in: today.
  await desk.$eval('#to', (field) => { field.value = ''; });
  await type('#to', '05/03/2026', desk);
  await type('#wanted', '1200', desk);
  await type('#reason', 'Tuyển sinh đầu cấp, dự kiến 800 hồ sơ mỗi ngày', desk);
  await follow(desk, '#main .main-act');
  assert.ok(!(await desk.$('[data-errors]')), await words(desk));
  await open('/operate/raises', desk);
  assert.match(await desk.evaluate(() => document.body.innerText), /không có quyền/, 'no head decides');
  await desk.close();

  const other = await newPage(await browser.createBrowserContext());
  await signIn(other, second);
  await open('/operate/raises');
  assert.match(await words(), /ONESTOP[\s\S]*Cần hai người duyệt[\s\S]*Tuyển sinh đầu cấp/);
  await look(page, 'operator-raises');
  await page.click('article details summary');
  await send('button[value=refuse]', first);
  assert.match(await words(), /Nêu lý do từ chối/);
  await look(page, 'operator-raises-error');
  await send('button[value=grant]', first);
  assert.match(await words(), /Đã duyệt lần một[\s\S]*hãy để người khác quyết định/);
  assert.equal(await page.$('button[value=grant]'), null, 'not twice by one');
  await look(page, 'operator-raises-half');
  await open('/operate/raises', other);
  await send('button[value=grant]', second, other);
  assert.match(await words(other), /có hiệu lực ngay/);
  await open('/operate/systems/ONESTOP', other);
  assert.match(await words(other), /1\.200[\s\S]*Đã tăng số lượt/);
  await look(other, 'operator-raised');
  assert.deepEqual(other.faults, []);
  await other.close();
});

test('what is announced stands on the public status page, and ends', async () => {
  await open('/operate/announcements');
  await look(page, 'operator-news-empty');
  await type('#heading', 'Bảo trì <i>định kỳ</i>');
  await type('#text', 'Dịch vụ ngừng 30 phút.\nHãy nhận hồ sơ và xác thực sau.');
  await page.select('#kind', 'maintenance');
  await follow(page, 'form.card .main-act');
  assert.match(await words(), /Lịch bảo trì phải có thời điểm kết thúc/);
  assert.match(await page.$eval('#text', (field) => field.value), /30 phút/);
  await look(page, 'operator-news-error');
  await type('#to', '23:30 02/03/2026');
  await follow(page, 'form.card .main-act');
  assert.match(await words(), /Đã đăng[\s\S]*Bảo trì <i>định kỳ<\/i>/);
  await look(page, 'operator-news');
  const anybody = await newPage(await browser.createBrowserContext());
  await open('/status', anybody);
  assert.match(await words(anybody), /Đang bảo trì[\s\S]*Bảo trì <i>/);
  await look(anybody, 'status-maintenance');
  await follow(page, 'article form button');
  await open('/status', anybody);
  assert.match(await words(anybody), /Mọi dịch vụ hoạt động bình thường/);
  await look(anybody, 'status');
  assert.deepEqual(anybody.faults, []);
  await anybody.close();
});

test('auditors state a ground, find, reveal, and see what the centre did', async () => {
  const desk = await newPage(await browser.createBrowserContext());
  await signIn(desk, auditor, '/audit');
  if (path(desk) !== '/audit') await open('/audit', desk);
  if (await desk.$('#main input[name=code]')) await fill(desk, { code: await freshCode(auditor) });
  await look(desk, 'audit');
  await desk.select('#kind', 'subject');
  await type('#term', citizen.personalId, desk);
  await follow(desk, '.main-act');
  assert.match(await words(desk), /Cần nêu căn cứ/);
  assert.equal(await desk.$eval('#term', (field) => field.value), '', 'an id is never shown again');
  await look(desk, 'audit-error');
  await desk.select('#kind', 'subject');
  await type('#term', citizen.personalId, desk);
  await type('#ground', 'Quyết định kiểm tra 12/QĐ-TTr', desk);
  await follow(desk, '.main-act');
  const found = await desk.content();
  assert.match(await words(desk), /SMALL[\s\S]*sm•••o1/);
  for (const secret of [citizen.personalId, small.accounts[0].login, plan.login]) {
    assert.ok(!found.includes(secret), 'masked until revealed');
  }
  assert.equal(path(desk), '/audit', 'nothing of it in the address');
  await look(desk, 'audit-found');
  await follow(desk, 'button[name=from]');
  assert.match(await words(desk), /SMALL/, 'the next page');
  await follow(desk, 'tbody button[name=index]');
  assert.match(await words(desk), new RegExp(plan.login));
  await look(desk, 'audit-revealed');
  await open('/audit/staff', desk);
  await type('#ground', 'Quyết định kiểm tra 12/QĐ-TTr', desk);
  await follow(desk, '.main-act');
  assert.match(await words(desk), /trungtam\.vanhanh1[\s\S]*line\.lift[\s\S]*lưu động <b>tại xã<\/b>/);
  assert.doesNotMatch(await words(desk), /kiemtra\.canbo1\s+audit/, 'auditors are not staff of the centre');
  await look(desk, 'audit-staff');
  assert.deepEqual(desk.faults, []);
  await desk.close();
  assert.deepEqual(page.faults, []);
});
