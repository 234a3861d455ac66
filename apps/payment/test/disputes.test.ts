import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcquirerDispute } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import { Webhook } from 'standardwebhooks';

import { ProcessWebhooks } from '../src/application/process-webhooks.js';
import { SweepDisputes } from '../src/application/sweep-disputes.js';
import { WatchDisputes } from '../src/application/watch-disputes.js';
import {
  ADMIN,
  type Answered,
  freshKey,
  type Merchant,
  PaymentUnderTest,
  START_TIMEOUT_MS,
  WEBHOOK_SECRET,
} from './payment-under-test.js';

let service: PaymentUnderTest;

beforeAll(async () => {
  service = await PaymentUnderTest.start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  expect(await service.wrongs()).toEqual([]);
  await service.stop();
});
afterEach(() => {
  service.acquirer.disputes.failing = false;
});

interface Disputed {
  readonly merchant: Merchant;
  readonly paymentId: string;
  readonly told: AcquirerDispute;
}

const authorizationOf = async (paymentId: string): Promise<string> =>
  service.acquirer.authorizationOf((await service.operations(paymentId))[0] ?? '');

/** A captured payment of 1000 that the payer disputes at his bank; nobody has told us yet. */
const disputed = async (over: Partial<AcquirerDispute> = {}): Promise<Disputed> => {
  const merchant = service.merchant();
  const paymentId = await service.capturedId(merchant);
  const authorizationId = await authorizationOf(paymentId);
  const told = service.acquirer.disputes.raise({ paymentId, authorizationId, amount: 1000, ...over });
  return { merchant, paymentId, told };
};

const webhook = async (
  told: AcquirerDispute,
  { id = newId('req'), secret = WEBHOOK_SECRET }: { readonly id?: string; readonly secret?: string } = {},
): Promise<number> => {
  const at = new Date();
  const body = JSON.stringify({ type: 'dispute.updated', createdAt: at.toISOString(), data: told });
  const response = await fetch(`${service.url}/webhooks/psp/sim`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body),
    },
    body,
  });
  return response.status;
};

const messageOf = async ({ disputeId }: AcquirerDispute) =>
  await service.database.query<{ state: string; reason: string | null; webhook_id: string; tries: number }>(
    'SELECT state, reason, webhook_id, tries FROM psp_webhooks WHERE dispute_reference = $1 ORDER BY received_at',
    [disputeId],
  );

const list = async ({ principal }: Pick<Merchant, 'principal'>, query = ''): Promise<readonly Answered['body'][]> =>
  (await service.get(`/disputes${query}`, principal)).body['data'] as readonly Answered['body'][];

/** The dispute of this payment, once it is here. */
const arrived = async ({ merchant, paymentId }: Disputed): Promise<Answered['body']> =>
  await eventually(async () => {
    const [dispute] = await list(merchant, `?paymentId=${paymentId}`);
    expect(dispute).toBeDefined();
    return dispute as Answered['body'];
  });
const opened = async (over: Partial<AcquirerDispute> = {}): Promise<Disputed & { readonly id: string }> => {
  const given = await disputed(over);
  expect(await webhook(given.told)).toBe(200);
  return { ...given, id: String((await arrived(given))['disputeId']) };
};

const read = async (id: string, { principal }: Merchant): Promise<Answered['body']> =>
  (await service.get(`/disputes/${id}`, principal)).body;
const post = async (
  id: string,
  route: 'evidence' | 'submit' | 'accept',
  { principal }: Pick<Merchant, 'principal'>,
  body: unknown = {},
  key = freshKey(),
): Promise<Answered> => await service.post(`/disputes/${id}/${route}`, body, { as: principal, key });
const typesOf = async (paymentId: string): Promise<readonly string[]> =>
  (await service.published(paymentId)).map(({ type }) => type);

/** As if the time had come at which the open disputes of this payment are looked at. */
const look = async (paymentId: string): Promise<void> => {
  await service.database.execute(
    'UPDATE disputes SET next_look_at = now() WHERE payment_id = $1 AND next_look_at IS NOT NULL',
    [paymentId],
  );
  await service.app.get(WatchDisputes).pass();
};
/** As if the time had come to read the feed. */
const sweep = async (): Promise<void> => {
  await service.database.execute('UPDATE dispute_feeds SET next_sweep_at = now()');
  await service.app.get(SweepDisputes).pass();
};

/** As if news of this dispute had been worked on so often, and its time had come once more. */
const retry = async ({ disputeId }: AcquirerDispute, triesBefore: number): Promise<void> => {
  await service.database.execute(
    'UPDATE psp_webhooks SET tries = $2, next_try_at = now() WHERE dispute_reference = $1',
    [disputeId, triesBefore],
  );
  await service.app.get(ProcessWebhooks).pass();
};
/** How far the feed was read. */
const feedRead = async (): Promise<bigint> =>
  (await service.database.query<{ position: bigint }>('SELECT position FROM dispute_feeds'))[0]?.position ?? 0n;
/** What people are told of a dispute that is recorded nowhere, or of an entry of the feed. */
const unrecorded = async (reference: string): Promise<readonly Answered['body'][]> => {
  const { body } = await service.get('/payment-exceptions?kind=unrecorded_dispute&limit=100', ADMIN);
  return (body['data'] as readonly Answered['body'][]).filter(({ operationId }) => operationId === `sim:${reference}`);
};

describe('news of a dispute', () => {
  it('makes the acquirer be asked, and what it answers is opened with its fee and told', async () => {
    const given = await disputed({ amount: 400, reason: 'product_not_received' });
    expect(await webhook({ ...given.told, amount: 1, status: 'LOST', paymentId: newId('pay') })).toBe(200);
    expect(await arrived(given)).toMatchObject({
      paymentId: given.paymentId,
      status: 'NEEDS_RESPONSE',
      amount: 400,
      fee: 1500,
      reason: 'product_not_received',
      evidenceDueBy: given.told.evidenceDueBy,
      acquirer: 'sim',
      acquirerReference: given.told.disputeId,
    });
    const payment = await service.get(`/payments/${given.paymentId}`, given.merchant.principal);
    expect(payment.body).toMatchObject({
      status: 'CAPTURED',
      disputedAmount: 400,
      chargedBackAmount: 400,
      refundableAmount: 600,
      disputeFeeAmount: 1500,
      netAmount: 1000 - 59 - 400 - 1500,
    });
    const told = (await service.published(given.paymentId)).at(-1);
    expect(told).toMatchObject({ type: 'dispute.opened.v1', payload: { amount: 400, fee: 1500 } });
  });

  it('that comes ten times, in ten messages and in one, opens one dispute', async () => {
    const given = await disputed();
    const id = newId('req');
    await Promise.all([
      ...Array.from({ length: 10 }, async () => await webhook(given.told, { id })),
      ...Array.from({ length: 10 }, async () => await webhook(given.told)),
    ]);
    await eventually(async () => {
      const messages = await messageOf(given.told);
      expect(messages).toHaveLength(11);
      expect(new Set(messages.map(({ state }) => state))).toEqual(new Set(['done']));
    });
    expect((await typesOf(given.paymentId)).filter((type) => type === 'dispute.opened.v1')).toHaveLength(1);
    expect(await list(given.merchant)).toHaveLength(1);
  });

  it('that comes late finds the end, and an old message after it changes nothing', async () => {
    const given = await disputed();
    service.acquirer.disputes.become(given.told, { status: 'UNDER_REVIEW' });
    service.acquirer.disputes.become(given.told, { status: 'LOST' });
    await webhook(given.told);
    expect(await arrived(given)).toMatchObject({ status: 'LOST' });
    const before = await typesOf(given.paymentId);
    await webhook(given.told);
    await eventually(async () => {
      expect((await messageOf(given.told)).map(({ state }) => state)).toEqual(['done', 'done']);
    });
    expect(await typesOf(given.paymentId)).toEqual(before);
    expect(before.slice(-2)).toEqual(['dispute.opened.v1', 'dispute.closed.v1']);
  });

  it('that nobody of the acquirer has signed is refused, and nobody is asked', async () => {
    const given = await disputed();
    expect(await webhook(given.told, { secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` })).toBe(401);
    expect(service.acquirer.disputes.inquiries).not.toContain(given.told.disputeId);
  });

  it.each([
    ['a payment that is not ours', { paymentId: newId('pay') }, 'unknown_payment'],
    ['another authorization than the payment has', { authorizationId: 'sim_other' }, 'not_of_payment'],
    ['another currency', { currency: 'EUR' }, 'not_of_payment'],
  ])('about %s changes no payment, and people hear of it once', async (_what, over, reason) => {
    const { told, merchant, paymentId } = await disputed(over);
    await webhook(told);
    await eventually(async () => {
      expect(await messageOf(told)).toMatchObject([{ state: 'done', reason }]);
    });
    await webhook(told);
    await eventually(async () => {
      expect(await messageOf(told)).toMatchObject([{ state: 'done' }, { state: 'done', reason }]);
    });
    const { paymentId: named, authorizationId, amount, currency, status } = told;
    expect(await unrecorded(told.disputeId)).toMatchObject([
      {
        paymentId: reason === 'unknown_payment' ? null : paymentId,
        resolvedAt: null,
        detail: { acquirer: 'sim', reason, told: { paymentId: named, authorizationId, amount, currency, status } },
      },
    ]);
    expect(await list(merchant)).toEqual([]);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({ disputedAmount: 0 });
  });

  it('about an authorization that PayFlow gave back, since it was of a part only, is for people', async () => {
    service.acquirer.next('authorize', 'part');
    const paymentId = String((await service.authorize(service.merchant())).body['paymentId']);
    const authorizationId = await authorizationOf(paymentId);
    const told = service.acquirer.disputes.raise({ paymentId, authorizationId, amount: 500 });
    await webhook(told);
    await eventually(async () => {
      expect(await unrecorded(told.disputeId)).toMatchObject([{ paymentId, detail: { reason: 'not_of_payment' } }]);
    });
  });

  it('that is faster than the books of its acquirer is asked about again', async () => {
    const given = await disputed();
    service.acquirer.disputes.notInTheBooks.add(given.told.disputeId);
    await webhook(given.told);
    await eventually(async () => {
      expect(service.acquirer.disputes.inquiries).toContain(given.told.disputeId);
      expect(await messageOf(given.told)).toMatchObject([{ state: 'waiting', tries: 1 }]);
    });
    service.acquirer.disputes.notInTheBooks.delete(given.told.disputeId);
    await retry(given.told, 1);
    expect(await arrived(given)).toMatchObject({ status: 'NEEDS_RESPONSE' });
    expect(await unrecorded(given.told.disputeId)).toEqual([]);
  });

  it('of which the acquirer knows nothing is left to people after ten tries, and recorded should it be told again', async () => {
    const given = await disputed();
    const { disputeId } = given.told;
    service.acquirer.disputes.notInTheBooks.add(disputeId);
    await webhook(given.told);
    await eventually(async () => {
      expect(await messageOf(given.told)).toMatchObject([{ state: 'waiting', tries: 1 }]);
    });
    await retry(given.told, 8);
    await eventually(async () => {
      expect(await messageOf(given.told)).toMatchObject([{ state: 'waiting', tries: 9 }]);
    });
    expect(await unrecorded(disputeId)).toEqual([]);
    await retry(given.told, 9);
    await eventually(async () => {
      expect(await messageOf(given.told)).toMatchObject([{ state: 'done', reason: 'unknown_dispute', tries: 10 }]);
    });
    expect(await unrecorded(disputeId)).toMatchObject([
      {
        paymentId: null,
        merchantId: null,
        detail: { acquirer: 'sim', reference: disputeId, reason: 'unknown_dispute' },
      },
    ]);
    service.acquirer.disputes.notInTheBooks.delete(disputeId);
    await webhook(given.told);
    await arrived(given);
    expect(await unrecorded(disputeId)).toMatchObject([{ resolvedBy: 'psp:sim', resolution: 'It is recorded.' }]);
  });

  it('about which the acquirer says nothing for hours is told to people, and asked about on and on', async () => {
    const given = await disputed();
    service.acquirer.disputes.failing = true;
    await webhook(given.told);
    await eventually(async () => {
      expect(await messageOf(given.told)).toMatchObject([{ state: 'waiting', tries: 1 }]);
    });
    await retry(given.told, 9);
    await eventually(async () => {
      expect(await unrecorded(given.told.disputeId)).toMatchObject([{ detail: { reason: 'no_answer' } }]);
    });
    expect(await messageOf(given.told)).toMatchObject([{ state: 'waiting', tries: 10 }]);
    service.acquirer.disputes.failing = false;
    await retry(given.told, 10);
    await arrived(given);
    expect(await unrecorded(given.told.disputeId)).toMatchObject([{ resolution: 'It is recorded.' }]);
  });

  it('waits while the acquirer does not answer', async () => {
    service.acquirer.disputes.failing = true;
    const { told } = await disputed();
    await webhook(told);
    await eventually(async () => {
      expect(service.acquirer.disputes.inquiries).toContain(told.disputeId);
      expect(await messageOf(told)).toMatchObject([{ state: 'waiting' }]);
    });
  });

  it('is found in the feed when its webhook was lost, once', async () => {
    const given = await disputed();
    await sweep();
    expect(await arrived(given)).toMatchObject({ status: 'NEEDS_RESPONSE' });
    service.acquirer.disputes.become(given.told, { status: 'LOST' });
    await Promise.all([sweep(), sweep(), sweep()]);
    await eventually(async () => {
      expect(await arrived(given)).toMatchObject({ status: 'LOST' });
    });
    expect(await typesOf(given.paymentId)).toEqual(expect.arrayContaining(['dispute.opened.v1', 'dispute.closed.v1']));
    const before = await messageOf(given.told);
    await sweep();
    expect(await messageOf(given.told)).toHaveLength(before.length);
  });

  it.each([
    ['a status that nobody knows', (entry: object) => ({ ...entry, status: 'ON_HOLD' })],
    ['a currency that is none', (entry: object) => ({ ...entry, currency: 7 })],
  ])('is found in an entry of the feed that breaks the contract: %s', async (_what, how) => {
    const given = await disputed();
    service.acquirer.disputes.garble(given.told, how);
    await sweep();
    expect(await arrived(given)).toMatchObject({ status: 'NEEDS_RESPONSE' });
  });

  it.each([
    ['that names no dispute', (entry: object) => ({ ...entry, disputeId: 'a\u0000b' }), 1n],
    ['without a place', (entry: object) => ({ ...entry, position: 'first' }), 2n],
    ['that is no object', () => 'nonsense', 2n],
  ])('behind an entry of the feed %s is found, and that entry is left to people', async (_what, how, place) => {
    const broken = await disputed();
    await sweep();
    const before = await feedRead();
    service.acquirer.disputes.garble(service.acquirer.disputes.become(broken.told, { status: 'UNDER_REVIEW' }), how);
    const behind = await disputed();
    await sweep();
    expect(await arrived(behind)).toMatchObject({ status: 'NEEDS_RESPONSE' });
    const reference = `feed:${before + place}`;
    expect(await unrecorded(reference)).toMatchObject([
      { paymentId: null, merchantId: null, detail: { acquirer: 'sim', reference, reason: 'unreadable' } },
    ]);
    expect(await feedRead()).toBe(before + 2n);
  });

  it('is read from the feed again where the acquirer was away', async () => {
    const given = await disputed();
    service.acquirer.disputes.failing = true;
    await sweep();
    expect(await messageOf(given.told)).toEqual([]);
    service.acquirer.disputes.failing = false;
    await sweep();
    expect(await arrived(given)).toMatchObject({ status: 'NEEDS_RESPONSE' });
  });

  it('of another end than the recorded one is for people, and what is recorded stands', async () => {
    const { id, told, merchant, paymentId } = await opened();
    service.acquirer.disputes.become(told, { status: 'LOST' });
    await look(paymentId);
    service.acquirer.disputes.become(told, { status: 'WON' });
    await webhook(told);
    await eventually(async () => {
      const { body } = await service.get(`/payment-exceptions?paymentId=${paymentId}`, ADMIN);
      expect(body).toMatchObject({ data: [{ kind: 'contradiction', operationId: id }] });
    });
    expect(await read(id, merchant)).toMatchObject({ status: 'LOST' });
  });
});

describe('a chargeback and a refund', () => {
  it('do not give the payer the same money twice', async () => {
    const { merchant, paymentId } = await opened({ amount: 700 });
    const refund = async (amount: number): Promise<Answered> =>
      await service.post(`/payments/${paymentId}/refund`, { amount }, { as: merchant.principal, key: freshKey() });
    expect(await refund(301)).toMatchObject({ body: { code: 'refund_exceeds_captured', refundable: 300 } });
    expect((await refund(300)).status).toBe(200);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      refundableAmount: 0,
      refundedAmount: 300,
    });
  });

  it('that cross each other are both recorded, and people hear of it', async () => {
    const { merchant, paymentId, told } = await disputed();
    const body = { amount: 1000 };
    await service.post(`/payments/${paymentId}/refund`, body, { as: merchant.principal, key: freshKey() });
    await webhook(told);
    await arrived({ merchant, paymentId, told });
    const exceptions = await service.get(`/payment-exceptions?paymentId=${paymentId}`, ADMIN);
    expect(exceptions.body).toMatchObject({
      data: [{ kind: 'overdrawn', detail: { captured: 1000, refunded: 1000, chargedBack: 1000 } }],
    });
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      refundableAmount: 0,
      netAmount: -1000 - 59 - 1500,
    });
  });
});

describe('a merchant', () => {
  it('contests a dispute with what he wrote, and hears how it ends', async () => {
    const { id, told, merchant, paymentId } = await opened();
    expect(await post(id, 'submit', merchant)).toMatchObject({
      status: 409,
      body: { code: 'dispute_evidence_missing' },
    });
    await post(id, 'evidence', merchant, { customerName: 'Ada', refundPolicy: 'None.' });
    const second = { uncategorizedText: 'Delivered.\nSigned for.', refundPolicy: '' };
    expect((await post(id, 'evidence', merchant, second)).body).toMatchObject({
      evidence: { customerName: 'Ada', uncategorizedText: 'Delivered.\nSigned for.' },
    });
    const key = freshKey();
    const submitted = await post(id, 'submit', merchant, {}, key);
    expect(submitted).toMatchObject({ status: 202, body: { status: 'NEEDS_RESPONSE', response: 'evidence' } });
    expect((await post(id, 'submit', merchant, {}, key)).text).toBe(submitted.text);
    await look(paymentId);
    expect(await read(id, merchant)).toMatchObject({ status: 'UNDER_REVIEW' });
    expect(service.acquirer.disputes.responses.filter(({ disputeId }) => disputeId === told.disputeId)).toEqual([
      {
        disputeId: told.disputeId,
        reference: id,
        evidence: { customerName: 'Ada', uncategorizedText: 'Delivered.\nSigned for.' },
      },
    ]);
    service.acquirer.disputes.become(told, { status: 'WON' });
    await webhook(told);
    await eventually(async () => {
      expect(await read(id, merchant)).toMatchObject({ status: 'WON', feeReturned: 0 });
    });
    expect((await typesOf(paymentId)).slice(-3)).toEqual([
      'dispute.opened.v1',
      'dispute.updated.v1',
      'dispute.closed.v1',
    ]);
    expect((await service.get(`/payments/${paymentId}`, merchant.principal)).body).toMatchObject({
      disputedAmount: 0,
      chargedBackAmount: 0,
      refundableAmount: 1000,
    });
  });

  it('accepts a dispute, and it is over when the acquirer has taken it', async () => {
    const { id, merchant, paymentId } = await opened();
    expect(await post(id, 'accept', merchant)).toMatchObject({ status: 202, body: { response: 'accept' } });
    await look(paymentId);
    expect(await read(id, merchant)).toMatchObject({ status: 'ACCEPTED' });
  });

  it.each(['silent after effect', 'silent without effect', 'server error'] as const)(
    'need not answer again when the acquirer is %s: it is told once more, under the same id',
    async (mood) => {
      const { id, told, merchant, paymentId } = await opened();
      service.acquirer.disputes.moods.push(mood);
      await post(id, 'accept', merchant);
      await look(paymentId);
      expect(await read(id, merchant)).toMatchObject({ status: 'NEEDS_RESPONSE', response: 'accept' });
      await look(paymentId);
      expect(await read(id, merchant)).toMatchObject({ status: 'ACCEPTED' });
      const responses = service.acquirer.disputes.responses.filter(({ disputeId }) => disputeId === told.disputeId);
      expect(new Set(responses.map(({ reference }) => reference))).toEqual(new Set([id]));
      expect((await typesOf(paymentId)).filter((type) => type === 'dispute.closed.v1')).toHaveLength(1);
    },
  );

  it('who answers ten times at once answers once', async () => {
    const { id, told, merchant, paymentId } = await opened();
    const answers = await Promise.all(Array.from({ length: 10 }, async () => await post(id, 'accept', merchant)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, ...Array.from({ length: 9 }, () => 409)]);
    await Promise.all([look(paymentId), look(paymentId)]);
    expect(await read(id, merchant)).toMatchObject({ status: 'ACCEPTED' });
    expect(service.acquirer.disputes.responses.filter(({ disputeId }) => disputeId === told.disputeId)).not.toEqual([]);
  });

  it('who has not answered until the deadline loses: the acquirer is asked then', async () => {
    const { id, told, merchant, paymentId } = await opened();
    service.acquirer.disputes.become(told, { status: 'EXPIRED' });
    await look(paymentId);
    expect(await read(id, merchant)).toMatchObject({ status: 'EXPIRED' });
    for (const route of ['evidence', 'submit', 'accept'] as const)
      expect(await post(id, route, merchant)).toMatchObject({ status: 409, body: { code: 'dispute_not_open' } });
  });

  it('cannot change what he has submitted', async () => {
    const { id, merchant } = await opened();
    await post(id, 'evidence', merchant, { customerName: 'Ada' });
    await post(id, 'submit', merchant);
    expect(await post(id, 'evidence', merchant, { customerName: 'Eve' })).toMatchObject({ status: 409 });
    expect(await read(id, merchant)).toMatchObject({ evidence: { customerName: 'Ada' } });
  });

  it('sees his own disputes only, and nobody else may answer them', async () => {
    const { id, merchant } = await opened();
    const other = service.merchant();
    expect(await list(other)).toEqual([]);
    expect((await service.get(`/disputes/${id}`, other.principal)).status).toBe(404);
    for (const route of ['evidence', 'submit', 'accept'] as const)
      expect(await post(id, route, other)).toMatchObject({ status: 404, body: { code: 'dispute_not_found' } });
    expect((await service.get(`/disputes/${id}`, ADMIN)).status).toBe(200);
    expect((await service.get('/disputes/dp_nobody', merchant.principal)).status).toBe(404);
    expect((await service.get(`/disputes/${newId('dp')}`, merchant.principal)).status).toBe(404);
  });

  it('reads his disputes page by page, by status and by payment', async () => {
    const merchant = service.merchant();
    const paymentId = await service.capturedId(merchant);
    const authorizationId = await authorizationOf(paymentId);
    for (const amount of [100, 200, 300])
      await webhook(service.acquirer.disputes.raise({ paymentId, authorizationId, amount }));
    await eventually(async () => {
      expect(await list(merchant, `?paymentId=${paymentId}&status=NEEDS_RESPONSE`)).toHaveLength(3);
    });
    const first = (await service.get('/disputes?limit=2', merchant.principal)).body;
    const next = (await service.get(`/disputes?limit=2&cursor=${String(first['nextCursor'])}`, merchant.principal))
      .body;
    const amounts = [first, next].flatMap(({ data }) => (data as { amount: number }[]).map(({ amount }) => amount));
    expect(amounts.toSorted()).toEqual([100, 200, 300]);
    expect(next['nextCursor']).toBeNull();
    expect(await list(merchant, '?status=WON')).toEqual([]);
    for (const query of ['status=MAYBE', 'paymentId=1', 'cursor=%00', 'limit=0'])
      expect((await service.get(`/disputes?${query}`, merchant.principal)).status).toBe(400);
  });

  it.each([
    ['a field that there is none', { unknownField: 'x' }],
    ['more than 5,000 characters', { customerName: 'x'.repeat(5_001) }],
    ['a NUL', { customerName: 'A\u0000' }],
    ['a card number', { uncategorizedText: 'Card 4242 4242 4242 4242' }],
    ['a number', { customerName: 7 }],
    ['a list', []],
  ])('cannot write %s', async (_what, body) => {
    const { id, merchant } = await opened();
    expect((await post(id, 'evidence', merchant, body)).status).toBe(400);
  });
});
