import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CardBehaviour, TEST_CARDS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import { authorization, type AuthorizationRequest, cardNumbered, RunningAcquirer } from './running-acquirer.js';

const AN_HOUR_MS = '3600000';
let sim: RunningAcquirer;

beforeAll(async () => {
  sim = await RunningAcquirer.start({ PENDING_MS: AN_HOUR_MS, LATE_SUCCESS_MS: AN_HOUR_MS, SILENCE_MS: '50' });
});
afterAll(async () => {
  await sim.stop();
});

const requestWith = (behaviour: CardBehaviour): AuthorizationRequest => {
  const card = TEST_CARDS.find((candidate) => candidate.behaviour === behaviour);
  return authorization({ card: cardNumbered(card?.number ?? '') });
};

const chargesOf = async ({ paymentId }: AuthorizationRequest): Promise<number> => {
  const rows = await sim.sql(
    `SELECT FROM authorizations JOIN operations USING (acquirer, reference) WHERE payment_id = $1 AND NOT closed`,
    [paymentId],
  );
  return rows.length;
};

const outcomeOf = async ({ reference }: { readonly reference: string }): Promise<string> =>
  (await sim.inquire(reference)).body.outcome;

describe('a test card', () => {
  it('that times out after the effect is charged once, which an inquiry and a repetition tell', async () => {
    const request = requestWith('timeout_after_effect');
    expect((await sim.authorize(request)).status).toBe(0);
    expect(await sim.inquire(request.reference)).toMatchObject({ status: 200, body: { outcome: 'approved' } });
    expect(await sim.authorize(request)).toMatchObject({ status: 201, replayed: true, body: { outcome: 'approved' } });
    expect(await chargesOf(request)).toBe(1);
  });

  it('that times out without an effect leaves nothing, and is charged once when it comes again', async () => {
    const request = requestWith('timeout_without_effect');
    expect((await sim.authorize(request)).status).toBe(0);
    expect((await sim.inquire(request.reference)).status).toBe(404);
    expect(await sim.authorize(request)).toMatchObject({ status: 201, replayed: false, body: { outcome: 'approved' } });
    expect(await chargesOf(request)).toBe(1);
  });

  it('with an error before the effect leaves nothing, and is charged once when it comes again', async () => {
    const request = requestWith('error_before_effect');
    expect((await sim.authorize(request)).status).toBe(500);
    expect((await sim.inquire(request.reference)).status).toBe(404);
    expect((await sim.authorize(request)).body.outcome).toBe('approved');
    expect(await chargesOf(request)).toBe(1);
  });

  it('with an error after the effect is charged once', async () => {
    const request = requestWith('error_after_effect');
    expect((await sim.authorize(request)).status).toBe(500);
    expect((await sim.inquire(request.reference)).body.outcome).toBe('approved');
    expect(await sim.authorize(request)).toMatchObject({ status: 201, replayed: true });
    expect(await chargesOf(request)).toBe(1);
  });

  it('fails at the first acquirer and passes at the second', async () => {
    const request = requestWith('technical_decline_at_first');
    const first = await sim.authorize(request);
    expect(first.body).toMatchObject({ outcome: 'declined', technical: true, authorizationId: null });
    const second = await sim.authorize({ ...request, reference: newId('att') }, { acquirer: 'sim2' });
    expect(second.body).toMatchObject({ outcome: 'approved', authorizationId: expect.stringMatching(/^sim2_/) });
  });

  it('succeeds late: declined by answer and inquiry, approved in the end', async () => {
    const request = requestWith('late_success');
    expect((await sim.authorize(request)).body).toMatchObject({ outcome: 'declined', authorizationId: null });
    expect(await outcomeOf(request)).toBe('declined');
    expect(await chargesOf(request)).toBe(0);
    await sim.letTimePass(request.reference);
    await eventually(async () => expect(await outcomeOf(request)).toBe('approved'));
    expect(await chargesOf(request)).toBe(1);
  });

  it.each([
    ['pending_then_approved', 'approved', 1],
    ['pending_then_declined', 'declined', 0],
  ] as const)('%s: holds nothing while it is pending', async (behaviour, end, charges) => {
    const request = requestWith(behaviour);
    expect((await sim.authorize(request)).body).toMatchObject({ outcome: 'pending', authorizationId: null });
    expect(await sim.authorize(request)).toMatchObject({ replayed: true, body: { outcome: 'pending' } });
    expect(await chargesOf(request)).toBe(0);
    await sim.letTimePass(request.reference);
    await eventually(async () => expect(await outcomeOf(request)).toBe(end));
    expect(await chargesOf(request)).toBe(charges);
    expect(await sim.authorize(request)).toMatchObject({ replayed: true, body: { outcome: end } });
  });

  it('is approved for less, and no more than that can be captured', async () => {
    const { body } = await sim.authorize(requestWith('partial_approval'));
    expect(body).toMatchObject({ outcome: 'approved', amount: 500 });
    const capture = await sim.change(body.authorizationId ?? '', 'captures', { amount: 501 });
    expect(capture.body.declineCode).toBe('capture_exceeds_authorization');
  });

  it('that is disputed later is authorized like any other now', async () => {
    const request = authorization({ card: cardNumbered('4000000000000259') });
    expect((await sim.authorize(request)).body.outcome).toBe('approved');
  });
});

describe('refunds by test card', () => {
  const captured = async (behaviour: CardBehaviour): Promise<string> => {
    const { body } = await sim.authorize(requestWith(behaviour));
    const id = body.authorizationId ?? '';
    await sim.change(id, 'captures', { amount: 1000 });
    return id;
  };

  it('are pending first and approved later', async () => {
    const id = await captured('refund_pending');
    const { body } = await sim.change(id, 'refunds', { amount: 700 });
    expect(body.outcome).toBe('pending');
    await sim.letTimePass(body.reference);
    await eventually(async () => expect(await outcomeOf(body)).toBe('approved'));
    expect((await sim.change(id, 'refunds', { amount: 301 })).body.declineCode).toBe('refund_exceeds_capture');
  });

  it('that were pending are declined when another was quicker', async () => {
    const id = await captured('refund_pending');
    const [one, other] = [
      await sim.change(id, 'refunds', { amount: 700 }),
      await sim.change(id, 'refunds', { amount: 700 }),
    ];
    await sim.letTimePass(one.body.reference);
    await eventually(async () => expect(await outcomeOf(one.body)).toBe('approved'));
    await sim.letTimePass(other.body.reference);
    await eventually(async () => expect(await outcomeOf(other.body)).toBe('declined'));
  });

  it('are approved first and fail later, and then the amount is refundable again', async () => {
    const id = await captured('refund_fails_later');
    const { body } = await sim.change(id, 'refunds', { amount: 1000 });
    expect(body.outcome).toBe('approved');
    await sim.letTimePass(body.reference);
    await eventually(async () =>
      expect((await sim.inquire(body.reference)).body).toMatchObject({
        outcome: 'declined',
        declineCode: 'refund_failed',
      }),
    );
    expect((await sim.change(id, 'refunds', { amount: 1000 })).body.outcome).toBe('approved');
  });
});

describe('a result that is due', () => {
  it('comes after a restart too', async () => {
    const request = requestWith('pending_then_approved');
    await sim.authorize(request);
    await sim.restart();
    await sim.letTimePass(request.reference);
    await eventually(async () => expect(await outcomeOf(request)).toBe('approved'));
  });
});
