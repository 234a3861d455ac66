import { describe, expect, it } from '@jest/globals';

import {
  adminToken,
  type Answer,
  call,
  CARD_OK,
  demo,
  eventually,
  ledgerToken,
  newKey,
  newMerchant,
  type TestMerchant,
} from './stack.js';

const TEST_TIMEOUT_MS = 600_000;

interface Person {
  readonly token: string;
  readonly userId: string;
  readonly walletId: string;
}

/** Somebody with so much in a wallet in USD. */
const personWith = async (amount: number): Promise<Person> => {
  const username = `pays_${newKey().slice(0, 18).replaceAll('-', '_')}`;
  const password = 'correct horse battery staple';
  const registered = await call('POST', '/auth/register', { body: { username, password } });
  if (registered.status !== 201) throw new Error(`no account: ${registered.status} ${registered.text}`);
  const { body: login } = await call('POST', '/auth/login', { body: { username, password } });
  const token = String(login['token']);
  const wallet = await call('POST', '/wallets', { token, key: newKey(), body: { currency: 'USD' } });
  const person = { token, userId: String(wallet.body['ownerId']), walletId: String(wallet.body['id']) };
  if (amount === 0) return person;
  const added = await call('POST', '/wallet/add', {
    token,
    key: newKey(),
    body: { amount, currency: 'USD', paymentMethod: { type: 'card', card: CARD_OK } },
  });
  expect(added.body).toMatchObject({ status: 'SUCCESS' });
  return person;
};

const balanceOf = async ({ token, walletId }: Person): Promise<{ available: number; held: number }> => {
  const { body } = await call('GET', `/wallets/${walletId}/balance`, { token });
  return { available: Number(body['available']), held: Number(body['held']) };
};

const pay = async (person: Person, body: Readonly<Record<string, unknown>>, key = newKey()): Promise<Answer<any>> =>
  await call('POST', '/wallet/pay', { token: person.token, key, body });

const historyOf = async ({ token }: Person, type: string): Promise<readonly any[]> =>
  (await call('GET', `/transactions?type=${type}&limit=100`, { token })).body['data'];

/** What a merchant's server does on its own: it names somebody's wallet. */
const charge = async (merchant: TestMerchant, walletId: string, amount: number, capture = true): Promise<Answer<any>> =>
  await call('POST', '/payments/authorize', {
    token: merchant.token,
    key: newKey(),
    body: { amount, currency: 'USD', capture, paymentMethod: { type: 'wallet', walletId } },
  });

const paymentOf = async (merchant: TestMerchant, paymentId: unknown): Promise<any> =>
  (await call('GET', `/payments/${String(paymentId)}`, { token: merchant.token })).body;

const answerTo = async (person: Person, approvalId: string, decision: 'approve' | 'decline'): Promise<Answer<any>> =>
  await call('POST', `/wallet/approvals/${approvalId}/${decision}`, { token: person.token, key: newKey() });

const approvalsOf = async (person: Person): Promise<readonly any[]> =>
  (await call('GET', '/wallet/approvals', { token: person.token })).body['data'];

/** What the wallets took in payments and the ledger has not counted as such; zero when nothing is under way. */
const receivable = async (): Promise<number> => {
  const token = await ledgerToken();
  const { body } = await call('GET', '/ledger/accounts?prefix=psp:wallet:receivable&limit=10', { token });
  return body['data'].reduce((sum: number, { balance }: { balance: number }) => sum + balance, 0);
};

/** Kills it, and waits until both serve again. */
const killed = async (service: string): Promise<void> => {
  const before = demo().pids[service];
  if (before === undefined) throw new Error(`no pid of ${service}`);
  process.kill(before, 'SIGKILL');
  const token = await adminToken();
  await eventually(async () => {
    expect(demo().pids[service]).not.toBe(before);
    for (const path of ['/payments?limit=1', '/wallet-exceptions?limit=1'])
      expect((await call('GET', path, { token })).status).toBe(200);
  });
};

describe('POST /wallet/pay', () => {
  it(
    'takes the money from the wallet, and is a payment of the merchant like any other',
    async () => {
      const [person, merchant] = await Promise.all([personWith(5_000), newMerchant()]);
      const answer = await pay(person, { merchantId: merchant.merchantId, amount: 1_200, reference: 'invoice-7' });
      expect([answer.status, answer.body]).toMatchObject([
        201,
        { status: 'SUCCESS', amount: 1_200, balanceAfter: 3_800 },
      ]);
      expect(await balanceOf(person)).toEqual({ available: 3_800, held: 0 });
      const payment = await paymentOf(merchant, answer.body.paymentId);
      expect(payment).toMatchObject({
        status: 'CAPTURED',
        capturedAmount: 1_200,
        reference: 'invoice-7',
        acquirer: 'wallet',
      });
      expect(payment.ledgerBalance).toBe(1_200);
      expect(await historyOf(person, 'PAY')).toMatchObject([
        { status: 'SUCCESS', debit: 1_200, balanceAfter: 3_800, paymentId: payment.paymentId },
      ]);
      const token = await ledgerToken();
      const { body } = await call('GET', `/ledger/accounts?prefix=merchant:${merchant.merchantId}:payable`, { token });
      expect(body['data']).toMatchObject([{ balance: 1_200 - payment.feeAmount }]);
      await eventually(async () => {
        expect(await receivable()).toBe(0);
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'gives a refund of the merchant back to the wallet, and no more than was paid, however many ask at once',
    async () => {
      const [person, merchant] = await Promise.all([personWith(5_000), newMerchant()]);
      const { body } = await pay(person, { merchantId: merchant.merchantId, amount: 1_000 });
      const refunds = await Promise.all(
        [600, 600].map(
          async (amount) =>
            await call('POST', `/payments/${String(body.paymentId)}/refund`, {
              token: merchant.token,
              key: newKey(),
              body: { amount },
            }),
        ),
      );
      expect(refunds.map(({ status }) => status).sort()).toEqual([200, 409]);
      expect(await balanceOf(person)).toEqual({ available: 4_600, held: 0 });
      expect(await historyOf(person, 'REFUND')).toMatchObject([
        { status: 'SUCCESS', credit: 600, balanceAfter: 4_600 },
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'pays exactly ten of fifty at once from a wallet with money for ten',
    async () => {
      const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
      const answers = await Promise.all(
        Array.from({ length: 50 }, async () => await pay(person, { merchantId: merchant.merchantId, amount: 100 })),
      );
      await eventually(async () => {
        expect((await historyOf(person, 'PAY')).filter(({ status }) => status === 'PENDING')).toEqual([]);
      });
      expect((await historyOf(person, 'PAY')).filter(({ status }) => status === 'SUCCESS')).toHaveLength(10);
      expect(await balanceOf(person)).toEqual({ available: 0, held: 0 });
      // Who was not told yet, or was put off, is no refusal: on a machine that is busy there may be such.
      for (const { body } of answers.filter(({ status }) => status === 422))
        expect([body.code, body.paymentId]).toEqual(['insufficient_funds', expect.stringMatching(/^pay_/)]);
    },
    TEST_TIMEOUT_MS,
  );

  it('refuses an unknown merchant, and answers the same key with the same payment', async () => {
    const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
    const unknown = await pay(person, { merchantId: `mer_${'0'.repeat(26)}`, amount: 100 });
    expect([unknown.status, unknown.body.code]).toEqual([422, 'merchant_unavailable']);
    const key = newKey();
    const body = { merchantId: merchant.merchantId, amount: 100 };
    const [first, again] = [await pay(person, body, key), await pay(person, body, key)];
    expect(again.body).toEqual(first.body);
    expect(await balanceOf(person)).toEqual({ available: 900, held: 0 });
  });

  it(
    'is made once when wallet or payment dies in the middle, and ends by itself',
    async () => {
      const merchant = await newMerchant();
      for (const service of ['wallet', 'payment']) {
        const person = await personWith(1_000);
        const answer = pay(person, { merchantId: merchant.merchantId, amount: 400 }).catch(() => undefined);
        await eventually(async () => {
          expect(await historyOf(person, 'PAY')).toHaveLength(1);
        });
        await killed(service);
        await answer;
        const [end] = await eventually(async () => {
          const history = await historyOf(person, 'PAY');
          expect(history.map(({ status }) => status)).not.toContain('PENDING');
          expect(history).toHaveLength(1);
          return history;
        }, 240_000);
        const paid = end.status === 'SUCCESS' ? 400 : 0;
        await eventually(async () => {
          expect(await balanceOf(person)).toEqual({ available: 1_000 - paid, held: 0 });
        });
      }
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a merchant that names a wallet', () => {
  it('gets nothing until its owner approves, and never when somebody else does', async () => {
    const [person, stranger, merchant] = await Promise.all([personWith(1_000), personWith(1_000), newMerchant()]);
    const asked = await charge(merchant, person.walletId, 300);
    expect([asked.status, asked.body.status]).toEqual([202, 'REQUIRES_ACTION']);
    expect(asked.body.nextAction).toMatchObject({ type: 'redirect' });
    expect(await balanceOf(person)).toEqual({ available: 1_000, held: 0 });
    const [approval] = await approvalsOf(person);
    expect(approval).toMatchObject({ status: 'WAITING', amount: 300, merchantId: merchant.merchantId });
    expect((await answerTo(stranger, approval.approvalId, 'approve')).status).toBe(404);
    expect(await approvalsOf(stranger)).toEqual([]);
    expect(await balanceOf(person)).toEqual({ available: 1_000, held: 0 });

    const answers = await Promise.all([0, 1].map(async () => await answerTo(person, approval.approvalId, 'approve')));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await paymentOf(merchant, asked.body.paymentId)).toMatchObject({ status: 'CAPTURED', capturedAmount: 300 });
    expect(await balanceOf(person)).toEqual({ available: 700, held: 0 });
  });

  it('is told when he declines, and cannot make up his consent', async () => {
    const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
    const asked = await charge(merchant, person.walletId, 300);
    const [approval] = await approvalsOf(person);
    expect((await answerTo(person, approval.approvalId, 'decline')).body).toMatchObject({ status: 'DECLINED' });
    expect(await paymentOf(merchant, asked.body.paymentId)).toMatchObject({
      status: 'FAILED',
      lastError: { code: 'wallet_declined', declineCode: 'declined_by_owner' },
    });
    const own = await pay(person, { merchantId: merchant.merchantId, amount: 100 });
    const forged = await call('POST', '/payments/authorize', {
      token: merchant.token,
      key: newKey(),
      body: {
        amount: 100,
        currency: 'USD',
        capture: true,
        userId: person.userId,
        paymentMethod: { type: 'wallet', walletId: person.walletId, consent: own.body.transactionId },
      },
    });
    expect(forged.body).toMatchObject({ status: 'FAILED', lastError: { declineCode: 'consent_invalid' } });
    expect(await balanceOf(person)).toEqual({ available: 900, held: 0 });
  });

  it('captures in parts, and the last releases the rest', async () => {
    const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
    const asked = await charge(merchant, person.walletId, 500, false);
    const [approval] = await approvalsOf(person);
    await answerTo(person, approval.approvalId, 'approve');
    for (const [amount, final, balance] of [
      [100, false, { available: 500, held: 400 }],
      [200, true, { available: 700, held: 0 }],
    ] as const) {
      const path = `/payments/${String(asked.body.paymentId)}/capture`;
      const { status } = await call('POST', path, { token: merchant.token, key: newKey(), body: { amount, final } });
      expect(status).toBe(200);
      expect(await balanceOf(person)).toEqual(balance);
    }
    expect(await historyOf(person, 'PAY')).toMatchObject([
      { debit: 200, balanceAfter: 700 },
      { debit: 100, balanceAfter: 500 },
    ]);
  });

  it('captures or cancels, never both; the owner cannot void what it holds', async () => {
    const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
    const asked = await charge(merchant, person.walletId, 500, false);
    const [approval] = await approvalsOf(person);
    await answerTo(person, approval.approvalId, 'approve');
    const held = await paymentOf(merchant, asked.body.paymentId);
    expect(held.status).toBe('AUTHORIZED');
    expect(await balanceOf(person)).toEqual({ available: 500, held: 500 });
    const voided = await call('POST', `/holds/${held.acquirerReference}/void`, { token: person.token, key: newKey() });
    expect([voided.status, voided.body['code']]).toEqual([409, 'hold_not_open']);

    const path = `/payments/${String(asked.body.paymentId)}`;
    const [captured, canceled] = await Promise.all([
      call('POST', `${path}/capture`, { token: merchant.token, key: newKey(), body: { amount: 200 } }),
      call('POST', `${path}/cancel`, { token: merchant.token, key: newKey() }),
    ]);
    expect([captured.status, canceled.status].filter((status) => status === 200)).toHaveLength(1);
    expect(await balanceOf(person)).toEqual({ available: captured.status === 200 ? 800 : 1_000, held: 0 });
  });
});

describe('an intent that its payer confirms', () => {
  it('is paid from his wallet by his own token and the client secret, and from nobody else’s', async () => {
    const [person, stranger, merchant] = await Promise.all([personWith(1_000), personWith(1_000), newMerchant()]);
    const body = { amount: 250, currency: 'USD', capture: true };
    const intent = await call('POST', '/payments', { token: merchant.token, key: newKey(), body });
    const confirm = async (who: Person, walletId: string, clientSecret: unknown): Promise<Answer<any>> =>
      await call('POST', `/payments/${String(intent.body['paymentId'])}/confirm`, {
        token: who.token,
        key: newKey(),
        body: { clientSecret, paymentMethod: { type: 'wallet', walletId } },
      });
    expect((await confirm(person, person.walletId, 'wrong')).status).toBe(404);
    const answer = await confirm(person, person.walletId, intent.body['clientSecret']);
    expect([answer.status, answer.body.status]).toEqual([200, 'CAPTURED']);
    expect(await balanceOf(person)).toEqual({ available: 750, held: 0 });

    const second = await call('POST', '/payments', { token: merchant.token, key: newKey(), body });
    const theft = await call('POST', `/payments/${String(second.body['paymentId'])}/confirm`, {
      token: stranger.token,
      key: newKey(),
      body: { clientSecret: second.body['clientSecret'], paymentMethod: { type: 'wallet', walletId: person.walletId } },
    });
    expect(theft.body).toMatchObject({ status: 'FAILED' });
    expect(await balanceOf(person)).toEqual({ available: 750, held: 0 });
  });
});

describe('a QR code', () => {
  const codeOf = async (merchant: TestMerchant, request: Readonly<Record<string, unknown>>): Promise<any> => {
    const answer = await call('POST', '/wallet/qr', { token: merchant.token, body: { currency: 'USD', ...request } });
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('<svg')]);
    return answer.body;
  };

  it('is paid once when it is for one payment, also by many at once', async () => {
    const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
    const { payload } = await codeOf(merchant, { amount: 150, reference: 'till-3', singleUse: true });
    const answers = await Promise.all(Array.from({ length: 5 }, async () => await pay(person, { qr: payload })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('qr_code_used');
    expect(await balanceOf(person)).toEqual({ available: 850, held: 0 });
  });

  it('asks for any amount, any number of times, where the merchant says so; forged or expired it is refused', async () => {
    const [person, merchant] = await Promise.all([personWith(1_000), newMerchant()]);
    const { payload } = await codeOf(merchant, { singleUse: false });
    expect((await pay(person, { qr: payload, amount: 100 })).status).toBe(201);
    expect((await pay(person, { qr: payload, amount: 200 })).status).toBe(201);
    expect((await pay(person, { qr: payload })).body.code).toBe('qr_code_invalid');
    const [prefix, fields, tag] = String(payload).split(':');
    const changed = Buffer.from(
      Buffer.from(String(fields), 'base64url')
        .toString()
        .replace(merchant.merchantId, `mer_${'0'.repeat(26)}`),
    ).toString('base64url');
    for (const forged of [
      `${prefix}:${changed}:${tag}`,
      `${prefix}:${fields}:${'A'.repeat(22)}`,
      'https://example.com',
    ])
      expect((await pay(person, { qr: forged, amount: 100 })).body.code).toBe('qr_code_invalid');
    const short = await codeOf(merchant, { amount: 100, expiresInSeconds: 1 });
    await eventually(() => {
      expect(Date.now()).toBeGreaterThan(Date.parse(short.expiresAt));
      return Promise.resolve();
    });
    expect((await pay(person, { qr: short.payload })).body.code).toBe('qr_code_invalid');
    expect(await balanceOf(person)).toEqual({ available: 700, held: 0 });
  });
});
