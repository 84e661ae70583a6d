// A newcomer's way (B3): from an empty dossier to a verified call on the sandbox and a passed
// conformance run, whose report closes the dossier's step. How long each step took is printed and
// judged by nobody; docs/sandbox.md tells a measured walk.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { demo, follow, go, look, person, send, walk, words } from './browser.mjs';

const head = person('onestop.thutruong');
const integrator = person('onestop.tichhop');
const reviewer = person('trungtam.thamdinh1');
const code = `GD${String(Date.now()).slice(-6)}`;
const PAPER = fileURLToPath(new URL('../../../fuzz/seeds/papers_sniff/receipt.pdf', import.meta.url));
const MEASURE = 'Hệ thống của đơn vị tự thực hiện; bằng chứng ở phụ lục.';
const PARTS = ['commitment', 'registration', 'accounts', 'security'];
let number;
let report;
const tenant = {};
const desk = walk();
const took = [];

after(() => {
  for (const [step, ms] of took) console.log(`${(ms / 1000).toFixed(1).padStart(6)} s  ${step}`);
});

/** A test that is a step of the walk, whose time is told at the end. */
const step = (name, work) => test(name, async () => {
  const began = Date.now();
  await work();
  took.push([name, Date.now() - began]);
});

const unit = (rest = '') => `/unit/dossiers/${number}${rest}`;
const text = (at, id) => at.$eval(`#${id}`, (it) => it.textContent);

/** Asks as the software under test: waits where it is too fast (D7); gives the status. */
async function ask(kind, persona, { account = tenant.logins[0], id = randomUUID(), name } = {}) {
  const { personalId, fullName, dateOfBirth } = tenant.personas[persona];
  for (;;) {
    const answer = await fetch(`${demo.baseUrl}/api/v1/citizens/${kind}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tenant.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        requestId: id,
        procedureCode: '1.004194',
        caseCode: 'HS.2026-0001',
        account,
        subject: { personalId, fullName: name ?? fullName, dateOfBirth },
      }),
    });
    const body = await answer.json();
    if (answer.status !== 429 || body.ruleId !== 'D7') return answer.status;
    await new Promise((done) => setTimeout(done, 1000 * Number(answer.headers.get('Retry-After'))));
  }
}

async function clock(now) {
  const answer = await fetch(`${demo.baseUrl}/sandbox/clock`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ now }),
  });
  assert.ok(answer.status < 300, await answer.text());
}

step('the head begins a dossier: what the system is for, its services and fields', async () => {
  const at = await desk(head);
  await go(at, '/unit/dossiers');
  await send(at, '/unit/dossiers', { channel: 'api' });
  number = new URL(at.url()).pathname.split('/').pop();
  await go(at, unit('/about'));
  await send(at, '/about', {
    systemName: 'Hệ thống một cửa', systemCode: code, functions: 'Theo quyết định thành lập.',
    officerName: 'Trần Thị Đầu Mối', officerPosition: 'Phó Trưởng phòng', officerPhone: '0900 000 123',
    officerEmail: 'daumoi@mau.example.vn', officerWorkplace: 'Phòng Công nghệ thông tin',
    purpose: 'Xác thực người nộp hồ sơ.', scope: 'Các quầy của đơn vị.', matter: 'Đối chiếu họ tên, ngày sinh.',
    technical: 'Gọi API qua TLS.',
  });
  await go(at, unit('/services'));
  await send(at, '/services', {
    'p0-code': '1.004194', 'p0-purpose': 'Đăng ký thường trú', 'p0-cases': '40', 'p0-queries': '3',
    'in-0-daily': '300', 'in-0-purpose': 'Xác thực', 'off-0-daily': '50', 'off-0-purpose': 'Trực ngoài giờ',
  });
  await go(at, unit('/fields'));
  for (const field of ['fullName', 'dateOfBirth', 'vitalStatus']) {
    await at.click(`[name="u0-field"][value="${field}"]`);
  }
  await send(at, '/fields', { 'u0-purpose': 'Xác thực người nộp', 'u0-procedures': '1.004194' });
  assert.match(await words(at), /Đã lưu/);
});

step('the integrator makes a test system', async () => {
  const at = await desk(integrator);
  await go(at, '/integrator');
  await follow(at, '#main a[href="/integrator/sandbox"]');
  await look(at, 'sandbox-tenants');
  await follow(at, '#lay-out');
  assert.match(await words(at), /Đã lập hệ thống thử/);
  [tenant.user, tenant.id, tenant.secret, tenant.call] =
    await Promise.all(['soap-user', 'client-id', 'client-secret', 'first-call'].map((id) => text(at, id)));
  tenant.logins = await Promise.all(['login1', 'login2'].map((id) => text(at, id)));
  tenant.code = tenant.user.replace('_SOAP', '');
  await look(at, 'sandbox-laid');
});

step('the first call, pasted into a shell, is a verified answer', async () => {
  const answer = JSON.parse(execFileSync('bash', ['-c', tenant.call], { encoding: 'utf8' }));
  assert.equal(answer.result, 'match');
  assert.ok(Number.isInteger(answer.journal.index), 'journaled');
});

test('meanwhile the dossier is signed, submitted and received', async () => {
  const at = await desk(head);
  await go(at, unit('/commitment'));
  await send(at, '/commitment', { representative: 'Lê Văn Đại Diện', representativePosition: 'Giám đốc' });
  await go(at, unit('/accounts'));
  for (const [name, value] of Object.entries({
    login: `${code.toLowerCase()}.canbo1`, name: 'Nguyễn Văn Quầy', id: '099300000001', phone: '0900000001', daily: '60',
  })) await at.$eval(`#row-form [name="${name}"]`, (field, typed) => { field.value = typed; }, value);
  await follow(at, '#row-form .main-act');
  await go(at, unit('/security'));
  await send(at, '/security', {
    securityLevel: '3', confirmationNumber: '12/BB-KT', confirmationDate: '15/01/2026',
    confirmationBody: 'Sở Khoa học và Công nghệ', mfa: MEASURE, captcha: MEASURE, limits: MEASURE, scraping: MEASURE,
  });
  await (await at.$('#file')).uploadFile(PAPER);
  await send(at, '/security/file', {});
  for (const part of PARTS) {
    await go(at, unit());
    await send(at, '/sign', {}, `button[value="${part}"]`, head);
  }
  await send(at, '/submit', {}, '.main-act', head);
  const centre = await desk(reviewer);
  await go(centre, `/centre/dossiers/${number}`);
  await send(centre, '/step', {}, '.main-act');
  assert.match(await words(centre), /Đã tiếp nhận/);
  // What is no report, or was altered, closes nothing.
  await go(at, unit());
  await send(at, '/report', { report: '{"run":"KT-1"}\n\n— dancu.sandbox/log AAAA' });
  assert.match(await words(at), /không có chữ ký đúng của môi trường thử[\s\S]*\(B3\)/);
  await look(at, 'dossier-report-wrong');
});

step('the software shows every case of the conformance run', async () => {
  const at = await desk(integrator);
  await go(at, `/integrator/sandbox/${tenant.code}`);
  await send(at, `/sandbox/${tenant.code}`, { client: 'Một cửa mẫu 4.2', system: 'không phải mã' });
  assert.match(await words(at), /Mã hệ thống không đúng dạng/);
  await send(at, `/sandbox/${tenant.code}`, { client: 'Một cửa mẫu 4.2', system: '' });
  await look(at, 'sandbox-run');
  tenant.personas = Object.fromEntries(
    (await (await fetch(`${demo.baseUrl}/sandbox/personas.json`)).json()).map((one) => [one.persona, one]),
  );
  const given = await fetch(`${demo.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${tenant.id}:${tenant.secret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  tenant.token = (await given.json()).access_token;
  const first = randomUUID();
  assert.equal(await ask('verify', 'ordinary', { id: first }), 200);
  assert.equal(await ask('verify', 'ordinary', { id: first }), 200);
  assert.equal(await ask('verify', 'ordinary', { id: first, name: 'Tên Hoàn Toàn Sai' }), 409);
  assert.equal(await ask('verify', 'ordinary', { name: 'Tên Hoàn Toàn Sai' }), 200);
  for (const persona of ['yearOnly', 'deceased', 'nobody']) assert.equal(await ask('verify', persona), 200);
  assert.equal(await ask('lookup', 'ordinary'), 403, 'A4: the dossier asks for verification only');
  const cut = randomUUID();
  assert.equal(await ask('verify', 'outage', { id: cut }), 503);
  assert.equal(await ask('verify', 'outage', { id: cut }), 200);
  while (await ask('verify', 'ordinary', { account: tenant.logins[1] }) === 200);
  await clock(`${demo.clock.slice(0, 10)}T19:00:00+07:00`);
  assert.equal(await ask('verify', 'ordinary'), 200);
  await go(at, `/integrator/sandbox/${tenant.code}`);
  assert.match(await words(at), /12\/12[\s\S]*Báo cáo đã ký/);
  report = await text(at, 'report');
  assert.match(report, new RegExp(`"forSystem":"${code}"`));
});

step('its report has closed the step of the dossier', async () => {
  const at = await desk(integrator);
  assert.match(await words(at), new RegExp(`Bước kiểm thử của hồ sơ ${number} đã hoàn thành`));
  await look(at, 'sandbox-passed');
  await follow(at, `#main a[href="${unit()}"]`);
  assert.match(await words(at), /KT-\d+: 12 phép thử đạt/);
  await look(at, 'dossier-tested');
});

test('whoever is signed in sees the personas', async () => {
  const at = await desk(integrator);
  await go(at, '/sandbox/personas');
  assert.match(await words(at), /Người mẫu của môi trường thử[\s\S]*Khai thác bất thường/);
  await look(at, 'sandbox-personas');
});

test('what changed for integrators is told in both languages', async () => {
  const at = await desk(integrator);
  await go(at, '/docs/changes');
  assert.match(await words(at), /Thay đổi cho hệ thống kết nối[\s\S]*báo cáo đã ký của môi trường thử/);
  await look(at, 'changes');
});
