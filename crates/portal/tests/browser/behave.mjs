// What static/js/portal.js does, seen from the page: sorting a scan, a paste or typing; caret and
// shortcuts; one send; ids copied without spaces; the idle lock. Use: node behave.mjs PAGES.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import puppeteer from 'puppeteer-core';
import { serve } from './serve.mjs';

const pages = process.argv[2];
const { base, posts, bodies, close } = await serve(pages);
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage();
const pause = (time) => new Promise((done) => setTimeout(done, time));
const focused = () => page.evaluate(() => document.activeElement.id);

/** Puts a text into the field as typing does and reads what the page understood. */
async function understood(text) {
  return page.evaluate((value) => {
    const field = document.querySelector('#subject');
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    const parts = ['personalId', 'fullName', 'dateOfBirth'];
    return parts.map((part) => document.querySelector(`[data-part="${part}"]`).textContent);
  }, text);
}

await page.goto(`${base}/vi/counter.html`);
assert.equal(await focused(), 'subject', 'the caret stands in the field');

const ID = '099\u2009303\u2009000\u2009417';
const CASES = [
  ['099303000417|099417250|NGUYỄN VĂN MẪU|29022004|Nữ|Phường Hoa Mai|12032026', [ID, 'NGUYỄN VĂN MẪU', '29/02/2004']],
  ['099303000417||NGUYỄN VĂN MẪU|01021990|Nam|X|12032026', [ID, 'NGUYỄN VĂN MẪU', '01/02/1990']],
  ['099 303 000 417 Nguyễn Văn Mẫu 1/2/1990', [ID, 'Nguyễn Văn Mẫu', '01/02/1990']],
  ['Nguyễn Văn Mẫu\t01-02-1990\t099303000417', [ID, 'Nguyễn Văn Mẫu', '01/02/1990']],
  ['099303000417, Lò Thị O’Mẫu, 1990', [ID, 'Lò Thị O’Mẫu', '1990']],
  ['099417250 Nguyễn Văn Mẫu 01021990', ['–', 'Nguyễn Văn Mẫu', '01/02/1990']],
  ['099303000417 Mẫu 31/02/1990', [ID, 'Mẫu', '–']],
  ['Nguye\u0302\u0303n Va\u0306n Ma\u0302\u0303u', ['–', 'Nguyễn Văn Mẫu', '–']],
];
for (const [text, want] of CASES) assert.deepEqual(await understood(text), want, text);
const panel = () => page.evaluate(() => document.querySelector('[data-understood]').hidden);
assert.equal(await panel(), false);
await understood('<img src=x onerror=alert(1)>');
assert.equal(await page.evaluate(() => document.querySelectorAll('#work img').length), 0);
assert.equal(await panel(), true, 'nothing understood, nothing shown');

await page.evaluate(() => document.activeElement.blur());
await page.keyboard.press('/');
assert.equal(await focused(), 'subject');
await page.keyboard.down('Alt');
await page.keyboard.press('t');
await page.keyboard.up('Alt');
assert.equal(await focused(), 'procedure');

await page.focus('#subject');
await page.keyboard.press('Enter');
await page.keyboard.press('Enter');
await pause(300);
assert.deepEqual(posts, ['/counter'], 'a doubled Enter sends once');

await page.goto(`${base}/vi/counter-match.html`);
const copied = await page.evaluate(() => {
  const range = document.createRange();
  range.selectNodeContents(document.querySelector('td .id'));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  return getSelection().toString();
});
assert.equal(copied, '099303000417', 'ids leave without spaces');
await page.keyboard.press('Escape');
await pause(300);
assert.ok(page.url().endsWith('/counter'), 'Esc leads to the next person');

// The lock: a page whose idle time is one second, looked at every fifth of a second.
const idle = path.join(pages, 'vi', 'idle-check.html');
const answered = fs.readFileSync(path.join(pages, 'vi', 'counter-match.html'), 'utf8');
fs.writeFileSync(idle, answered.replace('data-idle-seconds="900"', 'data-idle-seconds="1"'));
posts.length = 0;
bodies.length = 0;
const alone = await browser.newPage();
await alone.evaluateOnNewDocument(() => {
  const every = window.setInterval;
  window.setInterval = (act, time, ...rest) => every(act, time === 10000 ? 200 : time, ...rest);
});
await alone.goto(`${base}/vi/idle-check.html`);
await pause(2500);
fs.unlinkSync(idle);
assert.ok(posts.includes('/lock'), 'the lock is asked for');
assert.equal(await alone.evaluate(() => document.querySelector('.answers')), null, 'data is gone');
const kept = new URLSearchParams(new URLSearchParams(bodies.at(-1)).get('kept'));
assert.ok(kept.get('subject').startsWith('099303000417|'), 'the form is kept');
assert.equal(kept.get('case'), 'H40.18-261124-0099');
assert.equal(kept.get('csrf'), null);

// What was kept goes back into its form, and the address is the page's own.
const answeredToo = fs.readFileSync(path.join(pages, 'vi', 'counter.html'), 'utf8');
const restored = path.join(pages, 'vi', 'restored-check.html');
const form = '<form hidden data-restore><input type="hidden" name="subject" value="099303000417 &lt;b&gt;"></form>';
fs.writeFileSync(restored, answeredToo.replace('<main id="main" class="main" tabindex="-1">', (main) => main + form));
await page.goto(`${base}/vi/restored-check.html`);
fs.unlinkSync(restored);
assert.equal(await page.$eval('#subject', (field) => field.value), '099303000417 <b>');
assert.equal(await page.$('[data-restore]'), null);
assert.equal(new URL(page.url()).pathname, '/counter');

// The proof of work is solved without being asked.
await page.goto(`${base}/vi/sign-in-error.html`);
await page.waitForFunction(() => document.querySelector('[name=altcha]').value !== '');
const proof = JSON.parse(atob(await page.$eval('[name=altcha]', (field) => field.value)));
assert.equal(proof.number, 3);
assert.equal(await page.$eval('[data-solved]', (words) => words.hidden), false);

await browser.close();
close();
console.log('behaves');
