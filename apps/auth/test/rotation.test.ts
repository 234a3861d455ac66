import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually, type TestDatabase } from '@payflow/testing';
import { decodeProtectedHeader } from 'jose';
import pg from 'pg';

import { get, identityDatabase, logIn, postJson, type RunningAuth, startAuth } from './running-auth.js';

let database: TestDatabase;
let first: RunningAuth;
let second: RunningAuth;

beforeAll(async () => {
  database = await identityDatabase();
  first = await startAuth(database);
  second = await startAuth(database, { ...first.environment, SIGNING_KEY_CACHE_MS: '0' }, first.demo);
});

afterAll(async () => {
  await second.stop();
  await first.stop();
  await database.drop();
});

const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid);
const published = async (auth: RunningAuth): Promise<readonly string[]> => {
  const { body } = await get(`${auth.url}/.well-known/jwks.json`);
  return (body['keys'] as { kid: string }[]).map((key) => key.kid);
};
const tryRotate = async (token: string, headers: Record<string, string> = {}) =>
  await postJson(`${first.url}/auth/keys/rotate`, {}, { authorization: `Bearer ${token}`, ...headers });
/** Rotates as soon as the last rotation is long enough ago. */
const rotate = async (token: string, headers: Record<string, string> = {}) =>
  await eventually(async () => {
    const answer = await tryRotate(token, headers);
    expect(answer.status).not.toBe(409);
    return answer;
  });

describe('rotation of the signing keys', () => {
  it('signs with a key that was published before, keeps the old one, and breaks no token, at either instance', async () => {
    const old = await logIn(first, 'admin');
    const before = await published(first);
    expect(before).toContain(kidOf(old));

    const rotation = await rotate(old);
    expect(rotation).toMatchObject({ status: 200, body: { retiring: { kid: kidOf(old) } } });

    for (const auth of [first, second]) {
      const fresh = await logIn(auth, 'admin');
      expect(kidOf(fresh)).not.toBe(kidOf(old));
      expect(before).toContain(kidOf(fresh));
      const after = await published(auth);
      expect(after).toEqual(expect.arrayContaining([kidOf(old), kidOf(fresh)]));
      for (const verifier of [first, second])
        for (const token of [old, fresh]) expect((await get(`${verifier.url}/me`, token)).status).toBe(200);
    }
  });

  it('happens once under one Idempotency-Key', async () => {
    const token = await logIn(first, 'admin');
    const key = { 'idempotency-key': newId('req') };
    const [once, again] = [await rotate(token, key), await rotate(token, key)];
    expect(again.text).toBe(once.text);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await published(first)).toHaveLength(4);
  });

  it('waits until every verifier can have the next key', async () => {
    const token = await logIn(first, 'admin');
    await rotate(token);
    const answers = await Promise.all([tryRotate(token), tryRotate(token)]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 409, body: { code: 'concurrent_update' } });
      expect(answer.headers.get('retry-after')).toBe('2');
    }
    expect((await get(`${first.url}/me`, token)).status).toBe(200);
    expect((await get(`${first.url}/me`, await logIn(second, 'admin'))).status).toBe(200);
  });

  it('is for those with the scope keys:rotate', async () => {
    const answer = await rotate(await logIn(first, 'customer'));
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });

  it('is written down, with who did it', async () => {
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    try {
      const rows = await client.query<{ actor: string; request_id: string }>(
        "SELECT actor, request_id FROM audit_log WHERE action = 'signing_key.rotated'",
      );
      expect(rows.rows.length).toBeGreaterThanOrEqual(3);
      for (const row of rows.rows)
        expect(row).toMatchObject({ actor: first.demo.admin.userId, request_id: expect.any(String) });
    } finally {
      await client.end();
    }
  });
});

describe('the signing keys at rest', () => {
  it('cannot be read in the database, and do not open under another encryption key', async () => {
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ text: string }>('SELECT signing_keys::text AS text FROM signing_keys');
      for (const { text } of rows) expect(text).not.toMatch(/"d"/);
      const sealed = await client.query<{ sealed: Buffer }>('SELECT private_key_sealed AS sealed FROM signing_keys');
      for (const row of sealed.rows) expect(row.sealed.toString('latin1')).not.toMatch(/"kty"|"d":/);
    } finally {
      await client.end();
    }
    const otherKey = Buffer.alloc(32, 7).toString('base64');
    await expect(
      startAuth(database, { ...first.environment, SIGNING_KEY_ENCRYPTION_KEY: otherKey }, first.demo),
    ).rejects.toThrow(/sealed under another key/);
  });
});
