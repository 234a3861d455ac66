import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

import { beforeAll, describe, expect, it } from '@jest/globals';

import { adminToken, call, demo, eventually, newKey, newMerchant } from './stack.js';

/** A route that needs a token, at each service's own port and at the gateway: each verifies tokens on its own. */
const DOORS = [
  ['gateway', '/me'],
  ['auth', '/me'],
  ['payment', '/payments'],
  ['tokenization', '/tokens'],
  ['ledger', '/ledger'],
  ['wallet', '/wallets'],
] as const;

const PASSWORD = 'a long enough phrase 27';

interface Person {
  readonly userId: string;
  readonly username: string;
  readonly token: string;
}

const newPerson = async (): Promise<Person> => {
  const username = `tokens-${newKey().slice(0, 12)}`;
  const registered = await call('POST', '/auth/register', { body: { username, password: PASSWORD } });
  const login = await call('POST', '/auth/login', { body: { username, password: PASSWORD } });
  if (login.status !== 200) throw new Error(login.text);
  return { userId: String(registered.body['userId']), username, token: String(login.body['token']) };
};

const at = async ([service, path]: (typeof DOORS)[number], token: string): Promise<Response> => {
  const url = service === 'gateway' ? demo().gateway : demo().services[service];
  return await fetch(`${url ?? ''}${path}`, { headers: { authorization: `Bearer ${token}` } });
};
const statuses = async (token: string): Promise<readonly number[]> =>
  await Promise.all(DOORS.map(async (door) => (await at(door, token)).status));
const everywhere = (status: number): readonly number[] => DOORS.map(() => status);

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const partsOf = (token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } => {
  const [header = '', claims = ''] = token.split('.');
  const parsed = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  return { header: parsed(header), claims: parsed(claims) };
};

describe('a forged token', () => {
  let good: string;
  beforeAll(async () => {
    good = (await newPerson()).token;
    expect(await statuses(good)).toEqual(everywhere(200));
  });

  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signedByStranger = (claims: object): string => {
    const content = `${base64url(partsOf(good).header)}.${base64url(claims)}`;
    const signature = sign('sha256', Buffer.from(content), { key: stranger.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${content}.${signature.toString('base64url')}`;
  };

  const forgeries: Record<string, () => Promise<string> | string> = {
    'has no signature (alg none)': () => {
      const { header, claims } = partsOf(good);
      return `${base64url({ ...header, alg: 'none' })}.${base64url(claims)}.`;
    },
    'is signed with the public key as a secret (HS256)': async () => {
      const { header, claims } = partsOf(good);
      const { body } = await call<{ keys: { kid: string }[] }>('GET', '/.well-known/jwks.json');
      const key = body.keys.find(({ kid }) => kid === header['kid']);
      const content = `${base64url({ ...header, alg: 'HS256' })}.${base64url(claims)}`;
      return `${content}.${createHmac('sha256', JSON.stringify(key)).update(content).digest('base64url')}`;
    },
    'is signed with another key under a known kid': () => signedByStranger(partsOf(good).claims),
    'is for another audience': () => signedByStranger({ ...partsOf(good).claims, aud: 'another' }),
    'has expired': () => signedByStranger({ ...partsOf(good).claims, exp: 1 }),
    'was given more scopes after it was signed': () => {
      const [header = '', , signature = ''] = good.split('.');
      return `${header}.${base64url({ ...partsOf(good).claims, roles: ['admin'], scope: 'users:write' })}.${signature}`;
    },
    'is an API key that nobody has': () => `sk_test_${'A'.repeat(43)}`,
  };

  it.each(Object.keys(forgeries))('is refused by every service when it %s', async (name) => {
    expect(await statuses((await forgeries[name]?.()) ?? '')).toEqual(everywhere(401));
  });
});

describe('a token that was good a moment ago', () => {
  /** Long before it expires: it lives for an hour. */
  const endsSoon = async (token: string, deed: () => Promise<void>): Promise<void> => {
    expect(await statuses(token)).toEqual(everywhere(200));
    await deed();
    await eventually(async () => {
      expect(await statuses(token)).toEqual(everywhere(401));
    });
  };
  const staff = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await call(method, path, { token: await adminToken(), ...(body === undefined ? {} : { body }) });
    if (answer.status >= 300) throw new Error(answer.text);
  };

  it('is refused everywhere soon after a block', async () => {
    const { token, userId } = await newPerson();
    await endsSoon(token, async () => {
      await staff('POST', `/users/${userId}/block`, { reason: 'Test' });
    });
  });

  it('is refused everywhere soon after a logout', async () => {
    const { token } = await newPerson();
    await endsSoon(token, async () => {
      expect((await call('POST', '/auth/logout', { token, body: {} })).status).toBe(204);
    });
  });

  it('is refused everywhere soon after a password change, made in another session', async () => {
    const { token, username } = await newPerson();
    const elsewhere = await call('POST', '/auth/login', { body: { username, password: PASSWORD } });
    await endsSoon(token, async () => {
      const changed = await call('POST', '/auth/password', {
        token: String(elsewhere.body['token']),
        body: { currentPassword: PASSWORD, newPassword: `${PASSWORD} new` },
      });
      expect(changed.status).toBeLessThan(300);
    });
  });

  it("is refused when it is an API key's, and the key is revoked", async () => {
    const { merchantId, token } = await newMerchant();
    const created = await call('POST', `/merchants/${merchantId}/api-keys`, { token, body: { name: 'Server' } });
    const apiKey = String(created.body['apiKey']);
    const paths = ['/payments', '/tokens', '/ledger', `/merchants/${merchantId}`];
    const asked = async (): Promise<readonly number[]> =>
      await Promise.all(paths.map(async (path) => (await call('GET', path, { token: apiKey })).status));
    expect(await asked()).toEqual(paths.map(() => 200));
    const revoked = await call('DELETE', `/merchants/${merchantId}/api-keys/${String(created.body['apiKeyId'])}`, {
      token,
    });
    expect(revoked.status).toBe(200);
    await eventually(async () => {
      expect(await asked()).toEqual(paths.map(() => 401));
    });
  });
});
