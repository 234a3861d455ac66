import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal, TokenResponse, TokenUsability } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { ledgerClientPrincipal, merchantPrincipal, userPrincipal } from '@payflow/testing';

import { goodCard, type ProblemBody, RunningVault } from './running-vault.js';

let vault: RunningVault;

beforeAll(async () => {
  vault = await RunningVault.start({ ACQUIRERS: '{}' });
});
afterAll(async () => {
  await vault.stop();
});

const aMerchant = (): Principal & { readonly merchantId: string } => {
  const merchantId = newId('mer');
  return { ...merchantPrincipal(merchantId), merchantId };
};
const aCustomer = (): Principal => userPrincipal(newId('usr'));
const admin = userPrincipal('usr_admin', 'admin');

const eventsOf = async (tokenId: string): Promise<readonly { topic: string; key: string; payload: unknown }[]> => {
  const rows = await vault.sql<{ topic: string; key: string; envelope: string }>(
    'SELECT topic, key, envelope FROM outbox WHERE aggregate_id = $1 ORDER BY position',
    [tokenId],
  );
  return rows.map(({ topic, key, envelope }) => ({
    topic,
    key,
    payload: (JSON.parse(envelope) as { payload: unknown }).payload,
  }));
};

describe('the life of a token', () => {
  it('begins with a card and ends with its erasure, and both are told', async () => {
    const merchant = aMerchant();
    const created = await vault.call(merchant, '/tokens', {
      body: { card: goodCard(), reusable: true, userId: 'customer-7', metadata: { orderId: 'ord_1' } },
    });
    expect(created).toMatchObject({
      status: 201,
      headers: { etag: '"1"', location: `/tokens/${created.body.tokenId}` },
      body: {
        status: 'ACTIVE',
        brand: 'visa',
        bin: '424242',
        last4: '4242',
        expMonth: 12,
        expYear: 2034,
        holderName: 'Ada Lovelace',
        reusable: true,
        merchantId: merchant.merchantId,
        userId: 'customer-7',
        metadata: { orderId: 'ord_1' },
        expiresAt: null,
      },
    });
    const { tokenId } = created.body;
    expect(await vault.call(merchant, `/tokens/${tokenId}`)).toMatchObject({ status: 200, body: created.body });

    const deleted = await vault.call(merchant, `/tokens/${tokenId}`, { method: 'DELETE' });
    expect(deleted).toMatchObject({ status: 200, body: { status: 'DELETED', last4: '4242', holderName: null } });
    const again = await vault.call(merchant, `/tokens/${tokenId}`, { method: 'DELETE' });
    expect(again).toMatchObject({ status: 200, body: deleted.body });
    expect((await vault.call(merchant, `/tokens/${tokenId}`)).body.status).toBe('DELETED');

    expect(await vault.sql('SELECT sealed_number, sealed_holder FROM tokens WHERE token_id = $1', [tokenId])).toEqual([
      { sealed_number: null, sealed_holder: null },
    ]);
    const subject = { tokenId, merchantId: merchant.merchantId, userId: 'customer-7' };
    const { brand, last4, fingerprint, reusable } = created.body;
    expect(await eventsOf(tokenId)).toEqual([
      {
        topic: 'token.created',
        key: merchant.merchantId,
        payload: { ...subject, brand, last4, fingerprint, reusable },
      },
      { topic: 'token.deleted', key: merchant.merchantId, payload: subject },
    ]);
  });

  it('of a single-use token is minutes, unless asked otherwise; of a reusable one it has no end', async () => {
    const merchant = aMerchant();
    const lifeOf = ({ createdAt, expiresAt }: TokenResponse): number | null =>
      expiresAt === null ? null : (Date.parse(expiresAt) - Date.parse(createdAt)) / 1000;
    expect(lifeOf(await vault.token(merchant))).toBe(900);
    expect(lifeOf(await vault.token(merchant, { expiresInSeconds: 60 }))).toBe(60);
    expect(lifeOf(await vault.token(merchant, { reusable: true }))).toBeNull();
    expect(lifeOf(await vault.token(merchant, { reusable: true, expiresInSeconds: 60 }))).toBe(60);
  });

  it('changes expiry, holder and metadata, guarded by the ETag', async () => {
    const merchant = aMerchant();
    const { tokenId } = await vault.token(merchant, { reusable: true });
    const change = async (body: unknown, ifMatch: string) =>
      await vault.call(merchant, `/tokens/${tokenId}`, { method: 'PATCH', body, headers: { 'if-match': ifMatch } });

    const changed = await change({ expMonth: 1, expYear: 2040, holderName: 'Ada King', metadata: { a: 'b' } }, '"1"');
    expect(changed).toMatchObject({
      status: 200,
      headers: { etag: '"2"' },
      body: { expMonth: 1, expYear: 2040, holderName: 'Ada King', metadata: { a: 'b' } },
    });
    expect(await change({ holderName: 'X' }, '"1"')).toMatchObject({ status: 412 });
    const read = await vault.call(merchant, `/tokens/${tokenId}`);
    expect(read).toMatchObject({ headers: { etag: '"2"' }, body: changed.body });

    expect(await change({ expYear: 2020 }, '"2"')).toMatchObject({
      status: 400,
      body: { code: 'validation_failed', errors: [{ pointer: '/expYear', code: 'card_expired' }] },
    });
    await vault.call(merchant, `/tokens/${tokenId}`, { method: 'DELETE' });
    expect(await change({ holderName: 'X' }, '"3"')).toMatchObject({ status: 422, body: { code: 'token_unusable' } });
  });

  it('gives equal fingerprints to equal numbers, whoever stored them', async () => {
    const first = await vault.token(aMerchant());
    const second = await vault.token(aMerchant(), { card: goodCard({ expYear: 2039 }) });
    const other = await vault.token(aMerchant(), { card: goodCard({ number: '4111111111111111' }) });
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(other.fingerprint).not.toBe(first.fingerprint);
  });
});

describe('a request that comes twice', () => {
  const headers = (): Record<string, string> => ({ 'idempotency-key': newId('req') });

  it('gets the same answer to the byte, and one token', async () => {
    const merchant = aMerchant();
    const call = { body: { card: goodCard() }, headers: headers() };
    const first = await vault.call(merchant, '/tokens', call);
    const second = await vault.call(merchant, '/tokens', call);
    expect(second.text).toBe(first.text);
    expect(second.headers).toMatchObject({ 'idempotent-replayed': 'true', etag: '"1"' });
    expect((await vault.call<{ data: unknown[] }>(merchant, '/tokens')).body.data).toHaveLength(1);
  });

  it('with one key at one moment makes one token', async () => {
    const merchant = aMerchant();
    const call = { body: { card: goodCard() }, headers: headers() };
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => await vault.call(merchant, '/tokens', call)),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    expect((await vault.call<{ data: unknown[] }>(merchant, '/tokens')).body.data).toHaveLength(1);
  });

  it('but names another card is refused', async () => {
    const merchant = aMerchant();
    const key = headers();
    await vault.call(merchant, '/tokens', { body: { card: goodCard() }, headers: key });
    const other = { body: { card: goodCard({ number: '4111111111111111' }) }, headers: key };
    expect(await vault.call(merchant, '/tokens', other)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });

  it('stores its answer sealed and its hash keyed', async () => {
    const merchant = aMerchant();
    const key = headers();
    await vault.call(merchant, '/tokens', { body: { card: goodCard({ holderName: 'Grace Hopper' }) }, headers: key });
    const [row] = await vault.sql<{ body: string }>('SELECT body FROM idempotency_keys WHERE key = $1', [
      key['idempotency-key'],
    ]);
    expect(Object.keys(JSON.parse(row?.body ?? '{}') as object)).toEqual(['keyVersion', 'sealed']);
    expect(row?.body).not.toContain('Hopper');
  });
});

describe('who may do what with a token', () => {
  it('is its merchant, its user and staff; to all others it does not exist', async () => {
    const merchant = aMerchant();
    const customer = aCustomer();
    const { tokenId } = await vault.token(customer, { merchantId: merchant.merchantId, reusable: true });
    const callers: readonly [Principal, number][] = [
      [merchant, 200],
      [customer, 200],
      [admin, 200],
      [aMerchant(), 404],
      [aCustomer(), 404],
      [userPrincipal('usr_fin', 'finance'), 403],
      [ledgerClientPrincipal(), 403],
    ];
    for (const [caller, status] of callers) {
      const read = await vault.call<ProblemBody>(caller, `/tokens/${tokenId}`);
      const changed = await vault.call<ProblemBody>(caller, `/tokens/${tokenId}`, {
        method: 'PATCH',
        body: { metadata: { by: caller.id } },
      });
      expect([caller.id, read.status, changed.status]).toEqual([caller.id, status, status]);
      if (status === 404) expect([read.body.code, changed.body.code]).toEqual(['token_not_found', 'token_not_found']);
    }
    for (const [caller, status] of callers.filter(([, expected]) => expected !== 200)) {
      expect((await vault.call(caller, `/tokens/${tokenId}`, { method: 'DELETE' })).status).toBe(status);
    }
    expect((await vault.call(merchant, `/tokens/${tokenId}`)).body.status).toBe('ACTIVE');
  });

  it('and who may create one for whom', async () => {
    const merchant = aMerchant();
    const customer = aCustomer();
    const card = goodCard();
    const attempts: readonly [Principal, Record<string, unknown>, number, string | undefined][] = [
      [merchant, { merchantId: merchant.merchantId }, 201, undefined],
      [merchant, { merchantId: newId('mer') }, 404, 'merchant_not_found'],
      [customer, {}, 201, undefined],
      [customer, { userId: 'usr_other' }, 404, 'user_not_found'],
      [admin, { merchantId: merchant.merchantId }, 201, undefined],
      [admin, {}, 422, 'merchant_required'],
      [ledgerClientPrincipal(), {}, 403, 'insufficient_scope'],
    ];
    for (const [caller, body, status, code] of attempts) {
      const answer = await vault.call<ProblemBody>(caller, '/tokens', { body: { card, ...body } });
      expect([caller.id, answer.status, answer.body.code]).toEqual([caller.id, status, code]);
    }
  });

  it('asks for a token', async () => {
    const response = await vault.app.inject({ method: 'GET', url: '/tokens' });
    expect(response.statusCode).toBe(401);
  });

  it.each(['/internal/tokens/tok_abcdef?merchantId=mer_01h455vb4pex5vsknk084sn02q', '/internal/vault/keys'])(
    'keeps %s for those who have its scope',
    async (path) => {
      expect((await vault.call(aMerchant(), path)).status).toBe(403);
    },
  );
});

describe('the list', () => {
  it('shows the own tokens only, newest first, page by page, without deleted ones', async () => {
    const merchant = aMerchant();
    await vault.token(aMerchant());
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.unshift((await vault.token(merchant)).tokenId);
    const [, erased] = made;
    await vault.call(merchant, `/tokens/${String(erased)}`, { method: 'DELETE' });

    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/tokens?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const page: { data: TokenResponse[]; nextCursor: string | null } = (
        await vault.call<{ data: TokenResponse[]; nextCursor: string | null }>(merchant, path)
      ).body;
      seen.push(...page.data.map(({ tokenId }) => tokenId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(made.filter((tokenId) => tokenId !== erased));
  });

  it('can be narrowed to a user, and shows a customer his own', async () => {
    const merchant = aMerchant();
    const customer = aCustomer();
    await vault.token(merchant);
    const { tokenId } = await vault.token(merchant, { userId: customer.id });
    for (const [caller, path] of [
      [merchant, `/tokens?userId=${customer.id}`],
      [customer, '/tokens'],
    ] as const) {
      const { data } = (await vault.call<{ data: TokenResponse[] }>(caller, path)).body;
      expect(data.map((token) => token.tokenId)).toEqual([tokenId]);
    }
  });
});

describe('whether a payment may use a token', () => {
  const usability = async (tokenId: string, merchantId: string, userId?: string): Promise<TokenUsability> => {
    const query = new URLSearchParams({ merchantId, ...(userId === undefined ? {} : { userId }) }).toString();
    return (await vault.call<TokenUsability>(vault.payment, `/internal/tokens/${tokenId}?${query}`)).body;
  };

  it('depends on merchant, user and life', async () => {
    const merchant = aMerchant();
    const bound = await vault.token(merchant, { userId: 'u1' });
    expect(await usability(bound.tokenId, merchant.merchantId, 'u1')).toEqual({ usable: true, token: bound });
    expect(await usability(bound.tokenId, merchant.merchantId, 'u2')).toEqual({ usable: false, reason: 'unknown' });
    expect(await usability(bound.tokenId, merchant.merchantId)).toEqual({ usable: false, reason: 'unknown' });
    expect(await usability(bound.tokenId, newId('mer'), 'u1')).toEqual({ usable: false, reason: 'unknown' });
    expect(await usability(newId('tok'), merchant.merchantId)).toEqual({ usable: false, reason: 'unknown' });

    const { tokenId } = await vault.token(merchant);
    expect(await usability(tokenId, merchant.merchantId)).toMatchObject({ usable: true });
    await vault.sql(`UPDATE tokens SET expires_at = now() - interval '1 second' WHERE token_id = $1`, [tokenId]);
    expect(await usability(tokenId, merchant.merchantId)).toEqual({ usable: false, reason: 'expired' });
    expect((await vault.call(merchant, `/tokens/${tokenId}`)).body.status).toBe('EXPIRED');
    await vault.call(merchant, `/tokens/${tokenId}`, { method: 'DELETE' });
    expect(await usability(tokenId, merchant.merchantId)).toEqual({ usable: false, reason: 'deleted' });
  });

  it('ends with the card', async () => {
    const merchant = aMerchant();
    const { tokenId } = await vault.token(merchant, { reusable: true });
    await vault.sql('UPDATE tokens SET exp_year = 2025 WHERE token_id = $1', [tokenId]);
    expect(await usability(tokenId, merchant.merchantId)).toEqual({ usable: false, reason: 'card_expired' });
  });
});

describe('bad input', () => {
  const tooLong = 'x'.repeat(101);
  it.each<[string, unknown, string]>([
    ['no card', {}, '/card'],
    ['a number that fails Luhn', { card: goodCard({ number: '4242424242424241' }) }, '/card/number'],
    ['a number with letters', { card: goodCard({ number: '4242x24242424242' }) }, '/card/number'],
    ['a number with spaces', { card: goodCard({ number: '4242 4242 4242 4242' }) }, '/card/number'],
    ['a number with other digits', { card: goodCard({ number: '４２４２４２４２４２４２４２４２' }) }, '/card/number'],
    ['a number that is too short', { card: goodCard({ number: '42424242424' }) }, '/card/number'],
    ['a number that is too long', { card: goodCard({ number: '42424242424242424242' }) }, '/card/number'],
    ['a number as a number', { card: goodCard({ number: 4242424242424242 }) }, '/card/number'],
    ['a card that has expired', { card: goodCard({ expYear: 2025 }) }, '/card/expYear'],
    ['month zero', { card: goodCard({ expMonth: 0 }) }, '/card/expMonth'],
    ['month 13', { card: goodCard({ expMonth: 13 }) }, '/card/expMonth'],
    ['a month as text', { card: goodCard({ expMonth: '12' }) }, '/card/expMonth'],
    ['a year of two digits', { card: goodCard({ expYear: 34 }) }, '/card/expYear'],
    ['a CVC with letters', { card: goodCard({ cvc: '12a' }) }, '/card/cvc'],
    ['a CVC that is too long', { card: goodCard({ cvc: '12345' }) }, '/card/cvc'],
    ['a holder with a line break', { card: goodCard({ holderName: 'Ada\r\nSet-Cookie: x' }) }, '/card/holderName'],
    ['a holder that is too long', { card: goodCard({ holderName: tooLong }) }, '/card/holderName'],
    ['a holder with half a surrogate pair', { card: goodCard({ holderName: '\ud800' }) }, '/card/holderName'],
    ['an unknown field of the card', { card: goodCard({ pin: '1234' }) }, '/card/pin'],
    ['an unknown field', { card: goodCard(), admin: true }, '/admin'],
    ['metadata with a nested object', { card: goodCard(), metadata: { a: { b: 'c' } } }, '/metadata/a'],
    ['metadata with half a surrogate pair', { card: goodCard(), metadata: { a: '\ud800' } }, '/metadata/a'],
    ['metadata with NUL', { card: goodCard(), metadata: { a: '\u0000' } }, '/metadata/a'],
    ['a lifetime of zero', { card: goodCard(), expiresInSeconds: 0 }, '/expiresInSeconds'],
    ['a merchant that is no id', { card: goodCard(), merchantId: "'; DROP TABLE tokens; --" }, '/merchantId'],
  ])('%s is refused with a pointer, and no card is in the answer', async (_, body, pointer) => {
    const merchant = aMerchant();
    const answer = await vault.call<ProblemBody>(merchant, '/tokens', { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect([...new Set(answer.body.errors?.map((error) => error.pointer))]).toEqual([pointer]);
    expect(answer.text).not.toMatch(/4242|DROP TABLE|Set-Cookie/);
    expect((await vault.call<{ data: unknown[] }>(merchant, '/tokens')).body.data).toEqual([]);
  });

  it.each([
    ['/tokens/tok_%00', 404],
    ['/tokens/4242424242424242', 400],
    [`/tokens/${newId('tok')}`, 404],
    ['/tokens?limit=0', 400],
    ['/tokens?limit=1000', 400],
    ['/tokens?cursor=4242', 400],
    ['/tokens?unknown=1', 400],
  ])('GET %s is answered %i', async (path, status) => {
    const answer = await vault.call(aMerchant(), path);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('4242424242424242');
  });

  it('an expired test card is refused outside demo mode', async () => {
    const answer = await vault.call(aMerchant(), '/tokens', {
      body: { card: { number: '4111111111111111', expMonth: 12, expYear: 2025 } },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/card/expYear', code: 'card_expired' }] },
    });
  });
});
