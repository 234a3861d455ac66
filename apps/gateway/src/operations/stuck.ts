import { Injectable } from '@nestjs/common';
import {
  deadLetterGroupsSchema,
  fraudReviewSchema,
  ledgerApprovalSchema,
  parkedMessagesSchema,
  paymentExceptionSchema,
  payoutSchema,
  settlementExceptionSchema,
  type Stuck,
  type StuckItem,
  walletExceptionSchema,
} from '@payflow/contracts';
import { z } from 'zod';

import type { Upstream } from '../routing/route-table.js';
import { CONSUMING } from './all-dead-letters.js';
import { ServiceReads } from './service-reads.js';

const SHOWN_MAX = 100;
/** A message waits for a moment whenever its predecessor is on its way. */
const PARKED_TOO_LONG_MS = 60_000;

type Found = Omit<StuckItem, 'kind' | 'service'>;

interface Source {
  readonly kind: StuckItem['kind'];
  readonly service: Upstream;
  readonly path: string;
  /** @throws ZodError when the answer is not the contract's */
  readonly found: (answer: unknown, now: Date) => { readonly items: readonly Found[]; readonly truncated: boolean };
}

/** A list of the API, of which some rows are of interest. */
const listOf = <Row extends z.ZodType>(
  row: Row,
  itemOf: (row: z.output<Row>) => Found | undefined,
): Source['found'] => {
  const page = z.object({ data: z.array(row), nextCursor: z.string().nullable() });
  return (answer) => {
    const { data, nextCursor } = page.parse(answer);
    return { items: data.flatMap((one) => itemOf(one) ?? []), truncated: nextCursor !== null };
  };
};

const timelineOf = (paymentId: string | null): Readonly<Record<string, string>> =>
  paymentId === null ? {} : { payment: `/payments/${paymentId}`, timeline: `/payments/${paymentId}/timeline` };

const parked = (service: Upstream): Source => ({
  kind: 'parked_messages',
  service,
  path: '/operations/dead-letters/parked',
  found: (answer, now) => ({
    items: parkedMessagesSchema
      .parse(answer)
      .data.filter(({ oldestAt }) => now.getTime() - Date.parse(oldestAt) > PARKED_TOO_LONG_MS)
      .map(({ consumer, retrying, waiting, oldestAt }) => ({
        id: consumer,
        since: oldestAt,
        summary: `${retrying} messages are tried again, ${waiting} wait for the one before them`,
        links: { deadLetters: `/operations/${service}/dead-letters` },
      })),
    truncated: false,
  }),
});

const deadLetters = (service: Upstream): Source => ({
  kind: 'dead_letters',
  service,
  path: '/operations/dead-letters/groups',
  found: (answer) => {
    const { data, truncated } = deadLetterGroupsSchema.parse(answer);
    const items = data.map(({ group, count, reason, firstFailedAt }) => ({
      id: group,
      since: firstFailedAt,
      summary: `${count} dead letters: ${reason}`,
      links: { letters: `/operations/${service}/dead-letters?group=${group}` },
    }));
    return { items, truncated };
  },
});

const SOURCES: readonly Source[] = [
  {
    kind: 'payment_exception',
    service: 'payment',
    path: `/payment-exceptions?open=true&limit=${SHOWN_MAX}`,
    found: listOf(paymentExceptionSchema, (row) => ({
      id: row.exceptionId,
      since: row.createdAt,
      summary: `${row.kind}: ${row.operationId}${row.paymentId === null ? '' : ` of ${row.paymentId}`}`,
      links: { ...timelineOf(row.paymentId), resolve: `/payment-exceptions/${row.exceptionId}/resolve` },
    })),
  },
  {
    kind: 'wallet_exception',
    service: 'wallet',
    path: `/wallet-exceptions?open=true&limit=${SHOWN_MAX}`,
    found: listOf(walletExceptionSchema, (row) => ({
      id: row.exceptionId,
      since: row.createdAt,
      summary: `${row.kind}: ${row.transactionId}`,
      links: { resolve: `/wallet-exceptions/${row.exceptionId}/resolve` },
    })),
  },
  {
    kind: 'settlement_exception',
    service: 'settlement',
    path: `/reconciliation/exceptions?status=OPEN&limit=${SHOWN_MAX}`,
    found: listOf(settlementExceptionSchema, (row) => ({
      id: row.exceptionId,
      since: row.createdAt,
      summary: `${row.kind} in ${row.source}: ${row.reference ?? row.theirReference ?? 'no reference'}`,
      links: { ...timelineOf(row.paymentId), exception: `/reconciliation/exceptions/${row.exceptionId}` },
    })),
  },
  {
    kind: 'payout',
    service: 'settlement',
    path: `/payouts?status=PENDING&limit=${SHOWN_MAX}`,
    found: listOf(payoutSchema, (row) => {
      const why = row.attention ?? row.reason;
      if (why === null) return undefined;
      return {
        id: row.payoutId,
        since: row.createdAt,
        summary: `${row.amount} ${row.currency} for ${row.merchantId} wait: ${why}`,
        links: { payout: `/payouts/${row.payoutId}` },
      };
    }),
  },
  {
    kind: 'fraud_review',
    service: 'fraud',
    path: `/fraud/reviews?status=PENDING&limit=${SHOWN_MAX}`,
    found: listOf(fraudReviewSchema, (row) => ({
      id: row.reviewId,
      since: row.createdAt,
      summary: `${row.paymentId} is to be decided by ${row.decideBy}`,
      links: { ...timelineOf(row.paymentId), approve: `/fraud/reviews/${row.reviewId}/approve` },
    })),
  },
  {
    kind: 'ledger_approval',
    service: 'ledger',
    path: `/ledger/approvals?status=WAITING&limit=${SHOWN_MAX}`,
    found: listOf(ledgerApprovalSchema, (row) => ({
      id: row.approvalId,
      since: row.requestedAt,
      summary: `a ${row.kind} of ${row.requestedBy} waits for another person`,
      links: { approval: `/ledger/approvals/${row.approvalId}` },
    })),
  },
  ...CONSUMING.flatMap((service) => [parked(service), deadLetters(service)]),
];

/** Everything that waits for people or does not go on by itself, wherever it is. */
@Injectable()
export class StuckView {
  constructor(private readonly services: ServiceReads) {}

  async read(authorization: string): Promise<Stuck> {
    const now = new Date();
    const readings = await Promise.all(
      SOURCES.map(async ({ kind, service, path, found }) => {
        const schema = z.unknown().transform((answer) => found(answer, now));
        return { kind, service, reading: await this.services.read(service, path, authorization, schema) };
      }),
    );
    const items = readings.flatMap(({ kind, service, reading }) =>
      reading.kind === 'answered' ? reading.answer.items.map((item) => ({ kind, service, ...item })) : [],
    );
    const missing = readings.filter(({ reading }) => reading.kind === 'missing').map(({ service }) => service);
    const withheld = readings.filter(({ reading }) => reading.kind === 'withheld').map(({ kind }) => kind);
    const truncated = readings.filter(({ reading }) => reading.kind === 'answered' && reading.answer.truncated);
    return {
      data: items.sort((a, b) => (a.since < b.since ? -1 : 1)),
      complete: missing.length === 0 && truncated.length === 0,
      missing: [...new Set(missing)],
      withheld: [...new Set(withheld)],
      truncated: [...new Set(truncated.map(({ kind }) => kind))],
    };
  }
}
