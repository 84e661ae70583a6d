// What every walk through the portal needs: a browser, people of demo.json, codes of their apps,
// and a look at each page: nothing serious by axe, nothing wider than the window, nothing against
// the policy; with SHOTS=folder also a picture.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, afterEach, before } from 'node:test';
import puppeteer from 'puppeteer-core';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { 360: 780, 1366: 768 };
const STEP_MS = 30_000;
/** How long a code may be on its way. */
const SENT_MS = 8_000;

/** The demo server's facts. */
export const demo = JSON.parse(fs.readFileSync(process.env.DANCU_DEMO_JSON ?? 'demo.json', 'utf8'));
/** The portal as a browser reaches it: passkeys need a name instead of an address. */
export const base = demo.baseUrl.replace('127.0.0.1', 'localhost');

/** A person of the demo. */
export function person(login) {
  const found = demo.people.find((one) => one.login === login);
  if (!found) throw new Error(`demo.json has no ${login}`);
  return found;
}

function decoded(base32) {
  const bits = [...base32].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}

/** The code of an app (RFC 6238), `ahead` half minutes from now. */
export function code(secret, ahead = 0) {
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + ahead));
  const sum = createHmac('sha1', decoded(secret)).update(step).digest();
  const at = sum[19] & 15;
  return String((sum.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const used = new Map();

/** A code that this process did not use before: each is good once. Waits where it must. */
export async function freshCode(who) {
  const now = () => Math.floor(Date.now() / STEP_MS);
  // The oldest that is still good when a slow machine has sent it.
  const oldest = Math.floor((Date.now() + SENT_MS) / STEP_MS) - 1;
  const next = Math.max((used.get(who.login) ?? 0) + 1, oldest);
  // A code is accepted half a minute early.
  while (now() + 1 < next) await new Promise((done) => setTimeout(done, 500));
  used.set(who.login, next);
  return code(who.totpSecret, next - now());
}

/** A browser; closed by `close()`. */
export async function launch() {
  return puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--hide-scrollbars'],
  });
}

/** A page that notes what the browser complains about. */
export async function newPage(context) {
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`script: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // A status that is not 200 is what several steps are about.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) page.faults.push(text);
  });
  await page.setViewport({ width: 1366, height: SIZES[1366] });
  return page;
}

/** Does what leads to another page, and waits until that one stands: loaded, and none of those that
 * send themselves on. */
export async function goes(page, act) {
  await Promise.all([page.waitForNavigation(), act()]);
  await page.waitForFunction(() => document.readyState === 'complete' && !document.querySelector('[data-send-now]'));
}

/** Fills fields by their names and sends the form by Enter in the last one. */
export async function fill(page, fields) {
  let last;
  for (const [name, value] of Object.entries(fields)) {
    last = await page.waitForSelector(`#main [name="${name}"]:not([type=hidden])`, { visible: true });
    await last.evaluate((field) => { field.value = ''; });
    await last.type(value);
  }
  await goes(page, () => last.press('Enter'));
}

/** Signs somebody in, and stands on the desk. */
export async function signIn(page, who, next = '/') {
  await page.goto(`${base}/sign-in?next=${encodeURIComponent(next)}`);
  await fill(page, { login: who.login, password: who.password });
  await fill(page, { code: await freshCode(who) });
}

/** Clicks something that leads to another page. */
export async function follow(page, selector) {
  await goes(page, () => page.click(selector));
}

/** A walk of several people in a browser of its own: gives the desk of somebody, who signs in once.
 * What a desk complains about fails the step in which it does. */
export function walk() {
  const desks = {};
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser?.close());
  afterEach(() => {
    for (const at of Object.values(desks)) assert.deepEqual(at.faults.splice(0), []);
  });
  return async (who) => {
    if (!desks[who.login]) {
      desks[who.login] = await newPage(await browser.createBrowserContext());
      await signIn(desks[who.login], who);
    }
    return desks[who.login];
  };
}

/** Opens a page of the portal. */
export const go = (at, where) => at.goto(base + where);
/** What a page says. */
export const words = (at) => at.evaluate(() => document.querySelector('main').innerText);

/** Fills fields by name in the form of an address, and sends it by its button; a fresh code is
 * given where it is asked for and somebody is named who has one. */
export async function send(at, action, fields, button = 'button:not([name])', who = null) {
  const form = `#main form[action$="${action}"]`;
  for (const [name, value] of Object.entries(fields)) {
    await at.$eval(`${form} [name="${name}"]`, (field, typed) => {
      if (field.type === 'checkbox') field.checked = typed;
      else field.value = typed;
      field.closest('details')?.setAttribute('open', '');
    }, value);
  }
  await at.$eval(`${form} ${button}`, (it) => it.closest('details')?.setAttribute('open', ''));
  await follow(at, `${form} ${button}`);
  if (who && await at.$('#main input[name=code]')) await fill(at, { code: await freshCode(who) });
}

/** `dd/mm/yyyy`, so many days after the product's today as a page shows it. */
export async function day(at, ahead = 0) {
  const now = Date.parse(await at.$eval('.clock time', (time) => time.dateTime));
  const local = new Date(now + ahead * 86_400_000 + 7 * 3_600_000);
  const [year, month, date] = local.toISOString().slice(0, 10).split('-');
  return `${date}/${month}/${year}`;
}

/** Looks at the page as it is, in both widths and themes. */
export async function look(page, name) {
  // Letters of another width would be looked at otherwise.
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  for (const theme of ['light', 'dark']) {
    // Without motion: a colour on its way from one theme to the other is none that anybody reads.
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: theme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    for (const [width, height] of Object.entries(SIZES)) {
      await page.setViewport({ width: Number(width), height });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) page.faults.push(`${name} ${width}: ${wide} px wider than the window`);
      if (process.env.SHOTS) {
        fs.mkdirSync(process.env.SHOTS, { recursive: true });
        const file = path.join(process.env.SHOTS, `${name}-${theme}-${width}.png`);
        await page.screenshot({ path: file, fullPage: true });
      }
    }
    // The devtools' world is outside of the page's policy.
    const { violations } = await page.evaluate(`${axe}; axe.run(document)`);
    for (const { id, impact, nodes } of violations) {
      page.faults.push(`${name} ${theme}: axe ${impact} ${id} ${nodes[0].html.slice(0, 160)}`);
    }
  }
  await page.setViewport({ width: 1366, height: SIZES[1366] });
  await page.emulateMediaFeatures([]);
}
