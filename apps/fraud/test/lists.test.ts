import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';

import { type Asked, FINANCE, FraudUnderTest, payment, RISK, START_TIMEOUT_MS } from './fraud-under-test.js';

let fraud: FraudUnderTest;
beforeAll(async () => {
  fraud = await FraudUnderTest.start({ instances: 2 });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await fraud.stop();
});

const add = async (list: string, value: unknown, more: object = {}, asked: Asked = {}) =>
  await fraud.post(`/fraud/lists/${list}/entries`, { value, reason: 'Reported by the police.', ...more }, asked);
const remove = async (list: string, entryId: unknown) =>
  await fraud.ask('DELETE', `/fraud/lists/${list}/entries/${String(entryId)}`, { as: RISK });
const outcome = async (over: Parameters<typeof payment>[0], at = 1): Promise<unknown> =>
  (await fraud.judge(payment(over), at)).body['outcome'];

describe('a block list', () => {
  it.each<[string, string, () => Parameters<typeof payment>[0]]>([
    ['block_fingerprint', 'fp_stolen', () => ({ method: { fingerprint: 'fp_stolen' } })],
    ['block_email', 'Mallory@Example.com', () => ({ email: 'mallory@example.COM' })],
    ['block_email', '@throwaway.example', () => ({ email: 'anybody@throwaway.example' })],
    ['block_ip', '203.0.113.5', () => ({ ip: '203.0.113.5' })],
    ['block_ip', '198.51.100.0/25', () => ({ ip: '::ffff:198.51.100.127' })],
    ['block_ip', '2001:db8:bad::/48', () => ({ ip: '2001:DB8:BAD:1::9' })],
    ['block_bin', '555555', () => ({ method: { bin: '55555544' } })],
    ['block_country', 'KP', () => ({ method: { country: 'KP' } })],
  ])('%s stops %s from the next payment on, at every instance, until it is taken out', async (list, value, over) => {
    expect(await outcome(over())).toBe('ALLOW');
    const { status, body } = await add(list, value);
    expect([status, body['list'], body['createdBy']]).toEqual([201, list, RISK.id]);
    const judged = await fraud.judge(payment(over()), 1);
    expect(judged.body).toMatchObject({ outcome: 'BLOCK', reasons: [{ detail: `is in ${list}` }] });
    expect((await remove(list, body['entryId'])).status).toBe(204);
    expect(await outcome(over())).toBe('ALLOW');
    expect((await remove(list, body['entryId'])).status).toBe(404);
  });

  it('is weaker than an allow list, which says so', async () => {
    const userId = newId('usr');
    await add('block_user', userId);
    expect(await outcome({ userId })).toBe('BLOCK');
    await add('allow_user', userId);
    const { body } = await fraud.judge(payment({ userId }));
    expect(body).toMatchObject({ outcome: 'ALLOW', reasons: [{ effect: 'BLOCK' }, { effect: 'ALLOW' }] });
  });

  it('does not stop the neighbours of a network', async () => {
    await add('block_ip', '192.0.2.64/26');
    expect(await outcome({ ip: '192.0.2.63' })).toBe('ALLOW');
    expect(await outcome({ ip: '192.0.2.64' })).toBe('BLOCK');
    expect(await outcome({ ip: '192.0.2.127' })).toBe('BLOCK');
    expect(await outcome({ ip: '192.0.2.128' })).toBe('ALLOW');
  });

  it('forgets an entry whose time is over, and takes it anew', async () => {
    const userId = newId('usr');
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await add('block_user', userId, { expiresAt: until })).body).toMatchObject({ expiresAt: until });
    expect(await outcome({ userId })).toBe('BLOCK');
    await fraud.database.execute(`UPDATE fraud_list_entries SET expires_at = now() WHERE value = $1`, [userId]);
    expect(await outcome({ userId })).toBe('ALLOW');
    expect(await add('block_user', userId)).toMatchObject({ status: 201, body: { expiresAt: null } });
    expect(await outcome({ userId })).toBe('BLOCK');
  });
});

describe('the entries of a list', () => {
  it('are there once, however often and by whomever they are added', async () => {
    const value = `${newId('req')}@example.com`;
    const answers = await Promise.all([0, 1, 0, 1].map((at) => add('block_email', value, {}, { at })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await add('block_email', value.toUpperCase())).status).toBe(200);
    const found = await fraud.get(`/fraud/lists/block_email/entries?value=${value.toUpperCase()}`);
    expect(found.body['data']).toEqual([answers[0]?.body]);
    expect((await fraud.get(`/fraud/lists/allow_email/entries?value=${value}`)).body['data']).toEqual([]);
  });

  it('are read page by page, newest first', async () => {
    const values = Array.from({ length: 5 }, () => `fp_${newId('tok')}`);
    for (const value of values) await add('allow_fingerprint', value);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await fraud.get(`/fraud/lists/allow_fingerprint/entries?limit=2${cursor}`);
      seen.push(...(body['data'] as { value: string }[]).map(({ value }) => value));
      cursor = body['nextCursor'] === null ? '' : `&cursor=${String(body['nextCursor'])}`;
    } while (cursor !== '');
    expect(seen).toEqual([...values].reverse());
  });

  it.each<[string, unknown]>([
    ['block_ip', '10.0.0.0/99'],
    ['block_ip', "'; DROP TABLE fraud_decisions; --"],
    ['block_email', 'no address'],
    ['block_user', 'usr_short'],
    ['block_bin', '4242'],
    ['block_country', 'usa'],
    ['block_fingerprint', '4242424242424242'],
    ['block_fingerprint', ''],
    ['block_fingerprint', 7],
    ['block_fingerprint', 'a\u0000b'],
  ])('of %s are refused when they are %j', async (list, value) => {
    expect(await add(list, value)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/value' }] } });
  });

  it('need a reason and a time to come', async () => {
    expect(await add('block_country', 'XX', { reason: '' })).toMatchObject({ status: 400 });
    expect(await add('block_country', 'XX', { expiresAt: '2020-01-01T00:00:00.000Z' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/expiresAt' }] },
    });
  });

  it('are nowhere in a list that there is not, or in another', async () => {
    expect(await add('block_everybody', 'x')).toMatchObject({ status: 404, body: { code: 'fraud_list_not_found' } });
    expect(await fraud.get('/fraud/lists/__proto__/entries')).toMatchObject({ status: 404 });
    const { body } = await add('allow_country', 'NZ');
    for (const id of [newId('fle'), 'x', newId('pay')])
      expect(await remove('allow_country', id)).toMatchObject({
        status: 404,
        body: { code: 'fraud_list_entry_not_found' },
      });
    expect((await remove('block_country', body['entryId'])).status).toBe(404);
    expect((await fraud.get('/fraud/lists/allow_country/entries')).body['data']).toHaveLength(1);
  });

  it('are for those who look after fraud', async () => {
    expect(await fraud.get('/fraud/lists/block_ip/entries', FINANCE)).toMatchObject({ status: 403 });
    expect(await add('block_ip', '192.0.2.1', {}, { as: FINANCE })).toMatchObject({ status: 403 });
  });
});
