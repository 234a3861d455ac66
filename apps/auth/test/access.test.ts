import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { API_KEY, API_KEY_GRANT, PUBLISHABLE_KEY_GRANT, USER_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, type TestDatabase } from '@payflow/testing';
import { decodeJwt } from 'jose';
import pg from 'pg';

import {
  type Answered,
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
let owner: pg.Client;

beforeAll(async () => {
  database = await identityDatabase();
  auth = await startAuth(database);
  admin = await logIn(auth, 'admin');
  owner = new pg.Client(database.ownerUrl);
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await auth.stop();
  await database.drop();
});

const call = async (method: string, path: string, body?: unknown, token = admin): Promise<Answered> => {
  const response = await fetch(`${auth.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
};
const me = async (token: string): Promise<number> => (await get(`${auth.url}/me`, token)).status;

const PASSWORD = 'a long enough phrase 27';
interface Person {
  readonly userId: string;
  readonly username: string;
  readonly token: string;
  readonly refreshToken: string;
}
const login = async (username: string, more: object = {}): Promise<Answered> =>
  await postJson(`${auth.url}/auth/login`, { username, password: PASSWORD, ...more });
const newPerson = async (): Promise<Person> => {
  const username = `person-${randomBytes(6).toString('hex')}`;
  const registered = await postJson(`${auth.url}/auth/register`, { username, password: PASSWORD });
  if (registered.status !== 201) throw new Error(registered.text);
  const { body } = await login(username);
  return {
    userId: String(body['userId']),
    username,
    token: String(body['token']),
    refreshToken: String(body['refreshToken']),
  };
};
const newMerchant = async (): Promise<string> =>
  String((await call('POST', '/merchants', { name: 'Shop' })).body['merchantId']);
const accept = async (merchantId: string, token: string): Promise<Answered> =>
  await call('POST', `/me/memberships/${merchantId}/accept`, undefined, token);
const clientToken = async (client: Record<string, unknown>): Promise<Answered> =>
  await postForm(`${auth.url}/oauth/token`, {
    grant_type: 'client_credentials',
    client_id: String(client['clientId']),
    client_secret: String(client['clientSecret']),
  });
const keyToken = async (apiKey: unknown): Promise<Answered> =>
  await postForm(`${auth.url}/oauth/token`, { grant_type: API_KEY_GRANT, api_key: String(apiKey) });
const data = (answer: Answered): readonly Record<string, unknown>[] =>
  answer.body['data'] as readonly Record<string, unknown>[];
const logged = async (query: string): Promise<readonly Record<string, unknown>[]> =>
  data(await call('GET', `/audit-log?${query}`));

describe('staff', () => {
  it('finds users by name and status, the newest first, page by page', async () => {
    const people = [await newPerson(), await newPerson(), await newPerson()];
    const first = await call('GET', '/users?limit=2');
    expect(data(first).map(({ userId }) => userId)).toEqual([people[2]?.userId, people[1]?.userId]);
    const second = await call('GET', `/users?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(data(second).map(({ userId }) => userId)).toEqual([people[0]?.userId]);
    const named = await call('GET', `/users?username=${people[0]?.username.toUpperCase()}&status=ACTIVE`);
    expect(data(named)).toMatchObject([{ userId: people[0]?.userId, roles: ['customer'], verified: true }]);
    expect(named.text).not.toContain('argon2');
    expect(data(await call('GET', '/users?status=BLOCKED&email=nobody%40example.com'))).toEqual([]);
    expect((await call('GET', `/users/${newId('usr')}`)).body).toMatchObject({ code: 'user_not_found', status: 404 });
    for (const query of ['cursor=bm9uc2Vuc2U', 'limit=0', 'status=GONE', 'email=a%40b.c&phone=1', 'x=1'])
      expect((await call('GET', `/users?${query}`)).status).toBe(400);
  });

  it('blocks a user: his tokens and sessions end, he cannot log in, and one event tells it', async () => {
    const person = await newPerson();
    const twice = [
      await call('POST', `/users/${person.userId}/block`, { reason: 'Stolen card' }),
      await call('POST', `/users/${person.userId}/block`, { reason: 'Again' }),
    ];
    for (const answer of twice) expect(answer).toMatchObject({ status: 200, body: { status: 'BLOCKED' } });
    expect(await me(person.token)).toBe(401);
    expect((await login(person.username)).status).toBe(401);
    expect((await postJson(`${auth.url}/auth/refresh`, { refreshToken: person.refreshToken })).status).toBe(401);
    const { rows } = await owner.query<{ count: string }>(
      'SELECT count(*) FROM outbox WHERE topic LIKE $1 AND aggregate_id = $2',
      [`%${USER_EVENTS.blocked.topic}`, person.userId],
    );
    expect(rows).toEqual([{ count: '1' }]);
    expect(await logged(`target=${person.userId}&action=user.blocked`)).toMatchObject([
      { actor: auth.demo.admin.userId, details: { reason: 'Stolen card' } },
    ]);
  });

  it('unblocks a user: he logs in again, and the sessions of before stay ended', async () => {
    const person = await newPerson();
    await call('POST', `/users/${person.userId}/block`, { reason: 'By mistake' });
    expect(await call('POST', `/users/${person.userId}/unblock`)).toMatchObject({ body: { status: 'ACTIVE' } });
    expect(await me(person.token)).toBe(401);
    expect((await postJson(`${auth.url}/auth/refresh`, { refreshToken: person.refreshToken })).status).toBe(401);
    expect(await me(tokenOf(await login(person.username)))).toBe(200);
  });

  it('blocks a user whose logins and refreshes race with it: whatever they got is of no use', async () => {
    const person = await newPerson();
    const refreshes = await Promise.all(
      Array.from({ length: 10 }, async () => String((await login(person.username)).body['refreshToken'])),
    );
    const [block, ...raced] = await Promise.all([
      call('POST', `/users/${person.userId}/block`, { reason: 'Race' }),
      ...refreshes.map(async (refreshToken) => await postJson(`${auth.url}/auth/refresh`, { refreshToken })),
      ...Array.from({ length: 40 }, async () => await login(person.username)),
    ]);
    expect(block.status).toBe(200);
    const tokens = raced.filter(({ status }) => status === 200).map(tokenOf);
    for (const token of tokens) expect(await me(token)).toBe(401);
    expect((await login(person.username)).status).not.toBe(200);
    await call('POST', `/users/${person.userId}/unblock`);
    for (const token of tokens) expect(await me(token)).toBe(401);
    const { rows } = await owner.query('SELECT FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [person.userId]);
    expect(rows).toHaveLength(0);
  });

  it('ends sessions, and sets roles, which ends them too', async () => {
    const person = await newPerson();
    expect((await call('POST', `/users/${person.userId}/sessions/revoke`)).body).toEqual({
      userId: person.userId,
      ended: 1,
    });
    expect(await me(person.token)).toBe(401);
    const before = tokenOf(await login(person.username));
    const changed = await call('PUT', `/users/${person.userId}/roles`, { roles: ['customer', 'risk'] });
    expect(changed.body).toMatchObject({ roles: ['customer', 'risk'] });
    expect(await me(before)).toBe(401);
    expect(decodeJwt(tokenOf(await login(person.username)))['scope']).toContain('wallets:control');
    for (const roles of [[], ['service'], ['merchant'], ['admin', 'admin'], ['god']])
      expect((await call('PUT', `/users/${person.userId}/roles`, { roles })).status).toBe(400);
  });

  it('always has an admin left, also when two take the role from each other', async () => {
    const adminId = auth.demo.admin.userId;
    expect(await call('PUT', `/users/${adminId}/roles`, { roles: ['customer'] })).toMatchObject({
      status: 409,
      body: { code: 'last_admin' },
    });
    expect((await call('POST', `/users/${adminId}/block`, { reason: 'x' })).body).toMatchObject({ code: 'last_admin' });
    const second = await newPerson();
    await call('PUT', `/users/${second.userId}/roles`, { roles: ['admin'] });
    const secondToken = tokenOf(await login(second.username));
    const statuses = await Promise.all([
      call('PUT', `/users/${adminId}/roles`, { roles: ['risk'] }, secondToken),
      call('PUT', `/users/${second.userId}/roles`, { roles: ['risk'] }),
    ]);
    expect(statuses.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    await owner.query(`UPDATE users SET roles = '{admin}' WHERE id = $1`, [adminId]);
    admin = await logIn(auth, 'admin');
  });

  it('is nobody else', async () => {
    const { token, userId } = await newPerson();
    for (const [method, path, body] of [
      ['GET', '/users'],
      ['GET', `/users/${userId}`],
      ['POST', `/users/${userId}/block`, { reason: 'x' }],
      ['PUT', `/users/${userId}/roles`, { roles: ['admin'] }],
      ['GET', '/audit-log'],
    ] as const)
      expect((await call(method, path, body, token)).status).toBe(403);
  });
});

describe('the audit log', () => {
  it('is read by actor, target, action and time, page by page', async () => {
    const merchantId = await newMerchant();
    await call('PATCH', `/merchants/${merchantId}`, { name: 'One' });
    await call('PATCH', `/merchants/${merchantId}`, { name: 'Two' });
    const [latest, ...older] = await logged(`target=${merchantId}`);
    expect(latest).toMatchObject({ action: 'merchant.changed', details: { from: 'One', to: 'Two' } });
    expect(older.map(({ action }) => action)).toEqual(['merchant.changed', 'merchant.created']);
    const page = await call('GET', `/audit-log?target=${merchantId}&limit=1`);
    const next = await call('GET', `/audit-log?target=${merchantId}&limit=2&cursor=${String(page.body['nextCursor'])}`);
    expect(data(next)).toEqual(older);
    expect(next.body['nextCursor']).toBeNull();
    expect(await logged(`target=${merchantId}&action=merchant.created&actor=${auth.demo.admin.userId}`)).toHaveLength(
      1,
    );
    expect(await logged(`target=${merchantId}&to=2020-01-01T00:00:00.000Z`)).toEqual([]);
    expect((await call('GET', '/audit-log?action=nothing')).status).toBe(400);
  });

  it('is never changed: not by the service, not by its owner', async () => {
    const service = new pg.Client(database.runtimeUrl);
    await service.connect();
    for (const statement of ['DELETE FROM audit_log', "UPDATE audit_log SET actor = 'x'", 'TRUNCATE audit_log'])
      for (const client of [service, owner]) await expect(client.query(statement)).rejects.toThrow();
    await service.end();
  });
});

describe('a merchant', () => {
  it('is listed, renamed, blocked with all that acts for it, and unblocked', async () => {
    const merchantId = await newMerchant();
    const client = (await call('POST', `/merchants/${merchantId}/clients`, {})).body;
    const key = (await call('POST', `/merchants/${merchantId}/api-keys`, { name: 'Shop server' })).body;
    const member = await newPerson();
    await call('POST', `/merchants/${merchantId}/members`, { userId: member.userId, role: 'OWNER' });
    const person = tokenOf(await login(member.username));
    const tokens = [tokenOf(await clientToken(client)), tokenOf(await keyToken(key['apiKey'])), person];
    for (const token of tokens) expect(await me(token)).toBe(200);
    await call('POST', `/merchants/${merchantId}/block`, { reason: 'Fraud' });
    for (const token of tokens) expect(await me(token)).toBe(401);
    expect((await clientToken(client)).status).toBe(401);
    expect((await keyToken(key['apiKey'])).status).toBe(401);
    expect(data(await call('GET', '/merchants?status=BLOCKED'))).toMatchObject([{ merchantId }]);
    // The person is himself again, without the merchant.
    expect(decodeJwt(tokenOf(await login(member.username)))).not.toHaveProperty('merchant_id');
    await call('POST', `/merchants/${merchantId}/unblock`);
    for (const token of tokens) expect(await me(token)).toBe(200);
  });

  it('has members: a login acts for the one merchant, or for the one that is named', async () => {
    const [first, second] = [await newMerchant(), await newMerchant()];
    const person = await newPerson();
    expect(
      await call('POST', `/merchants/${first}/members`, { username: person.username, role: 'MEMBER' }),
    ).toMatchObject({ status: 200, body: { merchantId: first, userId: person.userId, role: 'MEMBER' } });
    const claims = decodeJwt(tokenOf(await login(person.username)));
    expect(claims).toMatchObject({ merchant_id: first, roles: ['customer', 'merchant'] });
    expect(String(claims['scope']).split(' ')).toContain('payments:write');
    expect(String(claims['scope']).split(' ')).not.toContain('merchants:write');
    await call('POST', `/merchants/${second}/members`, { userId: person.userId, role: 'OWNER' });
    expect(decodeJwt(tokenOf(await login(person.username)))).not.toHaveProperty('merchant_id');
    const asOwner = await login(person.username, { merchantId: second });
    expect(decodeJwt(tokenOf(asOwner))).toMatchObject({ merchant_id: second });
    expect((await login(person.username, { merchantId: newId('mer') })).status).toBe(404);
    const refreshed = await postJson(`${auth.url}/auth/refresh`, { refreshToken: asOwner.body['refreshToken'] });
    expect(decodeJwt(tokenOf(refreshed))).toMatchObject({ merchant_id: second });
  });

  it('is managed by its owners, and by nobody of another merchant', async () => {
    const [mine, other] = [await newMerchant(), await newMerchant()];
    const [boss, clerk] = [await newPerson(), await newPerson()];
    await call('POST', `/merchants/${mine}/members`, { userId: boss.userId, role: 'OWNER' });
    const bossToken = tokenOf(await login(boss.username));
    expect(
      (await call('POST', `/merchants/${mine}/members`, { userId: clerk.userId, role: 'MEMBER' }, bossToken)).status,
    ).toBe(200);
    expect((await accept(mine, clerk.token)).status).toBe(200);
    const clerkToken = tokenOf(await login(clerk.username));
    expect(data(await call('GET', `/merchants/${mine}/members`, undefined, clerkToken))).toHaveLength(2);
    expect((await call('DELETE', `/merchants/${mine}/members/${boss.userId}`, undefined, clerkToken)).status).toBe(403);
    for (const [method, path, body] of [
      ['GET', `/merchants/${other}`],
      ['PATCH', `/merchants/${other}`, { name: 'Mine now' }],
      ['GET', `/merchants/${other}/members`],
      ['POST', `/merchants/${other}/members`, { userId: boss.userId, role: 'OWNER' }],
      ['GET', `/merchants/${other}/clients`],
      ['POST', `/merchants/${other}/clients`, {}],
      ['GET', `/merchants/${other}/api-keys`],
      ['POST', `/merchants/${other}/api-keys`, { name: 'x' }],
      ['GET', `/merchants/${other}/publishable-keys`],
      ['POST', `/merchants/${other}/publishable-keys`],
    ] as const)
      expect((await call(method, path, body, bossToken)).body).toMatchObject({ code: 'merchant_not_found' });
    expect(
      (await call('DELETE', `/merchants/${mine}/members/${boss.userId}`, undefined, bossToken)).body,
    ).toMatchObject({ code: 'last_owner' });
    expect((await call('DELETE', `/merchants/${mine}/members/${clerk.userId}`, undefined, bossToken)).status).toBe(204);
    expect(await me(clerkToken)).toBe(401);
    expect(
      (await call('DELETE', `/merchants/${mine}/members/${clerk.userId}`, undefined, bossToken)).body,
    ).toMatchObject({ code: 'member_not_found' });
  });

  it('keeps one owner of two who leave at once', async () => {
    const merchantId = await newMerchant();
    const owners = [await newPerson(), await newPerson()];
    for (const { userId } of owners) await call('POST', `/merchants/${merchantId}/members`, { userId, role: 'OWNER' });
    const statuses = await Promise.all(
      owners.map(async ({ userId }) => (await call('DELETE', `/merchants/${merchantId}/members/${userId}`)).status),
    );
    expect(statuses.sort()).toEqual([204, 409]);
  });
});

describe('an invitation', () => {
  /** A merchant and one of its owners. */
  const newOwner = async (): Promise<{ merchantId: string; token: string; userId: string }> => {
    const [merchantId, { userId, username }] = [await newMerchant(), await newPerson()];
    await call('POST', `/merchants/${merchantId}/members`, { userId, role: 'OWNER' });
    return { merchantId, userId, token: tokenOf(await login(username)) };
  };
  const invite = async (merchantId: string, token: string, body: object): Promise<Answered> =>
    await call('POST', `/merchants/${merchantId}/members`, { role: 'MEMBER', ...body }, token);
  const actsFor = async ({ username }: Person): Promise<unknown> =>
    decodeJwt(tokenOf(await login(username)))['merchant_id'];

  it('changes nothing for the person until he accepts', async () => {
    const boss = await newOwner();
    const person = await newPerson();
    const invited = await invite(boss.merchantId, boss.token, { userId: person.userId });
    expect(invited).toMatchObject({ status: 200, body: { userId: person.userId, status: 'INVITED', username: null } });
    expect(await actsFor(person)).toBeUndefined();
    expect((await login(person.username, { merchantId: boss.merchantId })).status).toBe(404);
    expect(data(await call('GET', '/me/memberships', undefined, person.token))).toEqual([
      {
        merchantId: boss.merchantId,
        merchantName: 'Shop',
        role: 'MEMBER',
        status: 'INVITED',
        createdAt: expect.any(String),
      },
    ]);
    // Neither does it take the place of the merchant that he chose.
    const own = await newMerchant();
    await call('POST', `/merchants/${own}/members`, { userId: person.userId, role: 'OWNER' });
    expect(await actsFor(person)).toBe(own);
    expect(await accept(boss.merchantId, person.token)).toMatchObject({ status: 200, body: { status: 'ACTIVE' } });
    const acting = tokenOf(await login(person.username, { merchantId: boss.merchantId }));
    expect(decodeJwt(acting)['merchant_id']).toBe(boss.merchantId);
    expect(await logged(`target=${person.userId}&actor=${boss.userId}`)).toMatchObject([
      { action: 'member.invited', details: { merchantId: boss.merchantId, role: 'MEMBER' } },
    ]);
    expect(await logged(`target=${person.userId}&action=membership.accepted`)).toMatchObject([
      { actor: person.userId, details: { merchantId: boss.merchantId } },
    ]);
  });

  it('is not made by staff: what staff gives counts at once, also to who was invited', async () => {
    const boss = await newOwner();
    const person = await newPerson();
    await invite(boss.merchantId, boss.token, { userId: person.userId });
    const saved = await invite(boss.merchantId, admin, { userId: person.userId });
    expect(saved.body).toMatchObject({ status: 'ACTIVE', username: person.username });
    expect(await actsFor(person)).toBe(boss.merchantId);
  });

  it('shows the name that the owner typed, and the others after consent', async () => {
    const boss = await newOwner();
    const person = await newPerson();
    const email = `${person.username}@example.com`;
    await owner.query('UPDATE users SET email = $2, email_verified_at = now(), name = $3 WHERE id = $1', [
      person.userId,
      email,
      'Paula Person',
    ]);
    const list = async (): Promise<unknown> =>
      data(await call('GET', `/merchants/${boss.merchantId}/members`, undefined, boss.token))[1];
    const hidden = { userId: person.userId, username: null, email: null, phone: null, name: null };
    for (const [typed, shown] of [
      [{ userId: person.userId }, hidden],
      [{ username: person.username }, { ...hidden, username: person.username }],
      [{ email: email.toUpperCase() }, { ...hidden, email }],
    ] as const) {
      expect((await invite(boss.merchantId, boss.token, typed)).body).toMatchObject(shown);
      expect(await list()).toMatchObject({ ...shown, status: 'INVITED' });
      await call('DELETE', `/merchants/${boss.merchantId}/members/${person.userId}`, undefined, boss.token);
    }
    await invite(boss.merchantId, boss.token, { userId: person.userId });
    await accept(boss.merchantId, person.token);
    expect(await list()).toMatchObject({ username: person.username, email, name: 'Paula Person', status: 'ACTIVE' });
  });

  it('is accepted by nobody else: not by a stranger, not by the owner, not by a key', async () => {
    const boss = await newOwner();
    const [person, stranger] = [await newPerson(), await newPerson()];
    await invite(boss.merchantId, boss.token, { userId: person.userId });
    expect((await accept(boss.merchantId, stranger.token)).body).toMatchObject({
      status: 404,
      code: 'membership_not_found',
    });
    // The owner accepts what is his own, and nobody else's.
    expect((await accept(boss.merchantId, boss.token)).body).toMatchObject({ role: 'OWNER' });
    const key = await call('POST', `/merchants/${boss.merchantId}/api-keys`, { name: 'Server' });
    expect((await accept(boss.merchantId, tokenOf(await keyToken(key.body['apiKey'])))).status).toBe(403);
    expect((await call('DELETE', `/me/memberships/${boss.merchantId}`, undefined, stranger.token)).body).toMatchObject({
      code: 'membership_not_found',
    });
    expect((await accept(newId('mer'), person.token)).status).toBe(404);
    expect(await actsFor(person)).toBeUndefined();
  });

  it('is accepted once by fifty who accept at once', async () => {
    const boss = await newOwner();
    const person = await newPerson();
    await invite(boss.merchantId, boss.token, { userId: person.userId });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => await accept(boss.merchantId, person.token)),
    );
    expect(answers.filter(({ status, body }) => status === 200 && body['status'] === 'ACTIVE')).toHaveLength(50);
    expect(await logged(`target=${person.userId}&action=membership.accepted`)).toHaveLength(1);
  });

  it('is declined, and a membership is left with its logins, but not by the last owner', async () => {
    const boss = await newOwner();
    const person = await newPerson();
    const leave = async (token: string): Promise<Answered> =>
      await call('DELETE', `/me/memberships/${boss.merchantId}`, undefined, token);
    await invite(boss.merchantId, boss.token, { userId: person.userId, role: 'OWNER' });
    // Who is invited may never come: the owner stays.
    expect((await leave(boss.token)).body).toMatchObject({ code: 'last_owner' });
    const demoted = await invite(boss.merchantId, boss.token, { userId: boss.userId });
    expect(demoted.body).toMatchObject({ code: 'last_owner' });
    expect((await leave(person.token)).status).toBe(204);
    expect((await accept(boss.merchantId, person.token)).status).toBe(404);
    await invite(boss.merchantId, boss.token, { userId: person.userId, role: 'OWNER' });
    await accept(boss.merchantId, person.token);
    const acting = tokenOf(await login(person.username));
    expect((await leave(boss.token)).status).toBe(204);
    expect(await me(boss.token)).toBe(401);
    expect((await leave(acting)).body).toMatchObject({ code: 'last_owner' });
    expect(await me(acting)).toBe(200);
    expect((await logged(`actor=${person.userId}`)).map(({ action }) => action)).toEqual([
      'membership.accepted',
      'membership.declined',
    ]);
    expect(await logged(`target=${boss.userId}&action=membership.left`)).toMatchObject([{ actor: boss.userId }]);
  });
});

describe("a merchant's OAuth client", () => {
  it('gets a new secret while the old one works on, until it does not', async () => {
    const merchantId = await newMerchant();
    const client = (await call('POST', `/merchants/${merchantId}/clients`, {})).body;
    const path = `/merchants/${merchantId}/clients/${String(client['clientId'])}`;
    const rotated = (await call('POST', `${path}/secret/rotate`, { overlapSeconds: 600 })).body;
    expect(rotated['previousSecretUntil']).toEqual(expect.any(String));
    for (const secret of [client['clientSecret'], rotated['clientSecret']])
      expect((await clientToken({ ...client, clientSecret: secret })).status).toBe(200);
    const again = (await call('POST', `${path}/secret/rotate`, {})).body;
    expect((await clientToken({ ...client, clientSecret: again['clientSecret'] })).status).toBe(200);
    for (const secret of [client['clientSecret'], rotated['clientSecret']])
      expect((await clientToken({ ...client, clientSecret: secret })).status).toBe(401);
  });

  it('is disabled for good, with its tokens', async () => {
    const merchantId = await newMerchant();
    const client = (await call('POST', `/merchants/${merchantId}/clients`, {})).body;
    const token = tokenOf(await clientToken(client));
    const path = `/merchants/${merchantId}/clients/${String(client['clientId'])}`;
    expect((await call('DELETE', path)).body).toMatchObject({ disabledAt: expect.any(String) });
    expect((await call('DELETE', path)).status).toBe(200);
    expect(await me(token)).toBe(401);
    expect((await clientToken(client)).status).toBe(401);
    expect((await call('POST', `${path}/secret/rotate`, {})).body).toMatchObject({ code: 'client_not_found' });
    expect(data(await call('GET', `/merchants/${merchantId}/clients`))).toHaveLength(1);
    expect(await logged(`target=${String(client['clientId'])}&action=client.disabled`)).toHaveLength(1);
  });
});

describe('an API key', () => {
  const create = async (merchantId: string, more: object = {}, token = admin): Promise<Answered> =>
    await call('POST', `/merchants/${merchantId}/api-keys`, { name: 'Server', ...more }, token);

  it('is shown once, stored as a hash, and speaks for a client of the merchant', async () => {
    const merchantId = await newMerchant();
    const created = await create(merchantId, { scopes: ['payments:read'] });
    expect(created).toMatchObject({ status: 201, body: { merchantId, scopes: ['payments:read'], lastUsedAt: null } });
    const apiKey = String(created.body['apiKey']);
    expect(apiKey).toMatch(API_KEY);
    expect(decodeJwt(tokenOf(await keyToken(apiKey)))).toMatchObject({
      sub: created.body['clientId'],
      client_id: created.body['apiKeyId'],
      merchant_id: merchantId,
      scope: 'payments:read',
    });
    const listed = await call('GET', `/merchants/${merchantId}/api-keys`);
    expect(listed.text).not.toContain(apiKey);
    expect(data(listed)).toMatchObject([{ hint: apiKey.slice(-4) }]);
    const { rows } = await owner.query<{ line: string }>(
      'SELECT k::text AS line FROM idempotency_keys k UNION ALL SELECT a::text FROM audit_log a UNION ALL SELECT c::text FROM api_keys c',
    );
    for (const { line } of rows) expect(line).not.toContain(apiKey);
    for (const wrong of [`${apiKey.slice(0, -1)}!`, 'sk_test_', '', `sk_test_${'A'.repeat(43)}`])
      expect((await keyToken(wrong)).status).toBe(401);
    await eventually(async () => {
      const [key] = data(await call('GET', `/merchants/${merchantId}/api-keys`));
      expect(key?.['lastUsedAt']).toEqual(expect.any(String));
    });
  });

  it('hands on no more than whoever makes it has', async () => {
    const merchantId = await newMerchant();
    for (const scope of ['ledger:post', 'users:write', 'internal'])
      expect((await create(merchantId, { scopes: [scope] })).body).toMatchObject({ code: 'validation_failed' });
    const narrow = await create(merchantId, { scopes: ['merchants:write', 'payments:read'] });
    const token = tokenOf(await keyToken(narrow.body['apiKey']));
    expect((await create(merchantId, { scopes: ['payments:write'] }, token)).status).toBe(400);
    expect((await call('POST', `/merchants/${merchantId}/clients`, { scopes: ['tokens:write'] }, token)).status).toBe(
      400,
    );
    expect((await create(merchantId, {}, token)).body).toMatchObject({ scopes: ['payments:read', 'merchants:write'] });
    const person = await newPerson();
    expect(
      (await call('POST', `/merchants/${merchantId}/members`, { userId: person.userId, role: 'OWNER' }, token)).status,
    ).toBe(403);
  });

  it('is rolled with overlap in the same name, and ends at its time with the tokens it was exchanged for', async () => {
    const merchantId = await newMerchant();
    const old = (await create(merchantId)).body;
    const path = `/merchants/${merchantId}/api-keys/${String(old['apiKeyId'])}`;
    const rolled = await call('POST', `${path}/roll`, { overlapSeconds: 3 });
    expect(rolled).toMatchObject({ status: 201, body: { clientId: old['clientId'], name: 'Server' } });
    const oldToken = tokenOf(await keyToken(old['apiKey']));
    const newToken = tokenOf(await keyToken(rolled.body['apiKey']));
    expect(decodeJwt(oldToken).sub).toBe(decodeJwt(newToken).sub);
    await eventually(async () => {
      expect(await me(oldToken)).toBe(401);
    });
    expect((await keyToken(old['apiKey'])).status).toBe(401);
    expect(await me(newToken)).toBe(200);
    expect((await call('POST', `${path}/roll`, {})).body).toMatchObject({ code: 'api_key_revoked' });
  });

  it('is rolled and revoked at once, and only by whom it belongs to', async () => {
    const [merchantId, other] = [await newMerchant(), await newMerchant()];
    const key = (await create(merchantId)).body;
    const id = String(key['apiKeyId']);
    expect((await call('DELETE', `/merchants/${other}/api-keys/${id}`)).body).toMatchObject({
      code: 'api_key_not_found',
    });
    const token = tokenOf(await keyToken(key['apiKey']));
    const rolled = (await call('POST', `/merchants/${merchantId}/api-keys/${id}/roll`, {})).body;
    expect(await me(token)).toBe(401);
    const second = tokenOf(await keyToken(rolled['apiKey']));
    await call('DELETE', `/merchants/${merchantId}/api-keys/${String(rolled['apiKeyId'])}`);
    expect(await me(second)).toBe(401);
    expect((await keyToken(rolled['apiKey'])).status).toBe(401);
    expect((await create(merchantId, { expiresAt: '2020-01-01T00:00:00.000Z' })).status).toBe(400);
  });
});

describe('publishable keys', () => {
  it('are added, listed and disabled, with the tokens that payers have', async () => {
    const merchantId = await newMerchant();
    const path = `/merchants/${merchantId}/publishable-keys`;
    const key = String((await call('POST', path)).body['publishableKey']);
    expect(data(await call('GET', path))).toHaveLength(2);
    const exchange = async () =>
      await postForm(`${auth.url}/oauth/token`, { grant_type: PUBLISHABLE_KEY_GRANT, publishable_key: key });
    const token = tokenOf(await exchange());
    expect(await me(token)).toBe(200);
    expect((await call('DELETE', `${path}/${key}`)).body).toMatchObject({ disabledAt: expect.any(String) });
    expect(await me(token)).toBe(401);
    expect((await exchange()).status).toBe(401);
    expect((await call('DELETE', `${path}/pk_test_${'A'.repeat(32)}`)).status).toBe(404);
  });
});
