// The focal point's desk: who is behind, one unit, urging it, the summary as files, handing it up;
// the centre sees what was handed up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { follow, go, look, person, send, walk, words } from './browser.mjs';

const focal = person('tinh.daumoi1');
const operator = person('trungtam.vanhanh1');
const UNIT = '/gathering/H26.003';
const desk = walk();

/** A file as the signed-in browser gets it: its type and its first letters. */
const file = (at, path) => at.evaluate(async (from) => {
  const answer = await fetch(from);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return [answer.status, answer.headers.get('content-type'), String.fromCharCode(...bytes.slice(0, 4))];
}, path);

test('who is behind stands first, and a unit of another line is not there', async () => {
  const at = await desk(focal);
  await go(at, '/gathering');
  assert.match(await words(at), /Ủy ban nhân dân thành phố Mẫu/);
  const first = await at.$eval('tbody tr th.words', (it) => it.innerText);
  assert.match(first, /Sở Nội vụ thành phố Mẫu/);
  await look(at, 'gathering');
  const other = await go(at, '/gathering/G01.001');
  assert.equal(other.status(), 404);
  await go(at, '/gathering?level=nothing');
  assert.doesNotMatch(await at.$eval('tbody:has(th.words)', (it) => it.innerText), /Sở Nội vụ/);
});

test('a unit is urged once', async () => {
  const at = await desk(focal);
  await go(at, UNIT);
  assert.match(await words(at), /LUUDONG|lưu động[\s\S]*Đơn vị còn phải làm/);
  await look(at, 'gathering-unit');
  const form = '#main form[action="/gathering/urge"]';
  await at.type(`${form} [name=words]`, 'Nộp hồ sơ trước thứ Sáu.');
  await send(at, '/gathering/urge', {}, 'button', focal);
  assert.match(await words(at), /Đánh dấu xác nhận/);
  assert.equal(await at.$eval(`${form} [name=words]`, (it) => it.value), 'Nộp hồ sơ trước thứ Sáu.');
  await at.click(`${form} [name=confirmed]`);
  await send(at, '/gathering/urge', {}, 'button', focal);
  assert.match(await words(at), /Đã đôn đốc/);
  assert.equal(await at.$(form), null, 'once a day');
});

test('the summary is taken away and handed up', async () => {
  const at = await desk(focal);
  await go(at, '/gathering');
  await at.click('#main form[action="/gathering/hand-up"] [name=confirmed]');
  await send(at, '/gathering/hand-up', {}, 'button', focal);
  assert.match(await words(at), /Biên nhận TH-\d{5}[\s\S]*Trung tâm/);
  await look(at, 'gathering-handed');
  const path = new URL(at.url()).pathname;
  for (const from of ['/gathering', path]) {
    assert.deepEqual((await file(at, `${from}/export.pdf`)).slice(1), ['application/pdf', '%PDF']);
    const [status, kind, begins] = await file(at, `${from}/export.xlsx`);
    assert.equal(status, 200);
    assert.match(kind, /spreadsheetml/);
    assert.equal(begins.slice(0, 2), 'PK');
  }
});

test('the centre sees every unit and what was handed up', async () => {
  const at = await desk(operator);
  await go(at, '/centre/units');
  await at.waitForSelector('#main a[href="/gathering"]');
  await follow(at, '#main a[href="/gathering"]');
  assert.match(await words(at), /Bộ Mẫu[\s\S]*Bảng tổng hợp đã nhận/i);
  assert.equal(await at.$$eval('#main .tile', (all) => all.length), 35, 'every province, and no place');
  await look(at, 'gathering-centre');
});
