import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, type TestDatabase, testKafka } from '@payflow/testing';

import { identityDatabase, postJson, type RunningAuth, startAuth } from '../../auth/test/running-auth.js';
import { MessagesUnderTest } from './messages-under-test.js';

const PATIENT = { timeoutMs: 120_000 };
let database: TestDatabase;
let auth: RunningAuth;
let service: MessagesUnderTest;

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  const { CODE_SEALING_KEY: key = '', KAFKA_TOPIC_PREFIX: prefix = '' } = auth.environment;
  service = await MessagesUnderTest.start({
    CODE_SEALING_KEY: key,
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_BROKERS: testKafka().brokerList,
    AUTH_URL: auth.url,
  });
});
afterAll(async () => {
  await service.stop();
  await auth.stop();
  await database.drop();
});

const mailsTo = async (to: string) =>
  (await service.ask('GET', `/dev/mailbox?to=${encodeURIComponent(to)}`)).body.data as readonly Record<
    string,
    string
  >[];

it('has the code right after it was asked for, and each code once when its message has come', async () => {
  const email = 'right-away@example.com';
  const registered = await postJson(`${auth.url}/auth/register`, { email, password: 'correct horse battery' });
  expect(registered.status).toBe(201);
  const [first, ...none] = await mailsTo(email);
  expect(none).toEqual([]);
  expect(first).toMatchObject({ to: email, channel: 'email', purpose: 'verification' });
  expect(first?.['code']).toMatch(/^\d{6}$/);

  await postJson(`${auth.url}/auth/verify/resend`, { email });
  const [second] = await mailsTo(email);
  expect(second?.['code']).not.toBe(first?.['code']);

  await eventually(async () => {
    const rows = await service.database.query('SELECT FROM messages WHERE to_address = $1', [email]);
    expect(rows).toHaveLength(2);
  }, PATIENT);
  expect(await mailsTo(email)).toEqual([second, first]);
  const verified = await postJson(`${auth.url}/auth/verify`, { email, code: second?.['code'] });
  expect(verified.status).toBe(200);
});

it('shows receipts beside codes, the newest first', async () => {
  const email = 'receipts@example.com';
  const { body } = await postJson(`${auth.url}/auth/register`, { email, password: 'correct horse battery' });
  const [mail] = await mailsTo(email);
  await postJson(`${auth.url}/auth/verify`, { email, code: mail?.['code'] });
  await eventually(async () => {
    const rows = await service.database.query('SELECT FROM contacts WHERE email = $1', [email]);
    expect(rows).toHaveLength(1);
  }, PATIENT);
  await service.capture(String(body['userId']));
  await eventually(async () => {
    expect((await mailsTo(email)).map(({ purpose }) => purpose)).toEqual(['payment_receipt', 'verification']);
  }, PATIENT);
  expect((await mailsTo(email))[0]).toMatchObject({ subject: 'Receipt: 10.50 USD', code: null });
});

it('finds a number that was typed with a plus, which a query reads as a space', async () => {
  const phone = '+442083661177';
  await postJson(`${auth.url}/auth/register`, { phone, password: 'correct horse battery' });
  const { body } = await service.ask('GET', `/dev/mailbox?to=${phone}`);
  expect(body.data).toMatchObject([{ to: phone, channel: 'sms', subject: null }]);
});

it('is not there outside of demo mode', async () => {
  const other = await MessagesUnderTest.start({ DEMO_MODE: 'false' });
  try {
    expect(await other.ask('GET', '/dev/mailbox?to=a@example.com')).toMatchObject({
      status: 404,
      body: { code: 'route_not_found' },
    });
  } finally {
    await other.stop();
  }
});
