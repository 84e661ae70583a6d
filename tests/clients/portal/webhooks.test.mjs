// Webhooks of a system: registered at the integrator's desk, received by a real server, verified by
// the library of the Standard Webhooks specification, tried again, renewed, paused and removed.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { base, demo, follow, launch, look, newPage, person, signIn } from './browser.mjs';

const integrator = person('onestop.tichhop');
const head = person('onestop.thutruong');
const AT = '/integrator/ONESTOP/webhooks';
const TYPES = ['test', 'credential.ending'];
let browser;
let page;
let first;
let second;
let secret;

/** A receiver: keeps what comes, answers with what is asked for, 204 once that is used up. */
async function receiver() {
  const got = [];
  const answers = [];
  let waiting = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(answers.shift() ?? 204).end();
      for (const look of waiting) look();
      waiting = [];
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    got,
    answers,
    server,
    url: `http://127.0.0.1:${server.address().port}/dancu?don-vi=mot-cua`,
    /** The request number `count`, which comes in time. */
    async come(count) {
      const deadline = Date.now() + 30_000;
      while (got.length < count) {
        assert.ok(Date.now() < deadline, `${got.length} came, ${count} expected`);
        await Promise.race([new Promise((done) => waiting.push(done)), new Promise((done) => setTimeout(done, 500))]);
      }
      return got[count - 1];
    },
  };
}

before(async () => {
  first = await receiver();
  second = await receiver();
  browser = await launch();
  page = await newPage(await browser.createBrowserContext());
  await signIn(page, integrator, '/integrator/ONESTOP');
});
after(async () => {
  await browser?.close();
  for (const one of [first, second]) one?.server.close();
});
afterEach(() => assert.deepEqual(page.faults.splice(0), []));

const words = (at = page) => at.evaluate(() => document.querySelector('main').innerText);
const go = (address, at = page) => at.goto(base + address);
const act = (name) => follow(page, `#main button[name="act"][value="${name}"]`);
const shown = () => page.$eval('#secret', (it) => it.textContent);

async function register(address) {
  await go(AT);
  await page.$eval('#address', (field, text) => { field.value = text; }, address);
  await follow(page, `#main form[action="${AT}"] button.main-act`);
}

/** What was signed, verified as an agency's software does. */
const verified = (request, key = secret) => new Webhook(key).verify(request.body, request.headers);

let ahead = Date.parse(demo.clock) - Date.now();

/** Time goes on in the sandbox. */
async function later(ms) {
  ahead += ms;
  const answer = await fetch(`${demo.baseUrl}/sandbox/clock`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ now: new Date(Date.now() + ahead).toISOString() }),
  });
  assert.ok(answer.status < 300, await answer.text());
}

/** Loads the page anew until it says so. */
async function says(address, pattern) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    await go(address);
    const text = await words();
    if (pattern.test(text)) return text;
    assert.ok(Date.now() < deadline, `${pattern} in ${text}`);
    await new Promise((done) => setTimeout(done, 300));
  }
}

/** A new secret of the SOAP header that ends the one before within a week: the unit is told (C5). */
async function endSecret() {
  await go('/integrator/ONESTOP');
  const form = '#main form[action$="/secrets"]';
  await page.select(`${form} [name="kind"]`, 'client');
  await page.select(`${form} [name="overlap"]`, '7');
  await follow(page, `${form} button`);
  assert.ok(await page.$('#secret'));
}

test('addresses that lead elsewhere are refused in plain words', async () => {
  await go(AT);
  assert.match(await words(), /Chưa có địa chỉ nào/);
  await look(page, 'webhooks-empty');
  for (const [address, told] of [
    ['http://169.254.169.254/latest/meta-data', /thuộc mạng nội bộ hoặc mạng dành riêng/],
    ['https://10.0.0.1/', /thuộc mạng nội bộ hoặc mạng dành riêng/],
    ['ftp://webhook.coquan.example.vn/', /phải bắt đầu bằng https:\/\//],
    ['http://webhook.coquan.example.vn/', /phải bắt đầu bằng https:\/\//],
    ['https://user:pw@webhook.coquan.example.vn/', /Không ghi tên hoặc mật khẩu trong địa chỉ/],
  ]) {
    await register(address);
    assert.match(await words(), told, address);
  }
  await look(page, 'webhooks-wrong');
});

test('an address is registered, and its secret is shown once', async () => {
  await register(first.url);
  secret = await shown();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  await look(page, 'webhook-secret');
  await follow(page, '#main a.main-act');
  assert.ok(!(await page.content()).includes(secret), 'shown once');
  assert.match(await words(), /Chưa gửi gì/);
  await go(AT);
  assert.ok(!(await page.content()).includes(secret));
  assert.ok((await words()).includes(first.url));
  await look(page, 'webhooks-list');
});

test('a test event comes signed, and its result is listed', async () => {
  await go(`${AT}/1`);
  await act('test');
  assert.match(await words(), /Đã xếp sự kiện thử vào hàng gửi/);
  const request = await first.come(1);
  assert.equal(request.path, '/dancu?don-vi=mot-cua');
  assert.equal(request.headers['content-type'], 'application/json');
  const event = verified(request);
  assert.deepEqual(Object.keys(event).sort(), ['data', 'id', 'rule', 'system', 'time', 'type']);
  assert.equal(event.id, request.headers['webhook-id']);
  assert.deepEqual([event.type, event.system, event.data], ['test', 'ONESTOP', {}]);
  assert.match(event.time, /^\d{4}-\d\d-\d\dT[\d:.]+\+07:00$/);
  assert.throws(() => new Webhook(secret).verify(`${request.body} `, request.headers), 'another body');
  assert.match(await says(`${AT}/1`, /Đã nhận/), /HTTP 204/);
});

test('what happens to the system comes by itself, and is tried again under its id', async () => {
  first.answers.push(500, 500);
  await endSecret();
  const failed = await first.come(2);
  const event = verified(failed);
  assert.deepEqual([event.type, event.rule], ['credential.ending', 'C5']);
  assert.deepEqual(Object.keys(event.data), ['number', 'until']);
  await says(`${AT}/1`, /Sẽ gửi lại/);
  await look(page, 'webhook-failing');
  await later(60_000);
  await first.come(3);
  await says(`${AT}/1`, /HTTP 500\s+\d+\s+2\s/);
  await later(120_000);
  const taken = await first.come(4);
  for (const request of first.got.slice(1)) {
    assert.equal(request.headers['webhook-id'], event.id, 'so that a receiver drops what it has');
    assert.equal(request.body, failed.body);
  }
  assert.ok(verified(taken));
  await go(`${AT}/1`);
  await says(`${AT}/1`, /Đã nhận[^]*Đã nhận/);
  assert.match(await words(), /Đang gửi/);
  await follow(page, '#main button[name="delivery"]');
  const again = await first.come(5);
  assert.equal(again.headers['webhook-id'], event.id, 'sent again by hand');
  await look(page, 'webhook-sent');
});

test('for a day both secrets sign', async () => {
  await go(`${AT}/1`);
  await act('secret');
  const fresh = await shown();
  assert.notEqual(fresh, secret);
  assert.match(await words(), /Khóa ký cũ còn dùng được đến/);
  await follow(page, '#main a.main-act');
  await later(60_000);
  await act('test');
  const both = await first.come(6);
  assert.equal(both.headers['webhook-signature'].split(' ').length, 2);
  assert.ok(verified(both, fresh) && verified(both, secret));
  secret = fresh;
});

test('paused nothing comes, resumed it does', async () => {
  await go(`${AT}/1`);
  await act('pause');
  assert.match(await words(), /Tạm dừng/);
  await look(page, 'webhook-paused');
  assert.equal((await page.$$('#main button[value="test"]')).length, 0);
  await act('resume');
  assert.match(await words(), /Đã bật lại/);
  await later(60_000);
  await act('test');
  assert.equal(verified(await first.come(7)).type, 'test');
});

test('the head sees the host alone, and nobody sees another unit’s', async () => {
  const at = await newPage(await browser.createBrowserContext());
  await signIn(at, head, `${AT}/1`);
  const text = await words(at);
  assert.ok(text.includes(new URL(first.url).host) && !text.includes('don-vi=mot-cua'));
  assert.equal((await at.$$('#main form[action*="webhooks"]')).length, 0, 'the head changes nothing');
  assert.deepEqual(at.faults, []);
  for (const elsewhere of ['/integrator/BANK/webhooks', '/integrator/BANK/webhooks/1', `${AT}/99`]) {
    const answer = await go(elsewhere);
    assert.equal(answer.status(), 404, elsewhere);
  }
});

test('what is removed is sent nothing more', async () => {
  await register(second.url);
  const other = await shown();
  await go(`${AT}/1`);
  await page.click('#sure input');
  await act('remove');
  assert.match(await words(), /Đã gỡ địa chỉ/);
  assert.equal((await go(`${AT}/1`)).status(), 404);
  const before = first.got.length;
  await go(`${AT}/2`);
  await act('test');
  assert.equal(verified(await second.come(1), other).type, 'test');
  assert.equal(first.got.length, before);
  for (const request of [...first.got, ...second.got]) {
    const { type } = JSON.parse(request.body);
    assert.ok(TYPES.includes(type), type);
    for (const { login } of demo.people) assert.ok(!request.body.includes(login), 'no login');
    assert.doesNotMatch(request.body, /\d{12}/);
  }
});
