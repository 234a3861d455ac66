import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, type TestDatabase } from '@payflow/testing';
import pg from 'pg';

import { Passwords } from '../src/credentials/passwords.js';
import {
  get,
  identityDatabase,
  logIn,
  newDemoData,
  postForm,
  postJson,
  type RunningAuth,
  startAuth,
  tokenOf,
} from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let client: pg.Client;

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await auth.stop();
  await database.drop();
});

const login = async (body: Record<string, string>, headers: Record<string, string> = {}) =>
  await postJson(`${auth.url}/auth/login`, body, headers);

describe('POST /auth/login', () => {
  it('answers a token that works at once, by form and by JSON', async () => {
    const { email, password, userId } = auth.demo.customer;
    for (const answer of [
      await postForm(`${auth.url}/auth/login`, { email, password }),
      await login({ email: email.toUpperCase(), password }),
    ]) {
      expect(answer).toMatchObject({ status: 200, body: { tokenType: 'Bearer', userId, expiresIn: 3_600 } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body['accessToken']).toBe(answer.body['token']);
      expect((await get(`${auth.url}/me`, tokenOf(answer))).status).toBe(200);
    }
  });

  it('refuses a wrong password, an unknown account and a blocked one with the same answer, and by the same steps', async () => {
    const blocked = newDemoData().customer;
    await client.query(
      `INSERT INTO users (id, email, password_hash, status, roles)
       SELECT $1, $2, password_hash, 'BLOCKED', roles FROM users WHERE id = $3`,
      [blocked.userId, blocked.email, auth.demo.customer.userId],
    );
    const check = jest.spyOn(Passwords.prototype, 'matches');
    try {
      const { email, password } = auth.demo.customer;
      const answers = [
        await login({ email, password: 'wrong' }),
        await login({ email: 'nobody@example.com', password }),
        await login({ username: 'nobody', password }),
        await login({ email: blocked.email, password }),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(401);
        expect({ ...answer.body, requestId: '' }).toEqual({ ...answers[0]?.body, requestId: '' });
      }
      expect(answers[0]?.body).toMatchObject({ code: 'invalid_credentials' });
      // One argon2id for a user name and two for an address, which may be one person's and claimed by another: time tells
      // nothing, because the work is the same.
      expect(check.mock.calls.map(([, hash]) => hash === undefined)).toEqual([
        ...[false, true],
        ...[true, true],
        true,
        ...[true, false],
      ]);
    } finally {
      check.mockRestore();
    }
  });

  it.each([
    ['no name', { password: 'x' }],
    ['two names', { email: 'a@example.com', username: 'a', password: 'x' }],
    ['no password', { username: 'a' }],
    ['an unknown field', { username: 'a', password: 'x', admin: 'true' }],
    ['a control character', { username: 'a\u0007', password: 'x' }],
  ])('refuses %s', async (_, body) => {
    expect(await login(body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });

  it.each(["' OR '1'='1", 'a"; DROP TABLE users; --', '{"$gt":""}', 'ユーザー'])(
    'takes %j as a name and nothing more',
    async (username) => {
      expect((await login({ username, password: 'x' })).status).toBe(401);
    },
  );

  it('makes an account wait after five failures, whether it exists or not, also with the right password', async () => {
    const { email, password } = auth.demo.admin;
    for (const name of [{ email }, { username: 'somebody' }]) {
      const statuses = [];
      for (let count = 0; count < 6; count += 1) statuses.push((await login({ ...name, password: 'wrong' })).status);
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
      const answer = await login({ ...name, password });
      expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
  });

  it('counts parallel guesses one by one', async () => {
    const guesses = Array.from({ length: 12 }, async () => await login({ username: 'parallel', password: 'x' }));
    const statuses = (await Promise.all(guesses)).map((answer) => answer.status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(7);
  });

  it('makes an address wait that tries many accounts, and no other address', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const tries = Array.from({ length: 2 }, (_, index) => ({ username: `spray-${index}`, password: 'x' }));
    await client.query(
      `INSERT INTO login_throttle (subject, failures, last_failure_at) VALUES ('address:203.0.113.9', 99, now())`,
    );
    const [body = { username: '', password: '' }, next = { username: '', password: '' }] = tries;
    expect((await login(body, from('203.0.113.9'))).status).toBe(401);
    expect((await login(next, from('203.0.113.9'))).status).toBe(429);
    expect((await login(next, from('203.0.113.10'))).status).toBe(401);
    // What a client writes before the proxy's own entry does not change who he is.
    expect((await login(next, from('198.51.100.1, 203.0.113.9'))).status).toBe(429);
  });

  it('forgets the failures of an account after the right password', async () => {
    const { email, password } = auth.demo.customer;
    for (let count = 0; count < 3; count += 1) await login({ email, password: 'wrong' });
    expect((await login({ email, password })).status).toBe(200);
    const { rows } = await client.query('SELECT 1 FROM login_throttle WHERE subject = $1', [`account:email:${email}`]);
    expect(rows).toHaveLength(0);
  });
});

describe('what is stored', () => {
  it('has passwords as argon2id hashes, client secrets as hashes, and neither in clear anywhere', async () => {
    const { rows } = await client.query<{ password_hash: string }>('SELECT password_hash FROM users');
    for (const row of rows) expect(row.password_hash).toMatch(/^\$argon2id\$/);
    const tables = await client.query<{ name: string }>(
      `SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    const secrets = [
      auth.demo.customer.password,
      auth.demo.admin.password,
      auth.demo.merchant.clientSecret,
      auth.demo.ledgerClient.clientSecret,
    ];
    for (const { name } of tables.rows) {
      const content = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} t`);
      for (const { line } of content.rows) for (const secret of secrets) expect(line).not.toContain(secret);
    }
  });

  it('keeps the audit log from being changed, by the service and by the owner', async () => {
    const runtime = new pg.Client({ connectionString: database.runtimeUrl });
    await runtime.connect();
    try {
      for (const statement of ["UPDATE audit_log SET actor = 'x'", 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
        await expect(runtime.query(statement)).rejects.toThrow(/permission denied/);
        await expect(client.query(statement)).rejects.toThrow(/append-only/);
      }
    } finally {
      await runtime.end();
    }
  });

  it('publishes one user.registered for each demo person, and a second start changes nothing', async () => {
    const events = async () =>
      (await client.query<{ key: string }>("SELECT key FROM outbox WHERE topic LIKE '%user.registered' ORDER BY key"))
        .rows;
    const counts = async () =>
      (
        await client.query<Record<string, string>>(
          'SELECT (SELECT count(*) FROM users) users, (SELECT count(*) FROM oauth_clients) clients, (SELECT count(*) FROM audit_log) audit, (SELECT count(*) FROM signing_keys) keys',
        )
      ).rows;
    const before = { events: await events(), counts: await counts() };
    expect(before.events.map((row) => row.key).sort()).toEqual(
      [auth.demo.admin.userId, auth.demo.customer.userId].sort(),
    );
    // The relay has sent them.
    await eventually(async () => {
      const { rows } = await client.query('SELECT 1 FROM outbox WHERE published_at IS NULL');
      expect(rows).toHaveLength(0);
    });
    const second = await startAuth(database, auth.environment, auth.demo);
    await second.stop();
    expect({ events: await events(), counts: await counts() }).toEqual(before);
  });
});

describe('a second instance', () => {
  it('shares the throttle', async () => {
    const second = await startAuth(database, auth.environment, auth.demo);
    try {
      for (let count = 0; count < 5; count += 1) await login({ username: 'shared', password: 'x' });
      expect((await postJson(`${second.url}/auth/login`, { username: 'shared', password: 'x' })).status).toBe(429);
    } finally {
      await second.stop();
    }
    await expect(logIn(auth, 'customer')).resolves.toEqual(expect.any(String));
  });
});
