import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@payflow/testing';

import {
  authorization,
  type AuthorizationRequest,
  cardNumbered,
  RunningAcquirer,
  WEBHOOK_SECRET,
  WebhookReceiver,
} from './running-acquirer.js';

const PUBLIC_URL = 'http://simulator.example';
const CHALLENGED = '4000002500003155';
let sim: RunningAcquirer;
let receiver: WebhookReceiver;

beforeAll(async () => {
  receiver = await WebhookReceiver.open();
  sim = await RunningAcquirer.start({
    PUBLIC_URL,
    WEBHOOK_URL: `${receiver.url}/{acquirer}`,
    WEBHOOK_SECRETS: JSON.stringify({ sim: WEBHOOK_SECRET }),
  });
});
afterAll(async () => {
  await sim.stop();
  await receiver.close();
});

/** An authorization that waits for its payer, and the address of its page. */
const challenged = async (
  over: Record<string, unknown> = {},
): Promise<{ readonly request: AuthorizationRequest; readonly path: string }> => {
  const request = authorization({ card: cardNumbered(CHALLENGED), ...over });
  const { body } = await sim.authorize(request);
  expect(body).toMatchObject({ outcome: 'action_required', authorizationId: null });
  return { request, path: pathOf(body.action?.url) };
};

const pathOf = (url: string | undefined): string => {
  expect(url).toMatch(new RegExp(`^${PUBLIC_URL}/acquirers/sim/challenges/[\\w-]{32}$`));
  return (url ?? '').slice(PUBLIC_URL.length);
};

const choose = async (path: string, choice: string): Promise<Response> =>
  await sim.fetch(path, { method: 'POST', body: new URLSearchParams({ choice }) });

describe('a 3-D Secure challenge', () => {
  it('shows the payer what he is to confirm, with two buttons and no script', async () => {
    const { path } = await challenged({ amount: 123_456, currency: 'JPY', statementDescriptor: 'Shoes & <Socks>' });
    const response = await sim.fetch(path);
    const html = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const text of ['<html lang="en">', '<main>', 'JPY 123456', '•••• 3155', 'Shoes &amp; &lt;Socks&gt;'])
      expect(html).toContain(text);
    expect(html.match(/<button [^>]*>\w+/g)).toHaveLength(2);
    expect(html).toMatch(/>Complete<.*>Fail</s);
    expect(html).not.toMatch(/<script|4000002500/);
  });

  it.each([
    ['complete', 'approved', undefined],
    ['fail', 'declined', 'authentication_failed'],
  ])('that the payer lets %s ends %s, leads him back, and tells by webhook', async (choice, outcome, declineCode) => {
    const { request, path } = await challenged({ returnUrl: 'https://shop.example/back?order=7' });
    const response = await choose(path, choice);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`https://shop.example/back?order=7&paymentId=${request.paymentId}`);
    // The result is in the book before he is back.
    const { body } = await sim.inquire(request.reference);
    expect(body).toMatchObject({ outcome, ...(declineCode === undefined ? {} : { declineCode }) });
    expect(body.action).toBeUndefined();
    await eventually(() => expect(receiver.of(request.reference)).toHaveLength(1));
    expect(receiver.of(request.reference)[0]?.parsed.data).toEqual(body);
    expect(receiver.of(request.reference)[0]?.path).toBe('/sim');
  });

  it('leads to the origin of the return address only, as far as the browser is asked', async () => {
    const { path } = await challenged({ returnUrl: 'https://shop.example/back' });
    const policy = (await sim.fetch(path)).headers.get('content-security-policy');
    expect(policy).toContain("form-action 'self' https://shop.example;");
  });

  it('without a return address ends on a plain page', async () => {
    const { path } = await challenged();
    const response = await choose(path, 'complete');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('The payment is confirmed.');
  });

  it('is decided once, however often and however the payer chooses', async () => {
    const { request, path } = await challenged();
    await Promise.all(Array.from({ length: 10 }, async () => await choose(path, 'complete')));
    expect((await choose(path, 'fail')).status).toBe(200);
    expect((await sim.inquire(request.reference)).body.outcome).toBe('approved');
    const results = await sim.sql('SELECT FROM operation_results WHERE reference = $1', [request.reference]);
    expect(results).toHaveLength(2);
    expect(await (await sim.fetch(path)).text()).toContain('The payment is confirmed.');
  });

  it('that the card lets fail is declined whatever the payer does', async () => {
    const { request, path } = await challenged({ card: cardNumbered('4000009900000103') });
    await choose(path, 'complete');
    expect((await sim.inquire(request.reference)).body).toMatchObject({
      outcome: 'declined',
      declineCode: 'authentication_failed',
    });
  });

  it('keeps its address for whoever asks again', async () => {
    const { request, path } = await challenged();
    expect((await sim.authorize(request)).body.action?.url).toBe(PUBLIC_URL + path);
    expect((await sim.inquire(request.reference)).body.action?.url).toBe(PUBLIC_URL + path);
  });

  it.each(['', 'surprise'])('takes no other choice (%s)', async (choice) => {
    const { request, path } = await challenged();
    expect((await choose(path, choice)).status).toBe(400);
    expect((await sim.inquire(request.reference)).body.outcome).toBe('action_required');
  });

  it('is not found by guessing', async () => {
    expect((await sim.fetch(`/acquirers/sim/challenges/${'x'.repeat(32)}`)).status).toBe(404);
    const { path } = await challenged();
    expect((await sim.fetch(path.replace('/sim/', '/sim2/'))).status).toBe(404);
  });
});

describe('a challenge whose time is over', () => {
  let hasty: RunningAcquirer;
  beforeEach(async () => {
    hasty = await RunningAcquirer.start({ CHALLENGE_LIFETIME_SECONDS: '1', PUBLIC_URL });
  });
  afterEach(async () => {
    await hasty.stop();
  });

  it('is declined, and choosing then changes nothing', async () => {
    const request = authorization({ card: cardNumbered(CHALLENGED) });
    const path = pathOf((await hasty.authorize(request)).body.action?.url);
    await eventually(async () =>
      expect((await hasty.inquire(request.reference)).body).toMatchObject({
        outcome: 'declined',
        declineCode: 'challenge_expired',
      }),
    );
    const response = await hasty.fetch(path, { method: 'POST', body: new URLSearchParams({ choice: 'complete' }) });
    expect(response.status).toBe(200);
    expect((await hasty.inquire(request.reference)).body.declineCode).toBe('challenge_expired');
  });
});

describe('a payment at the bank', () => {
  const redirected = async (
    over: Record<string, unknown> = {},
  ): Promise<{ readonly request: AuthorizationRequest; readonly path: string }> => {
    const { card: _card, ...request } = authorization();
    const sent = { ...request, returnUrl: 'https://shop.example/back', ...over } as AuthorizationRequest;
    const { status, body } = await sim.call('POST', '/acquirers/sim/redirects', sent);
    expect([status, body.outcome]).toEqual([201, 'action_required']);
    return { request: sent, path: pathOf(body.action?.url) };
  };

  it('shows the page of the bank', async () => {
    const { path } = await redirected({ bank: 'Alpenbank' });
    const html = await (await sim.fetch(path)).text();
    expect(html).toMatch(/Alpenbank/);
    expect(html).toMatch(/>Approve<.*>Reject</s);
  });

  it('is an authorization like any other once the payer approves', async () => {
    const { request, path } = await redirected();
    expect((await choose(path, 'complete')).headers.get('location')).toContain(`paymentId=${request.paymentId}`);
    const { body } = await sim.inquire(request.reference);
    expect(body.outcome).toBe('approved');
    expect((await sim.change(body.authorizationId ?? '', 'captures')).body.outcome).toBe('approved');
    expect((await sim.change(body.authorizationId ?? '', 'refunds')).body.outcome).toBe('approved');
    const [line] = await sim.bookOf({ reference: request.reference });
    expect(line).toMatchObject({ cardBin: null, cardLast4: null, paymentId: request.paymentId });
  });

  it('is declined when he rejects', async () => {
    const { request, path } = await redirected();
    await choose(path, 'fail');
    expect((await sim.inquire(request.reference)).body.declineCode).toBe('rejected_by_payer');
  });

  it('is asked for once under its reference', async () => {
    const { request } = await redirected();
    expect((await sim.call('POST', '/acquirers/sim/redirects', request)).replayed).toBe(true);
    const other = await sim.call('POST', '/acquirers/sim/redirects', { ...request, amount: 7 });
    expect(other.status).toBe(409);
  });
});
