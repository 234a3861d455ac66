import { type AcquirerDispute, type AcquirerDisputeEvidence, acquirerDisputeSchema } from '@payflow/contracts';
import type { DisputeId } from '@payflow/kernel';
import { z } from 'zod';

import type { AcquirerHttp, Exchange } from './acquirer-http.js';
import type { AcquirerDisputes, DisputeAnswer, DisputeChange, ToldDispute } from './acquirer-port.js';

const CHANGES_MAX = 200;
const NOT_FOUND = 404;
const OK = 200;

/**
 * No more of the feed than it takes to ask about a dispute: one entry that breaks the contract must hold up neither its own
 * dispute nor those behind it.
 */
const pageSchema = z.object({ data: z.array(z.unknown()), nextPosition: z.int() });
const entrySchema = z.object({
  position: z.int().nullable().catch(null),
  disputeId: z
    .string()
    .regex(/^[!-~]{1,100}$/)
    .nullable()
    .catch(null),
  status: z
    .string()
    .regex(/^[A-Z_]{1,40}$/)
    .nullable()
    .catch(null),
});
const NOTHING_READ = { position: null, disputeId: null, status: null };

export interface PayflowDisputesOptions {
  readonly name: string;
  readonly address: string;
}

/** Disputes at an acquirer that speaks PayFlow's own protocol (contracts: http/acquirer-disputes), as the simulator does. */
export class PayflowDisputes implements AcquirerDisputes {
  constructor(
    private readonly options: PayflowDisputesOptions,
    private readonly http: AcquirerHttp,
  ) {}

  async inquire(reference: string): Promise<DisputeAnswer> {
    return answerAbout(reference, await this.http.get(this.addressOf(reference), this.about(reference)));
  }

  async respond(
    reference: string,
    disputeId: DisputeId,
    evidence: AcquirerDisputeEvidence['evidence'] | null,
  ): Promise<DisputeAnswer> {
    const route = evidence === null ? 'accept' : 'evidence';
    const body = evidence === null ? { reference: disputeId } : { reference: disputeId, evidence };
    const exchange = await this.http.post(`${this.addressOf(reference)}/${route}`, body, this.about(disputeId));
    return answerAbout(reference, exchange);
  }

  async changesAfter(position: number): Promise<readonly DisputeChange[] | undefined> {
    const url = `${this.options.address}/disputes?after=${position}&limit=${CHANGES_MAX}`;
    const exchange = await this.http.get(url, this.about('disputes'));
    if (exchange.kind === 'failed' || exchange.status !== OK) return undefined;
    const page = pageSchema.safeParse(exchange.body);
    if (!page.success) return undefined;
    const { data, nextPosition } = page.data;
    return data.map((entry) => changeOf(entry, nextPosition));
  }

  private addressOf(reference: string): string {
    return `${this.options.address}/disputes/${encodeURIComponent(reference)}`;
  }

  private about(id: string): { readonly id: string; readonly acquirer: string } {
    return { id, acquirer: this.options.name };
  }
}

/** @param pageEnd where an entry is that does not say it itself: on this page */
const changeOf = (entry: unknown, pageEnd: number): DisputeChange => {
  const { position, disputeId, status } = entrySchema.safeParse(entry).data ?? NOTHING_READ;
  return position === null
    ? { position: pageEnd, reference: null, status: null }
    : { position, reference: disputeId, status };
};

/** An answer about another dispute than the one that was asked about says nothing about this one. */
const answerAbout = (reference: string, exchange: Exchange): DisputeAnswer => {
  if (exchange.kind === 'failed') return { kind: 'no_answer', reason: 'no_answer' };
  if (exchange.status === NOT_FOUND) return { kind: 'not_found' };
  if (exchange.status !== OK) return { kind: 'no_answer', reason: 'acquirer_error' };
  const dispute = acquirerDisputeSchema.safeParse(exchange.body);
  return dispute.success && dispute.data.disputeId === reference
    ? { kind: 'told', dispute: toldOf(dispute.data) }
    : { kind: 'no_answer', reason: 'unintelligible_answer' };
};

const toldOf = (dispute: AcquirerDispute): ToldDispute => ({
  acquirerReference: dispute.disputeId,
  paymentId: dispute.paymentId,
  authorizationReference: dispute.authorizationId,
  amountMinor: BigInt(dispute.amount),
  currency: dispute.currency,
  reason: dispute.reason,
  status: dispute.status,
  evidenceDueBy: new Date(dispute.evidenceDueBy),
});
