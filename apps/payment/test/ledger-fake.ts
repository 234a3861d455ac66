import {
  type PaymentEntriesQuery,
  paymentEntriesQuerySchema,
  type PaymentEntriesResponse,
  type TimelinePart,
} from '@payflow/contracts';

import { ContractServer, type Reply, type Request } from './contract-server.js';

/** The ledger's routes that payment reads. */
export class LedgerFake {
  readonly server = new ContractServer((request) => this.handle(request));
  readonly asked: (PaymentEntriesQuery & { readonly paymentId: string })[] = [];
  /** How far the ledger has come, for any payment; as far as it is asked for when undefined. */
  appliedSequence: number | undefined;
  lines: Pick<PaymentEntriesResponse, 'ledgerBalance' | 'entries'> = { ledgerBalance: 0, entries: [] };

  timeline: TimelinePart = { items: [], truncated: false };

  private handle(request: Request): Reply {
    if (request.headers.authorization === undefined) return this.server.violation('no service token');
    if (/^\/internal\/timeline\/pay_\w+$/.test(request.path)) return { status: 200, body: this.timeline };
    const paymentId = /^\/internal\/payments\/([^/]+)\/entries$/.exec(request.path)?.[1];
    const query = paymentEntriesQuerySchema.safeParse(Object.fromEntries(request.query));
    if (request.method !== 'GET' || paymentId === undefined || !query.success)
      return this.server.violation(`no such request: ${request.method} ${request.path}?${request.query.toString()}`);
    this.asked.push({ ...query.data, paymentId });
    return { status: 200, body: { appliedSequence: this.appliedSequence ?? query.data.sequence, ...this.lines } };
  }
}
