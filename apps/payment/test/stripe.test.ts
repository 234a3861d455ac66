import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { VaultClient } from '@payflow/clients';
import type { Logger } from '@payflow/service';
import { pino } from 'pino';
import { Stripe } from 'stripe';

import { AcquirerHttp } from '../src/clients/acquirer-http.js';
import { CardForwarder } from '../src/clients/card-forwarder.js';
import { StripeAcquirer } from '../src/clients/stripe/stripe-acquirer.js';
import { StripeHttp } from '../src/clients/stripe/stripe-http.js';
import type {
  AuthorizeOperation,
  CaptureOperation,
  Operation,
  Payment,
  RefundOperation,
  VoidOperation,
} from '../src/domain/payment.js';
import { operationOf } from '../src/domain/payment.js';
import type { PaymentConfig } from '../src/payment.config.js';
import {
  attemptId,
  authorizing,
  canceling,
  captureId,
  capturing,
  created,
  given,
  outcome,
  refundId,
  refunding,
  SILENT,
  type Step,
  voidId,
} from './histories.js';
import { StripeFake } from './stripe-fake.js';
import { startStripeMock, type StripeMock } from './stripe-mock.js';
import { VaultRelay } from './vault-relay.js';

const TIMEOUT_MS = 10_000;
const INSTALL_TIMEOUT_MS = 400_000;
const WEBHOOK_SECRET = 'whsec_test';

/** An adapter whose vault fills forms in, in front of whatever speaks as Stripe does. */
class Adapter {
  readonly vault: VaultRelay;
  private readonly http: AcquirerHttp;
  private vaultClient: VaultClient | undefined;
  /** What was logged. */
  readonly lines: string[] = [];

  constructor(private readonly target: string) {
    this.vault = new VaultRelay(() => target);
    this.http = new AcquirerHttp(TIMEOUT_MS, this.logger);
  }

  async open(secretKey = 'sk_test_payflow'): Promise<StripeAcquirer> {
    this.vaultClient ??= new VaultClient({
      url: await this.vault.server.listen(),
      accessToken: () => Promise.resolve('own'),
    });
    const cards = new CardForwarder(this.vaultClient, this.logger, {
      ACQUIRER_TIMEOUT_MS: TIMEOUT_MS,
    } as PaymentConfig);
    const options = {
      secretKey,
      webhookSecret: WEBHOOK_SECRET,
      apiBase: this.target,
      gatewayUrl: 'http://localhost:8080',
      timeoutMs: TIMEOUT_MS,
    };
    return new StripeAcquirer(options, new StripeHttp(this.http, cards), this.logger);
  }

  async close(): Promise<void> {
    await this.vaultClient?.close();
    await this.http.close();
    await this.vault.server.close();
    expect(this.vault.server.violations).toEqual([]);
  }

  private get logger(): Logger {
    const { lines } = this;
    return pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  }
}

const attempting = given(created(), authorizing(false, ['stripe', 'sim']));
const approvedAs = (reference: string) => outcome(attemptId(), { kind: 'approved', acquirerReference: reference });
const authorized = (reference: string, ...steps: readonly Step[]): Payment =>
  given(created(), authorizing(false, ['stripe', 'sim']), approvedAs(reference), ...steps);

const find = <Kind extends Operation['kind']>(
  payment: Payment,
  id: string,
  kind: Kind,
): Extract<Operation, { kind: Kind }> => {
  const operation = operationOf(payment, id);
  if (operation?.kind !== kind) throw new Error(`given: no ${kind} ${id}`);
  return operation as Extract<Operation, { kind: Kind }>;
};
const attemptOf = (payment: Payment): AuthorizeOperation => find(payment, attemptId(), 'authorize');
const captureOf = (payment: Payment, n = 1): CaptureOperation => find(payment, captureId(n), 'capture');
const voidOf = (payment: Payment): VoidOperation => find(payment, voidId(), 'void');
const refundOf = (payment: Payment): RefundOperation => find(payment, refundId(), 'refund');
/** As it is ordered when nobody can wait for the attempt any longer. */
const reversal: VoidOperation = {
  kind: 'void',
  id: voidId(),
  cause: 'timeout',
  reverses: attemptId(),
  reason: null,
  acquirer: 'stripe',
  amountMinor: 1000n,
  state: 'requested',
  unansweredReason: null,
  acquirerReference: null,
  failure: null,
  stuckAt: null,
  startedAt: new Date(),
  finishedAt: null,
};

describe('every call to Stripe has the shape that its API description asks for', () => {
  let mock: StripeMock | undefined;
  let adapter: Adapter | undefined;
  beforeAll(async () => {
    mock = await startStripeMock();
    adapter = mock && new Adapter(mock.url);
  }, INSTALL_TIMEOUT_MS);
  afterAll(async () => {
    await adapter?.close();
    await mock?.stop();
  });

  // It answers with fixtures, which say nothing about our order; what it refuses, it refuses as an invalid request.
  it.each<[string, (stripe: StripeAcquirer) => Promise<unknown>]>([
    ['authorize', async (acquirer) => await acquirer.authorize(attempting, attemptOf(attempting))],
    [
      'capture, more to follow',
      async (acquirer) => {
        const payment = authorized('pi_1', capturing(1, 400n, false));
        return await acquirer.capture(payment, captureOf(payment));
      },
    ],
    [
      'capture, the last',
      async (acquirer) => {
        const payment = authorized('pi_1', capturing(1, null, true));
        return await acquirer.capture(payment, captureOf(payment));
      },
    ],
    [
      'void',
      async (acquirer) => {
        const payment = authorized('pi_1', canceling());
        return await acquirer.void(payment, voidOf(payment));
      },
    ],
    ['reverse', async (acquirer) => await acquirer.reverse(attempting, reversal)],
    [
      'refund',
      async (acquirer) => {
        const payment = authorized(
          'pi_1',
          capturing(1, null, true),
          outcome(captureId(1), { kind: 'approved', acquirerReference: 'pi_1' }),
          refunding(1, 300n),
        );
        return await acquirer.refund(payment, refundOf(payment));
      },
    ],
    ['inquire about an attempt', async (acquirer) => await acquirer.inquire(attempting, attemptOf(attempting))],
    [
      'inquire about a refund',
      async (acquirer) => {
        const payment = authorized(
          'pi_1',
          capturing(1, null, true),
          outcome(captureId(1), { kind: 'approved', acquirerReference: 'pi_1' }),
          refunding(1, 300n),
        );
        return await acquirer.inquire(payment, refundOf(payment));
      },
    ],
  ])('%s', async (_, call) => {
    if (!adapter) return;
    adapter.lines.length = 0;
    await call(await adapter.open('sk_test_123'));
    expect(adapter.lines.filter((line) => line.includes('Stripe'))).toEqual([]);
  });

  it('and one that has not is refused, so that the others mean something', async () => {
    if (!mock) return;
    const response = await fetch(`${mock.url}/v1/payment_intents`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_123' },
      body: new URLSearchParams({ amount: '1000', currency: 'usd', capture_methods: 'manual' }),
    });
    expect(response.status).toBe(400);
  });
});

describe('Stripe', () => {
  let fake: StripeFake;
  let adapter: Adapter;
  let stripe: StripeAcquirer;
  beforeEach(async () => {
    fake = new StripeFake();
    adapter = new Adapter(await fake.listen());
    stripe = await adapter.open();
  });
  afterEach(async () => {
    await adapter.close();
    await fake.close();
  });

  const authorize = async (acquirer = stripe) => await acquirer.authorize(attempting, attemptOf(attempting));
  const idOf = (answer: { readonly kind: string; readonly acquirerReference?: string }): string => {
    expect(answer.kind).toBe('approved');
    return answer.acquirerReference ?? '';
  };

  it('holds, captures in parts, releases the rest and gives back', async () => {
    const intent = idOf(await authorize());
    const first = authorized(intent, capturing(1, 400n, false));
    expect(await stripe.capture(first, captureOf(first))).toMatchObject({ kind: 'approved' });
    expect(await stripe.inquire(first, captureOf(first))).toMatchObject({ kind: 'approved' });
    expect(fake.held(attemptId())).toMatchObject([{ amount_received: 400, amount_capturable: 600 }]);
    const done = authorized(
      intent,
      capturing(1, 400n, false),
      outcome(captureId(1), { kind: 'approved', acquirerReference: intent }),
      canceling(),
    );
    expect(await stripe.inquire(done, voidOf(done))).toEqual({ kind: 'not_found' });
    expect(await stripe.void(done, voidOf(done))).toMatchObject({ kind: 'approved' });
    expect(await stripe.inquire(done, voidOf(done))).toMatchObject({ kind: 'approved' });
    const back = authorized(
      intent,
      capturing(1, 400n, false),
      outcome(captureId(1), { kind: 'approved', acquirerReference: intent }),
      refunding(1, 100n),
    );
    expect(await stripe.inquire(back, refundOf(back))).toEqual({ kind: 'not_found' });
    expect(await stripe.refund(back, refundOf(back))).toMatchObject({
      kind: 'approved',
      acquirerReference: expect.stringMatching(/^re_/),
    });
    expect(await stripe.inquire(back, refundOf(back))).toMatchObject({ kind: 'approved' });
  });

  it('finds a refund behind a hundred others, so that it is not given a second time', async () => {
    const intent = idOf(await authorize());
    const sold = authorized(
      intent,
      capturing(1, null, true),
      outcome(captureId(1), { kind: 'approved', acquirerReference: intent }),
      refunding(1, 1n),
    );
    const first = refundOf(sold);
    for (let n = 1; n <= 101; n += 1)
      expect(await stripe.refund(sold, { ...first, id: refundId(n) })).toMatchObject({ kind: 'approved' });
    expect(await stripe.inquire(sold, first)).toMatchObject({ kind: 'approved' });
  });

  it('says no, by the issuer or because it could not', async () => {
    adapter.vault.number = '4000000000000002';
    expect(await authorize()).toMatchObject({
      kind: 'declined',
      declineCode: 'generic_decline',
      adviceCode: 'try_again_later',
      technical: false,
    });
  });

  it('could not process it, which is no answer of an issuer', async () => {
    adapter.vault.number = '4000000000000119';
    expect(await authorize()).toMatchObject({ kind: 'declined', declineCode: 'processing_error', technical: true });
  });

  it('asks the payer, and goes on when he comes back', async () => {
    fake.next('challenge');
    expect(await authorize()).toMatchObject({ kind: 'action_required', url: 'https://hooks.stripe.com/3ds/1' });
    fake.finishChallenge(attemptId());
    expect(await stripe.inquire(attempting, attemptOf(attempting))).toMatchObject({ kind: 'approved' });
  });

  it('is unknown after silence with effect, is found, and a repetition holds nothing twice', async () => {
    fake.next('silent after effect');
    expect(await authorize()).toEqual({ kind: 'unanswered', reason: 'no_answer' });
    const after = await adapter.open();
    expect(await after.inquire(attempting, attemptOf(attempting))).toMatchObject({ kind: 'approved' });
    // Another payment method, the same key: Stripe refuses, and its first answer is looked up.
    expect(await authorize(await adapter.open())).toMatchObject({ kind: 'approved' });
    expect(fake.held(attemptId())).toHaveLength(1);
  });

  it.each([
    ['is found', false, { kind: 'approved' }],
    ['cannot be found yet', true, { kind: 'unanswered', reason: 'acquirer_conflict' }],
  ] as const)(
    'says no to a card that has expired since, which is no answer about a first try that %s',
    async (_what, searchIsBehind, expected) => {
      fake.next('silent after effect');
      expect(await authorize()).toEqual({ kind: 'unanswered', reason: 'no_answer' });
      fake.refusesCards = true;
      fake.searchIsBehind = searchIsBehind;
      const silent = given(created(), authorizing(), outcome(attemptId(), SILENT));
      const after = await adapter.open();
      expect(await after.authorize(silent, attemptOf(silent))).toMatchObject(expected);
      expect(fake.held(attemptId())).toHaveLength(1);
    },
  );

  it('says no at once to a card that has expired', async () => {
    fake.refusesCards = true;
    expect(await authorize()).toMatchObject({ kind: 'declined', declineCode: 'expired_card' });
  });

  it('is unknown after silence without effect, is not found, and is sent once', async () => {
    fake.next('silent without effect');
    expect(await authorize()).toEqual({ kind: 'unanswered', reason: 'no_answer' });
    expect(await stripe.inquire(attempting, attemptOf(attempting))).toEqual({ kind: 'not_found' });
    expect(await authorize()).toMatchObject({ kind: 'approved' });
    expect(fake.held(attemptId())).toHaveLength(1);
  });

  it.each([
    ['error', { kind: 'unanswered', reason: 'acquirer_error' }],
    ['busy', { kind: 'not_sent', reason: 'acquirer_busy' }],
  ] as const)('%s', async (mood, expected) => {
    fake.next(mood);
    expect(await authorize()).toEqual(expected);
  });

  it('does not know us by a wrong key: nothing was sent, and the log says so without the key', async () => {
    const stranger = await adapter.open('sk_test_wrong');
    expect(await authorize(stranger)).toEqual({ kind: 'not_sent', reason: 'acquirer_refused' });
    const log = adapter.lines.join('\n');
    expect(log).toContain('refuses access');
    expect(log).not.toMatch(/sk_test|whsec|4242424242424242/);
  });

  it('takes an attempt back that it has never seen, and refuses it when it comes later', async () => {
    expect(await stripe.reverse(attempting, reversal)).toMatchObject({ kind: 'approved' });
    expect(await authorize(await adapter.open())).toMatchObject({ kind: 'declined', declineCode: 'reversed' });
    expect(fake.held(attemptId())).toEqual([]);
  });

  it('takes an attempt back that it approved in silence, once', async () => {
    fake.next('silent after effect');
    await authorize();
    const after = await adapter.open();
    expect(await after.reverse(attempting, reversal)).toMatchObject({ kind: 'approved' });
    expect(await after.reverse(attempting, reversal)).toMatchObject({ kind: 'approved' });
    expect(fake.held(attemptId())).toEqual([]);
  });

  it('takes an attempt back that it approved so long ago that its key is forgotten', async () => {
    await authorize();
    fake.forgetKeys();
    const after = await adapter.open();
    expect(await after.reverse(attempting, reversal)).toMatchObject({ kind: 'approved' });
    expect(fake.held(attemptId())).toEqual([]);
  });

  it('had approved what was given back since: that is no contradiction', async () => {
    const intent = idOf(await authorize());
    const held = authorized(intent, canceling());
    expect(await stripe.void(held, voidOf(held))).toMatchObject({ kind: 'approved' });
    expect(await stripe.inquire(held, attemptOf(held))).toEqual({ kind: 'approved', acquirerReference: intent });
  });

  it('says nothing of an attempt whose key is taken and that cannot be found yet', async () => {
    fake.next('silent after effect');
    await authorize();
    fake.searchIsBehind = true;
    const after = await adapter.open();
    expect(await after.reverse(attempting, reversal)).toEqual({ kind: 'unanswered', reason: 'acquirer_conflict' });
    expect(await authorize(await adapter.open())).toEqual({ kind: 'unanswered', reason: 'acquirer_conflict' });
    fake.searchIsBehind = false;
    expect(await after.reverse(attempting, reversal)).toMatchObject({ kind: 'approved' });
  });

  it('cannot take back what was captured', async () => {
    const intent = idOf(await authorize());
    const sold = authorized(intent, capturing(1, null, true));
    await stripe.capture(sold, captureOf(sold));
    expect(await stripe.reverse(attempting, reversal)).toMatchObject({ kind: 'declined', declineCode: 'captured' });
  });

  describe('tells by webhook', () => {
    const signed = (payload: string, secret = WEBHOOK_SECRET) => ({
      headers: { 'stripe-signature': new Stripe('sk_test_x').webhooks.generateTestHeaderString({ payload, secret }) },
      body: Buffer.from(payload),
    });
    const event = (type: string, object: unknown): string =>
      JSON.stringify({ id: 'evt_1', object: 'event', type, data: { object } });
    const news = event('payment_intent.succeeded', {
      id: 'pi_9',
      object: 'payment_intent',
      metadata: { payflow_reference: attemptId() },
    });

    it('about which of our orders there is news', () => {
      expect(stripe.parseWebhook(signed(news))).toEqual({ kind: 'news', webhookId: 'evt_1', operationId: attemptId() });
    });

    it.each([
      ['signed with another secret', signed(news, 'whsec_other')],
      ['changed after it was signed', { ...signed(news), body: Buffer.from(news.replace('pi_9', 'pi_8')) }],
      ['not signed', { headers: {}, body: Buffer.from(news) }],
    ])('and is not believed when it is %s', (_, request) => {
      expect(stripe.parseWebhook(request)).toEqual({ kind: 'not_authentic', reason: 'the signature does not fit' });
    });

    it.each([
      ['customer.created', { id: 'cus_1', object: 'customer', metadata: { payflow_reference: attemptId() } }],
      ['payment_intent.succeeded', { id: 'pi_9', object: 'payment_intent', metadata: {} }],
    ])('%s of no order of ours is ignored', (type, object) => {
      expect(stripe.parseWebhook(signed(event(type, object)))).toEqual({
        kind: 'ignored',
        webhookId: 'evt_1',
        reason: type,
      });
    });
  });
});
