import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { WalletsUnderTest } from './wallets-under-test.js';

let wallets: WalletsUnderTest;

beforeAll(async () => {
  wallets = await WalletsUnderTest.start({ instances: 2 });
});
afterAll(async () => {
  await wallets.stop();
});

describe('POST /wallets/transfer', () => {
  it('moves money between two wallets, and both sides see it at once', async () => {
    const [alice, bob] = [await wallets.person(), await wallets.person()];
    const from = await wallets.wallet(alice, 10_000);
    const to = await wallets.wallet(bob);
    const { status, body } = await wallets.transfer(alice, from, to, 2_500, { body: { note: 'lunch' } });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ success: true, status: 'SUCCESS', amount: 2_500, balanceAfter: 7_500 }),
    ]);
    expect((await wallets.get(`/wallets/${to}/balance`, bob)).body).toMatchObject({
      balance: '25.00',
      total: 2_500,
      available: 2_500,
      held: 0,
    });
    const sent = (await wallets.get('/transactions', alice)).body['data'];
    const received = (await wallets.get('/transactions', bob)).body['data'];
    expect(sent).toEqual([expect.objectContaining({ debit: 2_500, credit: null, balanceAfter: 7_500, note: 'lunch' })]);
    expect(received).toEqual([expect.objectContaining({ debit: null, credit: 2_500, balanceAfter: 2_500 })]);
  });
});
