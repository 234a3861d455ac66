import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcquirerChargeback, AcquirerDispute, AcquirerDisputeChanges } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import pg from 'pg';

import {
  type Answered,
  authorization,
  type AuthorizationRequest,
  cardNumbered,
  RunningAcquirer,
  verify,
  WEBHOOK_SECRET,
  WebhookReceiver,
} from './running-acquirer.js';

let sim: RunningAcquirer;
let receiver: WebhookReceiver;

beforeAll(async () => {
  receiver = await WebhookReceiver.open();
  sim = await RunningAcquirer.start({
    PENDING_MS: '0',
    WEBHOOK_URL: '{GATEWAY}/webhooks/psp/{acquirer}',
    GATEWAY_URL: receiver.url,
    WEBHOOK_SECRETS: JSON.stringify({ sim: WEBHOOK_SECRET }),
  });
}, 60_000);
afterAll(async () => {
  await sim.stop();
  await receiver.close();
});

const EVIDENCE = { uncategorizedText: 'The parcel was delivered.' };

const captured = async (over: Record<string, unknown> = {}): Promise<AuthorizationRequest> => {
  const request = authorization(over);
  const { body } = await sim.authorize(request);
  const capture = await sim.change(body.authorizationId ?? '', 'captures', { amount: 1000, final: true });
  expect(capture.body.outcome).toBe('approved');
  return request;
};
const raise = async (body: object): Promise<Answered<AcquirerDispute>> =>
  await sim.call<AcquirerDispute>('POST', '/acquirers/sim/disputes', body);
const raised = async (over: object = {}): Promise<AcquirerDispute> => {
  const { paymentId } = await captured();
  const { status, body } = await raise({ paymentId, ...over });
  expect(status).toBe(201);
  return body;
};
const inquire = async ({ disputeId }: AcquirerDispute): Promise<AcquirerDispute> =>
  (await sim.call<AcquirerDispute>('GET', `/acquirers/sim/disputes/${disputeId}`)).body;
const submit = async (
  { disputeId }: AcquirerDispute,
  evidence: object = EVIDENCE,
  reference = newId('dp'),
): Promise<Answered<AcquirerDispute>> =>
  await sim.call<AcquirerDispute>('POST', `/acquirers/sim/disputes/${disputeId}/evidence`, { reference, evidence });
const accept = async ({ disputeId }: AcquirerDispute, reference = newId('dp')): Promise<Answered<AcquirerDispute>> =>
  await sim.call<AcquirerDispute>('POST', `/acquirers/sim/disputes/${disputeId}/accept`, { reference });
const decide = async ({ disputeId }: AcquirerDispute, outcome: string): Promise<Answered<AcquirerDispute>> =>
  await sim.call<AcquirerDispute>('POST', `/acquirers/sim/disputes/${disputeId}/decision`, { outcome });
const feed = async (after: number, paymentId: string): Promise<AcquirerDisputeChanges> =>
  (
    await sim.call<AcquirerDisputeChanges>(
      'GET',
      `/acquirers/sim/disputes?${new URLSearchParams({ after: String(after), paymentId }).toString()}`,
    )
  ).body;
const chargebacks = async (paymentId: string): Promise<readonly (readonly [string, number])[]> =>
  (await sim.call<{ data: AcquirerChargeback[] }>('GET', `/acquirers/sim/chargebacks?paymentId=${paymentId}`)).body.data
    .toReversed()
    .map(({ kind, amount }) => [kind, amount] as const);

describe('a dispute', () => {
  it('of the disputed card comes by itself after the capture, and takes the money back', async () => {
    const { paymentId } = await captured({ card: cardNumbered('4000000000000259') });
    const dispute = await eventually(async () => {
      const [first] = (await feed(0, paymentId)).data;
      expect(first).toMatchObject({ paymentId, amount: 1000, reason: 'fraudulent', status: 'NEEDS_RESPONSE' });
      return first as AcquirerDispute;
    });
    expect(await inquire(dispute)).toMatchObject({ disputeId: dispute.disputeId, response: null });
    expect(await chargebacks(paymentId)).toEqual([['CHARGEBACK', 1000]]);
  });

  it('of another card is raised by the control route, for a part of the payment too', async () => {
    const dispute = await raised({ amount: 300, reason: 'duplicate' });
    expect(dispute).toMatchObject({ amount: 300, reason: 'duplicate', status: 'NEEDS_RESPONSE' });
    expect((await raise({ paymentId: dispute.paymentId })).body).toMatchObject({ amount: 700 });
    expect((await raise({ paymentId: dispute.paymentId, amount: 1 })).status).toBe(400);
  });

  it('without a name for the payment, or with two, is not understood', async () => {
    expect((await raise({})).status).toBe(400);
    expect((await raise({ paymentId: newId('pay'), authorizationId: 'sim_1' })).status).toBe(400);
    expect((await raise({ paymentId: newId('pay') })).status).toBe(404);
  });

  it('is won by winning evidence, and the money comes back', async () => {
    const dispute = await raised();
    const { body } = await submit(dispute, { uncategorizedText: 'winning_evidence' });
    expect(body).toMatchObject({ status: 'UNDER_REVIEW', response: 'evidence' });
    await eventually(async () => expect(await inquire(dispute)).toMatchObject({ status: 'WON' }));
    expect(await chargebacks(dispute.paymentId)).toEqual([
      ['CHARGEBACK', 1000],
      ['CHARGEBACK_REVERSAL', 1000],
    ]);
  });

  it('is lost by losing evidence, and stays under review by any other until somebody decides', async () => {
    const [lost, other] = [await raised(), await raised()];
    await submit(lost, { uncategorizedText: 'losing_evidence' });
    await submit(other);
    await eventually(async () => expect(await inquire(lost)).toMatchObject({ status: 'LOST' }));
    expect(await inquire(other)).toMatchObject({ status: 'UNDER_REVIEW' });
    expect((await decide(other, 'LOST')).body).toMatchObject({ status: 'LOST' });
    expect((await decide(other, 'LOST')).status).toBe(200);
    expect((await decide(other, 'WON')).status).toBe(400);
    expect(await chargebacks(lost.paymentId)).toEqual([['CHARGEBACK', 1000]]);
  });

  it('is answered once: the same reference is a repetition, another finds it as it stands', async () => {
    const dispute = await raised();
    const reference = newId('dp');
    expect(await accept(dispute, reference)).toMatchObject({ status: 200, replayed: false });
    expect(await accept(dispute, reference)).toMatchObject({ replayed: true, body: { status: 'ACCEPTED' } });
    expect(await submit(dispute)).toMatchObject({
      replayed: true,
      body: { status: 'ACCEPTED', response: 'accept', responseReference: reference },
    });
    expect((await submit(dispute, EVIDENCE, reference)).status).toBe(409);
    expect(await chargebacks(dispute.paymentId)).toEqual([['CHARGEBACK', 1000]]);
  });

  it('that ten answer at once is answered by one', async () => {
    const dispute = await raised();
    const references = Array.from({ length: 10 }, () => newId('dp'));
    const answers = await Promise.all(references.map(async (reference) => await submit(dispute, EVIDENCE, reference)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.responseReference)).size).toBe(1);
  });

  it('without an answer expires at its deadline, and an answer after that changes nothing', async () => {
    const dispute = await raised({ evidenceDueInSeconds: 1 });
    await eventually(async () => expect(await inquire(dispute)).toMatchObject({ status: 'EXPIRED' }));
    expect(await submit(dispute)).toMatchObject({ replayed: true, body: { status: 'EXPIRED', response: null } });
  });

  it('that is answered but lost on the way is found by inquiry', async () => {
    const dispute = await raised();
    await sim.setMode({ mode: 'error_after_effect', operation: 'dispute', times: 1, paymentId: dispute.paymentId });
    const reference = newId('dp');
    expect((await submit(dispute, EVIDENCE, reference)).status).toBe(500);
    expect(await inquire(dispute)).toMatchObject({ status: 'UNDER_REVIEW', responseReference: reference });
  });

  it('tells each change by a signed webhook and by the feed, in order', async () => {
    const dispute = await raised();
    await accept(dispute);
    const told = await eventually(() => {
      const ofIt = receiver.received.filter(({ body }) => body.includes(dispute.disputeId));
      expect(ofIt).toHaveLength(2);
      return ofIt;
    });
    for (const webhook of told) expect(verify(webhook)).toMatchObject({ type: 'dispute.updated' });
    const changes = await feed(0, dispute.paymentId);
    expect(changes.data.map(({ status }) => status)).toEqual(['NEEDS_RESPONSE', 'ACCEPTED']);
    expect(await feed(changes.nextPosition, dispute.paymentId)).toEqual({
      data: [],
      nextPosition: changes.nextPosition,
    });
    const replay = { reference: dispute.disputeId, times: 2 };
    expect((await sim.call('POST', '/acquirers/sim/webhooks/replay', replay)).body).toEqual({ queued: 4 });
  });

  it('leaves lines that the service itself cannot change', async () => {
    await raised();
    const client = new pg.Client({ connectionString: sim.database.runtimeUrl });
    await client.connect();
    try {
      await expect(client.query('UPDATE chargebacks SET amount_minor = 1')).rejects.toThrow(/permission denied/);
      await expect(client.query('DELETE FROM dispute_states')).rejects.toThrow(/permission denied/);
    } finally {
      await client.end();
    }
  });
});
