// Each desk that the other walks do not go through, opened by its person: units, staff, campaigns,
// the import of what is live, job plans, papers, lists that a system sent, notices, the address for
// mail, the sandbox. Every page is looked at in both widths and themes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { day, demo, fill, follow, freshCode, go, look, person, send, walk, words } from './browser.mjs';

const operator = person('trungtam.vanhanh1');
const approver = person('trungtam.duyetkehoach1');
const head = person('onestop.thutruong');
const integrator = person('onestop.tichhop');
const system = demo.systems.find((one) => one.systemCode === 'ONESTOP');
const REASON = 'Nghị quyết mẫu 5';
const desk = walk();

const where = (at) => new URL(at.url()).pathname;

/** Opens a page of somebody's, which has to be there, and looks at it. */
async function open(at, address, name = address) {
  const answer = await go(at, address);
  assert.equal(answer.status(), 200, address);
  await look(at, `desks-${name.replace(/[^A-Za-z0-9]+/g, '-')}`);
}

async function token() {
  const { clientId, clientSecret } = system.oauth;
  const answer = await fetch(`${demo.baseUrl}/oauth/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  return (await answer.json()).access_token;
}

test('units: the list, a unit with each of its forms, a merger that is looked at first', async () => {
  const at = await desk(operator);
  const units = ['/centre/units', '/centre/units?view=ended', '/centre/units/new', '/centre/units/H26.001'];
  for (const address of units) await open(at, address);
  const acts = await at.$$eval('#main .views a', (all) => all.map((one) => one.getAttribute('href')));
  assert.ok(acts.length > 5, acts.join(' '));
  for (const act of acts) await open(at, act);
  await open(at, '/centre/units/H26.003?do=merged', 'unit-merge');
  await send(at, '/centre/units/H26.003', { heir: 'H26.001', reason: REASON }, '.main-act', operator);
  assert.ok(await at.$('#main [name=seen]'), 'what would be moved is shown');
  await look(at, 'desks-unit-merge-seen');
  // Another heir than was looked at: shown anew, nothing is done.
  await send(at, '/centre/units/H26.003', { heir: 'H26.006' }, '.main-act', operator);
  assert.ok(await at.$('#main [name=seen]'), await words(at));
  await open(at, '/centre/units/H26.003', 'unit-after');
  assert.ok(await at.$('#main .views'), 'it lives on');
});

test('staff: Enter in the reason ends nobody’s role', async () => {
  const at = await desk(operator);
  await open(at, '/centre/staff');
  await at.type('#why', 'Chuyển công tác');
  await at.keyboard.press('Enter');
  assert.equal(where(at), '/centre/staff');
  assert.doesNotMatch(at.url(), /told=/);
});

/** What is live already, one system of it, as the CSV files of an archive (stored, not packed). */
function archive() {
  const sheets = [
    [['Mã hệ thống', 'Mã đơn vị'], ['NHAPMAU', 'H26.001']],
    [
      ['Mã hệ thống', 'Dịch vụ', 'Khung giờ', 'Số lượt truy vấn (theo ngày)', 'Mục đích sử dụng'],
      ['NHAPMAU', '003', 'Trong giờ', '50', 'Một cửa'],
    ],
    [
      ['Mã hệ thống', 'Tên tài khoản đăng nhập', 'Họ và tên', 'Số CCCD', 'Số điện thoại', 'Số lần truy vấn trong ngày'],
      ['NHAPMAU', 'canbo.nhapmau1', 'Nguyễn Thị Mẫu', '099301019999', '0900000001', '5'],
    ],
  ];
  const names = ['Hệ thống', 'Dịch vụ', 'Tài khoản'];
  const crc = (bytes) => ~bytes.reduce((sum, byte) => {
    let c = sum ^ byte;
    for (let bit = 0; bit < 8; bit += 1) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
    return c;
  }, ~0) >>> 0;
  const files = [];
  const index = [];
  let at = 0;
  sheets.forEach((rows, n) => {
    const name = Buffer.from(`${names[n]}.csv`);
    const text = Buffer.from(rows.map((row) => row.join(';')).join('\r\n'));
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(0x800, 2);
    facts.writeUInt16LE(0x21, 8);
    facts.writeUInt32LE(crc(text), 10);
    facts.writeUInt32LE(text.length, 14);
    facts.writeUInt32LE(text.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    files.push(Buffer.from('PK\x03\x04', 'latin1'), facts, name, text);
    index.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, tail, name);
    at += 30 + name.length + text.length;
  });
  const end = Buffer.alloc(18);
  end.writeUInt16LE(sheets.length, 4);
  end.writeUInt16LE(sheets.length, 6);
  end.writeUInt32LE(Buffer.concat(index).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, ...index, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

test('what is live enters from an archive, after it was looked at', async () => {
  const at = await desk(operator);
  await open(at, '/centre/import');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dancu-desks-'));
  const file = path.join(folder, 'mau.zip');
  fs.writeFileSync(file, archive());
  const read = async (deadline) => {
    await (await at.$('#file')).uploadFile(file);
    const fields = { document: '12/TTDL', dated: await day(at), deadline, reason: REASON };
    await send(at, '/centre/import', fields, '.tall', operator);
  };
  await read(await day(at));
  assert.ok(await at.$('#deadline-wrong'), await words(at));
  await look(at, 'desks-import-wrong');
  await read(await day(at, 60));
  assert.ok(await at.$('form[action="/centre/import/apply"]'), await words(at));
  await look(at, 'desks-import-seen');
  await send(at, '/centre/import/apply', {}, '.main-act', operator);
  assert.match(where(at), /^\/centre\/campaigns\/\d+$/, await words(at));
  await look(at, 'desks-import-campaign');
  fs.rmSync(folder, { recursive: true });
  // A number leads to the dossiers that it counts, a dossier to its page.
  await follow(at, 'a[href^="?only="]');
  await follow(at, 'a[href^="/centre/dossiers/"]');
  await look(at, 'desks-import-dossier');
  await open(at, '/centre/campaigns', 'campaigns-one');
  await follow(at, '#main tbody th a');
  const stop = '/centre/campaigns/DCN-001';
  await send(at, stop, {}, '[value=stop]', operator);
  assert.ok(await at.$('[data-errors]'), 'no reason');
  await look(at, 'desks-campaign-wrong');
  await send(at, stop, { why: REASON }, '[value=stop]', operator);
  assert.match(at.url(), /told=stopped/, await words(at));
  await look(at, 'desks-campaign-over');
});

test('a campaign is looked at, changed, looked at again and begun', async () => {
  const at = await desk(operator);
  await open(at, '/centre/campaigns');
  await send(at, '/centre/campaigns', { name: 'Rà soát mẫu', document: '1' }, '[name=look]', operator);
  assert.ok(await at.$('[data-errors]'), 'days are missing');
  await look(at, 'desks-campaigns-wrong');
  const fields = { name: 'Rà soát mẫu', document: '12/TTDL', dated: await day(at), deadline: await day(at, 60) };
  await send(at, '/centre/campaigns', fields, '[name=look]', operator);
  await look(at, 'desks-campaigns-seen');
  await send(at, '/centre/campaigns', { deadline: await day(at, 40) }, '.main-act', operator);
  assert.equal(where(at), '/centre/campaigns', 'another deadline is looked at first');
  assert.equal(await at.$('[data-errors]'), null, await words(at));
  await send(at, '/centre/campaigns', {}, '.main-act', operator);
  assert.match(where(at), /^\/centre\/campaigns\/\d+$/, await words(at));
  await look(at, 'desks-campaign');
});

test('plans: announced by the unit, refused without a reason, agreed', async () => {
  const at = await desk(head);
  await open(at, '/unit/plans');
  await open(at, '/unit/plans/new');
  await at.select('#main select[name=system]', await at.$$eval('#main select[name=system] option', (all) =>
    all.find((one) => one.textContent.includes('ONESTOP')).value));
  const service = '#main input[name=service]';
  await at.$eval(service, (box) => { box.checked = true; });
  const fields = { daily: '10', account: 'kehoach.mau1', purpose: 'Đối soát mẫu', phone: '0900000001', reason: 'Lô hằng đêm' };
  await send(at, '/unit/plans', fields, '[value=send]', head);
  assert.equal(where(at), '/unit/plans', await words(at));
  assert.match(at.url(), /told=announced/, await words(at));
  await follow(at, '#main tbody th a');
  await look(at, 'desks-unit-plan');
  const number = where(at).split('/').pop();
  const centre = await desk(approver);
  await open(centre, '/centre/plans');
  await open(centre, `/centre/plans/${number}`, 'centre-plan');
  await send(centre, `/centre/plans/${number}/refuse`, {}, 'button', approver);
  assert.ok(await centre.$('details[open] #why-not'), 'the form stays open');
  await look(centre, 'desks-centre-plan-refused');
  await send(centre, `/centre/plans/${number}/agree`, {}, 'button', approver);
  assert.match(centre.url(), /told=agreed/, await words(centre));
  await send(centre, `/centre/plans/${number}/end`, {}, 'button', approver);
  assert.ok(await centre.$('details[open] #reason-wrong'), await words(centre));
  await look(centre, 'desks-centre-plan-end');
});

test('the unit: its own page, papers, a list that its system sent', async () => {
  const at = await desk(head);
  for (const page of ['/unit', '/unit?do=represented', '/unit?do=contacts', '/unit/papers']) await open(at, page);
  await open(at, '/unit/accounts-by-api', 'sent-none');
  const rows = [1, 2, 3].map((n) => ({
    login: `canbo.mau${n}`, fullName: 'Nguyễn Thị Mẫu', personalId: `09930100000${n}`, phone: '0900000000', daily: 10,
  }));
  const answer = await fetch(`${demo.baseUrl}/api/v1/accounts`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${await token()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ accounts: rows }),
  });
  assert.equal(answer.status, 202, await answer.text());
  await open(at, '/unit/accounts-by-api', 'sent');
  // Most officers would go: it has to be confirmed, and what was ticked stays ticked.
  await at.$eval('#main input[name=row][value="2"]', (box) => { box.checked = false; });
  await at.$$eval('#main input[name=gone]', (all) => all.forEach((box) => { box.checked = true; }));
  await follow(at, '#main button[value=chosen]');
  if (await at.$('#main input[name=code]')) await fill(at, { code: await freshCode(head) });
  assert.ok(await at.$('[data-errors]'), await words(at));
  assert.equal(await at.$eval('#main input[name=row][value="2"]', (box) => box.checked), false);
  assert.equal(await at.$eval('#main input[name=row][value="1"]', (box) => box.checked), true);
  await look(at, 'desks-sent-refused');
});

test('notices and the address for mail', async () => {
  for (const who of [head, operator]) {
    const at = await desk(who);
    await open(at, '/notices', `notices-${who.login}`);
    await open(at, '/notices?topic=news', `notices-news-${who.login}`);
    assert.equal(await at.$('form[action="/notices/read-all"]'), null, 'not over one topic');
  }
  const at = await desk(head);
  await open(at, '/account/contact');
  await send(at, '/account/contact', { address: 'nguoi@mau' }, 'button', head);
  assert.ok(await at.$('[data-errors]'), await words(at));
  await look(at, 'desks-contact-wrong');
});

test('the sandbox: test systems, a run, the personas', async () => {
  const at = await desk(integrator);
  await open(at, '/integrator/sandbox');
  await follow(at, '#lay-out');
  await look(at, 'desks-sandbox-laid');
  await open(at, '/integrator/sandbox', 'sandbox-tenants');
  await follow(at, '#main ul a.code');
  const run = where(at);
  await open(at, run, 'sandbox-run');
  await send(at, run, { client: 'Phần mềm mẫu 1.0' }, 'button', integrator);
  await look(at, 'desks-sandbox-begun');
  await open(at, '/sandbox/personas');
});
