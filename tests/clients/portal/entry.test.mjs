// The way in and out, as people go it: wrong and right passwords and codes, the lock with a form
// half filled, two windows, back after signing out, a passkey, the own account.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { base, fill, follow, freshCode, launch, look, newPage, person, signIn } from './browser.mjs';

const officer = person('onestop.canbo1');
const support = person('trungtam.hotro1');
const auditor = person('kiemtra.canbo1');
let browser;

before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

/** A window of its own with nothing in it. */
async function fresh() {
  const context = await browser.createBrowserContext();
  return { context, page: await newPage(context) };
}

const path = (page) => new URL(page.url()).pathname;
const words = (page) => page.evaluate(() => document.body.innerText);

test('sign in, wrong and right, and out', async () => {
  const { context, page } = await fresh();
  await page.goto(`${base}/account/history`);
  assert.equal(path(page), '/sign-in');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'login', 'the caret is there');
  await look(page, 'sign-in');
  await fill(page, { login: officer.login, password: 'sai mật khẩu' });
  assert.match(await words(page), /Tên đăng nhập hoặc mật khẩu không đúng/);
  assert.equal(await page.$eval('#login', (field) => field.value), officer.login);
  await look(page, 'sign-in-wrong');
  await fill(page, { login: officer.login, password: officer.password });
  await look(page, 'second-factor');
  await fill(page, { code: '000000' });
  assert.match(await words(page), /Mã xác thực không đúng/);
  await look(page, 'second-factor-wrong');
  await fill(page, { code: await freshCode(officer) });
  assert.equal(path(page), '/account/history', 'where one wanted to go');
  await look(page, 'account-history');
  for (const part of ['factors', 'sessions']) {
    await page.goto(`${base}/account/${part}`);
    await look(page, `account-${part}`);
  }
  const cookies = await context.cookies?.() ?? await page.cookies();
  const session = cookies.find((cookie) => cookie.name === 'dancu');
  assert.ok(session.httpOnly && session.sameSite === 'Strict');

  await follow(page, '[data-leave] button');
  assert.match(await words(page), /Đã đăng xuất/);
  await page.goBack();
  assert.equal(path(page), '/sign-in', 'back shows nothing');
  assert.doesNotMatch(await words(page), /Phiên đăng nhập/);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('the screen locks with a form half filled, in every window, and gives it back', async () => {
  const { context, page } = await fresh();
  await signIn(page, auditor, '/account/password');
  const other = await newPage(context);
  await other.goto(`${base}/account/history`);
  await page.goto(`${base}/account/factors/add`);
  // A form like a desk's: what is typed into it comes back.
  await page.evaluate(() => {
    const form = document.createElement('form');
    form.dataset.kept = '';
    for (const [name, type] of [['typed', 'text'], ['secret', 'password']]) {
      const field = Object.assign(document.createElement('input'), { name, type, id: name });
      form.append(field);
    }
    document.querySelector('#main').append(form);
    document.querySelector('#typed').value = 'Hồ sơ số 099';
    document.querySelector('#secret').value = 'không giữ';
  });
  // A window behind another one draws nothing, and nothing in it can be clicked.
  await page.bringToFront();
  await Promise.all([
    page.waitForNavigation(),
    other.waitForNavigation(),
    page.click('[data-lock] button'),
  ]);
  for (const window of [page, other]) {
    assert.match(await words(window), /Màn hình đã khóa/);
    assert.equal((await window.content()).includes('099'), false, 'nothing of it is in the page');
  }
  await look(page, 'lock');
  await page.goto(`${base}/account/sessions`);
  assert.match(await words(page), /Màn hình đã khóa/, 'no address goes round it');
  await page.goBack().catch(() => {});

  await other.bringToFront();
  await fill(other, { password: 'sai' });
  assert.match(await words(other), /không đúng/);
  await fill(other, { password: auditor.password });
  assert.equal(path(other), '/account/history');
  assert.deepEqual([...page.faults, ...other.faults], []);
  await context.close();
});

test('what was typed before the lock stands in its form again', async () => {
  const { context, page } = await fresh();
  await signIn(page, support, '/account/factors/add');
  await page.$eval('#name-key', (field) => { field.value = ''; });
  await page.type('#name-key', 'Khóa số 7 <b>');
  await follow(page, '[data-lock] button');
  await fill(page, { password: support.password });
  assert.equal(path(page), '/account/factors/add', 'the address of the page, not of the unlocking');
  const names = await page.$$eval('[name=name]', (fields) => fields.map((field) => field.value));
  assert.ok(names.includes('Khóa số 7 <b>'), names.join());
  assert.equal(await page.$('[data-restore]'), null);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('a second session ends the first and both are told', async () => {
  const [one, two] = [await fresh(), await fresh()];
  await signIn(one.page, officer);
  await signIn(two.page, officer);
  assert.equal(path(two.page), '/welcome');
  await look(two.page, 'welcome');
  await one.page.goto(`${base}/account/factors`);
  assert.match(await words(one.page), /vừa đăng nhập ở nơi khác/);
  assert.deepEqual([...one.page.faults, ...two.page.faults], []);
  await one.context.close();
  await two.context.close();
});

test('a passkey is enrolled and signs in', async () => {
  const { context, page } = await fresh();
  const devtools = await page.createCDPSession();
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
  });
  const who = person('trungtam.thamdinh1');
  await signIn(page, who, '/account/factors/add');
  await look(page, 'enrol');
  const enrol = 'form[data-passkey] input[value=passkey] ~ button';
  await follow(page, enrol);
  assert.equal(path(page), '/account/factors', await words(page));
  assert.match(await words(page), /Khóa đăng nhập của thiết bị/);
  await follow(page, '[data-leave] button');
  await page.goto(`${base}/sign-in`);
  await follow(page, '[data-passkeys] button');
  assert.notEqual(path(page), '/sign-in', await words(page));
  assert.match(await words(page), /Tài khoản của tôi/);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('language, theme and pages that are not there', async () => {
  const { context, page } = await fresh();
  await page.goto(`${base}/sign-in`);
  await follow(page, 'button[name=lang]');
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  // Where nothing was chosen, the one button that shows is the one that changes something.
  for (const [device, offered] of [['dark', 'light'], ['light', 'dark']]) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: device }]);
    const shown = await page.$$eval('button[name=theme]',
      (all) => all.filter((one) => one.checkVisibility()).map((one) => one.value));
    assert.deepEqual(shown, [offered]);
  }
  await follow(page, 'button[name=theme]');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await look(page, 'sign-in-english');
  await page.goto(`${base}/no/such/page`);
  assert.match(await words(page), /Page not found/);
  await look(page, 'missing');
  assert.deepEqual(page.faults, []);
  await context.close();
});

test('who sends much proves that it is no program, and goes on', async () => {
  const { context, page } = await fresh();
  await signIn(page, support, '/account/history');
  const status = await page.evaluate(async () => {
    let answer = await fetch('/account/history');
    for (let sent = 0; sent < 400 && answer.status === 200; sent += 1) answer = await fetch('/account/history');
    return answer.status;
  });
  assert.equal(status, 429);
  await page.goto(`${base}/account/sessions`);
  assert.match(await words(page), /Kiểm tra trước khi tiếp tục/);
  await page.waitForSelector('[data-solved]:not([hidden])');
  await look(page, 'prove');
  await follow(page, '.gate .main-act');
  assert.equal(path(page), '/account/sessions');
  assert.match(await words(page), /Phiên đăng nhập/);
  assert.deepEqual(page.faults, []);
  await context.close();
});
