import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type TestDatabase } from '@payflow/testing';
import pg from 'pg';

import { countBy, PASSWORD, People, totp } from './people.js';
import { identityDatabase, type RunningAuth, startAuth } from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let client: pg.Client;
const people = new People(() => auth);

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

let count = 0;
/** Somebody whose login asks for a code. */
const guarded = async () => {
  count += 1;
  const username = `guarded${String(count)}`;
  const { token, userId } = await people.newPerson({ username });
  const enrolled = await people.post('/auth/2fa/enroll', {}, { token });
  const secret = String(enrolled.body['secret']);
  const confirmed = await people.post('/auth/2fa/confirm', { totp: totp(secret) }, { token });
  const recoveryCodes = confirmed.body['recoveryCodes'] as readonly string[];
  // The code of the confirmation is used up; nobody wants to wait for the next one.
  await client.query('DELETE FROM totp_steps WHERE user_id = $1', [userId]);
  return { username, userId, token, secret, recoveryCodes };
};
const logIn = async (username: string, shown: Record<string, string> = {}) =>
  await people.post('/auth/login', { username, password: PASSWORD, ...shown });

describe('a second factor', () => {
  it('is enrolled, confirmed with a code of it, and then asked for at the login', async () => {
    const { token } = await people.newPerson({ username: 'enroller' });
    const enrolled = await people.post('/auth/2fa/enroll', {}, { token });
    expect(enrolled).toMatchObject({
      status: 201,
      body: {
        secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
        otpauthUri: expect.stringMatching(/^otpauth:\/\/totp\/PayFlow:enroller\?/),
        qrCode: expect.stringMatching(/^data:image\/svg\+xml;base64,/),
      },
    });
    expect(enrolled.headers.get('cache-control')).toBe('no-store');
    const secret = String(enrolled.body['secret']);
    // Not before it is confirmed.
    expect((await logIn('enroller')).status).toBe(200);
    expect((await people.post('/auth/2fa/confirm', { totp: '000000' }, { token })).status).toBe(401);
    const at = Date.now();
    const confirmed = await people.post('/auth/2fa/confirm', { totp: totp(secret, at) }, { token });
    expect(confirmed.status).toBe(200);
    expect(confirmed.body['recoveryCodes']).toHaveLength(10);
    expect((await people.get('/me', token)).body).toMatchObject({ twoFactor: true });
    expect(await logIn('enroller')).toMatchObject({ status: 401, body: { code: 'second_factor_required' } });
    // The code that confirmed it is used up.
    expect(await logIn('enroller', { totp: totp(secret, at) })).toMatchObject({
      status: 401,
      body: { code: 'second_factor_invalid' },
    });
    expect((await logIn('enroller', { totp: totp(secret, at + 30_000) })).status).toBe(200);
    expect((await people.post('/auth/2fa/enroll', {}, { token })).body).toMatchObject({
      code: 'second_factor_enabled',
    });
    expect((await people.post('/auth/2fa/confirm', { totp: totp(secret) }, { token })).status).toBe(409);
  });

  it('is not asked for before the password was right', async () => {
    const { username, secret } = await guarded();
    expect(await people.post('/auth/login', { username, password: 'wrong', totp: totp(secret) })).toMatchObject({
      status: 401,
      body: { code: 'invalid_credentials' },
    });
    expect((await logIn(username, { totp: totp(secret) })).status).toBe(200);
  });

  it('lets one of fifty in who bring the same code at once, and one of fifty with the same recovery code', async () => {
    const { username, secret, recoveryCodes, userId } = await guarded();
    for (const shown of [{ totp: totp(secret) }, { recoveryCode: recoveryCodes[0] ?? '' }]) {
      await client.query('DELETE FROM login_throttle');
      const answers = await Promise.all(Array.from({ length: 50 }, async () => await logIn(username, shown)));
      const counts = countBy(answers.map(({ status }) => status));
      expect(counts[200]).toBe(1);
      expect(Object.keys(counts).every((status) => ['200', '401', '429', '503'].includes(status))).toBe(true);
    }
    const { rows } = await client.query('SELECT 1 FROM recovery_codes WHERE user_id = $1 AND used_at IS NOT NULL', [
      userId,
    ]);
    expect(rows).toHaveLength(1);
  });

  it('takes each recovery code once, however it is typed', async () => {
    const { username, recoveryCodes } = await guarded();
    const [first = '', second = ''] = recoveryCodes;
    expect((await logIn(username, { recoveryCode: first })).status).toBe(200);
    expect((await logIn(username, { recoveryCode: first })).status).toBe(401);
    expect((await logIn(username, { recoveryCode: ` ${second.toUpperCase().replace('-', '')}` })).status).toBe(200);
  });

  it('cannot be guessed by who has the password', async () => {
    const { username, secret } = await guarded();
    const statuses = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push((await logIn(username, { totp: '000000' })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await logIn(username, { totp: totp(secret) })).status).toBe(429);
    // Nor by asking without a code in between, nor under the other name of the account.
    await client.query(`DELETE FROM login_throttle WHERE subject LIKE 'account:%'`);
    expect((await logIn(username, { totp: totp(secret) })).status).toBe(429);
  });

  it('is switched off with the password and a code, and only so', async () => {
    const { username, token, secret, recoveryCodes } = await guarded();
    const disable = async (body: unknown) => await people.post('/auth/2fa/disable', body, { token });
    expect((await disable({ password: PASSWORD })).status).toBe(400);
    expect((await disable({ password: 'wrong', totp: totp(secret) })).status).toBe(401);
    expect((await disable({ password: PASSWORD, totp: '000000' })).status).toBe(401);
    expect((await disable({ password: PASSWORD, totp: totp(secret), recoveryCode: recoveryCodes[0] })).status).toBe(
      400,
    );
    expect((await disable({ password: PASSWORD, recoveryCode: recoveryCodes[0] })).status).toBe(204);
    expect((await disable({ password: PASSWORD, totp: totp(secret) })).body).toMatchObject({
      code: 'second_factor_not_enrolled',
    });
    expect((await logIn(username)).status).toBe(200);
    expect((await people.post('/auth/2fa/confirm', { totp: totp(secret) }, { token })).body).toMatchObject({
      code: 'second_factor_not_enrolled',
    });
  });

  it('is confirmed once by fifty at once, and shows one set of recovery codes', async () => {
    const { token } = await people.newPerson({ username: 'fiftyconfirm' });
    const { body } = await people.post('/auth/2fa/enroll', {}, { token });
    const code = totp(String(body['secret']));
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => await people.post('/auth/2fa/confirm', { totp: code }, { token })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const { rows } = await client.query(
      'SELECT 1 FROM recovery_codes c JOIN users u ON u.id = c.user_id WHERE u.username = $1',
      ['fiftyconfirm'],
    );
    expect(rows).toHaveLength(10);
  });

  it('under an Idempotency-Key is answered again as it was, and its secrets are nowhere to be read', async () => {
    const { token } = await people.newPerson({ username: 'sealed' });
    const enroll = async () => await people.post('/auth/2fa/enroll', {}, { token, key: 'enroll-1' });
    const [enrolled, again] = [await enroll(), await enroll()];
    expect(again).toMatchObject({ status: 201, text: enrolled.text });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const secret = String(enrolled.body['secret']);
    const confirm = async () =>
      await people.post('/auth/2fa/confirm', { totp: enrolledCode }, { token, key: 'confirm-1' });
    const enrolledCode = totp(secret);
    const [confirmed, repeated] = [await confirm(), await confirm()];
    expect(repeated).toMatchObject({ status: 200, text: confirmed.text });
    const tables = await client.query<{ name: string }>(
      `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const secrets = [secret, ...(confirmed.body['recoveryCodes'] as readonly string[])];
    for (const { name } of tables.rows) {
      const content = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
      for (const { line } of content.rows) for (const text of secrets) expect(line).not.toContain(text);
    }
  });

  it.each([{}, { totp: 123456 }, { totp: '12345' }, { totp: '1234567' }, { totp: 'abcdef' }, { code: '123456' }])(
    'is not confirmed by %j',
    async (body) => {
      const { token } = await people
        .logIn({ username: 'badinput' })
        .catch(async () => await people.newPerson({ username: 'badinput' }));
      expect((await people.post('/auth/2fa/confirm', body, { token })).status).toBe(400);
    },
  );
});
