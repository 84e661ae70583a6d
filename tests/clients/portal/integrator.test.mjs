// The integrator's desk: a secret made and shown once, a key and a certificate, addresses, the
// debugger, the last calls; the head and the operator who revoke.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { base, demo, follow, launch, look, newPage, person, signIn } from './browser.mjs';

const integrator = person('onestop.tichhop');
const head = person('onestop.thutruong');
const operator = person('trungtam.vanhanh1');
const system = demo.systems.find((one) => one.systemCode === 'ONESTOP');
const mark = String(Date.now()).slice(-6);
const NAME = `Máy chủ ${mark} <b>của Bộ phận một cửa</b>`;
let browser;
let page;
let secret;

before(async () => {
  browser = await launch();
  page = await newPage(await browser.createBrowserContext());
  await signIn(page, integrator, '/integrator');
});
after(() => browser?.close());
afterEach(() => assert.deepEqual(page.faults.splice(0), []));

const here = (at = page) => new URL(at.url()).pathname;
const words = (at = page) => at.evaluate(() => document.body.innerText);
const go = (address, at = page) => at.goto(base + address);

/** Fills fields of the form that goes to this address, and sends it. */
async function send(action, fields, at = page) {
  const form = `#main form[action$="${action}"]`;
  for (const [name, value] of Object.entries(fields)) {
    await at.$eval(`${form} [name="${name}"]`, (field, text) => {
      if (field.type === 'checkbox') field.checked = text;
      else field.value = text;
    }, value);
  }
  await follow(at, `${form} button`);
}

/** A SOAP header as existing software makes it. */
function soapHeader(key, { path = '/soap/dancu', stamp = Date.now(), hashed = stamp } = {}) {
  const hash = createHash('sha256').update(`${path}${system.soap.user}${hashed}${key}`).digest('hex');
  const proof = Buffer.from(`${system.soap.user}:${hash}`).toString('base64');
  return { Timestamp: String(stamp), Authorization: `Basic ${proof}` };
}

const pasted = (headers) =>
  ['POST /soap/dancu HTTP/1.1', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n');

async function soap(key) {
  const headers = { ...soapHeader(key), 'Content-Type': 'text/xml' };
  return (await fetch(`${demo.baseUrl}/soap/dancu`, { method: 'POST', headers, body: '<a/>' })).status;
}

test('the list leads to the own system and to no other', async () => {
  assert.equal(here(), '/integrator');
  assert.match(await words(), /ONESTOP/);
  assert.doesNotMatch(await words(), /BANK|SMALL/);
  await look(page, 'integrator-systems');
  await go('/integrator/BANK');
  assert.match(await words(), /Không có trang này|Không tìm thấy/);
  await go('/integrator/ONESTOP');
  assert.match(await words(), /Khóa của tiêu đề SOAP/);
  assert.ok(!(await page.content()).includes(system.soap.secret));
});

test('a secret is shown once and works beside the one before', async () => {
  await send('/secrets', { kind: 'soap', name: NAME, overlap: '7' });
  secret = await page.$eval('#secret', (it) => it.textContent);
  assert.equal(secret.length, 43);
  assert.match(await words(), /Khóa cũ còn dùng được đến/);
  await look(page, 'integrator-secret');
  await follow(page, '#main a.main-act');
  assert.ok(!(await page.content()).includes(secret), 'shown once');
  assert.ok((await words()).includes(NAME), 'markup is text');
  assert.match(await words(), /Sắp hết hạn trong 30 ngày/);
  assert.notEqual(await soap(secret), 401);
  assert.notEqual(await soap(system.soap.secret), 401);
  await send('/secrets', { kind: 'soap' });
  assert.match(await words(), /Đang có hai khóa còn hiệu lực/);
  await look(page, 'integrator-two');
});

test('a key and addresses, with what is wrong', async () => {
  await go('/integrator/ONESTOP');
  await send('/material', { material: 'ssh-ed25519 AAAA' });
  assert.match(await words(), /Không đọc được/);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await send('/material', { material: privateKey.export({ type: 'pkcs8', format: 'pem' }) });
  assert.match(await words(), /khóa bí mật/);
  assert.doesNotMatch(await page.content(), /PRIVATE KEY/);
  await send('/material', {
    material: JSON.stringify(createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' })),
    called: `Khóa ${mark}`,
  });
  assert.match(await words(), /P-256/);
  await send('/sources', { sources: '203.0.113.9/24' });
  assert.match(await words(), /203\.0\.113\.0\/24\?/);
  await look(page, 'integrator-wrong');
  await send('/sources', { sources: '127.0.0.0/8\n203.0.113.0/24' });
  assert.match(await words(), /có hiệu lực ngay/);
  await look(page, 'integrator-system');
});

test('the debugger names what is wrong and shows nothing again', async () => {
  await go('/integrator/ONESTOP/debug');
  await look(page, 'integrator-debug');
  await send('/debug', { paste: pasted(soapHeader(secret)) });
  assert.match(await words(), /Xác thực được/);
  await look(page, 'integrator-right');
  const now = Date.now();
  for (const [headers, told] of [
    [soapHeader('không phải'), /kiểm tra khóa đang dùng/],
    [soapHeader(secret, { hashed: Math.floor(now / 1000), stamp: now }), /khác đơn vị/],
    [soapHeader(secret, { path: '/soap/dancu/' }), /địa chỉ dịch vụ \/soap\/dancu\//],
    [soapHeader(secret, { stamp: now + 7 * 3_600_000 }), /giờ Việt Nam bị hiểu là giờ UTC/],
    [soapHeader(system.oauth.clientSecret), /Dùng nhầm khóa/],
  ]) {
    await send('/debug', { paste: pasted(headers), source: '198.51.100.7' });
    assert.match(await words(), told);
    assert.ok(!(await page.content()).includes(headers.Authorization.slice(6)), 'not shown again');
  }
  await look(page, 'integrator-found');
});

test('the last calls, refused sign-ins among them', async () => {
  assert.equal(await soap('không phải'), 401);
  await go('/integrator/ONESTOP/calls');
  assert.match(await words(), /Khóa, chuỗi băm hoặc token không đúng/);
  assert.match(await words(), /127\.0\.0\.1/);
  await look(page, 'integrator-calls');
  await go('/integrator/ONESTOP/calls?show=refused');
  assert.match(await words(), /Từ chối/);
});

test('the head revokes the old secret, and it ends at once', async () => {
  const at = await newPage(await browser.createBrowserContext());
  await signIn(at, head, '/integrator/ONESTOP');
  assert.equal((await at.$$('#main form[action$="/secrets"]')).length, 0, 'the head issues nothing');
  const links = await at.$$eval('#main a[href*="kind=soap"]', (all) => all.map((a) => a.getAttribute('href')));
  assert.equal(links.length, 2);
  await go(links[1], at);
  await look(at, 'integrator-revoke');
  await send('/revoke', { why: 'đã đổi xong' }, at);
  assert.match(await words(at), /Đã thu hồi/);
  assert.equal(await soap(system.soap.secret), 401);
  assert.notEqual(await soap(secret), 401);
  // The last one asks for a word more.
  await go(links[0], at);
  await send('/revoke', {}, at);
  assert.match(await words(at), /xác nhận rằng hệ thống/);
  await look(at, 'integrator-last');
  assert.deepEqual(at.faults, []);
});

test('the operator sees every system and explains its calls', async () => {
  const at = await newPage(await browser.createBrowserContext());
  await signIn(at, operator, '/integrator');
  assert.match(await words(at), /BANK/);
  await go('/integrator/BANK/debug', at);
  await send('/debug', { paste: `grant_type=client_credentials&client_id=bank&client_secret=sai` }, at);
  assert.match(await words(at), /client_secret/);
  assert.match(await words(at), /Bị từ chối/);
  await look(at, 'integrator-operator');
  assert.deepEqual(at.faults, []);
});
