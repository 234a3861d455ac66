import { Controller, Get, Param } from '@nestjs/common';
import { idSchema, TIMELINE_ITEMS_MAX, type TimelineItem, type TimelinePart } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access } from '@payflow/service';

import { type DifferenceRow, differencesOf, type SettledLineRow, settledLinesOf } from '../store/payment-timeline.js';

/** Settlement's part of a payment's timeline: from the merchant's balance to his bank account. */
@Controller('internal/timeline')
export class PaymentTimelineController {
  constructor(private readonly database: Database) {}

  @Get(':paymentId')
  @Access('internal')
  async paymentTimeline(@Param('paymentId', { schema: idSchema('pay') }) paymentId: string): Promise<TimelinePart> {
    const [lines, differences] = await Promise.all([
      settledLinesOf(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
      differencesOf(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
    ]);
    // Lines of one batch share it, and batches a payout: each is told once.
    const items = [
      ...new Map(
        [...lines.flatMap(itemsOf), ...differences.map(differenceItem)].map((item) => [item.id, item]),
      ).values(),
    ];
    return { items: items.slice(0, TIMELINE_ITEMS_MAX), truncated: items.length > TIMELINE_ITEMS_MAX };
  }
}

const OWN = { service: 'settlement', correlationId: null } as const;

const itemsOf = (row: SettledLineRow): readonly TimelineItem[] => [
  {
    ...OWN,
    at: row.occurred_at.toISOString(),
    kind: 'balance_transaction',
    id: row.id,
    causedBy: row.reference,
    summary:
      `${row.type}: ${row.gross_minor} less ${row.fee_minor} ${row.currency}, available on ` +
      row.available_on.toISOString(),
    links: { transactions: '/balance/transactions' },
  },
  ...settlementItem(row),
  ...payoutItem(row),
];

const settlementItem = (row: SettledLineRow): readonly TimelineItem[] =>
  row.settlement_id === null || row.settled_at === null
    ? []
    : [
        {
          ...OWN,
          at: row.settled_at.toISOString(),
          kind: 'settlement',
          id: row.settlement_id,
          causedBy: row.id,
          summary: `in a batch of ${row.acquirer ?? ''}: ${row.settlement_status ?? ''}, net ${row.settlement_net ?? 0n} ${row.currency}`,
          links: { settlement: `/settlements/${row.settlement_id}` },
        },
      ];

const payoutItem = (row: SettledLineRow): readonly TimelineItem[] =>
  row.payout_id === null || row.payout_at === null
    ? []
    : [
        {
          ...OWN,
          at: row.payout_at.toISOString(),
          kind: 'payout',
          id: row.payout_id,
          causedBy: row.settlement_id,
          summary:
            `payout of ${row.payout_amount ?? 0n} ${row.currency}: ${row.payout_status ?? ''}` +
            (row.payout_reason === null ? '' : ` (${row.payout_reason})`),
          links: { payout: `/payouts/${row.payout_id}` },
        },
      ];

const differenceItem = (row: DifferenceRow): TimelineItem => ({
  ...OWN,
  at: row.created_at.toISOString(),
  kind: 'reconciliation',
  id: row.id,
  causedBy: row.run_id,
  summary: `${row.source} says otherwise (${row.kind}): ${row.status}`,
  links: { exception: `/reconciliation/exceptions/${row.id}` },
});
