import type { AcquirerOperation } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';

import type { OrderRow } from '../store/wallet-orders.js';

const OUTCOMES = {
  WAITING: 'action_required',
  POSTING: 'pending',
  APPROVED: 'approved',
  DECLINED: 'declined',
} as const satisfies Record<OrderRow['status'], AcquirerOperation['outcome']>;

const MESSAGES: Readonly<Record<OrderRow['status'], string>> = {
  WAITING: 'The owner of the wallet has to approve it.',
  POSTING: 'The ledger has not answered yet.',
  APPROVED: 'Approved.',
  DECLINED: 'Declined.',
};

/** An order as any acquirer tells of one. */
export const orderView = (order: OrderRow, gatewayUrl: string): AcquirerOperation => ({
  reference: order.reference,
  operation: order.operation === 'reverse' ? 'void' : order.operation,
  outcome: OUTCOMES[order.status],
  authorizationId: order.holdId,
  amount: minorToJson(order.amountMinor),
  currency: order.currency,
  ...(order.declineCode === null ? {} : { declineCode: order.declineCode }),
  ...(order.status !== 'WAITING' || order.expiresAt === null
    ? {}
    : {
        action: {
          type: 'redirect' as const,
          url: `${gatewayUrl}/wallet/approvals/${order.reference}`,
          expiresAt: order.expiresAt.toISOString(),
        },
      }),
  message: order.declineCode === null ? MESSAGES[order.status] : `Declined: ${order.declineCode}.`,
  createdAt: order.createdAt.toISOString(),
});
