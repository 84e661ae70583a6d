// The dossier's desks: a head begins, fills in, signs and submits; a reviewer asks for a change
// that the head answers; steps are closed and exempted; it is approved and set live. A question of
// its system over REST is refused before, and answered after.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { demo, follow, go, look, person, send, walk, words } from './browser.mjs';

const head = person('onestop.thutruong');
const integrator = person('onestop.tichhop');
const [reviewer, second] = [person('trungtam.thamdinh1'), person('trungtam.thamdinh2')];
// Who leaves a step out does not approve.
const third = person('trungtam.thamdinh3');
const assessor = person('anninh.danhgia1');
const operator = person('trungtam.vanhanh1');
const citizen = demo.citizens.find((one) => one.alive);
const code = `HS${String(Date.now()).slice(-6)}`;
const PAPER = fileURLToPath(new URL('../../../fuzz/seeds/papers_sniff/receipt.pdf', import.meta.url));
const MEASURE = 'Hệ thống của đơn vị tự thực hiện; bằng chứng ở phụ lục.';
const desk = walk();
let number;
let secret;

const unit = (rest = '') => `/unit/dossiers/${number}${rest}`;
const centre = (rest = '') => `/centre/dossiers/${number}${rest}`;

/** What a link gives: status, how it is to be stored, its bytes. */
function had(at, link) {
  return at.$eval(link, async (it) => {
    const answer = await fetch(it.href);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return [answer.status, answer.headers.get('content-disposition'), [...bytes]];
  });
}

async function ask() {
  const basic = Buffer.from(`${code.toLowerCase()}:${secret}`).toString('base64');
  const given = await fetch(`${demo.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${basic}`, 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  if (given.status !== 200) return [given.status, await given.text()];
  const { access_token: bearer } = await given.json();
  const answer = await fetch(`${demo.baseUrl}/api/v1/citizens/verify`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      requestId: randomUUID(),
      procedureCode: '1.004194',
      caseCode: 'HS.2026-0099',
      account: `${code.toLowerCase()}.canbo1`,
      subject: { personalId: citizen.personalId, fullName: citizen.fullName, dateOfBirth: citizen.dateOfBirth },
    }),
  });
  return [answer.status, await answer.text()];
}

test('a head begins a dossier, and half of it is saved', async () => {
  const at = await desk(head);
  await go(at, '/unit/dossiers');
  await look(at, 'dossier-list');
  await send(at, '/unit/dossiers', { channel: 'api' });
  number = new URL(at.url()).pathname.split('/').pop();
  assert.match(number, /^HS-\d{5}$/);
  assert.match(await words(at), /Đã lập hồ sơ[\s\S]*Còn thiếu/);
  await look(at, 'dossier-begun');
  await go(at, unit('/about'));
  await send(at, '/about', { systemName: 'Hệ thống <b>thử hồ sơ</b>', officerPhone: 'không phải số' });
  assert.match(await words(at), /Đã lưu[\s\S]*Số điện thoại gồm 7-15 chữ số/);
  assert.equal(await at.$eval('[name=systemName]', (it) => it.value), 'Hệ thống <b>thử hồ sơ</b>');
  await look(at, 'dossier-about-half');
});

test('the rest is filled in, with the calculator', async () => {
  const at = await desk(head);
  await send(at, '/about', {
    systemCode: code, functions: 'Theo quyết định thành lập.', officerName: 'Trần Thị Đầu Mối',
    officerPosition: 'Phó Trưởng phòng', officerPhone: '0900 000 123', officerEmail: 'daumoi@mau.example.vn',
    officerWorkplace: 'Phòng Công nghệ thông tin', purpose: 'Xác thực người nộp hồ sơ.',
    scope: 'Các quầy của đơn vị.', matter: 'Đối chiếu họ tên, ngày sinh.', technical: 'Gọi API qua TLS.',
  });
  assert.equal(await at.$('#main .field .wrong'), null);
  await go(at, unit('/services'));
  const type = async (name, value) => (await at.$(`[name="${name}"]`)).type(value);
  await type('p0-cases', '40');
  await type('p0-queries', '3');
  assert.equal(await at.$eval('[data-needed]', (it) => it.textContent), '120', 'while one types');
  await type('off-0-daily', '1200');
  assert.equal(await at.$eval('#offHours [data-over]', (it) => it.hidden), false, 'D4');
  await look(at, 'dossier-services-over');
  await send(at, '/services', {
    'p0-code': '1.004194', 'p0-purpose': 'Đăng ký thường trú', 'in-0-daily': '300', 'in-0-purpose': 'Xác thực',
    'off-0-daily': '1200', 'off-0-purpose': 'Trực ngoài giờ',
  });
  assert.match(await words(at), /Các dòng ngoài giờ cộng lại vượt mức/);
  await send(at, '/services', { 'off-0-daily': 'nhiều' });
  assert.match(await words(at), /Số lượt là số nguyên/);
  assert.equal(await at.$eval('[name="off-0-daily"]', (it) => it.value), 'nhiều', 'what was typed stays');
  await send(at, '/services', { 'off-0-daily': '50' });
  assert.match(await words(at), /Đã lưu/);
  await look(at, 'dossier-services');
  await go(at, unit('/fields'));
  for (const field of ['fullName', 'dateOfBirth', 'ethnicity']) await at.click(`[name="u0-field"][value="${field}"]`);
  await send(at, '/fields', { 'u0-purpose': 'Xác thực người nộp', 'u0-procedures': '1.004194' });
  await look(at, 'dossier-fields');
  await go(at, unit('/commitment'));
  await send(at, '/commitment', { representative: 'Lê Văn Đại Diện', representativePosition: 'Giám đốc' });
  await go(at, unit('/accounts'));
  const row = '#row-form';
  for (const [name, value] of Object.entries({
    login: `${code.toLowerCase()}.canbo1`, name: 'Nguyễn Văn Quầy', id: '099300000001', phone: '0900000001', daily: '60',
  })) await at.$eval(`${row} [name="${name}"]`, (field, text) => { field.value = text; }, value);
  await follow(at, `${row} .main-act`);
  assert.match(await words(at), /1 tài khoản, cộng 60 lượt/);
  await look(at, 'dossier-accounts');
  await go(at, unit('/security'));
  await send(at, '/security', {
    securityLevel: '3', confirmationNumber: '12/BB-KT', confirmationDate: '15/01/2026',
    confirmationBody: 'Sở Khoa học và Công nghệ', mfa: MEASURE, captcha: MEASURE, limits: MEASURE, scraping: MEASURE,
  });
  await (await at.$('#file')).uploadFile(PAPER);
  await send(at, '/security/file', {});
  assert.match(await words(at), /PDF[\s\S]*receipt\.pdf[\s\S]*Chưa quét[\s\S]*SHA-256/);
  await look(at, 'dossier-security');
  const [status, stored, bytes] = await had(at, '#securityFile a[href*="/files/"]');
  assert.equal(status, 200);
  assert.match(stored, /^attachment; filename="HS-/);
  assert.deepEqual(bytes, [...readFileSync(PAPER)], 'as it came');
});

test('the four parts are signed with a fresh factor, and it is submitted', async () => {
  const at = await desk(head);
  for (const part of ['commitment', 'registration', 'accounts', 'security']) {
    await go(at, unit());
    await send(at, '/sign', {}, `button[value="${part}"]`, head);
    assert.match(await words(at), /Đã ký/);
  }
  await look(at, 'dossier-signed');
  await send(at, '/submit', {}, '.main-act', head);
  assert.match(await words(at), /Đã nộp hồ sơ/);
});

test('a reviewer asks for a change beside a field, the head answers beside it', async () => {
  const at = await desk(reviewer);
  await go(at, '/centre/dossiers');
  assert.match(await words(at), new RegExp(code));
  await look(at, 'dossier-queue');
  await go(at, '/centre/dossiers?stage=refused');
  await look(at, 'dossier-queue-empty');
  await go(at, centre('/accounts'));
  assert.doesNotMatch(await at.evaluate(() => document.body.innerText), /Nguyễn Văn Quầy/);
  await go(at, centre('/review'));
  assert.doesNotMatch(await words(at), /099300000001|Nguyễn Văn Quầy/, 'A6: no account list');
  await look(at, 'dossier-review');
  await send(at, '/review', {}, '.main-act');
  assert.match(await words(at), /Chưa nêu lý do/);
  await send(at, '/review', { 'say-scope': 'Nêu rõ quầy nào dùng hệ thống.' }, '.main-act');
  assert.match(await words(at), /Đã gửi yêu cầu bổ sung/);
  const mine = await desk(head);
  await go(mine, unit('/about'));
  assert.match(await words(mine), /Nêu rõ quầy nào dùng hệ thống/);
  await look(mine, 'dossier-comment');
  await send(mine, '/about', { scope: 'Sáu quầy ở tầng một.', 'answer-0': 'Đã ghi rõ sáu quầy.' });
  await go(mine, unit());
  assert.match(await words(mine), /Đã trả lời/);
  await send(mine, '/sign', {}, 'button[value="registration"]', head);
  await send(mine, '/submit', {}, '.main-act', head);
  await go(at, centre('/compare?before=1&after=2'));
  assert.match(await words(at), /Các quầy của đơn vị[\s\S]*Sáu quầy ở tầng một/);
  await look(at, 'dossier-compare');
});

test('of two reviewers at once the second is told, and keeps what was typed', async () => {
  const [at, other] = [await desk(reviewer), await desk(second)];
  await go(at, centre());
  await go(other, centre('/review'));
  await send(at, '/step', {}, 'button[name=comment]');
  await send(other, '/review', { 'say-purpose': 'Nêu thủ tục nào.' }, '.main-act');
  assert.match(await words(other), /vừa được người khác thay đổi/);
  assert.equal(await other.$eval('[name="say-purpose"]', (it) => it.value), 'Nêu thủ tục nào.');
  await look(other, 'dossier-meanwhile');
});

test('it is received, its parts checked; its system is prepared and answers nothing', async () => {
  const at = await desk(reviewer);
  await go(at, centre());
  await send(at, '/step', {}, '.main-act');
  assert.match(await words(at), /Đã tiếp nhận/);
  for (const part of ['commitment', 'registration', 'accounts', 'security']) {
    await send(at, '/step', {}, `button[value="${part}"]`);
  }
  await look(at, 'dossier-accepted');
  assert.match(await words(at), /Giấy tiếp nhận hồ sơ[\s\S]*\/TTDLDC-TN/);
  const theirs = await desk(head);
  await go(theirs, '/unit/documents');
  await look(theirs, 'documents');
  const [had200, kept, receipt] = await had(theirs, '#main a[href^="/unit/documents/"]');
  assert.equal(had200, 200);
  assert.match(kept, /^attachment; filename="receipt-/);
  assert.equal(String.fromCharCode(...receipt.slice(0, 5)), '%PDF-');
  const mine = await desk(integrator);
  await go(mine, `/integrator/${code}`);
  await send(mine, '/secrets', { kind: 'client' }, 'button', integrator);
  secret = await mine.$eval('#secret', (it) => it.textContent);
  const [status, body] = await ask();
  assert.equal(status, 403, body);
  assert.match(body, /B3/);
  await go(mine, unit('/about'));
  assert.equal(await mine.$('[name=purpose]'), null, 'technical items only');
  await go(mine, unit('/accounts'));
  assert.doesNotMatch(await mine.evaluate(() => document.body.innerText), /Nguyễn Văn Quầy/);
});

test('steps are closed, exempted, confirmed in writing', async () => {
  const at = await desk(reviewer);
  await go(at, centre());
  await send(at, '/step', {}, 'input[value=documents] ~ button');
  assert.match(await words(at), /Đã hoàn thành bước/);
  const apart = await desk(third);
  await go(apart, centre());
  await send(apart, '/exempt', { step: 'sandbox', ground: 'syntheticPeople', evidence: '', dated: '01/02/2026' }, 'button', third);
  assert.match(await words(apart), /Chưa nêu bằng chứng/);
  await look(apart, 'dossier-exempt-wrong');
  await send(apart, '/exempt', { step: 'sandbox', ground: 'syntheticPeople', evidence: 'QĐ 5/QĐ-TT', dated: '01/02/2026' }, 'button', third);
  assert.match(await words(apart), /Đã ghi nhận miễn bước/);
  const other = await desk(assessor);
  await go(other, '/centre/dossiers');
  assert.match(await words(other), new RegExp(code));
  await go(other, centre());
  await send(other, '/assess', { confirmation: 'không số', confirmed: '01/02/2026' }, 'button', assessor);
  assert.match(await words(other), /Chỉ văn bản xác nhận có số/);
  await look(other, 'dossier-assess');
  await send(other, '/assess', { confirmation: '123/A05-XN', confirmed: '01/02/2026' }, 'button', assessor);
  assert.match(await words(other), /Đã hoàn thành bước/);
});

test('sensitive fields take two approvers, and the system goes live', async () => {
  const [at, other, last] = [await desk(reviewer), await desk(second), await desk(operator)];
  await go(at, centre());
  await send(at, '/approve', {}, '.main-act', reviewer);
  assert.match(await words(at), /đánh dấu các trường nhạy cảm/);
  await look(at, 'dossier-approve');
  await send(at, '/approve', { sensitive: true }, '.main-act', reviewer);
  assert.match(await words(at), /cần thêm người phê duyệt thứ hai/);
  await go(other, centre());
  await send(other, '/approve', { sensitive: true }, '.main-act', second);
  assert.match(await words(other), /Đã phê duyệt đủ/);
  assert.equal((await ask())[0], 403, 'not live yet');
  await go(last, '/centre/dossiers?stage=approved');
  await go(last, centre());
  await send(last, '/live', {}, '.main-act', operator);
  assert.match(await words(last), /Hệ thống đã kết nối/);
  await look(last, 'dossier-live');
  const [status, body] = await ask();
  assert.equal(status, 200, body);
});
