import { minorToJson } from '@payflow/kernel';

import type { Called } from '../network.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { Webhook } from './payment.ts';

export type AcquirerRequest =
  | { readonly type: 'authorize'; readonly reference: string; readonly amountMinor: bigint; readonly currency: string }
  | {
      readonly type: 'capture' | 'refund' | 'void';
      readonly reference: string;
      readonly authorizationId: string;
      readonly amountMinor: bigint;
      readonly final: boolean;
      readonly currency: string;
    }
  | {
      readonly type: 'reverse';
      readonly reference: string;
      readonly originalReference: string;
      readonly amountMinor: bigint;
      readonly currency: string;
    }
  | { readonly type: 'inquire'; readonly reference: string };

export interface AcquirerAnswer {
  readonly status: number;
  readonly body: unknown;
}

type Outcome = 'approved' | 'declined' | 'pending' | 'action_required';

/** A line of the acquirer's book: what was asked under a reference, and how it stands. */
export interface BookLine {
  readonly reference: string;
  readonly operation: 'authorize' | 'capture' | 'void' | 'refund';
  readonly amountAskedMinor: bigint;
  readonly currency: string;
  readonly createdAt: string;
  amountMinor: bigint;
  outcome: Outcome;
  authorizationId: string | null;
  technical: boolean;
  declineCode: string | undefined;
  /** Whether it has ever said no: it may take that back. */
  wasDeclined: boolean;
  actionExpiresAt: string | undefined;
}

/** What is held under an approved authorization, and what was taken of it. */
export interface Held {
  readonly authorizationId: string;
  readonly reference: string;
  readonly currency: string;
  readonly amountMinor: bigint;
  capturedMinor: bigint;
  refundedMinor: bigint;
  closed: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const CHALLENGE_MS = 15 * MINUTE;
const WEBHOOK_TIMEOUT_MS = 10 * SECOND;
const WEBHOOK_TRIES_MAX = 40;

/**
 * An acquirer with a book of its own. A reference is one operation for ever; a reversal is honoured before the request it
 * reverses. It may be silent before or after the effect, slow, undecided, half-hearted, or change its mind.
 */
export class Acquirer {
  readonly name: string;
  readonly book = new Map<string, BookLine>();
  readonly held = new Map<string, Held>();
  private readonly reversed = new Set<string>();
  private readonly silentUntilMs = new Map<string, number>();
  private unreachableUntilMs = 0;
  private toldCount = 0;
  private readonly world: World;
  private readonly random: Random;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
    this.random = world.random.stream(`acquirer ${name}`);
  }

  /** Whether one can connect to it just now. */
  isReachable(): boolean {
    const { faults, scheduler } = this.world;
    if (faults.strikes('acquirer_unreachable'))
      this.unreachableUntilMs = scheduler.nowMs + faults.detail('acquirer_unreachable').between(5 * SECOND, 3 * MINUTE);
    return scheduler.nowMs >= this.unreachableUntilMs;
  }

  receive(request: AcquirerRequest, reply: (answer: AcquirerAnswer) => void): void {
    const { faults, scheduler } = this.world;
    const { reference } = request;
    if (scheduler.nowMs < (this.silentUntilMs.get(reference) ?? 0)) return;
    if (request.type === 'inquire') {
      const line = this.book.get(reference);
      reply(line === undefined ? { status: 404, body: {} } : answerOf(line));
      return;
    }
    const known = this.book.get(reference);
    if (known !== undefined) {
      reply(answerOf(known));
      return;
    }
    if (faults.strikes('acquirer_silent_for_days'))
      this.silentUntilMs.set(
        reference,
        scheduler.nowMs + faults.detail('acquirer_silent_for_days').between(6 * HOUR, 120 * HOUR),
      );
    if (faults.strikes('acquirer_silent_before')) return;
    if (faults.strikes('acquirer_error_before')) {
      reply({ status: 503, body: {} });
      return;
    }
    const line = this.decide(request);
    line.wasDeclined = line.outcome === 'declined';
    this.book.set(reference, line);
    if (scheduler.nowMs < (this.silentUntilMs.get(reference) ?? 0)) return;
    if (faults.strikes('acquirer_silent_after')) return;
    reply(faults.strikes('acquirer_error_after') ? { status: 500, body: {} } : answerOf(line));
  }

  private decide(request: Exclude<AcquirerRequest, { type: 'inquire' }>): BookLine {
    switch (request.type) {
      case 'authorize':
        return this.authorize(request);
      case 'reverse':
        return this.reverse(request);
      case 'capture':
      case 'refund':
      case 'void':
        return this.change(request);
    }
  }

  private line(
    request: { readonly reference: string; readonly amountMinor: bigint; readonly currency: string },
    operation: BookLine['operation'],
    outcome: Outcome,
    authorizationId: string | null,
    declineCode?: string,
  ): BookLine {
    const { reference, amountMinor, currency } = request;
    return {
      reference,
      operation,
      amountAskedMinor: amountMinor,
      currency,
      createdAt: this.world.dateOf(this.world.scheduler.nowMs).toISOString(),
      amountMinor,
      outcome,
      authorizationId,
      technical: false,
      declineCode,
      wasDeclined: false,
      actionExpiresAt: undefined,
    };
  }

  private authorize(request: Extract<AcquirerRequest, { type: 'authorize' }>): BookLine {
    const { faults, scheduler } = this.world;
    if (this.reversed.has(request.reference)) return this.line(request, 'authorize', 'declined', null, 'reversed');
    const line = this.line(request, 'authorize', 'declined', null, 'generic_decline');
    if (faults.strikes('acquirer_decline')) return line;
    if (faults.strikes('acquirer_technical')) {
      line.technical = true;
      return line;
    }
    if (faults.strikes('acquirer_late_success')) {
      line.technical = faults.detail('acquirer_late_success').chance(0.5);
      this.later('acquirer_late_success', [SECOND, 30 * HOUR], line, () => {
        if (this.reversed.has(line.reference)) return false;
        this.approve(line, line.amountAskedMinor);
        return true;
      });
      return line;
    }
    if (faults.strikes('acquirer_pending')) {
      line.outcome = 'pending';
      line.declineCode = undefined;
      this.later('acquirer_pending', [SECOND, 12 * HOUR], line, () => this.settle(line));
      return line;
    }
    if (faults.strikes('acquirer_challenge')) {
      line.outcome = 'action_required';
      line.declineCode = undefined;
      line.actionExpiresAt = this.world.dateOf(scheduler.nowMs + CHALLENGE_MS).toISOString();
      if (!faults.strikes('acquirer_challenge_abandoned'))
        this.later('acquirer_challenge', [2 * SECOND, 2 * CHALLENGE_MS], line, () => this.settle(line));
      return line;
    }
    if (faults.strikes('acquirer_partial') && request.amountMinor > 1n) {
      this.approve(line, request.amountMinor / 2n);
      return line;
    }
    this.approve(line, request.amountMinor);
    return line;
  }

  private settle(line: BookLine): boolean {
    if (line.outcome !== 'pending' && line.outcome !== 'action_required') return false;
    if (this.random.chance(0.7)) this.approve(line, line.amountAskedMinor);
    else {
      line.outcome = 'declined';
      line.wasDeclined = true;
      line.declineCode = 'authentication_failed';
    }
    return true;
  }

  private approve(line: BookLine, amountMinor: bigint): void {
    const authorizationId = `auth_${this.name}_${this.held.size + 1}`;
    line.outcome = 'approved';
    line.declineCode = undefined;
    line.technical = false;
    line.authorizationId = authorizationId;
    line.amountMinor = amountMinor;
    this.held.set(authorizationId, {
      authorizationId,
      reference: line.reference,
      currency: line.currency,
      amountMinor,
      capturedMinor: 0n,
      refundedMinor: 0n,
      closed: false,
    });
  }

  /** Undoes what the original asked for, whether or not it has been seen. */
  private reverse(request: Extract<AcquirerRequest, { type: 'reverse' }>): BookLine {
    const original = this.book.get(request.originalReference);
    const authorizationId = original?.authorizationId ?? null;
    const held = authorizationId === null ? undefined : this.held.get(authorizationId);
    if (held !== undefined && held.capturedMinor > 0n)
      return this.line(request, 'void', 'declined', authorizationId, 'captured');
    this.reversed.add(request.originalReference);
    if (held !== undefined) held.closed = true;
    else if (original !== undefined && original.outcome !== 'declined') {
      original.outcome = 'declined';
      original.wasDeclined = true;
      original.declineCode = 'reversed';
    }
    return this.line(request, 'void', 'approved', authorizationId ?? `none_${request.originalReference}`);
  }

  private change(request: Extract<AcquirerRequest, { type: 'capture' | 'refund' | 'void' }>): BookLine {
    const { type, authorizationId, amountMinor, final } = request;
    const held = this.held.get(authorizationId);
    const no = (code: string): BookLine => this.line(request, type, 'declined', authorizationId, code);
    if (held === undefined) return no('unknown_authorization');
    const leftMinor = held.amountMinor - held.capturedMinor;
    const yes = this.line(request, type, 'approved', authorizationId);
    switch (type) {
      case 'capture':
        if (held.closed || amountMinor > leftMinor) return no('capture_exceeds_authorization');
        held.capturedMinor += amountMinor;
        held.closed = final || held.capturedMinor === held.amountMinor;
        return yes;
      case 'void':
        if (held.closed) return no('authorization_closed');
        held.closed = true;
        yes.amountMinor = leftMinor;
        return yes;
      case 'refund':
        if (amountMinor > held.capturedMinor - held.refundedMinor) return no('refund_exceeds_capture');
        return this.refund(yes, held);
    }
  }

  private refund(line: BookLine, held: Held): BookLine {
    const { faults } = this.world;
    held.refundedMinor += line.amountMinor;
    const takeBack = (): boolean => {
      if (line.outcome === 'declined') return false;
      line.outcome = 'declined';
      line.declineCode = 'account_closed';
      held.refundedMinor -= line.amountMinor;
      return true;
    };
    if (faults.strikes('acquirer_refund_fails_later'))
      this.later('acquirer_refund_fails_later', [SECOND, 30 * HOUR], line, takeBack);
    if (faults.strikes('acquirer_pending')) {
      line.outcome = 'pending';
      this.later('acquirer_pending', [SECOND, 12 * HOUR], line, () => {
        if (line.outcome !== 'pending') return false;
        if (this.random.chance(0.3)) return takeBack();
        line.outcome = 'approved';
        return true;
      });
    }
    return line;
  }

  /** Something changes by itself, and a webhook tells of it. */
  private later(
    kind: 'acquirer_late_success' | 'acquirer_pending' | 'acquirer_challenge' | 'acquirer_refund_fails_later',
    range: readonly [number, number],
    line: BookLine,
    change: () => boolean,
  ): void {
    const { scheduler, faults } = this.world;
    const detail = faults.detail(kind);
    const delayMs = detail.chance(0.5) ? detail.between(range[0], range[0] * 20) : detail.between(...range);
    if (detail.chance(0.3)) this.tell(line);
    scheduler.after(delayMs, `${this.name} changes its mind`, () => {
      if (change()) this.tell(line);
    });
  }

  private tell(line: BookLine): void {
    const { faults, scheduler } = this.world;
    this.toldCount += 1;
    const webhook = {
      kind: 'webhook',
      acquirer: this.name,
      webhookId: `${this.name} ${this.toldCount}`,
      operationId: line.reference,
    } as const;
    const deliveries = faults.strikes('webhook_twice') ? 1 + faults.detail('webhook_twice').below(4) : 1;
    for (let copy = 0; copy < deliveries; copy += 1) {
      const late = faults.strikes('webhook_late');
      const delayMs = late ? faults.detail('webhook_late').between(SECOND, 26 * HOUR) : this.random.between(1, 50);
      scheduler.after(delayMs, 'webhook is sent', () => {
        this.deliver(webhook, 1);
      });
    }
  }

  private deliver(webhook: Webhook, attempt: number): void {
    const { scheduler } = this.world;
    this.world
      .callPayment('webhook', webhook, WEBHOOK_TIMEOUT_MS)
      .onSettled((called: Called<{ readonly status: number }>) => {
        if ((called.kind === 'answer' && called.answer.status < 500) || attempt === WEBHOOK_TRIES_MAX) return;
        scheduler.after(Math.min(HOUR, SECOND * 2 ** attempt), 'webhook is sent again', () => {
          this.deliver(webhook, attempt + 1);
        });
      });
  }
}

const operationOf = (line: BookLine) => ({
  reference: line.reference,
  operation: line.operation,
  outcome: line.outcome,
  authorizationId: line.authorizationId,
  amount: minorToJson(line.amountMinor),
  currency: line.currency,
  ...(line.technical ? { technical: true } : {}),
  ...(line.actionExpiresAt === undefined
    ? {}
    : {
        action: {
          type: 'redirect',
          url: `https://acquirer.example/challenges/${line.reference}`,
          expiresAt: line.actionExpiresAt,
        },
      }),
  ...(line.declineCode === undefined ? {} : { declineCode: line.declineCode }),
  message: line.outcome,
  createdAt: line.createdAt,
});

const answerOf = (line: BookLine): AcquirerAnswer => ({ status: 200, body: operationOf(line) });
