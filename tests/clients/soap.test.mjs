// The npm `soap` client made from the served WSDL; only the two headers are added.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import soap from 'soap';

process.env.NO_PROXY = process.env.no_proxy = '127.0.0.1,localhost';

const demo = JSON.parse(readFileSync(process.env.DANCU_DEMO_JSON, 'utf8'));
const systems = new Map(demo.systems.map((system) => [system.systemCode, system]));
const person = demo.citizens.find((c) => c.alive && c.oldId && c.dateOfBirth.length === 10);

let lastTimestamp = 0;

/** The headers of one call: a timestamp is never used twice. */
function signed({ user, secret, serviceUrl }) {
  lastTimestamp = Math.max(Date.now(), lastTimestamp + 1);
  const timestamp = String(lastTimestamp);
  const hash = createHash('sha256').update(serviceUrl + user + timestamp + secret).digest('hex');
  const basic = Buffer.from(`${user}:${hash}`).toString('base64');
  return { Timestamp: timestamp, Authorization: `Basic ${basic}` };
}

function request(system, service, citizen, changes = {}) {
  const registered = system.services.find((s) => s.code === service);
  const procedure = system.procedures.find((p) => p.services.includes(service))
    ?? system.procedures[0];
  const date = citizen.dateOfBirth;
  const fields = {
    MaYeuCau: randomUUID().replaceAll('-', ''),
    MaDVC: procedure.code,
    MaTichHop: registered?.maTichHop,
    MaDonVi: system.unitCode,
    MaCanBo: system.accounts.find((a) => a.kind === 'plan').login,
    MaHoSo: 'HS.2026-0003',
    SoDinhDanh: citizen.personalId,
    HoVaTen: citizen.fullName,
    NgayThangNamSinh: date.length === 4 ? { Nam: date } : { NgayThangNam: date.replaceAll('-', '') },
    ...changes,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
}

let client;
before(async () => {
  client = await soap.createClientAsync(`${demo.soapUrl}?wsdl`);
});

async function call(code, operation, service, citizen, changes) {
  const system = systems.get(code);
  const body = request(system, service, citizen, changes);
  const [answer, raw] = await client[`${operation}Async`](body, { postProcess: (xml) => xml },
    signed(system.soap));
  return { answer, raw };
}

test('verify: the person exists', async () => {
  const { answer } = await call('ONESTOP', 'XacThucThongTinCongDan', 'citizen.verify', person);
  assert.equal(String(answer.TonTai), 'true');
  assert.equal(String(answer.SoLuongCongDan), '1');
});

test('verify: nobody has this id', async () => {
  const { answer } = await call('ONESTOP', 'XacThucThongTinCongDan', 'citizen.verify', person,
    { SoDinhDanh: '099099999999' });
  assert.equal(String(answer.TonTai), 'false');
  assert.equal(String(answer.SoLuongCongDan), '0');
});

test('look-up gives the person', async () => {
  const { answer } = await call('ONESTOP', 'TraCuuThongTinCongDan', 'citizen.lookup', person);
  const found = [answer.CongDan].flat();
  assert.equal(found.length, 1);
  assert.equal(String(found[0].SoDinhDanh), person.personalId);
  assert.equal(found[0].HoVaTen.Ten, person.fullName.toUpperCase());
});

test('look-up of nobody is an empty collection and no fault', async () => {
  const { answer, raw } = await call('ONESTOP', 'TraCuuThongTinCongDan', 'citizen.lookup', person,
    { SoDinhDanh: '099099999999' });
  assert.equal(answer?.CongDan, undefined);
  assert.match(raw, /CongdanCollection/);
});

test('relatives', async () => {
  const ids = new Map(demo.citizens.map((c) => [c.personalId, c]));
  const child = demo.citizens.find((c) => ids.has(c.father));
  const father = ids.get(child.father);
  const date = father.dateOfBirth;
  const { answer } = await call('ONESTOP', 'XacMinhThongTinNhanThan', 'relation.verify', child, {
    NguoiLienQuan: {
      SoDinhDanh: father.personalId,
      HoVaTen: father.fullName,
      NgayThangNamSinh: date.length === 4 ? { Nam: date } : { NgayThangNam: date.replaceAll('-', '') },
    },
  });
  assert.equal(String(answer.KhopDuLieu), 'true');
});

test('a refusal is a fault with rule and correlation id', async () => {
  const refused = call('VERIFYONLY', 'TraCuuThongTinCongDan', 'citizen.lookup', person);
  const error = await refused.then(() => assert.fail('was answered'), (reason) => reason);
  const text = String(error.body ?? error.response?.data);
  assert.equal(error.response.status, 500);
  assert.match(text, /ruleId>A4</);
  assert.match(text, /code>004</);
  assert.match(text, /correlationId>[^<]+</);
});

test('a wrong secret is 401', async () => {
  const system = systems.get('ONESTOP');
  const headers = signed({ ...system.soap, secret: 'x'.repeat(32) });
  const body = request(system, 'citizen.verify', person);
  const error = await client.XacThucThongTinCongDanAsync(body, {}, headers)
    .then(() => assert.fail('was answered'), (reason) => reason);
  assert.equal(error.response.status, 401);
});

test('a list is asked for, made and read', async () => {
  const nobody = { SoDinhDanh: null, HoVaTen: null, NgayThangNamSinh: null };
  const ask = async (operation, changes) =>
    (await call('BIG', operation, 'citizen.list', person, { ...nobody, ...changes })).answer;
  const { CongViec } = await ask('CungCapDanhSachTheoNhomMau', { NhomMau: '03' });
  const job = { MaCongViec: CongViec.MaCongViec };
  for (let tries = 0; ; tries += 1) {
    const now = await ask('GetRequestStatus', job);
    if (now.CongViec.TrangThai === 'HOAN_THANH') break;
    assert.ok(tries < 300, now.CongViec.TrangThai);
    await new Promise((done) => { setTimeout(done, 100); });
  }
  const page = await ask('GetResultDetailAsRecords', { ...job, SoBanGhi: 5 });
  const found = [page.CongDan].flat();
  assert.equal(found.length, 5);
  assert.ok(found.every((one) => String(one.NhomMau) === '03'));
});
