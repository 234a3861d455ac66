import { type BalanceTransactionType, type PAYOUT_EVENTS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import type { Outbox } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';

import { type Evolved, hasEnded, PAYOUT_STUCK, type PayoutStage, payoutStatus } from '../domain/payout.js';
import { insertMovements } from '../store/balance-transactions.js';
import { changeBalances } from '../store/merchant-balances.js';
import { lockPayouts, type PayoutRow, type StoredPayout, storePayouts } from '../store/payouts.js';
import { payoutEvent } from './publications.js';

export interface EvolvedPayout {
  readonly before: PayoutRow;
  readonly bankReference: string | null;
  readonly result: Evolved;
}

export interface ChangedPayout {
  readonly before: PayoutRow;
  readonly after: PayoutRow;
}

/** How the money comes back into the balance. */
const GIVEN_BACK: Partial<Readonly<Record<PayoutStage, BalanceTransactionType>>> = {
  NOT_DEBITED: 'payout_failure',
  REVERSED: 'payout_failure',
  RETURNED: 'payout_return',
};

/** Of whom others are told. RETURNING: it was paid, and posted so, before it came back. */
const TOLD: Partial<Readonly<Record<PayoutStage, keyof typeof PAYOUT_EVENTS>>> = {
  PAID: 'paid',
  NOT_DEBITED: 'failed',
  REVERSED: 'failed',
  RETURNED: 'returned',
};

/** What new stages mean for the payouts, the balances of their merchants, their timers, and those who are told. */
export const recordPayouts = async (
  tx: Tx,
  outbox: Outbox,
  evolved: readonly EvolvedPayout[],
): Promise<readonly ChangedPayout[]> => {
  await storePayouts(tx, evolved.flatMap(storedOf));
  const changed = evolved.filter(({ result }) => result.kind === 'changed');
  if (changed.length === 0) return [];
  const rows = new Map(
    (
      await lockPayouts(
        tx,
        changed.map(({ before }) => before.id),
      )
    ).map((row) => [row.id, row]),
  );
  const pairs = changed.flatMap(({ before }) => {
    const after = rows.get(before.id);
    return after === undefined ? [] : [{ before, after }];
  });
  await giveBack(tx, pairs);
  await outbox.publish(tx, pairs.flatMap(eventsOf));
  return pairs;
};

/** A contradiction stops it, for people to look at; they see it until they have, also when it has ended meanwhile. */
const storedOf = ({ before, bankReference, result }: EvolvedPayout): readonly StoredPayout[] => {
  const { id } = before;
  if (result.kind === 'same') return [];
  const after = result.kind === 'changed' ? result.payout : before;
  const status = payoutStatus(after);
  const attention = before.attention === PAYOUT_STUCK && hasEnded(after) ? null : before.attention;
  return [
    {
      ...after,
      id,
      bankReference,
      attention: result.kind === 'contradiction' ? result.detail : attention,
      sent: after.stage === 'SENDING',
      paid: status === 'PAID',
      ended: status === 'FAILED' || status === 'RETURNED',
      done: hasEnded(after) || result.kind === 'contradiction',
    },
  ];
};

const giveBack = async (tx: Tx, pairs: readonly ChangedPayout[]): Promise<void> => {
  const back = pairs.flatMap(({ before, after }) => {
    const type = after.stage === before.stage ? undefined : GIVEN_BACK[after.stage];
    if (type !== undefined) return [{ ...after, type }];
    // It had been given back, and the bank has paid all the same.
    const takenAgain = before.stage === 'REVERSED' && after.stage === 'REDEBITING';
    return takenAgain ? [{ ...after, type: 'payout' as const, amountMinor: -after.amountMinor }] : [];
  });
  await insertMovements(
    tx,
    back.map(({ type, id, merchantId, currency, amountMinor }) => ({
      id: newId('bt'),
      merchantId,
      currency,
      type,
      amountMinor,
      settlementId: null,
      payoutId: id,
    })),
  );
  await changeBalances(
    tx,
    back.map(({ merchantId, currency, amountMinor }) => ({ merchantId, currency, availableMinor: amountMinor })),
  );
};

const eventsOf = ({ before, after }: ChangedPayout) => {
  if (before.stage === after.stage) return [];
  // It came back before it was posted as paid: both are told, in this order.
  if (before.stage === 'SETTLING' && after.stage === 'RETURNING') return [payoutEvent('paid', after)];
  const name = TOLD[after.stage];
  return name === undefined ? [] : [payoutEvent(name, after)];
};
