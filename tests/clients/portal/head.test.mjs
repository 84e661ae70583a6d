// The head's desk: officers added, stopped and revoked, a list out and in, stand-ins, use, a raise;
// and the operator of the agency's own software who confirms the revocation.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { base, demo, follow, launch, look, newPage, person, signIn } from './browser.mjs';

const head = person('onestop.thutruong');
const integrator = person('onestop.tichhop');
// The demo folder may have been walked before: each walk adds somebody of its own.
const mark = String(Date.now()).slice(-9);
const login = `canbo.${mark}`;
const NAME = 'Nguyễn Phước Bảo Quỳnh Trương Hoàng Thục Uyên';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dancu-head-'));
let browser;
let page;

before(async () => {
  browser = await launch();
  page = await newPage(await browser.createBrowserContext());
  await signIn(page, head, '/unit/officers');
});
after(async () => {
  await browser?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});
afterEach(() => assert.deepEqual(page.faults.splice(0), []));

const here = (at = page) => new URL(at.url()).pathname;
const words = (at = page) => at.evaluate(() => document.body.innerText);
const go = (address, at = page) => at.goto(base + address);

/** Types into a field of the page's main form and leaves the rest. */
async function type(name, value) {
  const field = await page.waitForSelector(`#main [name="${name}"]`, { visible: true });
  await field.evaluate((it) => { it.value = ''; });
  await field.type(value);
}

const send = (selector = '#main form .main-act') => follow(page, selector);

test('the list, its filters and an empty result', async () => {
  assert.equal(here(), '/unit/officers');
  assert.match(await words(), /onestop\.canbo1/);
  await look(page, 'head-officers');
  await go('/unit/officers?q=không-có-ai');
  assert.match(await words(), /Không có dòng nào phù hợp/);
  await look(page, 'head-officers-none');
  await go('/unit/officers?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&state=revoked');
  assert.equal(await page.$$eval('script:not([src])', (all) => all.length), 0);
});

test('an officer is added, with the password shown this once', async () => {
  await go('/unit/officers/new');
  await look(page, 'head-officer-new');
  await type('login', 'cán bộ');
  await type('name', '<b>Thử</b>');
  await type('daily', '0');
  await page.$eval('#main form', (form) => { form.noValidate = true; });
  await send();
  const said = await words();
  assert.match(said, /chữ cái không dấu/);
  assert.match(said, /Họ và tên chỉ gồm/);
  assert.match(said, /số nguyên từ 1/);
  assert.equal(await page.$eval('[name="name"]', (field) => field.value), '<b>Thử</b>');
  await look(page, 'head-officer-wrong');
  await type('login', login);
  await type('name', NAME);
  await type('personalId', `099${mark}`);
  await type('phone', '0900 000 001');
  await type('daily', '120');
  await send();
  assert.match(await words(), /Mật khẩu đã cấp/);
  const password = await page.$eval('#given', (it) => it.textContent);
  assert.ok(password.length >= 12, password);
  await look(page, 'head-given');
  await send('#main a.main-act');
  assert.match(here(), /^\/unit\/officers\/a\d+$/);
  assert.ok(!(await words()).includes(password), 'shown once');
  assert.equal(await page.$eval('[name="personalId"]', (it) => it.value), `••• ••• ••• ${mark.slice(-3)}`);
  await look(page, 'head-officer');
});

test('what is changed is kept, the citizen id with its mask', async () => {
  await type('daily', '90');
  await send();
  assert.match(await words(), /Đã lưu thay đổi/);
  assert.equal(await page.$eval('[name="daily"]', (it) => it.value), '90');
  assert.equal(await page.$eval('[name="personalId"]', (it) => it.value), `••• ••• ••• ${mark.slice(-3)}`);
});

test('the list goes out as the form has it, and comes in again', async () => {
  const bytes = await page.evaluate(async () => {
    const answer = await fetch('/unit/officers.xlsx');
    return [answer.status, Array.from(new Uint8Array(await answer.arrayBuffer()))];
  });
  assert.equal(bytes[0], 200);
  const file = path.join(folder, 'danh-sach.xlsx');
  fs.writeFileSync(file, Uint8Array.from(bytes[1]));
  assert.equal(fs.readFileSync(file).subarray(0, 2).toString(), 'PK');
  await go('/unit/officers/import');
  await look(page, 'head-import-file');
  const choose = async (name) => {
    const field = await page.$('#file');
    await field.uploadFile(name);
    await send();
  };
  const odd = path.join(folder, 'odd.xlsx');
  fs.writeFileSync(odd, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0]));
  await choose(odd);
  assert.match(await words(), /không phải bảng tính/);
  await look(page, 'head-import-odd');
  await choose(file);
  assert.match(await words(), /Giữ nguyên \d+/);
  await look(page, 'head-import');
  assert.match(await words(), /Danh sách đã đúng như tệp/);
});

test('use per hour, line and officer', async () => {
  await go('/unit/usage');
  await look(page, 'head-usage');
  await go('/unit/usage?day=01/01/2020');
  assert.match(await words(), /01\/01\/2020/);
  await look(page, 'head-usage-empty');
});

test('statements: none while no month is over', async () => {
  await go('/unit/usage');
  await follow(page, '#main a[href="/unit/statements"]');
  assert.match(await words(), /Chưa có bản xác nhận nào|XN-\d{4}-\d{5}/);
  await look(page, 'head-statements');
});

test('a raise is asked for and withdrawn', async () => {
  await go('/unit/raises/new');
  await send();
  assert.match(await words(), /Chọn ít nhất một dòng/);
  await look(page, 'head-raise');
  const day = new Date(Date.parse(demo.clock) + 3 * 86_400_000 + 7 * 3_600_000).toISOString().slice(0, 10);
  const written = day.split('-').reverse().join('/');
  // A walk before may have left a request for a line of these days; each takes another line.
  await page.evaluate(() => document.querySelector('[name="line"]').click());
  for (const [name, value] of Object.entries({ from: written, to: written, wanted: '39000', reason: 'Đợt tuyển sinh đầu cấp, dự kiến 800 hồ sơ mỗi ngày' })) await type(name, value);
  await send();
  assert.equal(here(), '/unit/raises');
  assert.match(await words(), /Đã gửi đề nghị/);
  await look(page, 'head-raises');
  await follow(page, '[action="/unit/raises/withdraw"] button');
  assert.match(await words(), /Đã rút đề nghị/);
});

test('somebody stands in for the head, and does no longer', async () => {
  await go('/unit/substitutes');
  await look(page, 'head-substitutes-empty');
  const options = (name) => page.$$eval(`[name="${name}"] option`, (all) => all.filter((one) => one.value).map((one) => [one.value, one.textContent]));
  const [absent, stands] = [await options('absent'), await options('substitute')];
  const own = absent.find(([, label]) => label === head.name) ?? absent.at(-1);
  const other = stands.find(([value]) => value !== own[0]);
  await page.select('[name="absent"]', own[0]);
  await page.select('[name="substitute"]', other[0]);
  await type('from', '01/01/2020');
  await type('to', '02/01/2020');
  await send();
  assert.match(await words(), /Ngày bắt đầu đã qua/);
  await look(page, 'head-substitutes-wrong');
  const day = new Date(Date.parse(demo.clock) + 5 * 86_400_000).toISOString().slice(0, 10).split('-').reverse().join('/');
  await type('from', day);
  await type('to', day);
  await send();
  assert.match(await words(), /Đã cử người thay thế/);
  await look(page, 'head-substitutes');
  await follow(page, '[action="/unit/substitutes/end"] button');
  assert.match(await words(), /Đã kết thúc việc thay thế/);
});

test('a revocation says what died, is told and confirmed', async () => {
  await go(`/unit/officers?q=${login}`);
  await follow(page, '#list tbody a');
  await page.click('[name="act"][value="left"]');
  await type('reason', 'Nghỉ việc theo Quyết định số 99');
  await follow(page, '[action$="/state"] button');
  assert.match(await words(), new RegExp(`Đã thu hồi tài khoản của ${NAME}`));
  await look(page, 'head-revoked');
  await go('/unit/officers?state=revoked');
  assert.match(await words(), new RegExp(login));
  // Oneself: what would be refused is not offered.
  await go('/unit/officers?q=thutruong');
  await follow(page, '#list tbody a');
  assert.equal(await page.$('[name="act"], [action$="/password"], [action$="/vouch"]'), null);
  assert.notEqual(await page.$('[action$="/training"]'), null);
  await look(page, 'head-oneself');
  const other = await newPage(await browser.createBrowserContext());
  await signIn(other, integrator, '/unit/revocations');
  assert.match(await words(other), new RegExp(login));
  await look(other, 'integrator-revocations');
  await follow(other, "article button");
  assert.match(await words(other), /Đã xác nhận/);
  assert.deepEqual(other.faults, []);
});
