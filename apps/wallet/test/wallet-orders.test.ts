import { once } from 'node:events';

import { RemoteProblem } from '@payflow/clients';
import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually, freePort, servicePrincipal } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { MerchantsAtAuth } from '../src/clients/merchants-at-auth.js';
import { PaymentsClient } from '../src/clients/payments-client.js';
import { type Answered, WalletsUnderTest } from './wallets-under-test.js';

const PAYMENT = servicePrincipal('payment');

let wallets: WalletsUnderTest;

beforeAll(async () => {
  wallets = await WalletsUnderTest.start();
});
afterEach(() => {
  wallets.killProcesses();
});
afterAll(async () => {
  await wallets.stop();
});

interface Order extends Readonly<Record<string, unknown>> {
  readonly operation: string;
  readonly reference: string;
}

const order = async (body: Order): Promise<Answered> =>
  await wallets.post('/internal/wallet-orders', { as: PAYMENT, body });
const inquiry = async (reference: string): Promise<Answered> =>
  await wallets.get(`/internal/wallet-orders/${reference}`, PAYMENT);

const authorization = (owner: Principal, walletId: string, amount: number): Order => ({
  operation: 'authorize',
  reference: newId('att'),
  amount,
  currency: 'USD',
  merchantId: newId('mer'),
  paymentId: newId('pay'),
  walletId,
  confirmedBy: owner.id,
  consent: null,
});
const below = (
  operation: 'capture' | 'void' | 'refund',
  holdId: unknown,
  amount: number,
  reference: string = newId(({ capture: 'cap', void: 'vod', refund: 'ref' } as const)[operation]),
): Order => ({
  operation,
  reference,
  amount,
  currency: 'USD',
  holdId,
  ...(operation === 'capture' ? { final: true } : {}),
});
const reversalOf = (original: Order): Order => {
  const { merchantId, paymentId, amount, currency, reference: originalReference } = original;
  return { operation: 'reverse', reference: newId('vod'), amount, currency, merchantId, paymentId, originalReference };
};

const ownerWith = async (amount: number): Promise<{ owner: Principal; walletId: string }> => {
  const owner = await wallets.person();
  return { owner, walletId: await wallets.wallet(owner, amount) };
};
const heldIn = async (owner: Principal, walletId: string): Promise<number> =>
  Number((await wallets.get(`/wallets/${walletId}/balance`, owner)).body['held']);

describe('an order', () => {
  it('is carried out once under its reference, and refused for another content', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const authorize = authorization(owner, walletId, 300);
    const answers = await Promise.all(Array.from({ length: 5 }, async () => await order(authorize)));
    expect(new Set(answers.map(({ body }) => String(body['authorizationId']))).size).toBe(1);
    expect(await wallets.available(walletId)).toBe(700);
    expect((await order({ ...authorize, amount: 301 })).status).toBe(409);
    expect((await inquiry(authorize.reference)).body).toMatchObject({ outcome: 'approved', amount: 300 });
    expect((await inquiry(newId('att'))).status).toBe(404);
  });

  it('is for services only', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const body = authorization(owner, walletId, 300);
    expect((await wallets.post('/internal/wallet-orders', { as: owner, body })).status).toBe(403);
    expect(await wallets.available(walletId)).toBe(1_000);
  });

  it.each([
    ['insufficient_funds', {}, { amount: 1_001 }],
    ['account_blocked', { status: 'BLOCKED' }, {}],
    ['currency_mismatch', {}, { currency: 'EUR' }],
    ['wallet_not_found', {}, { confirmedBy: 'usr_somebody_else' }],
    ['consent_invalid', {}, { consent: 'txn_of_nobody' }],
  ] as const)('is declined as %s', async (declineCode, known, changes) => {
    const owner = await wallets.person();
    const walletId = await wallets.wallet(owner, 1_000);
    if ('status' in known)
      await wallets.database.execute(`UPDATE wallet_owners SET status = 'BLOCKED' WHERE user_id = $1`, [owner.id]);
    const { body } = await order({ ...authorization(owner, walletId, 300), ...changes });
    expect(body).toMatchObject({ outcome: 'declined', declineCode });
    expect(await wallets.available(walletId)).toBe(1_000);
  });

  it('of nobody’s own waits for the owner, and moves nothing', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const waiting = { ...authorization(owner, walletId, 300), confirmedBy: null };
    expect((await order(waiting)).body).toMatchObject({ outcome: 'action_required', authorizationId: null });
    expect((await order(reversalOf(waiting))).body).toMatchObject({ outcome: 'approved' });
    expect((await order(waiting)).body).toMatchObject({ outcome: 'declined', declineCode: 'reversed' });
    expect(await wallets.available(walletId)).toBe(1_000);
  });
});

describe('a reversal', () => {
  it('of what never came keeps it out for ever', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const authorize = authorization(owner, walletId, 300);
    expect((await order(reversalOf(authorize))).body).toMatchObject({ outcome: 'approved' });
    expect((await order(authorize)).body).toMatchObject({ outcome: 'declined', declineCode: 'reversed' });
    expect(await wallets.available(walletId)).toBe(1_000);
  });

  it('gives back what is held, and not what was captured', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const [held, captured] = [authorization(owner, walletId, 300), authorization(owner, walletId, 200)];
    await order(held);
    const { body } = await order(captured);
    expect((await order(below('capture', body['authorizationId'], 200))).body).toMatchObject({ outcome: 'approved' });
    expect((await order(reversalOf(held))).body).toMatchObject({ outcome: 'approved' });
    expect((await order(reversalOf(captured))).body).toMatchObject({ outcome: 'declined' });
    expect(await wallets.available(walletId)).toBe(800);
  });
});

describe('what follows an authorization', () => {
  it('has one winner when a capture and a void race', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const { body } = await order(authorization(owner, walletId, 300));
    const [captured] = await Promise.all([
      order(below('capture', body['authorizationId'], 300)),
      order(below('void', body['authorizationId'], 300)),
    ]);
    expect(await wallets.available(walletId)).toBe(captured.body['outcome'] === 'approved' ? 700 : 1_000);
    expect(await heldIn(owner, walletId)).toBe(0);
  });

  it('refunds at most what was captured, however many ask at once', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const { body } = await order(authorization(owner, walletId, 300));
    await order(below('capture', body['authorizationId'], 300));
    const refunds = await Promise.all(
      Array.from({ length: 6 }, async () => await order(below('refund', body['authorizationId'], 100))),
    );
    expect(refunds.filter(({ body: refund }) => refund['outcome'] === 'approved')).toHaveLength(3);
    expect(await wallets.available(walletId)).toBe(1_000);
  });
});

describe('POST /wallet/pay', () => {
  it('is not told as failed when its money is held and the payment service says no to a repetition', async () => {
    const { owner, walletId } = await ownerWith(1_000);
    const [merchants, payments] = [wallets.app().get(MerchantsAtAuth), wallets.app().get(PaymentsClient)];
    const [name, pay] = [merchants.payableName.bind(merchants), payments.pay.bind(payments)];
    const authorize = authorization(owner, walletId, 300);
    const code = 'merchant_unavailable' as const;
    const page = `http://gateway.test/docs/problems/${code}`;
    merchants.payableName = () => Promise.resolve('Shop');
    payments.pay = async (consent) => {
      expect((await order({ ...authorize, confirmedBy: null, consent })).body['outcome']).toBe('approved');
      const said = { type: page, title: 'No', status: 422, code, requestId: 'r', docUrl: page };
      throw new RemoteProblem('payment', said, {});
    };
    const body = { merchantId: authorize['merchantId'], amount: 300, currency: 'USD', walletId };
    const asked = await wallets.post('/wallet/pay', { as: owner, key: newId('req'), body });
    merchants.payableName = name;
    payments.pay = pay;
    expect([asked.status, asked.body['status']]).toEqual([202, 'PENDING']);
    const holdId = (await inquiry(authorize.reference)).body['authorizationId'];
    expect((await order(below('capture', holdId, 300))).body).toMatchObject({ outcome: 'approved' });
    const history = (await wallets.get('/transactions', owner)).body['data'];
    expect(history).toEqual([
      expect.objectContaining({ transactionId: asked.body['transactionId'], status: 'SUCCESS', debit: 300 }),
    ]);
  });
});

describe('an order whose process is killed', () => {
  it.each(['wallet.order.after-intent', 'wallet.order.after-posting'])(
    'at %s is carried out once, by its timer or by whoever asks again',
    async (crash) => {
      const { owner, walletId } = await ownerWith(1_000);
      const port = await freePort();
      const child = wallets.startProcess(port, crash);
      const died = once(child, 'exit');
      const url = `http://127.0.0.1:${String(port)}`;
      await eventually(
        async () => {
          expect((await fetch(`${url}/health/ready`)).status).toBe(200);
        },
        { timeoutMs: 60_000 },
      );
      const authorize = authorization(owner, walletId, 300);
      const authorizationHeader = await wallets.authorization(PAYMENT);
      await fetch(`${url}/internal/wallet-orders`, {
        method: 'POST',
        headers: { authorization: authorizationHeader, 'content-type': 'application/json' },
        body: JSON.stringify(authorize),
      }).catch(() => undefined);
      expect((await died)[1]).toBe('SIGKILL');

      const [again, asked] = await Promise.all([order(authorize), inquiry(authorize.reference)]);
      expect(again.body).toMatchObject({ outcome: 'approved' });
      expect(['pending', 'approved']).toContain(asked.body['outcome']);
      expect(await wallets.available(walletId)).toBe(700);
      expect(await heldIn(owner, walletId)).toBe(300);
    },
    120_000,
  );
});
