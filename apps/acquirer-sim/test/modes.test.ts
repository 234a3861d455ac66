import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AcquirerMode } from '@payflow/contracts';
import { eventually } from '@payflow/testing';

import { authorization, cardNumbered, RunningAcquirer } from './running-acquirer.js';

const DECLINED_CARD = cardNumbered('4000000000009995');
let sim: RunningAcquirer;

beforeAll(async () => {
  sim = await RunningAcquirer.start({ PENDING_MS: '0', LATE_SUCCESS_MS: '0', SILENCE_MS: '50' });
});
afterEach(async () => {
  await sim.clearModes();
  await sim.clearModes('sim2');
});
afterAll(async () => {
  await sim.stop();
});

describe('a mode', () => {
  it.each<[AcquirerMode, number, object, string | undefined]>([
    ['normal', 201, { outcome: 'approved' }, 'approved'],
    ['slow', 201, { outcome: 'approved' }, 'approved'],
    ['timeout_after_effect', 0, {}, 'approved'],
    ['timeout_without_effect', 0, {}, undefined],
    ['error_before_effect', 500, { code: 'internal_error' }, undefined],
    ['error_after_effect', 500, { code: 'internal_error' }, 'approved'],
    ['unavailable', 503, { code: 'dependency_unavailable' }, undefined],
    ['declined', 201, { outcome: 'declined', declineCode: 'generic_decline' }, 'declined'],
    ['technical_decline', 201, { outcome: 'declined', technical: true }, 'declined'],
    ['pending_then_approved', 201, { outcome: 'pending' }, 'approved'],
    ['pending_then_declined', 201, { outcome: 'pending' }, 'declined'],
    ['late_success', 201, { outcome: 'declined' }, 'approved'],
    ['partial_approval', 201, { outcome: 'approved', amount: 500 }, 'approved'],
    ['challenge', 201, { outcome: 'action_required' }, 'action_required'],
    ['duplicate_webhooks', 201, { outcome: 'approved' }, 'approved'],
    ['reordered_webhooks', 201, { outcome: 'approved' }, 'approved'],
  ])('%s answers %i %j and ends %s, set by header or by route', async (mode, status, answer, end) => {
    const byHeader = authorization();
    const first = await sim.authorize(byHeader, { mode });
    await sim.setMode({ mode });
    const byRoute = authorization();
    const second = await sim.authorize(byRoute);
    await sim.clearModes();
    for (const { status: got, body } of [first, second]) {
      expect(got).toBe(status);
      if (got !== 0) expect(body).toMatchObject(answer);
    }
    for (const { reference } of [byHeader, byRoute]) {
      await eventually(async () => {
        const inquiry = await sim.inquire(reference);
        expect(inquiry.status === 404 ? undefined : inquiry.body.outcome).toBe(end);
      });
    }
  });

  it('leaves the rest to the card: a declined card that times out is declined in the book', async () => {
    const request = authorization({ card: DECLINED_CARD });
    expect((await sim.authorize(request, { mode: 'timeout_after_effect' })).status).toBe(0);
    expect((await sim.inquire(request.reference)).body.declineCode).toBe('insufficient_funds');
  });

  it('is also of captures, refunds and voids', async () => {
    const id = await sim.authorized();
    const headers = (mode: AcquirerMode) => ({ 'x-acquirer-mode': mode });
    const capture = await sim.change(id, 'captures', {}, headers('pending_then_approved'));
    expect(capture.body.outcome).toBe('pending');
    await eventually(async () => expect((await sim.inquire(capture.body.reference)).body.outcome).toBe('approved'));
    expect((await sim.change(id, 'refunds', {}, headers('declined'))).body.outcome).toBe('declined');
    expect((await sim.change(id, 'refunds')).body.outcome).toBe('approved');
    expect((await sim.change(id, 'voids', {}, headers('unavailable'))).status).toBe(503);
    expect((await sim.change(id, 'voids')).body).toMatchObject({ outcome: 'approved', amount: 900 });
  });

  it('of a header comes before one of the route, which comes before the card', async () => {
    await sim.setMode({ mode: 'declined' });
    expect((await sim.authorize()).body.outcome).toBe('declined');
    expect((await sim.authorize(undefined, { mode: 'partial_approval' })).body).toMatchObject({ amount: 500 });
    expect((await sim.authorize(undefined, { mode: 'normal' })).body.outcome).toBe('approved');
    await sim.setMode({ mode: 'pending_then_approved' });
    const late = authorization({ card: cardNumbered('4000009900000061') });
    expect((await sim.authorize(late)).body.outcome).toBe('pending');
  });

  it('with the narrowest filter wins: payment before operation before everything', async () => {
    const request = authorization();
    await sim.setMode({ mode: 'unavailable' });
    await sim.setMode({ mode: 'declined', operation: 'authorize' });
    await sim.setMode({ mode: 'normal', paymentId: request.paymentId });
    expect((await sim.authorize()).body.outcome).toBe('declined');
    const { body } = await sim.authorize(request);
    expect(body.outcome).toBe('approved');
    // The payment's own mode is also of its captures; another payment's capture meets the widest.
    expect((await sim.change(body.authorizationId ?? '', 'captures')).status).toBe(201);
    await sim.setMode({ mode: 'normal', operation: 'authorize' });
    expect((await sim.change(await sim.authorized(), 'captures')).status).toBe(503);
  });

  it('holds for a number of times, counted once each when all come at once', async () => {
    await sim.setMode({ mode: 'declined', times: 5 });
    await sim.setMode({ mode: 'partial_approval', operation: 'authorize', times: 3 });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await sim.authorize()).body));
    const declined = answers.filter(({ outcome }) => outcome === 'declined');
    const partial = answers.filter(({ amount }) => amount === 500);
    expect([declined.length, partial.length]).toEqual([5, 3]);
  });

  it('is of one acquirer', async () => {
    await sim.setMode({ mode: 'declined' });
    expect((await sim.authorize(undefined, { acquirer: 'sim2' })).body.outcome).toBe('approved');
  });

  it('survives a restart', async () => {
    await sim.setMode({ mode: 'declined', times: 2, latencyMs: 7, operation: 'authorize' });
    await sim.authorize();
    await sim.restart();
    const { body } = await sim.call<{ data: readonly object[] }>('GET', '/acquirers/sim/mode');
    expect(body.data).toEqual([
      { mode: 'declined', times: 1, latencyMs: 7, operation: 'authorize', createdAt: expect.any(String) },
    ]);
    expect((await sim.authorize()).body.outcome).toBe('declined');
    expect((await sim.authorize()).body.outcome).toBe('approved');
  });

  it('of silence and errors holds for repetitions too, until it is taken back', async () => {
    const request = authorization();
    await sim.setMode({ mode: 'timeout_without_effect', paymentId: request.paymentId });
    expect((await sim.authorize(request)).status).toBe(0);
    expect((await sim.authorize(request)).status).toBe(0);
    await sim.setMode({ mode: 'normal', paymentId: request.paymentId });
    expect((await sim.authorize(request)).body.outcome).toBe('approved');
  });
});

describe('a caller who gets no answer', () => {
  it('is let go when the simulator stops, with the effect in the book', async () => {
    const patient = await RunningAcquirer.start({ SILENCE_MS: '600000' });
    try {
      const request = authorization();
      const held = patient.authorize(request, { mode: 'timeout_after_effect' });
      await eventually(async () => expect(await patient.bookOf({ reference: request.reference })).toHaveLength(1));
      await patient.restart();
      expect((await held).status).toBe(0);
      expect((await patient.inquire(request.reference)).body.outcome).toBe('approved');
    } finally {
      await patient.stop();
    }
  });

  it('may give up himself', async () => {
    const patient = await RunningAcquirer.start({ SILENCE_MS: '600000' });
    try {
      const request = authorization();
      const signal = AbortSignal.timeout(300);
      const call = patient.fetch('/acquirers/sim/authorizations', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-acquirer-mode': 'timeout_without_effect' },
        body: JSON.stringify(request),
        signal,
      });
      await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
      expect((await patient.inquire(request.reference)).status).toBe(404);
    } finally {
      await patient.stop();
    }
  });
});

describe('an inquiry', () => {
  it('is refused while the acquirer is away, and has modes of its own', async () => {
    const request = authorization();
    await sim.authorize(request);
    await sim.setMode({ mode: 'unavailable' });
    expect((await sim.inquire(request.reference)).status).toBe(503);
    await sim.setMode({ mode: 'declined' });
    expect((await sim.inquire(request.reference)).body.outcome).toBe('approved');
    await sim.setMode({ mode: 'timeout_after_effect', operation: 'inquiry', paymentId: request.paymentId });
    expect((await sim.inquire(request.reference)).status).toBe(0);
    const other = authorization();
    await sim.authorize(other, { mode: 'normal' });
    expect((await sim.inquire(other.reference)).status).toBe(200);
  });
});

describe('steering', () => {
  it('refuses a header that names no mode', async () => {
    const { status, body } = await sim.authorize(undefined, { mode: 'surprise' });
    expect([status, body]).toMatchObject([400, { code: 'invalid_header' }]);
  });

  it.each([
    [{ mode: 'surprise' }],
    [{ mode: 'slow', times: 0 }],
    [{ mode: 'slow', latencyMs: -1 }],
    [{ mode: 'slow', paymentId: "x'; DROP TABLE modes" }],
    [{ mode: 'slow', surprise: 1 }],
    [{}],
  ])('refuses %j', async (body) => {
    expect((await sim.call('POST', '/acquirers/sim/mode', body)).status).toBe(400);
  });

  it('is not there outside demonstrations and tests', async () => {
    const live = await RunningAcquirer.start({ NODE_ENV: 'production', DEMO_MODE: 'false' });
    try {
      expect((await live.setMode({ mode: 'declined' })).status).toBe(404);
      expect((await live.call('GET', '/acquirers/sim/mode')).status).toBe(404);
      expect((await live.call('DELETE', '/acquirers/sim/mode')).status).toBe(404);
      expect((await live.call('POST', '/acquirers/sim/webhooks/replay', { all: true })).status).toBe(404);
      expect((await live.authorize(undefined, { mode: 'declined' })).body.outcome).toBe('approved');
    } finally {
      await live.stop();
    }
  });
});
