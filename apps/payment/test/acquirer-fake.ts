import { randomUUID } from 'node:crypto';

import {
  acquirerAmountRequestSchema,
  acquirerAuthorizationRequestSchema,
  acquirerReversalRequestSchema,
  type AcquirerOperation,
  acquirerVoidRequestSchema,
} from '@payflow/contracts';

import { ContractServer, type Reply, type Request } from './contract-server.js';
import { DisputesFake } from './disputes-fake.js';

type Operation = AcquirerOperation['operation'];

interface Held {
  readonly currency: string;
  readonly amount: number;
  captured: number;
  refunded: number;
  closed: boolean;
}

/** What the acquirer does with the next request of an operation, instead of obeying. */
export type Mood =
  | 'decline'
  | 'technical decline'
  | 'part'
  | 'challenge'
  | 'silent after effect'
  | 'silent without effect'
  | 'server error'
  | 'nonsense'
  | 'pending'
  | 'busy';

/** Test cards by what becomes of them. */
export const CARDS = {
  good: '4242424242424242',
  declined: '4000000000000002',
  insufficientFunds: '4000000000009995',
} as const;
const DECLINES: Readonly<Record<string, string>> = {
  [CARDS.declined]: 'generic_decline',
  [CARDS.insufficientFunds]: 'insufficient_funds',
};

/** An acquirer as the contract has it: idempotent by our reference, with a book of its own to count in. */
export class AcquirerFake {
  readonly server = new ContractServer((request) => this.handle(request));
  readonly disputes = new DisputesFake(this.server);
  /** Every reference in the order of arrival, repetitions included. */
  readonly arrivals: string[] = [];
  private readonly book = new Map<string, AcquirerOperation>();
  private readonly authorizations = new Map<string, Held>();
  private readonly moods: Partial<Record<Operation | 'inquiry', Mood[]>> = {};
  /** The references that were asked about, in the order of asking. */
  readonly inquiries: string[] = [];
  private readonly reversed = new Set<string>();
  /** How long the payer has for a challenge. */
  challengeMs = 600_000;
  private gate:
    | { readonly operation: Operation | 'inquiry'; readonly opened: Promise<void>; readonly arrived: () => void }
    | undefined;

  /** The next requests of this operation meet these moods, one each. */
  next(operation: Operation | 'inquiry', ...moods: readonly Mood[]): void {
    this.moods[operation] = [...(this.moods[operation] ?? []), ...moods];
  }

  /** Lets the next request of this operation take effect and wait. `arrived` tells when it did, `open` lets the answer go. */
  hold(operation: Operation | 'inquiry'): { readonly arrived: Promise<void>; readonly open: () => void } {
    const opened = signal();
    const arrived = signal();
    this.gate = { operation, opened: opened.given, arrived: arrived.give };
    return { arrived: arrived.given, open: opened.give };
  }

  /** What the book says was done for a payment's operations; declined ones move nothing. */
  approved(operation: Operation, references: readonly string[]): readonly AcquirerOperation[] {
    return references.flatMap((reference) => {
      const line = this.book.get(reference);
      return line?.operation === operation && line.outcome === 'approved' ? [line] : [];
    });
  }

  arrivalsOf(reference: string): number {
    return this.arrivals.filter((arrival) => arrival === reference).length;
  }

  /** The vault hands authorizations in here, with the card filled in. */
  async authorize(body: unknown, idempotencyKey: string | undefined): Promise<Reply> {
    const parsed = acquirerAuthorizationRequestSchema.safeParse(body);
    if (!parsed.success) return this.server.violation(`authorization: ${parsed.error.message}`);
    const { reference, amount, currency, card } = parsed.data;
    if (idempotencyKey !== reference) return this.server.violation('the idempotency key is not the reference');
    return await this.once({ reference, operation: 'authorize', amount, currency }, () => {
      const declineCode = DECLINES[card.number];
      if (declineCode !== undefined) return { declineCode, authorizationId: null };
      if (this.reversed.has(reference)) return { declineCode: 'reversed', authorizationId: null };
      return { authorizationId: this.open({ currency, amount }) };
    });
  }

  /** What the acquirer decides by itself, later: the end of what was pending, a refund that comes back. */
  decide(reference: string, outcome: 'approved' | 'declined', authorizationId: string | null = null): void {
    const line = this.book.get(reference);
    if (!line) throw new Error(`given: ${reference} is not in the book`);
    const { action: _action, ...rest } = line;
    const id =
      line.authorizationId ?? authorizationId ?? (line.operation === 'authorize' ? this.open(line) : 'sim_late');
    this.book.set(reference, {
      ...rest,
      outcome,
      authorizationId: outcome === 'approved' ? id : line.authorizationId,
      ...(outcome === 'declined' ? { declineCode: 'processing_error' } : {}),
    });
  }

  /** Authorizations under which something is held now. */
  held(references: readonly string[]): readonly string[] {
    return references.filter((reference) => {
      const held = this.authorizations.get(this.book.get(reference)?.authorizationId ?? '');
      return held !== undefined && !held.closed;
    });
  }

  /** The authorization that the acquirer gave for a reference. */
  authorizationOf(reference: string): string {
    const id = this.book.get(reference)?.authorizationId;
    if (id == null) throw new Error(`given: ${reference} is not authorized`);
    return id;
  }

  private open({ currency, amount }: Pick<AcquirerOperation, 'currency' | 'amount'>): string {
    const authorizationId = `sim_${randomUUID()}`;
    this.authorizations.set(authorizationId, { currency, amount, captured: 0, refunded: 0, closed: false });
    return authorizationId;
  }

  private async handle(request: Request): Promise<Reply> {
    const asked = /^\/acquirers\/sim\/operations\/([^/]+)$/.exec(request.path)?.[1];
    if (request.method === 'GET' && asked !== undefined) return await this.inquiry(asked);
    if (request.path.startsWith('/acquirers/sim/disputes')) return this.disputes.handle(request);
    if (request.method === 'POST' && request.path === '/acquirers/sim/reversals') return await this.reversal(request);
    return await this.followUp(request);
  }

  private async inquiry(reference: string): Promise<Reply> {
    this.inquiries.push(reference);
    const mood = this.moods['inquiry']?.shift();
    const line = this.book.get(reference);
    await this.passGate('inquiry');
    if (mood === 'silent after effect' || mood === 'silent without effect') return 'silence';
    if (mood === 'server error') return { status: 500, body: {} };
    return line ? { status: 200, body: line } : { status: 404, body: {} };
  }

  /** Nothing is held under the reference any more, and nothing will be. */
  private async reversal(request: Request): Promise<Reply> {
    const parsed = acquirerReversalRequestSchema.safeParse(request.body);
    if (!parsed.success) return this.server.violation(`reversal: ${parsed.error.message}`);
    const { reference, originalReference, amount, currency } = parsed.data;
    if (request.headers['idempotency-key'] !== reference)
      return this.server.violation('the idempotency key is not the reference');
    return await this.once({ reference, operation: 'void', amount, currency }, () => {
      const authorizationId = this.book.get(originalReference)?.authorizationId ?? null;
      const held = this.authorizations.get(authorizationId ?? '');
      if (held && held.captured > 0) return { declineCode: 'authorization_closed', authorizationId };
      if (held) held.closed = true;
      this.reversed.add(originalReference);
      return { authorizationId };
    });
  }

  private async passGate(operation: Operation | 'inquiry'): Promise<void> {
    const gate = this.gate?.operation === operation ? this.gate : undefined;
    if (!gate) return;
    this.gate = undefined;
    gate.arrived();
    await gate.opened;
  }

  private async followUp(request: Request): Promise<Reply> {
    const [, authorizationId, route] =
      /^\/acquirers\/sim\/authorizations\/([^/]+)\/(captures|voids|refunds)$/.exec(request.path) ?? [];
    const held = this.authorizations.get(authorizationId ?? '');
    if (request.method !== 'POST' || authorizationId === undefined || !held)
      return this.server.violation(`no such route or authorization: ${request.path}`);
    const schema = route === 'voids' ? acquirerVoidRequestSchema : acquirerAmountRequestSchema;
    const parsed = schema.safeParse(request.body);
    if (!parsed.success) return this.server.violation(`${String(route)}: ${parsed.error.message}`);
    const asked = parsed.data as { reference: string; amount?: number; currency?: string; final?: boolean };
    if (request.headers['idempotency-key'] !== asked.reference)
      return this.server.violation('the idempotency key is not the reference');
    const operation = ({ captures: 'capture', voids: 'void', refunds: 'refund' } as const)[route as 'captures'];
    const amount = asked.amount ?? held.amount - held.captured;
    const about = { reference: asked.reference, operation, amount, currency: asked.currency ?? held.currency };
    return await this.once(about, () => ({
      ...change(held, operation, amount, asked.final ?? false),
      authorizationId,
    }));
  }

  /** The same reference is answered with the first result, for ever. */
  private async once(
    about: Pick<AcquirerOperation, 'reference' | 'operation' | 'amount' | 'currency'>,
    effect: () => { readonly authorizationId: string | null; readonly declineCode?: string },
  ): Promise<Reply> {
    this.arrivals.push(about.reference);
    const mood = this.moods[about.operation]?.shift();
    if (mood === 'silent without effect') return 'silence';
    if (mood === 'server error') return { status: 500, body: {} };
    if (mood === 'nonsense') return { status: 200, body: { outcome: 'approved' } };
    if (mood === 'busy') return { status: 429, body: {} };
    if (!this.book.has(about.reference)) this.write(about, mood, effect);
    await this.passGate(about.operation);
    return mood === 'silent after effect' ? 'silence' : { status: 201, body: this.book.get(about.reference) };
  }

  private write(
    about: Pick<AcquirerOperation, 'reference' | 'operation' | 'amount' | 'currency'>,
    mood: Mood | undefined,
    effect: () => { readonly authorizationId: string | null; readonly declineCode?: string },
  ): void {
    const createdAt = new Date().toISOString();
    const undecided = { ...about, authorizationId: null, message: '', createdAt };
    if (mood === 'pending') this.book.set(about.reference, { ...undecided, outcome: 'pending' });
    else if (mood === 'challenge') {
      const expiresAt = new Date(Date.now() + this.challengeMs).toISOString();
      const action = { type: 'redirect' as const, url: 'http://acquirer.test/challenge', expiresAt };
      this.book.set(about.reference, { ...undecided, outcome: 'action_required', action });
    } else if (mood === 'part') {
      const amount = Math.floor(about.amount / 2);
      const authorizationId = this.open({ ...about, amount });
      this.book.set(about.reference, { ...undecided, amount, outcome: 'approved', authorizationId });
    } else this.decided(about, mood, effect);
  }

  private decided(
    about: Pick<AcquirerOperation, 'reference' | 'operation' | 'amount' | 'currency'>,
    mood: Mood | undefined,
    effect: () => { readonly authorizationId: string | null; readonly declineCode?: string },
  ): void {
    const refused = mood === 'decline' || mood === 'technical decline';
    const { declineCode, authorizationId } = refused
      ? { declineCode: 'processing_error', authorizationId: null }
      : effect();
    this.book.set(about.reference, {
      ...about,
      outcome: declineCode === undefined ? 'approved' : 'declined',
      authorizationId,
      ...(declineCode === undefined ? {} : { declineCode, adviceCode: 'do_not_try_again' as const }),
      ...(mood === 'technical decline' ? { technical: true } : {}),
      message: declineCode === undefined ? 'Approved.' : 'Declined.',
      createdAt: new Date().toISOString(),
    });
  }
}

const signal = (): { readonly given: Promise<void>; readonly give: () => void } => {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
};

const change = (
  held: Held,
  operation: 'capture' | 'void' | 'refund',
  amount: number,
  final: boolean,
): { readonly declineCode?: string } => {
  if (operation === 'refund') {
    if (amount > held.captured - held.refunded) return { declineCode: 'refund_exceeds_capture' };
    held.refunded += amount;
    return {};
  }
  if (held.closed) return { declineCode: 'authorization_closed' };
  if (operation === 'void') {
    held.closed = true;
    return {};
  }
  if (amount > held.amount - held.captured) return { declineCode: 'capture_exceeds_authorization' };
  held.captured += amount;
  held.closed = final || held.captured === held.amount;
  return {};
};
