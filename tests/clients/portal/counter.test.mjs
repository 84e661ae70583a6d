// The officer's counter as it is worked: a scanner and a keyboard, no mouse. Scan to result in
// well under ten seconds; next person by Esc; nothing of a person in addresses, titles, storage.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { base, demo, goes, launch, look, newPage, person, signIn } from './browser.mjs';

const officer = person('onestop.canbo1');
// From the scan's first key to the verdict on the screen, on whatever machine this runs.
const SCAN_MS = 10_000;
// A scanner's pace.
const KEY_MS = 4;
let browser;
let page;

before(async () => {
  browser = await launch();
  page = await newPage(await browser.createBrowserContext());
  await signIn(page, officer, '/counter');
  await page.goto(`${base}/counter`);
});
after(async () => { await browser?.close(); });
afterEach(() => assert.deepEqual(page.faults.splice(0), []));

const alive = demo.citizens.filter((one) => one.alive && one.dateOfBirth.length === 10);
const path = (at = page) => new URL(at.url()).pathname;
const words = (at = page) => at.evaluate(() => document.body.innerText);
const left = (at = page) => at.$eval('#meter text', (text) => Number(text.textContent.replace(/\D/g, '')));
const focused = () => page.evaluate(() => document.activeElement.id);
const birth = (one) => one.dateOfBirth.split('-').reverse().join('');

/** As the card's QR code has it. */
function card(one, separator = '|') {
  const name = one.fullName.toUpperCase();
  return [one.personalId, one.oldId ?? '', name, birth(one), 'Nam', 'Số 1, Phường Hoa', '12032021'].join(separator);
}

/** Keys at a scanner's pace by their own times, however slow this machine is just now. */
async function burst(keys) {
  const client = await page.createCDPSession();
  const began = Date.now() / 1000;
  for (const [at, key] of keys.entries()) {
    const named = { Tab: 9, Enter: 13 }[key];
    const timestamp = began + (at * KEY_MS) / 1000;
    const text = key === 'Enter' ? '\r' : named ? undefined : key;
    const code = { key, windowsVirtualKeyCode: named, timestamp };
    await client.send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', text, ...code });
    await client.send('Input.dispatchKeyEvent', { type: 'keyUp', ...code });
  }
  await client.detach();
}

/** Types as a scanner does and waits for what `until` names; milliseconds. */
async function scan(text, end = 'Enter', until = '#verdict') {
  await page.waitForFunction(() => document.activeElement.id === 'subject');
  const before = await page.$eval('[name=once]', (field) => field.value);
  const began = performance.now();
  await burst([...text].map((letter) => (letter === '\t' ? 'Tab' : letter)).concat(end));
  await page.waitForFunction(
    (selector, once) => document.querySelector(selector) && document.querySelector('[name=once]').value !== once,
    { timeout: SCAN_MS },
    until,
    before,
  );
  return performance.now() - began;
}

async function next() {
  await goes(page, () => page.keyboard.press('Escape'));
  assert.equal(path(), '/counter');
  assert.equal(await page.$eval('#subject', (field) => field.value), '', 'the next person is empty');
  assert.equal(await focused(), 'subject');
}

/** Nothing that names the person stands where a browser keeps or sends it. */
async function nothingKept(one) {
  const kept = await page.evaluate(() => [location.href, document.title, JSON.stringify(localStorage), JSON.stringify(sessionStorage)].join('\n'));
  const cookies = JSON.stringify(await page.cookies());
  for (const text of [one.personalId, one.fullName, one.fullName.toUpperCase(), encodeURIComponent(one.fullName)]) {
    assert.ok(!kept.includes(text) && !cookies.includes(text), 'a person is kept by the browser');
  }
}

test('from scan to result without a mouse, well within ten seconds', async () => {
  assert.equal(await focused(), 'subject', 'the caret waits for the scanner');
  await look(page, 'counter');
  const before = await left();
  const took = await scan(card(alive[0]));
  console.log(`scan to result: ${Math.round(took)} ms`);
  assert.ok(took < SCAN_MS);
  assert.match(await words(), /Khớp\s+Thông tin trùng/);
  assert.equal(await left(), before - 1, 'the meter goes down with the answer');
  const id = await page.$eval('td .id', (place) => place.textContent);
  assert.equal(id, alive[0].personalId);
  await nothingKept(alive[0]);
  await look(page, 'counter-match');
  await next();
  // A scanner that ends with Tab, and one that sends Tab between the fields.
  await scan(card(alive[1]), 'Tab');
  assert.match(await words(), /Khớp/);
  await next();
  await scan(card(alive[2], '\t'), 'Tab');
  assert.match(await words(), /Khớp/);
  assert.equal(await left(), before - 3);
  // Without Esc: the next scan writes over the last person.
  await scan(card(alive[3]));
  assert.equal(await page.$eval('td .id', (place) => place.textContent), alive[3].personalId);
  await next();
});

test('typing and pasting, in any order, and one sentence where something is missing', async () => {
  const one = alive[4];
  const day = one.dateOfBirth.split('-').reverse().join('/');
  await page.keyboard.type(`${one.fullName}, ${one.personalId}`, { delay: 0 });
  const shown = await page.$$eval('[data-part]', (places) => places.map((place) => place.textContent));
  assert.equal(shown[0].replace(/\D/g, ''), one.personalId, 'what was understood stands beside the field');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-errors]');
  assert.match(await words(), /Còn thiếu: ngày sinh/);
  assert.equal(await page.evaluate(() => document.activeElement.hasAttribute('data-errors')), true);
  await look(page, 'counter-error');
  await page.focus('#subject');
  await page.keyboard.press('End');
  await page.keyboard.type(`, ${day}`, { delay: 0 });
  await page.keyboard.press('Enter');
  await page.waitForSelector('#verdict');
  assert.match(await words(), /Khớp/);
  // After an error the next card is simply scanned, wherever the caret stands.
  await page.keyboard.type('099', { delay: 0 });
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-errors]');
  await page.keyboard.type(card(one), { delay: KEY_MS });
  await page.keyboard.press('Enter');
  await page.waitForSelector('#verdict');
  assert.equal(await page.$eval('td .id', (place) => place.textContent), one.personalId);
  await next();
});

test('no match says how to go on, and who died is told unmistakably', async () => {
  const one = { ...alive[5], fullName: 'MẪU VĂN KHÔNG' };
  await scan(card(one));
  assert.match(await words(), /Không có người nào có đủ/);
  assert.match(await words(), /Vẫn giúp được người dân/);
  assert.match(await words(), /gọi 1900 0000 và đọc mã DC-/, 'the demo has a number to call');
  await look(page, 'counter-no-match');
  await goes(page, () => page.click('a[href^="/counter/slip/"]'));
  assert.match(await page.$eval('.slip', (slip) => slip.innerText), /không có ai khớp/);
  await look(page, 'slip-no-match');
  await next();
  const dead = demo.citizens.find((citizen) => citizen.alive === false);
  if (dead) {
    await page.keyboard.type(`${dead.personalId} ${dead.fullName} ${dead.dateOfBirth}`, { delay: 0 });
    await page.keyboard.press('Enter');
    await page.waitForSelector('.deceased');
    assert.match(await words(), /Đã chết/);
    assert.equal(await page.$('.verdict'), null, 'one verdict only');
    await look(page, 'counter-deceased');
    await next();
  }
});

test('reason first and remembered; what is compared is for one person', async () => {
  await page.keyboard.down('Alt');
  await page.keyboard.press('t');
  await page.keyboard.up('Alt');
  assert.equal(await focused(), 'procedure');
  await page.select('#procedure', '1.004194');
  await page.keyboard.down('Alt');
  await page.keyboard.press('h');
  await page.keyboard.up('Alt');
  assert.equal(await focused(), 'case');
  await page.keyboard.type('H26.001-260302-0099', { delay: 0 });
  await page.focus('#compare summary');
  await page.keyboard.press('Enter');
  // Both sexes are stated in turn: one of them is wrong.
  const sexOfId = Number(alive[6].personalId[3]) % 2 === 0 ? '1' : '2';
  await page.select('#claim-sex', sexOfId === '1' ? '2' : '1');
  await page.focus('#subject');
  await scan(card(alive[6]));
  assert.match(await words(), /Không khớp một phần/);
  await look(page, 'counter-partly');
  assert.equal(await page.$eval('#claim-sex', (field) => field.value), '', 'not for the next person');
  // The slip, by its key; then the counter again with what was chosen.
  await goes(page, () => page.keyboard.down('Alt').then(() => page.keyboard.press('i')));
  await page.keyboard.up('Alt');
  assert.match(path(), /^\/counter\/slip\//);
  await nothingKept(alive[6]);
  const paper = await page.$eval('.slip', (slip) => slip.innerText);
  assert.match(paper, /H26\.001-260302-0099/);
  assert.match(paper, /Không khớp một phần/);
  assert.ok(!paper.includes(alive[6].personalId) && !paper.includes(alive[6].fullName));
  await look(page, 'slip');
  await page.emulateMediaType('print');
  const visible = await page.$eval('.top', (top) => getComputedStyle(top).display);
  assert.equal(visible, 'none', 'only the slip is printed');
  await page.emulateMediaType();
  // What the QR code opens: the slip's own mark.
  const check = `${base}${path().replace('/counter/slip/', '/check/')}`;
  const stranger = await newPage(await browser.createBrowserContext());
  await stranger.goto(check);
  assert.match(await words(stranger), /Phiếu do hệ thống cấp/);
  assert.match(await words(stranger), /Giới tính/);
  assert.ok(!(await words(stranger)).includes(alive[6].personalId));
  await look(stranger, 'check');
  await stranger.goto(`${base}/check?code=DC-0000-0000-0000-0000-00000`);
  assert.match(await words(stranger), /Không có kết quả nào/);
  await look(stranger, 'check-unknown');
  assert.deepEqual(stranger.faults, []);
  await stranger.close();
  await next();
  assert.equal(await page.$eval('#procedure', (field) => field.value), '1.004194');
  assert.equal(await page.$eval('#case', (field) => field.value), 'H26.001-260302-0099');
});

test('a look-up needs a reason; sensitive fields open one by one', async () => {
  await scan(card(alive[7]));
  const count = (await page.$$('form[action="/counter/reveal"] button')).length;
  assert.ok(count >= 3, `${count} sensitive fields`);
  await page.focus('form[action="/counter/lookup"] button');
  await goes(page, () => page.keyboard.press('Enter'));
  assert.match(await words(), /Vì sao cần tra cứu đầy đủ/);
  assert.match(await page.$eval('.meter', (meter) => meter.innerText), /Tra cứu đầy đủ của cả đơn vị/);
  await look(page, 'lookup-reason');
  await page.focus('#reason');
  await page.keyboard.type('Hồ sơ thiếu nơi ở hiện tại của người nộp', { delay: 0 });
  await page.keyboard.press('Tab');
  await goes(page, () => page.keyboard.press('Enter'));
  assert.match(await words(), /Nơi thường trú/);
  assert.doesNotMatch(await page.$eval('.answers', (table) => table.innerText), /Tôn giáo/);
  await nothingKept(alive[7]);
  await look(page, 'lookup');
  await page.focus('form[action="/counter/reveal"] button');
  await goes(page, () => page.keyboard.press('Enter'));
  assert.match(await words(), /Thông tin nhạy cảm/);
  assert.match(await words(), /Nơi thường trú/, 'what was told before stays');
  assert.equal((await page.$$('form[action="/counter/reveal"] button')).length, count - 1, 'one is open');
  await nothingKept(alive[7]);
  await look(page, 'reveal');
  await next();
});

/** Whether the whole of a part stands in the window. */
const seen = (selector) => page.$eval(selector, (part) => {
  const { top, bottom } = part.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
});

test('on a narrow screen the field comes first and the verdict is seen, with script and without', async () => {
  const wide = page.viewport();
  await page.setViewport({ width: 360, height: 640 });
  await page.reload();
  assert.ok(await seen('#subject'), 'the field stands in the window');
  assert.equal(await page.$eval('#procedure', (list) => list.getClientRects().length), 0, 'folded');
  await page.click('.fold-line');
  assert.ok(await page.$eval('#procedure', (list) => list.getClientRects().length) > 0, 'it opens');
  await page.click('.fold-line');
  await page.focus('#subject');
  await scan(card(alive[8]));
  await page.waitForFunction(() => document.querySelector('[data-tell]').textContent.includes('Khớp'));
  assert.ok(await seen('.verdict'), 'the verdict stands in the window');
  await page.setJavaScriptEnabled(false);
  await goes(page, () => page.goto(`${base}/counter`));
  assert.ok(await seen('#subject'));
  await page.type('#subject', card(alive[8]));
  await goes(page, () => page.keyboard.press('Enter'));
  assert.ok(await seen('#verdict'), 'without script as well');
  await page.setJavaScriptEnabled(true);
  await page.setViewport(wide);
  await page.goto(`${base}/counter`);
});

test('two windows and a doubled Enter: each question counts once', async () => {
  const other = await newPage(page.browserContext());
  await other.goto(`${base}/counter`);
  const before = await left(other);
  await other.close();
  await page.bringToFront();
  await page.reload();
  await page.keyboard.type(card(alive[8]), { delay: 0 });
  // The same form twice, past the page's own care.
  const both = await page.evaluate(async () => {
    const body = new URLSearchParams(new FormData(document.querySelector('#ask')));
    const send = () => fetch('/counter', { method: 'POST', body });
    return Promise.all([send(), send()].map(async (sent) => (await sent).status));
  });
  assert.deepEqual(both, [200, 200]);
  await page.goto(`${base}/counter`);
  assert.equal(await left(), before - 1);
});

test('a refusal says what to do', async () => {
  // Faster than an officer may ask (D7), each time as another question; then by the page itself.
  await page.evaluate(async (subject) => {
    const form = document.querySelector('#ask');
    const body = new URLSearchParams(new FormData(form));
    body.set('subject', subject);
    for (let asked = 0; asked < 40; asked += 1) {
      body.set('once', `test${performance.now()}`);
      if ((await fetch('/counter', { method: 'POST', body })).status === 429) break;
    }
    form.elements.subject.value = subject;
    form.requestSubmit();
  }, card(alive[9]));
  await page.waitForSelector('.verdict.bad');
  assert.match(await words(), /Chưa hỏi được/);
  assert.match(await words(), /Cần làm\n.*\nGọi cho/s);
  await look(page, 'counter-refused');
});
