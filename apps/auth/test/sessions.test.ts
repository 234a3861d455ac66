import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type TestDatabase } from '@payflow/testing';
import pg from 'pg';

import { countBy, PASSWORD, People } from './people.js';
import { type Answered, identityDatabase, postForm, type RunningAuth, startAuth } from './running-auth.js';

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

const refresh = async (refreshToken: string): Promise<Answered> => await people.post('/auth/refresh', { refreshToken });
const isAlive = async (token: string): Promise<boolean> => (await people.get('/me', token)).status === 200;
/** As if the client came back later. */
const letTimePass = async (interval: string): Promise<void> => {
  await client.query(`UPDATE refresh_tokens SET rotated_at = rotated_at - $1::interval WHERE rotated_at IS NOT NULL`, [
    interval,
  ]);
};
let count = 0;
const newPerson = async () => {
  count += 1;
  return { username: `person${String(count)}`, ...(await people.newPerson({ username: `person${String(count)}` })) };
};

describe('a refresh token', () => {
  it('is taken once for an access token of the same session and the next refresh token', async () => {
    const { refreshToken, userId } = await newPerson();
    const first = await refresh(refreshToken);
    expect(first).toMatchObject({
      status: 200,
      body: { userId, tokenType: 'Bearer', expiresIn: 3_600, refreshToken: expect.stringMatching(/^pfr_/) },
    });
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(first.body['refreshToken']).not.toBe(refreshToken);
    expect(await isAlive(String(first.body['token']))).toBe(true);
    const second = await refresh(String(first.body['refreshToken']));
    expect(second).toMatchObject({ status: 200, body: { sessionId: first.body['sessionId'] } });
  });

  it('that comes again after its successor was used ends the session: one of the two was a thief', async () => {
    const { refreshToken, token } = await newPerson();
    const first = await refresh(refreshToken);
    const second = await refresh(String(first.body['refreshToken']));
    expect(await refresh(refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_token_invalid' } });
    for (const access of [token, first.body['token'], second.body['token']])
      expect(await isAlive(String(access))).toBe(false);
    expect((await refresh(String(second.body['refreshToken']))).status).toBe(401);
  });

  it('that comes again after the grace ends the session too', async () => {
    const { refreshToken } = await newPerson();
    const first = await refresh(refreshToken);
    await letTimePass('31 seconds');
    expect((await refresh(refreshToken)).status).toBe(401);
    expect(await isAlive(String(first.body['token']))).toBe(false);
    expect((await refresh(String(first.body['refreshToken']))).status).toBe(401);
  });

  it('that comes again at once gets the same successor: the answer may have been lost', async () => {
    const { refreshToken } = await newPerson();
    const first = await refresh(refreshToken);
    const again = await refresh(refreshToken);
    expect(again).toMatchObject({ status: 200, body: { refreshToken: first.body['refreshToken'] } });
    expect((await refresh(String(again.body['refreshToken']))).status).toBe(200);
  });

  it('is rotated once by fifty who bring it at once', async () => {
    const { refreshToken } = await newPerson();
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await refresh(refreshToken)));
    expect(countBy(answers.map(({ status }) => status))).toEqual({ 200: 50 });
    expect(new Set(answers.map(({ body }) => body['refreshToken'])).size).toBe(1);
    const { rows } = await client.query(
      'SELECT rotated_at IS NULL AS open, count(*)::int AS count FROM refresh_tokens WHERE session_id = $1 GROUP BY 1 ORDER BY 1',
      [answers[0]?.body['sessionId']],
    );
    expect(rows).toEqual([
      { open: false, count: 1 },
      { open: true, count: 1 },
    ]);
  });

  it('works at the token endpoint, as OAuth writes it', async () => {
    const { refreshToken, userId } = await newPerson();
    const endpoint = `${auth.url}/oauth/token`;
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
    const answer = await postForm(endpoint, form);
    expect(answer).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 3_600, refresh_token: expect.stringMatching(/^pfr_/) },
    });
    expect((await people.get('/me', String(answer.body['access_token']))).body).toMatchObject({ userId });
    await letTimePass('31 seconds');
    expect(await postForm(endpoint, form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await postForm(endpoint, { grant_type: 'refresh_token' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });

  it('is of no use once it is too old, its session is, or the person is blocked', async () => {
    const age = {
      token: `UPDATE refresh_tokens SET expires_at = now() WHERE session_id = $1`,
      session: `UPDATE sessions SET expires_at = now() WHERE id = $1`,
      person: `UPDATE users SET status = 'BLOCKED' WHERE id = (SELECT user_id FROM sessions WHERE id = $1)`,
    };
    for (const statement of Object.values(age)) {
      const { refreshToken } = await newPerson();
      const { body } = await refresh(refreshToken);
      await client.query(statement, [body['sessionId']]);
      expect((await refresh(String(body['refreshToken']))).status).toBe(401);
    }
  });

  it.each([{}, { refreshToken: '' }, { refreshToken: 7 }, { refreshToken: 'x'.repeat(201) }, { token: 'x' }])(
    'is asked for: %j is refused',
    async (body) => {
      expect((await people.post('/auth/refresh', body)).status).toBe(400);
    },
  );

  it('is nowhere in the database, nor in an idempotency row', async () => {
    const { refreshToken } = await newPerson();
    const answer = await people.post('/auth/refresh', { refreshToken }, { key: 'refresh-key' });
    const { rows } = await client.query<{ line: string }>(
      'SELECT t::text AS line FROM refresh_tokens t UNION ALL SELECT s::text FROM sessions s UNION ALL SELECT k::text FROM idempotency_keys k',
    );
    for (const { line } of rows)
      for (const secret of [refreshToken, answer.body['refreshToken'], answer.body['token']])
        expect(line).not.toContain(String(secret));
  });
});

describe('sessions', () => {
  it('are listed for their owner, with the one that asks', async () => {
    const { username, token } = await newPerson();
    await people.logIn({ username });
    const { body } = await people.get('/auth/sessions', token);
    expect(body['data']).toEqual([
      expect.objectContaining({ sessionId: expect.stringMatching(/^ses_/), current: false, address: '127.0.0.1' }),
      expect.objectContaining({ current: true, userAgent: 'node' }),
    ]);
  });

  it('end with a logout: the access token is refused at once, and the refresh token', async () => {
    const { username, token, refreshToken } = await newPerson();
    const other = await people.logIn({ username });
    expect((await people.post('/auth/logout', {}, { token })).status).toBe(204);
    expect(await isAlive(token)).toBe(false);
    expect((await refresh(refreshToken)).status).toBe(401);
    expect(await isAlive(other.token)).toBe(true);
    expect((await people.post('/auth/logout', {}, { token })).status).toBe(401);
  });

  it('end all with a logout of all', async () => {
    const { username, token } = await newPerson();
    const other = await people.logIn({ username });
    expect((await people.post('/auth/logout', { all: true }, { token: other.token })).status).toBe(204);
    for (const ended of [token, other.token]) expect(await isAlive(ended)).toBe(false);
    // A new login is a new session.
    expect(await isAlive((await people.logIn({ username })).token)).toBe(true);
  });

  it('end one by one, by their owner only', async () => {
    const { username, token } = await newPerson();
    const other = await people.post('/auth/login', { username, password: PASSWORD });
    const sessionId = String(other.body['sessionId']);
    const stranger = await newPerson();
    expect((await people.send('DELETE', `/auth/sessions/${sessionId}`, stranger.token)).status).toBe(404);
    expect(await isAlive(String(other.body['token']))).toBe(true);
    expect((await people.send('DELETE', `/auth/sessions/${sessionId}`, token)).status).toBe(204);
    expect(await isAlive(String(other.body['token']))).toBe(false);
    expect((await people.send('DELETE', `/auth/sessions/${sessionId}`, token)).status).toBe(404);
    expect((await people.send('DELETE', '/auth/sessions/ses_x', token)).status).toBe(400);
    expect(await isAlive(token)).toBe(true);
  });

  it('are not for clients and services', async () => {
    const answer = await postForm(`${auth.url}/oauth/token`, {
      grant_type: 'client_credentials',
      client_id: auth.demo.merchant.clientId,
      client_secret: auth.demo.merchant.clientSecret,
    });
    const token = String(answer.body['access_token']);
    expect((await people.post('/auth/logout', {}, { token })).status).toBe(403);
    expect((await people.get('/auth/sessions', token)).status).toBe(403);
    expect((await people.get('/auth/sessions')).status).toBe(401);
  });
});
