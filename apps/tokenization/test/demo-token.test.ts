import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ForwardResponse, TokenUsability } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { merchantPrincipal } from '@payflow/testing';

import { RunningVault } from './running-vault.js';
import { ScriptedAcquirer } from './scripted-acquirer.js';

const merchantId = newId('mer');
const merchant = merchantPrincipal(merchantId);
const demoDataOf = (id: string): string => JSON.stringify({ merchant: { merchantId: id, clientId: 'cli_demo' } });

let acquirer: ScriptedAcquirer;
let vault: RunningVault;

beforeAll(async () => {
  acquirer = await ScriptedAcquirer.open();
  vault = await RunningVault.start({
    ACQUIRERS: JSON.stringify({ sim: acquirer.url }),
    DEMO_MODE: 'true',
    DEMO_DATA: demoDataOf(merchantId),
  });
});
afterAll(async () => {
  await vault.stop();
  await acquirer.close();
});

const usability = async (id: string): Promise<TokenUsability> =>
  (await vault.call<TokenUsability>(vault.payment, `/internal/tokens/tok_abcdef?merchantId=${id}`)).body;

describe('demo mode', () => {
  it('has the reusable token tok_abcdef of the documents, for the demo merchant', async () => {
    expect(await vault.call(merchant, '/tokens/tok_abcdef')).toMatchObject({
      status: 200,
      body: { status: 'ACTIVE', brand: 'visa', last4: '4242', reusable: true, merchantId, expiresAt: null },
    });
    for (let count = 0; count < 2; count += 1) {
      const { body } = await vault.forward<ForwardResponse>('tok_abcdef', merchantId);
      expect(body.outcome).toBe('answered');
    }
    expect(acquirer.received.map(({ body }) => body['card'])).toEqual(
      Array(2).fill({ number: '4242424242424242', expMonth: 12, expYear: 2034 }),
    );
  });

  it('takes a test card that has expired, as the documents print it, and no other', async () => {
    const printed = { number: '4111111111111111', expMonth: 12, expYear: 2025, cvc: '123' };
    const token = await vault.token(merchant, { card: printed });
    const { body } = await vault.forward<ForwardResponse>(token.tokenId, merchantId);
    expect(body.outcome).toBe('answered');
    const other = { ...printed, number: '4539578763621486' };
    expect((await vault.call(merchant, '/tokens', { body: { card: other } })).status).toBe(400);
  });

  it('started again finds its token, tells of it once, and hands it over when the demo merchant is a new one', async () => {
    const restart = async (id: string): Promise<void> => {
      const app = await vault.again({ DEMO_DATA: demoDataOf(id) });
      await app.close();
    };
    await restart(merchantId);
    expect(await usability(merchantId)).toMatchObject({ usable: true });
    const next = newId('mer');
    await restart(next);
    expect(await usability(merchantId)).toEqual({ usable: false, reason: 'unknown' });
    expect(await usability(next)).toMatchObject({ usable: true });
    const forwarded = await vault.forward<ForwardResponse>('tok_abcdef', next);
    expect(forwarded.body.outcome).toBe('answered');
    const told = await vault.sql(`SELECT topic FROM outbox WHERE aggregate_id = 'tok_abcdef'`);
    expect(told).toEqual([{ topic: 'token.created' }]);
  });
});
