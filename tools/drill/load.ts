import { setTimeout as wait } from 'node:timers/promises';

import type { Clients } from './clients.ts';
import type { Operation, OperationKind, Told } from './operation.ts';
import { type Call, membersOf, type Merchant, type Platform } from './platform.ts';
import type { Random } from './random.ts';
import { PATIENCE_MS, type Requests, toldBy } from './requests.ts';

const CARDS_GOOD = ['4242424242424242', '5555555555554444', '378282246310005'] as const;
const CARDS_DECLINED = ['4000000000000002', '4000000000009995', '4000000000000069', '4000000000000119'] as const;
const CURRENCY = 'USD';
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
  private readonly requests: Requests;
  private readonly merchants: readonly Merchant[];
  private readonly clients: Clients;

  constructor(platform: Platform, requests: Requests, merchants: readonly Merchant[], clients: Clients) {
    this.platform = platform;
    this.requests = requests;
    this.merchants = merchants;
    this.clients = clients;
  }

  start(count: number, random: Random): void {
    this.clients.add(count, random, async (own) => {
      await this.order(own.pick(this.merchants), own);
    });
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
    const as = async (call: Call) => await this.platform.asMerchant(merchant, call);
    const request = { path: wish.path, body: JSON.stringify(body), as };
    // Without a key a repetition could be a second effect: a client that sends none must not repeat.
    const patienceMs = operation.key === null || random.chance(IMPATIENT) ? 0 : PATIENCE_MS;
    const answer = await this.requests.untilFinal(operation, request, patienceMs);
    if (answer === undefined) return operation.told;
    operation.told = toldBy(answer);
    if (operation.key !== null && random.chance(DOUBLE_SUBMIT))
      await this.requests.sendTwice(operation, request, answer);
    return operation.told;
  }

  /** The payer's server asks until the acquirer has answered, for a while. */
  private async settled(merchant: Merchant, paymentId: string): Promise<unknown> {
    const end = performance.now() + PATIENCE_MS;
    while (performance.now() < end && !this.clients.stopped) {
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
