import { setTimeout as wait } from 'node:timers/promises';

import { hashOf, type Journal } from './journal.ts';
import type { Operation, OperationKind, Told } from './operation.ts';
import { type Answer, membersOf, type Merchant, type Platform } from './platform.ts';
import type { Random } from './random.ts';

const CARDS_GOOD = ['4242424242424242', '5555555555554444', '378282246310005'] as const;
const CARDS_DECLINED = ['4000000000000002', '4000000000009995', '4000000000000069', '4000000000000119'] as const;
const CURRENCY = 'USD';
/** How long a client repeats before it gives up: longer than any fault of the drill lasts. */
const PATIENCE_MS = 90_000;
const PAUSE_MS_MAX = 2_000;
const SETTLE_POLL_MS = 300;
/** Some clients walk away at the first silence, some send everything twice, some use no keys. */
const IMPATIENT = 0.1;
const DOUBLE_SUBMIT = 0.05;
const WITHOUT_KEY = 0.1;
const DECLINED_CARD = 0.12;

interface Wish {
  readonly kind: OperationKind;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly amount: number;
  readonly paymentId: string | null;
}

/**
 * Clients of several merchants, each with one order after the other: authorize or sell, capture at once or in parts, refund,
 * cancel, read. They behave as the API's documentation tells callers to: after silence they ask again with the same key.
 */
export class Load {
  readonly operations: Operation[] = [];
  /** Reads that showed less than a 2xx had promised before. */
  readonly staleReads: string[] = [];
  private readonly platform: Platform;
  private readonly journal: Journal;
  private readonly merchants: readonly Merchant[];
  private readonly clients: Promise<void>[] = [];
  private resume: (() => void) | undefined;
  private gate: Promise<void> = Promise.resolve();
  private stopped = false;
  private waiting = 0;

  constructor(platform: Platform, journal: Journal, merchants: readonly Merchant[]) {
    this.platform = platform;
    this.journal = journal;
    this.merchants = merchants;
  }

  start(clients: number, random: Random): void {
    for (let index = 0; index < clients; index += 1) this.clients.push(this.client(random.fork()));
  }

  /** Returns when no client has a request in flight: those that wait for a silent acquirer or a repetition finish first. */
  async pause(): Promise<void> {
    if (this.resume === undefined) {
      this.gate = new Promise((resolve) => {
        this.resume = resolve;
      });
    }
    while (!this.stopped && this.waiting < this.clients.length) await wait(50);
  }

  goOn(): void {
    this.resume?.();
    this.resume = undefined;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.goOn();
    await Promise.all(this.clients);
  }

  private async client(random: Random): Promise<void> {
    for (;;) {
      this.waiting += 1;
      await this.gate;
      this.waiting -= 1;
      if (this.stopped) return;
      await this.order(random.pick(this.merchants), random);
      await wait(random.int(0, 150));
    }
  }

  /** The life of one payment. It ends early where the client does not know how things stand. */
  private async order(merchant: Merchant, random: Random): Promise<void> {
    const amount = random.int(10, 500) * 100;
    const sale = random.chance(0.4);
    const paymentId = await this.create(merchant, random, amount, sale);
    if (paymentId === undefined) return;
    const captured = sale ? amount : await this.captureOrCancel(merchant, random, paymentId, amount);
    if (captured === undefined) return;
    await this.read(merchant, paymentId, captured);
    await this.refunds(merchant, random, paymentId, captured);
  }

  /** @returns the payment when it stands as asked for */
  private async create(merchant: Merchant, random: Random, amount: number, sale: boolean): Promise<string | undefined> {
    const declined = random.chance(DECLINED_CARD);
    const number = random.pick(declined ? CARDS_DECLINED : CARDS_GOOD);
    const cvc = number.startsWith('37') ? '1234' : '123';
    const card = { number, expMonth: 12, expYear: 2034, cvc };
    const told = await this.wish(merchant, random, {
      kind: sale ? 'sale' : 'authorize',
      path: '/payments/authorize',
      body: { amount, currency: CURRENCY, paymentMethod: { type: 'card', card }, ...(sale ? { capture: true } : {}) },
      amount,
      paymentId: null,
    });
    if (told.kind !== 'done') return undefined;
    const paymentId = String(told.body['paymentId']);
    const status = told.status === 202 ? await this.settled(merchant, paymentId) : told.body['status'];
    return status === (sale ? 'CAPTURED' : 'AUTHORIZED') ? paymentId : undefined;
  }

  /** @returns how much is captured for certain, or undefined when that is not known, or nothing */
  private async captureOrCancel(
    merchant: Merchant,
    random: Random,
    paymentId: string,
    amount: number,
  ): Promise<number | undefined> {
    if (random.chance(0.15)) {
      await this.change(merchant, random, 'cancel', paymentId, amount, {});
      return undefined;
    }
    if (random.chance(0.5)) {
      return (await this.change(merchant, random, 'capture', paymentId, amount, {})) ? amount : undefined;
    }
    // Different amounts for each request about a payment: what happened can be told apart afterwards.
    const first = Math.floor(amount * 0.3);
    if (!(await this.change(merchant, random, 'capture', paymentId, first, { amount: first, final: false })))
      return undefined;
    const rest = amount - first;
    return (await this.change(merchant, random, 'capture', paymentId, rest, { amount: rest })) ? amount : undefined;
  }

  private async refunds(merchant: Merchant, random: Random, paymentId: string, captured: number): Promise<void> {
    if (!random.chance(0.4)) return;
    const first = Math.floor(captured * 0.2) + 1;
    if (!(await this.change(merchant, random, 'refund', paymentId, first, { amount: first }))) return;
    if (random.chance(0.5)) await this.change(merchant, random, 'refund', paymentId, captured - first, {});
  }

  /** @returns whether it has certainly happened */
  private async change(
    merchant: Merchant,
    random: Random,
    kind: 'capture' | 'refund' | 'cancel',
    paymentId: string,
    amount: number,
    body: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const told = await this.wish(merchant, random, {
      kind,
      path: `/payments/${paymentId}/${kind}`,
      body,
      amount,
      paymentId,
    });
    return told.kind === 'done' && told.status === 200;
  }

  private async wish(merchant: Merchant, random: Random, wish: Wish): Promise<Told> {
    const operation: Operation = {
      operationId: crypto.randomUUID(),
      kind: wish.kind,
      merchantId: merchant.merchantId,
      key: random.chance(WITHOUT_KEY) ? null : crypto.randomUUID(),
      amount: wish.amount,
      paymentId: wish.paymentId,
      told: { kind: 'silence' },
      tries: 0,
      contradiction: null,
    };
    this.operations.push(operation);
    const body = wish.paymentId === null ? { ...wish.body, reference: operation.operationId } : wish.body;
    const text = JSON.stringify(body);
    // Without a key a repetition could be a second effect: a client that sends none must not repeat.
    const patienceMs = operation.key === null || random.chance(IMPATIENT) ? 0 : PATIENCE_MS;
    const answer = await this.untilFinal(merchant, operation, wish.path, text, patienceMs);
    if (answer === undefined) return operation.told;
    operation.told = toldBy(answer);
    if (operation.key !== null && random.chance(DOUBLE_SUBMIT)) {
      const again = await this.send(merchant, operation, wish.path, text);
      if (again !== undefined && isFinal(again) && (again.status !== answer.status || again.text !== answer.text)) {
        operation.contradiction = `first ${answer.status} ${answer.text}, then ${again.status} ${again.text}`;
      }
    }
    return operation.told;
  }

  private async untilFinal(
    merchant: Merchant,
    operation: Operation,
    path: string,
    body: string,
    patienceMs: number,
  ): Promise<Answer | undefined> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const answer = await this.send(merchant, operation, path, body);
      if (answer !== undefined && isFinal(answer)) return answer;
      if (performance.now() >= end) return undefined;
      const asked = Number(answer?.headers.get('retry-after') ?? 0) * 1_000;
      await wait(Math.min(Math.max(asked, 100 * operation.tries), PAUSE_MS_MAX));
    }
  }

  /** @returns undefined for silence */
  private async send(
    merchant: Merchant,
    operation: Operation,
    path: string,
    body: string,
  ): Promise<Answer | undefined> {
    operation.tries += 1;
    const line = {
      operationId: operation.operationId,
      try: operation.tries,
      key: operation.key,
      method: 'POST',
      path,
      bodyHash: hashOf(body),
      startedAt: new Date().toISOString(),
    };
    try {
      const answer = await this.platform.asMerchant(merchant, { method: 'POST', path, key: operation.key, body });
      this.journal.add({
        ...line,
        endedAt: new Date().toISOString(),
        status: answer.status,
        body: membersOf(answer.text),
      });
      return answer;
    } catch (error) {
      const silence = silenceOf(error);
      this.journal.add({ ...line, endedAt: new Date().toISOString(), status: null, body: null, silence });
      return undefined;
    }
  }

  /** The payer's server asks until the acquirer has answered, for a while. */
  private async settled(merchant: Merchant, paymentId: string): Promise<unknown> {
    const end = performance.now() + PATIENCE_MS;
    while (performance.now() < end && !this.stopped) {
      const status = (await this.get(merchant, paymentId))?.['status'];
      if (status !== undefined && status !== 'PROCESSING') return status;
      await wait(SETTLE_POLL_MS);
    }
    return undefined;
  }

  /** Read your own write (spec §2): what a 2xx said is visible to the next read. */
  private async read(merchant: Merchant, paymentId: string, captured: number): Promise<void> {
    const payment = await this.get(merchant, paymentId);
    if (payment === undefined || payment['capturedAmount'] === captured) return;
    this.staleReads.push(`${paymentId}: ${String(payment['capturedAmount'])} instead of ${captured}`);
  }

  private async get(merchant: Merchant, paymentId: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      const answer = await this.platform.asMerchant(merchant, { method: 'GET', path: `/payments/${paymentId}` });
      return answer.status === 200 ? membersOf(answer.text) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Not final: no answer, a failure of theirs, too much at once, or our first try still at work. */
const isFinal = ({ status, text }: Answer): boolean => {
  if (status >= 500 || status === 429 || status === 408 || status === 401) return false;
  const code = membersOf(text)['code'];
  return code !== 'idempotency_key_in_use' && code !== 'concurrent_update';
};

const toldBy = ({ status, text }: Answer): Told => {
  const body = membersOf(text);
  // A refund that the acquirer refused is an answer of status 200: it did not happen, and must not have.
  if ('refundId' in body && body['status'] === 'FAILED') return { kind: 'refused', status, code: 'refund_failed' };
  if (status < 300) return { kind: 'done', status, body };
  return { kind: 'refused', status, code: String(body['code']) };
};

const silenceOf = (error: unknown): string => {
  const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'unknown';
};
