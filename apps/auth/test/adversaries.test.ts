import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { API_KEY_GRANT } from '@payflow/contracts';
import { eventually, type TestDatabase } from '@payflow/testing';
import { decodeJwt } from 'jose';
import pg from 'pg';

import { PASSWORD, People } from './people.js';
import { identityDatabase, logIn, postForm, type RunningAuth, startAuth, tokenOf } from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let client: pg.Client;
const people = new People(() => auth);
const OWN_PASSWORD = 'what the adversary chose';

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

beforeEach(async () => {
  await client.query('DELETE FROM login_throttle');
});

afterAll(async () => {
  await client.end();
  await auth.stop();
  await database.drop();
});

/** For a lock, in this database. */
const somebodyWaits = async (): Promise<boolean> => {
  const { rowCount } = await client.query(
    `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE NOT granted AND pg_stat_activity.datname = current_database()`,
  );
  return rowCount !== 0;
};

describe('who claims an address that is somebody else’s', () => {
  it('gets no more guesses at its owner’s password by logging in to his own account between them', async () => {
    const email = 'guessed@example.com';
    await people.newPerson({ email });
    await people.post('/auth/verify', { email, code: await people.code(email) });
    await people.post('/auth/register', { email, password: OWN_PASSWORD });
    const tryPassword = async (password: string) => (await people.post('/auth/login', { email, password })).status;
    const failures = async () => {
      const { rows } = await client.query<{ failures: number }>(
        'SELECT failures FROM login_throttle WHERE subject = $1',
        [`account:email:${email}`],
      );
      return rows[0]?.failures;
    };
    for (let guess = 0; guess < 3; guess += 1) expect(await tryPassword(`guess ${String(guess)}`)).toBe(401);
    expect([await tryPassword(OWN_PASSWORD), await failures()]).toEqual([200, 3]);
    expect([await tryPassword(PASSWORD), await failures()]).toEqual([200, undefined]);
  });

  it('has no way back into an account that the owner has made his by a code for a new password', async () => {
    const [email, phone] = ['planted@example.com', '+447911123456'];
    const { token } = await people.newPerson({ email });
    expect((await people.send('PATCH', '/me', token, { phone })).status).toBe(200);
    expect((await people.post('/auth/verify', { phone, code: await people.code(phone) })).status).toBe(200);
    await people.post('/auth/password/forgot', { email });
    const code = (await people.mails(email)).find(({ purpose }) => purpose === 'password_reset')?.code;
    const taken =
      typeof code === 'string' &&
      (await people.post('/auth/password/reset', { email, code, password: OWN_PASSWORD })).status === 204;
    await people.post('/auth/password/forgot', { phone });
    const back = await people.post('/auth/password/reset', {
      phone,
      code: await people.code(phone),
      password: 'by the planted phone',
    });
    expect({ taken, back: back.status }).toEqual({ taken: false, back: 204 });
    // The address is still there for its owner, who opens an account of his own.
    const own = await people.newPerson({ email });
    expect((await people.post('/auth/verify', { email, code: await people.code(email) })).body).toMatchObject({
      userId: own.userId,
    });
  });

  it('keeps nobody from his account by a phone that waits to be proven', async () => {
    const [email, phone] = ['waiting@example.com', '+447911123457'];
    const { token } = await people.newPerson({ email });
    await people.send('PATCH', '/me', token, { phone });
    const planted = await people.code(phone);
    await people.post('/auth/password/forgot', { email });
    const code = await people.code(email);
    const reset = await people.post('/auth/password/reset', { email, code, password: OWN_PASSWORD });
    expect(reset.status).toBe(204);
    expect((await people.post('/auth/verify', { phone, code: planted })).body).toMatchObject({ code: 'code_invalid' });
  });
});

describe('a key of few scopes', () => {
  it('gets no wider one by rolling it, nor the secret of a wider client', async () => {
    const admin = await logIn(auth, 'admin');
    const merchant = await people.post('/merchants', { name: 'Shop' }, { token: admin });
    const at = `/merchants/${String(merchant.body['merchantId'])}`;
    const create = async (what: string, body: object) => (await people.post(at + what, body, { token: admin })).body;
    const wide = await create('/api-keys', { name: 'all of it' });
    const client = await create('/clients', {});
    const narrow = await create('/api-keys', { name: 'rolls keys', scopes: ['merchants:read', 'merchants:write'] });
    const token = tokenOf(
      await postForm(`${auth.url}/oauth/token`, { grant_type: API_KEY_GRANT, api_key: String(narrow['apiKey']) }),
    );
    const roll = async (key: Record<string, unknown>) =>
      await people.post(`${at}/api-keys/${String(key['apiKeyId'])}/roll`, {}, { token });
    const refused = { status: 400, body: { code: 'validation_failed', errors: [{ code: 'scope_not_grantable' }] } };
    expect(await roll(wide)).toMatchObject(refused);
    const rotate = `${at}/clients/${String(client['clientId'])}/secret/rotate`;
    expect(await people.post(rotate, {}, { token })).toMatchObject(refused);
    expect((await people.post(rotate, {}, { token: admin })).status).toBe(200);
    expect((await roll(narrow)).status).toBe(201);
  });
});

it('who logs in while his membership is taken away does not act for the merchant any more', async () => {
  const admin = await logIn(auth, 'admin');
  const { body } = await people.post('/merchants', { name: 'Shop' }, { token: admin });
  const merchantId = String(body['merchantId']);
  const { userId } = await people.newPerson({ username: 'leaving' });
  const saved = await people.post(`/merchants/${merchantId}/members`, { userId, role: 'MEMBER' }, { token: admin });
  expect(saved.status).toBe(200);
  expect(decodeJwt((await people.logIn({ username: 'leaving' })).token)).toMatchObject({ merchant_id: merchantId });
  await client.query('BEGIN');
  await client.query('DELETE FROM memberships WHERE user_id = $1', [userId]);
  let answered = false;
  const login = people.logIn({ username: 'leaving' }).finally(() => (answered = true));
  await eventually(async () => expect(answered || (await somebodyWaits())).toBe(true));
  await client.query('COMMIT');
  expect(decodeJwt((await login).token)).not.toHaveProperty('merchant_id');
});

it('who changes his address while his session is ended leaves no address behind', async () => {
  const { userId, token } = await people.newPerson({ username: 'ending' });
  await client.query('BEGIN');
  await client.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [userId]);
  let answered = false;
  const change = people.send('PATCH', '/me', token, { email: 'left@example.com' }).finally(() => (answered = true));
  await eventually(async () => expect(answered || (await somebodyWaits())).toBe(true));
  await client.query("UPDATE sessions SET ended_at = now(), end_reason = 'password' WHERE user_id = $1", [userId]);
  await client.query('COMMIT');
  expect(await change).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  const { rows } = await client.query('SELECT pending_email FROM users WHERE id = $1', [userId]);
  expect(rows).toEqual([{ pending_email: null }]);
});
