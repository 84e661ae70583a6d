// Signing in through an identity provider, as people go it in Chromium and as others try it by
// plain HTTP. The provider is npm oidc-provider (provider.mjs), on the port that the demo was told.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { base, demo, fill, follow, freshCode, launch, look, newPage, person } from '../portal/browser.mjs';
import { listen } from './provider.mjs';

const issuer = process.env.DANCU_IDENTITY_ISSUER;
const officer = person('onestop.canbo1');
const auditor = person('kiemtra.canbo1');
const [citizen, other] = demo.citizens.filter((one) => one.alive && one.dateOfBirth.length === 10);
const claims = (one, changes = {}) => ({
  HoVaTen: one.fullName.toUpperCase(),
  SoDinhDanh: one.personalId,
  NgayThangNamSinh: one.dateOfBirth.replaceAll('-', ''),
  LoaiTaiKhoan: 1,
  ...changes,
});
const staff = (one) => ({ HoVaTen: 'CÁN BỘ MẪU', SoDinhDanh: one.personalId, LoaiTaiKhoan: '1' });
const accounts = {
  officer: staff(officer),
  auditor: staff(auditor),
  citizen: claims(citizen),
  renamed: claims(other, { HoVaTen: 'MẪU VĂN KHÔNG' }),
  reborn: claims(other, { NgayThangNamSinh: '19010101' }),
  nobody: claims(other, { SoDinhDanh: '099199999999' }),
  company: claims(other, { LoaiTaiKhoan: 2 }),
  odd: claims(other, { SoDinhDanh: Number(other.personalId) }),
};
let provider;
let browser;

const beginProvider = () => provider.begin(accounts, {
  client_id: process.env.DANCU_IDENTITY_CLIENT_ID,
  client_secret: fs.readFileSync(process.env.DANCU_IDENTITY_CLIENT_SECRET_FILE, 'utf8').trim(),
  redirect_uris: [`${base}/sign-in/oidc/callback`],
  post_logout_redirect_uris: [`${base}/sign-in`],
});

before(async () => {
  provider = await listen(Number(new URL(issuer).port));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  provider?.close();
});

async function fresh() {
  const context = await browser.createBrowserContext();
  return { context, page: await newPage(context) };
}

const path = (page) => new URL(page.url()).pathname;
const words = (page) => page.evaluate(() => document.body.innerText);
const why = (address) => new URL(address, base).searchParams.get('why');

/** Clicks until the page stands at an address that `there` knows: pages load themselves on the way. */
async function clickTo(page, selector, there) {
  await page.click(selector);
  // Not until the network is idle: requests of pages that were left on the way are never over.
  await page.waitForFunction(`document.readyState === "complete" && ${there}`, { timeout: 30_000 });
}

/** From the sign-in page to the provider and back as somebody. */
async function signIn(page, kind, account, acr = '2', next = '') {
  await page.goto(`${base}/sign-in${next && `?next=${encodeURIComponent(next)}`}`, { waitUntil: 'networkidle0' });
  await follow(page, `a[href^="/sign-in/oidc?as=${kind}"]`);
  assert.ok(page.url().startsWith(issuer), page.url());
  await back(page, account, acr);
}

/** From the provider's page back. */
async function back(page, account, acr) {
  const way = account ? `a[href$="login?account=${account}&acr=${acr}"]` : 'a[href$="/abort"]';
  await clickTo(page, way, 'document.title !== "provider" && location.hostname === "localhost" && !!document.querySelector("main")');
}

// --- plain HTTP ------------------------------------------------------------------------------------

/** A browser without a screen: cookies by host, no redirect followed. */
class Jar {
  constructor() { this.cookies = new Map(); }

  async get(address, options = {}) {
    const url = new URL(address, base);
    const mine = this.cookies.get(url.host) ?? new Map();
    const cookie = [...mine].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...(cookie && { cookie }), ...options.headers };
    const answer = await fetch(url, { redirect: 'manual', ...options, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '' || /max-age=0|1970/i.test(line)) mine.delete(name); else mine.set(name, value);
    }
    this.cookies.set(url.host, mine);
    return { status: answer.status, to: answer.headers.get('location'), body: await answer.text() };
  }

  /** From the start to the address that leads back, as somebody; nothing is sent back yet. */
  async answered(kind, account, { next = '', acr = '2' } = {}) {
    let here = `${base}/sign-in/oidc?as=${kind}&next=${encodeURIComponent(next)}`;
    for (let step = 0; step < 10; step += 1) {
      const answer = await this.get(here);
      if (answer.to === null) throw new Error(`${here}: ${answer.status} ${answer.body.slice(0, 200)}`);
      here = new URL(answer.to, here).href;
      if (here.startsWith(`${base}/`)) return here;
      if (new URL(here).pathname.startsWith('/interaction/') && !here.includes('/login?')) {
        here += account ? `/login?account=${account}&acr=${acr}` : '/abort';
      }
    }
    throw new Error('no way back');
  }

  /** Signed in: some page of one's own opens. */
  async isIn() { return (await this.get('/account/history')).status === 200; }
}

/** Where a page that loads itself leads, after what has to be told. */
function ahead(body) {
  const [, to] = /0;url=([^"]*)"/.exec(body);
  const url = new URL(to.replaceAll('&#38;', '&'), base);
  assert.equal(url.origin, base);
  return url.pathname === '/welcome' ? url.searchParams.get('next') : url.pathname + url.search;
}

const changed = (address, changes) => {
  const url = new URL(address);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name); else url.searchParams.set(name, value);
  }
  return url.href;
};

// --- the checks ------------------------------------------------------------------------------------

test('a provider that does not answer keeps nobody out', async () => {
  const jar = new Jar();
  const answer = await jar.get('/sign-in/oidc?as=officer');
  assert.equal(why(answer.to), 'IdentityUnavailable');
  const page = await jar.get(answer.to);
  assert.match(page.body, /Nơi định danh điện tử hiện không trả lời/);
  assert.match(page.body, /name="password"/, 'how else to sign in stands right there');
  // Nobody asks again at once.
  const before = provider.asked.length;
  await jar.get('/sign-in/oidc?as=officer');
  assert.equal(provider.asked.length, before);
  beginProvider();
  await new Promise((done) => setTimeout(done, 5_500));
});

test('an officer signs in at a strong level and works', async () => {
  const { context, page } = await fresh();
  await page.goto(`${base}/sign-in`, { waitUntil: 'networkidle0' });
  await look(page, 'oidc-sign-in');
  await signIn(page, 'officer', 'officer', '2', '/counter');
  assert.equal(path(page), '/counter', 'where one wanted to go');
  const cookies = await page.cookies();
  assert.equal(cookies.find((cookie) => cookie.name === 'dancu').sameSite, 'Strict');
  // Nothing of the way stands in the address, the history's end, or storage.
  assert.equal(new URL(page.url()).search, '');
  await page.waitForSelector('#subject');
  const day = citizen.dateOfBirth.split('-').reverse().join('/');
  await page.type('#subject', `${citizen.personalId} ${citizen.fullName} ${day}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#verdict');
  assert.match(await words(page), /Khớp/);
  // The sign-in was strong: no factor is asked for before what needs a fresh one.
  await page.goto(`${base}/account/factors/add`, { waitUntil: 'networkidle0' });
  assert.doesNotMatch(await words(page), /Xác thực lại/);
  await follow(page, '[data-leave] button');
  assert.match(await words(page), /Đã đăng xuất/);
  await look(page, 'oidc-signed-out');
  await follow(page, 'a[href="/sign-in/oidc/out"]');
  assert.ok(page.url().startsWith(`${issuer}/session/end`), page.url());
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('a weak level is followed by the own factor', async () => {
  const { context, page } = await fresh();
  await signIn(page, 'officer', 'auditor', '1', '/account/history');
  assert.match(await words(page), /Mã 6 chữ số/);
  await fill(page, { code: await freshCode(auditor) });
  assert.equal(path(page), '/account/history');
  assert.match(await words(page), /Đăng nhập/);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('a citizen sees the own data and who looked', async () => {
  const { context, page } = await fresh();
  await signIn(page, 'citizen', 'citizen');
  assert.equal(path(page), '/me/data');
  const data = await words(page);
  assert.match(data, /Dữ liệu của tôi/);
  assert.ok(data.replace(/\s/g, '').includes(citizen.personalId));
  assert.ok(data.includes(citizen.fullName), 'the name as the registry has it');
  assert.match(data, /(Hộ tịch|Cư trú|Căn cước|Y tế|Nhập tay), \d\d\/\d\d\/\d{4}/, 'each part says where it comes from');
  await look(page, 'citizen-data');
  await page.goto(`${base}/me/looks`, { waitUntil: 'networkidle0' });
  const looks = await words(page);
  assert.match(looks, /Tháng 03\/2026/);
  assert.match(looks, /Trung tâm Phục vụ hành chính công thành phố Mẫu đã đối chiếu thông tin của quý vị/);
  const newest = await page.$eval('article', (look) => look.innerText);
  assert.match(newest, /Trung tâm Phục vụ hành chính công thành phố Mẫu đã đối chiếu/, 'what the officer asked just now');
  assert.ok(!looks.includes(officer.login), 'the unit answers for it, not a name');
  await look(page, 'citizen-looks');
  await page.goto(`${base}/account/sessions`, { waitUntil: 'networkidle0' });
  assert.match(await words(page), /Phiên/);
  // The screen locks; the provider asks anew, whatever it remembers.
  await page.goto(`${base}/me/data`, { waitUntil: 'networkidle0' });
  await follow(page, '[data-lock] button');
  assert.equal(await page.$('[name=password]'), null, 'there is no password');
  assert.ok(!(await words(page)).includes(citizen.personalId));
  await look(page, 'citizen-lock');
  await follow(page, 'a[href^="/sign-in/oidc?as=citizen"]');
  assert.ok(page.url().includes('/interaction/'), 'not by the remembered session alone');
  await back(page, 'citizen', '2');
  assert.equal(path(page), '/me/data');
  // A desk is nobody's by signing in.
  for (const closed of ['/counter', '/unit/officers', '/audit', '/operate/systems']) {
    const answer = await page.goto(`${base}${closed}`, { waitUntil: 'networkidle0' });
    assert.equal(answer.status(), 403, closed);
  }
  page.faults.splice(0, page.faults.length, ...page.faults.filter((fault) => !fault.includes('403')));
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('who is not let in is told why, and nothing is opened', async () => {
  for (const [kind, account, acr, reason] of [
    ['officer', 'citizen', '2', 'IdentityUnknown'],
    ['officer', 'company', '2', 'IdentityOrganisation'],
    ['citizen', 'company', '2', 'IdentityOrganisation'],
    ['citizen', 'citizen', '1', 'AssuranceTooLow'],
    ['citizen', 'renamed', '2', 'IdentityDiffers'],
    ['citizen', 'reborn', '2', 'IdentityDiffers'],
    ['citizen', 'nobody', '2', 'IdentityDiffers'],
    ['citizen', 'odd', '2', 'IdentityFailed'],
    ['citizen', null, '2', 'IdentityDeclined'],
  ]) {
    const jar = new Jar();
    const answer = await jar.get(await jar.answered(kind, account, { acr }));
    assert.equal(answer.status, 303);
    assert.equal(why(answer.to), reason, `${kind} ${account} ${acr}`);
    assert.equal(await jar.isIn(), false);
    const page = await jar.get(answer.to);
    assert.match(page.body, /class="note"/, 'one sentence and what to do');
    assert.ok(!page.body.includes(other.personalId));
  }
});

test('an answer serves once, and only the browser that asked', async () => {
  const [mine, thief] = [new Jar(), new Jar()];
  const stolen = await mine.answered('officer', 'officer', { next: '/counter' });
  await thief.get('/sign-in');
  assert.equal(why((await thief.get(stolen)).to), 'SignInExpired', 'in another browser');
  assert.equal(await thief.isIn(), false);
  const done = await mine.get(stolen);
  assert.equal(done.status, 200, 'a page of ours leads on');
  assert.equal(ahead(done.body), '/counter');
  assert.equal(await mine.isIn(), true);
  assert.equal(why((await mine.get(stolen)).to), 'SignInExpired', 'a second time');
  // With a state of one's own the code of another sign-in is of no use.
  const [first, second] = [new Jar(), new Jar()];
  const code = new URL(await first.answered('officer', 'officer')).searchParams.get('code');
  const own = await second.answered('officer', 'auditor');
  assert.equal(why((await second.get(changed(own, { code }))).to), 'IdentityFailed');
  assert.equal(await second.isIn(), false);
});

test('answers that were made up are refused', async () => {
  for (const [what, change] of [
    ['no state', (a) => changed(a, { state: null })],
    ['a forged state', (a) => changed(a, { state: 'A'.repeat(300) })],
    ['two states', (a) => `${a}&state=x`],
    ['two codes', (a) => `${a}&code=x`],
    ['no code', (a) => changed(a, { code: null })],
    ['a wrong code', (a) => changed(a, { code: 'x' })],
    ['a long code', (a) => changed(a, { code: 'x'.repeat(3_000) })],
    ['another issuer', (a) => changed(a, { iss: 'https://evil.example' })],
    ['no issuer', (a) => changed(a, { iss: null })],
    ['an error beside a code', (a) => changed(a, { error: 'invalid_request' })],
    ['markup', (a) => changed(a, { error: '<script>alert(1)</script>' })],
  ]) {
    const jar = new Jar();
    const answer = await jar.get(change(await jar.answered('officer', 'officer')));
    assert.equal(answer.status, 303, what);
    assert.match(why(answer.to), /^(IdentityFailed|SignInExpired)$/, what);
    assert.ok(!answer.to.includes('script'), what);
    assert.equal(await jar.isIn(), false, what);
  }
  const nothing = await new Jar().get('/sign-in/oidc/callback');
  assert.equal(why(nothing.to), 'SignInExpired');
});

test('a way back leads nowhere else', async () => {
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', '/sign-in/oidc', 'javascript:alert(1)', `/${'a'.repeat(5_000)}`]) {
    const jar = new Jar();
    const done = await jar.get(await jar.answered('officer', 'officer', { next }));
    assert.equal(done.status, 200, next.slice(0, 40));
    assert.equal(ahead(done.body), '/', next.slice(0, 40));
    assert.ok(!done.body.includes('evil'));
  }
});

test('a provider that misbehaves holds nobody up', async () => {
  const ways = {
    'ten megabytes': ['IdentityUnavailable', (response) => response.writeHead(200).end('x'.repeat(10 << 20))],
    'a page': ['IdentityFailed', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    'a redirect': ['IdentityUnavailable', (response) => response.writeHead(302, { location: `${base}/healthz` }).end()],
    'an error': ['IdentityUnavailable', (response) => response.writeHead(500).end()],
    'no identity token': ['IdentityFailed', (response) => response.writeHead(200).end('{"access_token":"x"}')],
    'an unsigned token': ['IdentityFailed', (response) => {
      const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const now = Math.floor(Date.now() / 1000);
      const token = { iss: issuer, sub: 'officer', aud: process.env.DANCU_IDENTITY_CLIENT_ID, iat: now, exp: now + 60, acr: '2', SoDinhDanh: officer.personalId };
      response.writeHead(200).end(JSON.stringify({ id_token: `${part({ alg: 'none' })}.${part(token)}.` }));
    }],
    'silence': ['IdentityUnavailable', () => {}],
    'drops': ['IdentityUnavailable', (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(timer));
    }],
  };
  for (const [what, [reason, act]] of Object.entries(ways)) {
    const jar = new Jar();
    const address = await jar.answered('officer', 'officer');
    provider.override((place, _, response) => place === '/token' && (act(response), true));
    const began = performance.now();
    const waiting = jar.get(address);
    // Nobody else waits meanwhile.
    const beside = await new Jar().get('/sign-in');
    assert.equal(beside.status, 200);
    assert.ok(performance.now() - began < 5_000, what);
    const answer = await waiting;
    provider.override(null);
    assert.equal(why(answer.to), reason, what);
    assert.ok(performance.now() - began < 15_000, what);
    assert.equal(await jar.isIn(), false, what);
  }
});

test('the own account tells the sign-in', async () => {
  const jar = new Jar();
  await jar.get(await jar.answered('citizen', 'citizen'));
  const page = await jar.get('/account/history');
  assert.match(page.body, /Đăng nhập/);
  assert.ok(!page.body.includes(citizen.personalId));
});
