import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import { authorization, type AuthorizationRequest, cardNumbered, RunningAcquirer } from './running-acquirer.js';

const AN_HOUR_MS = '3600000';
let sim: RunningAcquirer;

beforeAll(async () => {
  sim = await RunningAcquirer.start({ PENDING_MS: AN_HOUR_MS, LATE_SUCCESS_MS: AN_HOUR_MS });
});
afterEach(async () => {
  await sim.clearModes();
});
afterAll(async () => {
  await sim.stop();
});

/** What is held for the payment: authorizations that are not closed. */
const heldFor = async ({ paymentId }: AuthorizationRequest): Promise<number> => {
  const rows = await sim.sql(
    `SELECT FROM authorizations JOIN operations USING (acquirer, reference) WHERE payment_id = $1 AND NOT closed`,
    [paymentId],
  );
  return rows.length;
};

describe('a reversal', () => {
  it('of an approved authorization releases it', async () => {
    const request = authorization();
    const { body } = await sim.authorize(request);
    expect((await sim.reverse(request)).body).toMatchObject({
      operation: 'void',
      outcome: 'approved',
      authorizationId: body.authorizationId,
      amount: 1000,
      currency: 'USD',
    });
    expect(await heldFor(request)).toBe(0);
    expect((await sim.change(body.authorizationId ?? '', 'captures')).body.declineCode).toBe('authorization_closed');
  });

  it('of something never seen leaves a tombstone: the request that arrives later is declined', async () => {
    const request = authorization();
    expect((await sim.inquire(request.reference)).status).toBe(404);
    expect((await sim.reverse(request)).body).toMatchObject({ outcome: 'approved', authorizationId: null });
    expect(await sim.authorize(request)).toMatchObject({
      status: 201,
      body: { outcome: 'declined', declineCode: 'reversed' },
    });
    expect((await sim.inquire(request.reference)).body.declineCode).toBe('reversed');
    expect(await heldFor(request)).toBe(0);
  });

  it('that races with its authorization leaves nothing held, whoever is first', async () => {
    const requests = Array.from({ length: 30 }, () => authorization());
    await Promise.all(
      requests.map(async (request, index) => {
        const calls = [() => sim.authorize(request), () => sim.reverse(request)];
        const [one, other] = index % 2 === 0 ? calls : calls.reverse();
        const answers = await Promise.all([one?.(), other?.()]);
        const reversal = answers.find((answer) => answer?.body.operation === 'void');
        expect(reversal?.body.outcome).toBe('approved');
        expect(await heldFor(request)).toBe(0);
        expect((await sim.authorize(request)).replayed).toBe(true);
      }),
    );
  });

  it('is answered once under its own reference, however often it is asked for', async () => {
    const request = authorization();
    await sim.authorize(request);
    const reference = newId('vod');
    const twins = await Promise.all(Array.from({ length: 10 }, async () => await sim.reverse(request, { reference })));
    expect(new Set(twins.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(twins.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect((await sim.reverse(authorization(), { reference })).status).toBe(409);
  });

  it('is declined when something was captured', async () => {
    const request = authorization();
    const { body } = await sim.authorize(request);
    await sim.change(body.authorizationId ?? '', 'captures');
    expect((await sim.reverse(request)).body).toMatchObject({
      outcome: 'declined',
      declineCode: 'authorization_captured',
    });
    expect((await sim.change(body.authorizationId ?? '', 'captures')).body.outcome).toBe('approved');
  });

  it.each([
    ['pending', '4000009900000079'],
    ['waiting for the payer', '4000002500003155'],
  ])('of an authorization that is %s decides it: it is never approved', async (_, number) => {
    const request = authorization({ card: cardNumbered(number) });
    await sim.authorize(request);
    expect((await sim.reverse(request)).body.outcome).toBe('approved');
    expect((await sim.inquire(request.reference)).body).toMatchObject({ outcome: 'declined', declineCode: 'reversed' });
    expect(await sim.sql('SELECT FROM due_results WHERE reference = $1', [request.reference])).toHaveLength(0);
  });

  it('of a decline that would be approved late keeps it from being approved', async () => {
    const request = authorization({ card: cardNumbered('4000009900000061') });
    await sim.authorize(request);
    expect((await sim.reverse(request)).body.outcome).toBe('approved');
    expect(await sim.sql('SELECT FROM due_results WHERE reference = $1', [request.reference])).toHaveLength(0);
  });

  it('after a success that came late releases it', async () => {
    const request = authorization({ card: cardNumbered('4000009900000061') });
    await sim.authorize(request);
    await sim.letTimePass(request.reference);
    await eventually(async () => expect(await heldFor(request)).toBe(1));
    expect((await sim.reverse(request)).body.outcome).toBe('approved');
    expect(await heldFor(request)).toBe(0);
  });

  it('is of authorizations only', async () => {
    const request = authorization();
    const { body } = await sim.authorize(request);
    const capture = await sim.change(body.authorizationId ?? '', 'captures');
    const reversal = await sim.reverse({ ...request, reference: capture.body.reference });
    expect(reversal.body).toMatchObject({ outcome: 'declined', declineCode: 'not_an_authorization' });
  });

  it('has modes, those of voids', async () => {
    const request = authorization();
    await sim.authorize(request);
    await sim.setMode({ mode: 'error_after_effect', operation: 'void', times: 1 });
    const reference = newId('vod');
    expect((await sim.reverse(request, { reference })).status).toBe(500);
    expect(await sim.reverse(request, { reference })).toMatchObject({ replayed: true, body: { outcome: 'approved' } });
    await sim.setMode({ mode: 'technical_decline', operation: 'void', times: 1 });
    expect((await sim.reverse(authorization())).body).toMatchObject({ outcome: 'declined', technical: true });
  });
});
