import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PUBLISHABLE_KEY, PUBLISHABLE_KEY_GRANT } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { TestDatabase } from '@payflow/testing';
import { decodeJwt } from 'jose';
import pg from 'pg';

import {
  get,
  identityDatabase,
  logIn,
  postForm,
  postJson,
  type RunningAuth,
  startAuth,
  tokenOf,
} from './running-auth.js';

let database: TestDatabase;
let auth: RunningAuth;
let admin: string;

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  admin = await logIn(auth, 'admin');
});

afterAll(async () => {
  await auth.stop();
  await database.drop();
});

const post = async (path: string, body: unknown, headers: Record<string, string> = {}, token = admin) =>
  await postJson(`${auth.url}${path}`, body, { authorization: `Bearer ${token}`, ...headers });
const newMerchant = async (): Promise<string> =>
  String((await post('/merchants', { name: 'Shop' })).body['merchantId']);

describe('publishable keys', () => {
  const exchange = async (key: string) =>
    await postForm(`${auth.url}/oauth/token`, { grant_type: PUBLISHABLE_KEY_GRANT, publishable_key: key });

  it('come with a merchant, and are exchanged for what the browser of a payer may do', async () => {
    const { body } = await post('/merchants', { name: 'Shop with a page' });
    const key = String(body['publishableKey']);
    expect(key).toMatch(PUBLISHABLE_KEY);
    const answer = await exchange(key);
    expect(answer).toMatchObject({ status: 200, body: { scope: 'payments:confirm tokens:create' } });
    expect(decodeJwt(tokenOf(answer))).toMatchObject({
      sub: key,
      kind: 'client',
      roles: ['payer'],
      merchant_id: body['merchantId'],
    });
  });

  it.each(['', 'pk_test_', 'pk_live_x', `pk_test_${'A'.repeat(32)}`])(
    'that nobody has are refused: %j',
    async (key) => {
      expect((await exchange(key)).status).toBe(401);
    },
  );

  it('stop working with their merchant', async () => {
    const { body } = await post('/merchants', { name: 'Shop that closes' });
    const owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    await owner.query(`UPDATE merchants SET status = 'BLOCKED' WHERE id = $1`, [body['merchantId']]);
    await owner.end();
    expect((await exchange(String(body['publishableKey']))).status).toBe(401);
  });
});

describe('merchants', () => {
  it('are created by an admin, and read again', async () => {
    const created = await post('/merchants', { name: 'Bücher & Co' });
    expect(created).toMatchObject({ status: 201, body: { name: 'Bücher & Co', status: 'ACTIVE' } });
    const id = String(created.body['merchantId']);
    expect(created.headers.get('location')).toBe(`/merchants/${id}`);
    expect(await get(`${auth.url}/merchants/${id}`, admin)).toMatchObject({ status: 200, body: created.body });
    expect(await get(`${auth.url}/merchants/${newId('mer')}`, admin)).toMatchObject({
      status: 404,
      body: { code: 'merchant_not_found' },
    });
  });

  it('are not for customers, nor for merchants', async () => {
    const customer = await logIn(auth, 'customer');
    const { clientId, clientSecret } = auth.demo.merchant;
    const merchant = tokenOf(
      await postForm(`${auth.url}/oauth/token`, {
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      }),
    );
    for (const token of [customer, merchant]) {
      expect(await post('/merchants', { name: 'Mine' }, {}, token)).toMatchObject({ status: 403 });
      expect(await get(`${auth.url}/merchants`, token)).toMatchObject({ status: 403 });
    }
    const own = `${auth.url}/merchants/${auth.demo.merchant.merchantId}`;
    expect(await get(own, customer)).toMatchObject({ status: 403 });
    expect(await get(own, merchant)).toMatchObject({ status: 200 });
    expect(await get(`${auth.url}/merchants/${await newMerchant()}`, merchant)).toMatchObject({ status: 404 });
  });

  it.each([{}, { name: '' }, { name: 'x'.repeat(201) }, { name: 'a\nb' }, { name: 1 }, { name: 'a', id: 'mer_x' }])(
    'are refused as %j',
    async (body) => {
      expect(await post('/merchants', body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    },
  );

  it('are created once under one key, also by twins', async () => {
    const key = { 'idempotency-key': newId('req') };
    const twins = await Promise.all([
      post('/merchants', { name: 'Once' }, key),
      post('/merchants', { name: 'Once' }, key),
    ]);
    const again = await post('/merchants', { name: 'Once' }, key);
    for (const answer of twins) expect([201, 409]).toContain(answer.status);
    expect(twins.filter((answer) => answer.status === 201).every((answer) => answer.text === again.text)).toBe(true);
    expect(await post('/merchants', { name: 'Other' }, key)).toMatchObject({
      body: { code: 'idempotency_key_reused' },
    });
  });
});

describe("a merchant's clients", () => {
  it('get tokens for that merchant with the secret that is shown once', async () => {
    const merchantId = await newMerchant();
    const created = await post(`/merchants/${merchantId}/clients`, { scopes: ['payments:read'] });
    expect(created).toMatchObject({
      status: 201,
      body: { merchantId, roles: ['merchant'], scopes: ['payments:read'] },
    });
    const token = tokenOf(
      await postForm(`${auth.url}/oauth/token`, {
        grant_type: 'client_credentials',
        client_id: String(created.body['clientId']),
        client_secret: String(created.body['clientSecret']),
      }),
    );
    expect(decodeJwt(token)).toMatchObject({ merchant_id: merchantId, scope: 'payments:read' });
  });

  it('show the same secret to a repetition with the same key, and the database never has it in clear', async () => {
    const merchantId = await newMerchant();
    const key = { 'idempotency-key': newId('req') };
    const created = await post(`/merchants/${merchantId}/clients`, {}, key);
    const again = await post(`/merchants/${merchantId}/clients`, {}, key);
    expect(again.text).toBe(created.text);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ line: string }>(
        'SELECT k::text AS line FROM idempotency_keys k UNION ALL SELECT a::text FROM audit_log a UNION ALL SELECT c::text FROM oauth_clients c',
      );
      for (const { line } of rows) expect(line).not.toContain(String(created.body['clientSecret']));
      const audit = await client.query("SELECT 1 FROM audit_log WHERE action = 'client.created' AND target = $1", [
        created.body['clientId'],
      ]);
      expect(audit.rows).toHaveLength(1);
    } finally {
      await client.end();
    }
  });

  it('have no scope that a merchant may not have', async () => {
    const merchantId = await newMerchant();
    for (const scope of ['ledger:post', 'internal', 'users:write'])
      expect(await post(`/merchants/${merchantId}/clients`, { scopes: [scope] })).toMatchObject({
        status: 400,
        body: { code: 'validation_failed', errors: [{ pointer: '/scopes' }] },
      });
  });

  it('need a merchant', async () => {
    expect(await post(`/merchants/${newId('mer')}/clients`, {})).toMatchObject({ status: 404 });
    expect(await post('/merchants/mer_x/clients', {})).toMatchObject({ status: 400 });
  });
});
