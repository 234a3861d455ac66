import { randomUUID } from 'node:crypto';

import {
  type AcquirerDispute,
  acquirerDisputeAcceptSchema,
  acquirerDisputeEvidenceSchema,
  listAcquirerDisputesQuerySchema,
} from '@payflow/contracts';

import type { ContractServer, Reply, Request } from './contract-server.js';

/** What happens to the next response, instead of being taken and answered. */
export type ResponseMood = 'silent after effect' | 'silent without effect' | 'server error';

const A_DAY_MS = 86_400_000;

/** Disputes as an acquirer has them by the contract: one response each, a feed of changes. */
export class DisputesFake {
  private readonly known = new Map<string, AcquirerDispute>();
  private readonly feed: AcquirerDispute[] = [];
  /** Every response that came, repetitions included. */
  readonly responses: { readonly disputeId: string; readonly reference: string; readonly evidence: unknown }[] = [];
  readonly inquiries: string[] = [];
  readonly moods: ResponseMood[] = [];
  /** Whether inquiries are answered with an error. */
  failing = false;
  /** Disputes that inquiries do not find (yet), whatever was told of them. */
  readonly notInTheBooks = new Set<string>();
  /** What the feed shows instead of what the contract has it show. */
  private readonly garbled = new Map<AcquirerDispute, (entry: AcquirerDispute & { position: number }) => unknown>();

  constructor(private readonly server: Pick<ContractServer, 'violation'>) {}

  raise(
    about: Pick<AcquirerDispute, 'paymentId' | 'authorizationId' | 'amount'> & Partial<AcquirerDispute>,
  ): AcquirerDispute {
    const at = new Date();
    return this.tell({
      disputeId: `sim-dispute_${randomUUID()}`,
      currency: 'USD',
      reason: 'fraudulent',
      status: 'NEEDS_RESPONSE',
      evidenceDueBy: new Date(at.getTime() + A_DAY_MS).toISOString(),
      response: null,
      responseReference: null,
      createdAt: at.toISOString(),
      updatedAt: at.toISOString(),
      ...about,
    });
  }

  /** What the acquirer says from now on. */
  become({ disputeId }: Pick<AcquirerDispute, 'disputeId'>, change: Partial<AcquirerDispute>): AcquirerDispute {
    const dispute = this.known.get(disputeId);
    if (!dispute) throw new Error(`given: ${disputeId} was not raised`);
    return this.tell({ ...dispute, ...change });
  }

  garble(told: AcquirerDispute, how: (entry: AcquirerDispute & { position: number }) => unknown): void {
    this.garbled.set(told, how);
  }

  handle({ method, path, query, body }: Request): Reply {
    const [, disputeId, route] = /^\/acquirers\/sim\/disputes(?:\/([^/]+)(?:\/(evidence|accept))?)?$/.exec(path) ?? [];
    if (method === 'GET' && disputeId === undefined) return this.changes(query);
    if (method === 'GET' && route === undefined && disputeId !== undefined) return this.inquiry(disputeId);
    if (method === 'POST' && disputeId !== undefined && route !== undefined)
      return this.respond(disputeId, route as 'evidence' | 'accept', body);
    return this.server.violation(`no such route: ${method} ${path}`);
  }

  private tell(dispute: AcquirerDispute): AcquirerDispute {
    this.known.set(dispute.disputeId, dispute);
    this.feed.push(dispute);
    return dispute;
  }

  private changes(query: URLSearchParams): Reply {
    const parsed = listAcquirerDisputesQuerySchema.safeParse(Object.fromEntries(query));
    if (!parsed.success) return this.server.violation(`disputes: ${parsed.error.message}`);
    const { after, limit } = parsed.data;
    if (this.failing) return { status: 500, body: {} };
    const told = this.feed.slice(after, after + limit);
    const data = told.map((dispute, index) => {
      const entry = { ...dispute, position: after + index + 1 };
      return this.garbled.get(dispute)?.(entry) ?? entry;
    });
    return { status: 200, body: { data, nextPosition: after + told.length } };
  }

  private inquiry(disputeId: string): Reply {
    this.inquiries.push(disputeId);
    if (this.failing) return { status: 500, body: {} };
    const dispute = this.notInTheBooks.has(disputeId) ? undefined : this.known.get(disputeId);
    return dispute ? { status: 200, body: dispute } : { status: 404, body: {} };
  }

  private respond(disputeId: string, route: 'evidence' | 'accept', body: unknown): Reply {
    const schema = route === 'accept' ? acquirerDisputeAcceptSchema : acquirerDisputeEvidenceSchema;
    const parsed = schema.safeParse(body);
    if (!parsed.success) return this.server.violation(`${route}: ${parsed.error.message}`);
    const { reference } = parsed.data;
    this.responses.push({ disputeId, reference, evidence: 'evidence' in parsed.data ? parsed.data.evidence : null });
    const mood = this.moods.shift();
    if (mood === 'silent without effect') return 'silence';
    if (mood === 'server error') return { status: 500, body: {} };
    const dispute = this.known.get(disputeId);
    if (!dispute) return { status: 404, body: {} };
    if (dispute.status === 'NEEDS_RESPONSE') {
      const status = route === 'accept' ? 'ACCEPTED' : 'UNDER_REVIEW';
      this.tell({ ...dispute, status, response: route, responseReference: reference });
    }
    return mood === 'silent after effect' ? 'silence' : { status: 200, body: this.known.get(disputeId) };
  }
}
