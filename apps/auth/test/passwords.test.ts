import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type TestDatabase } from '@payflow/testing';
import pg from 'pg';

import { countBy, PASSWORD, People, totp, wrongCode } from './people.js';
import { identityDatabase, type RunningAuth, startAuth } from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let client: pg.Client;
const people = new People(() => auth);
const NEW_PASSWORD = 'a wholly new battery';

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

const isAlive = async (token: string): Promise<boolean> => (await people.get('/me', token)).status === 200;
const provenPerson = async (email: string) => {
  const person = await people.newPerson({ email });
  await people.post('/auth/verify', { email, code: await people.code(email) });
  return person;
};
const forgot = async (email: string) => await people.post('/auth/password/forgot', { email });
const reset = async (email: string, code: string, password = NEW_PASSWORD) =>
  await people.post('/auth/password/reset', { email, code, password });

describe('POST /auth/password', () => {
  it('changes it and ends all other sessions', async () => {
    const { token } = await people.newPerson({ username: 'changer' });
    const other = await people.logIn({ username: 'changer' });
    const change = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    expect((await people.post('/auth/password', change, { token, key: 'change-1' })).status).toBe(204);
    expect(await isAlive(token)).toBe(true);
    expect(await isAlive(other.token)).toBe(false);
    expect((await people.post('/auth/refresh', { refreshToken: other.refreshToken })).status).toBe(401);
    expect((await people.post('/auth/login', { username: 'changer', password: PASSWORD })).status).toBe(401);
    expect((await people.post('/auth/login', { username: 'changer', password: NEW_PASSWORD })).status).toBe(200);
    // The repetition of what succeeded is answered, though the current password is another one now.
    const again = await people.post('/auth/password', change, { token, key: 'change-1' });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([204, 'true']);
    expect((await people.post('/auth/password', change, { token })).status).toBe(401);
  });

  it('asks for the current one, a few times', async () => {
    const { token } = await people.newPerson({ username: 'guesser' });
    const statuses = [];
    for (let count = 0; count < 6; count += 1) {
      const body = { currentPassword: `wrong ${String(count)}`, newPassword: NEW_PASSWORD };
      statuses.push((await people.post('/auth/password', body, { token })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await people.post('/auth/login', { username: 'guesser', password: PASSWORD })).status).toBe(200);
  });

  it.each([
    { newPassword: 'short' },
    { newPassword: 'password123' },
    { newPassword: 'weakling' },
    { newPassword: 7 },
    { newPassword: 'x'.repeat(1001) },
    {},
  ])('refuses %j', async (body) => {
    const { token } = await people
      .logIn({ username: 'weakling' })
      .catch(async () => await people.newPerson({ username: 'weakling' }));
    const answer = await people.post('/auth/password', { currentPassword: PASSWORD, ...body }, { token });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });

  it('changes it once when fifty ask at once', async () => {
    const { token } = await people.newPerson({ username: 'crowd' });
    const body = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => await people.post('/auth/password', body, { token })),
    );
    const counts = countBy(answers.map(({ status }) => status));
    expect(counts[204]).toBe(1);
    expect(Object.keys(counts).every((status) => ['204', '401', '429', '503'].includes(status))).toBe(true);
  });
});

describe('a forgotten password', () => {
  it('is replaced by a code that went to the address; every token from before is refused', async () => {
    const email = 'forgetful@example.com';
    const { token, refreshToken, userId } = await provenPerson(email);
    expect((await forgot(email.toUpperCase())).status).toBe(202);
    const code = await people.code(email);
    expect((await people.mails(email))[0]).toMatchObject({ purpose: 'password_reset' });
    expect(await reset(email, wrongCode(code))).toMatchObject({ status: 422, body: { code: 'code_invalid' } });
    // A password that is refused does not use the code up.
    expect((await reset(email, code, 'password1')).status).toBe(400);
    expect((await reset(email, code)).status).toBe(204);
    expect((await reset(email, code)).status).toBe(422);
    expect(await isAlive(token)).toBe(false);
    expect((await people.post('/auth/refresh', { refreshToken })).status).toBe(401);
    expect((await people.post('/auth/login', { email, password: PASSWORD })).status).toBe(401);
    expect(await people.post('/auth/login', { email, password: NEW_PASSWORD })).toMatchObject({
      status: 200,
      body: { userId, verified: true },
    });
  });

  it('is answered alike for an address that nobody has, and nothing goes there', async () => {
    const known = await forgot('forgetful@example.com');
    const unknown = await forgot('unknown@example.com');
    expect(unknown).toMatchObject({ status: 202, text: known.text });
    expect(await people.mails('unknown@example.com')).toEqual([]);
    // Too many are not told either.
    for (let count = 0; count < 6; count += 1) expect((await forgot('forgetful@example.com')).status).toBe(202);
    const resets = (await people.mails('forgetful@example.com')).filter(({ purpose }) => purpose === 'password_reset');
    expect(resets.length).toBeLessThanOrEqual(6);
  });

  it('cannot be guessed, and is replaced once by fifty who bring the code at once', async () => {
    const email = 'parallel@example.com';
    await provenPerson(email);
    await forgot(email);
    const guessed = await people.code(email);
    // One after the other: beside each other most would find no room for their argon2id.
    for (let count = 1; count <= 5; count += 1)
      expect((await reset(email, wrongCode(guessed, count))).status).toBe(422);
    expect((await reset(email, guessed)).status).toBe(422);
    await forgot(email);
    const code = await people.code(email);
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await reset(email, code)));
    const counts = countBy(answers.map(({ status }) => status));
    expect(counts[204]).toBe(1);
    expect((counts[422] ?? 0) + (counts[503] ?? 0)).toBe(49);
  });

  it('takes an account from who opened it with somebody else’s address, with all he left behind', async () => {
    const email = 'victim@example.com';
    // Mallory comes first, with Victoria's address, and sets a trap.
    const mallory = await people.newPerson({ email });
    const enrolled = await people.post('/auth/2fa/enroll', {}, { token: mallory.token });
    const secret = String(enrolled.body['secret']);
    await people.post('/auth/2fa/confirm', { totp: totp(secret) }, { token: mallory.token });
    await people.send('PATCH', '/me', mallory.token, { phone: '+12025550177' });
    await forgot(email);
    expect((await reset(email, await people.code(email))).status).toBe(204);
    expect(await isAlive(mallory.token)).toBe(false);
    const login = await people.post('/auth/login', { email, password: NEW_PASSWORD });
    expect(login).toMatchObject({ status: 200, body: { userId: mallory.userId, verified: true } });
    expect((await people.get('/me', String(login.body['token']))).body).toMatchObject({
      emailVerified: true,
      twoFactor: false,
      pendingPhone: null,
    });
  });

  it.each([
    ['no code', { email: 'a@example.com', password: NEW_PASSWORD }],
    ['no password', { email: 'a@example.com', code: '123456' }],
    ['two addresses', { email: 'a@example.com', phone: '+12025550177', code: '123456', password: NEW_PASSWORD }],
    ['a user name', { username: 'a', code: '123456', password: NEW_PASSWORD }],
  ])('is not replaced with %s', async (_, body) => {
    expect((await people.post('/auth/password/reset', body)).status).toBe(400);
  });
});
