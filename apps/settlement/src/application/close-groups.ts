import { Injectable } from '@nestjs/common';
import { SETTLEMENT_EVENTS, WALLET_MERCHANT_ID } from '@payflow/contracts';
import { minorToJson, newId } from '@payflow/kernel';
import { Outbox, type OutgoingEvent } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig } from '@payflow/service';

import { closeGroup, type GroupClose } from '../domain/group-close.js';
import type { SettlementConfig } from '../settlement.config.js';
import { insertMovements } from '../store/balance-transactions.js';
import { type BalanceKey, changeBalances, keyOf, lockBalances } from '../store/merchant-balances.js';
import { insertPayouts, lockPayouts } from '../store/payouts.js';
import { insertReserves, listReserveRules } from '../store/reserves.js';
import { endSetAsides } from '../store/set-asides.js';
import { type RunRow, storeProgress } from '../store/settlement-runs.js';
import { completeBatches, listOpenBatches, payBatches, type SettlementRow } from '../store/settlements.js';
import { payoutEvent } from './publications.js';

/** Of a currency without a minimum. */
const MINIMUM_MINOR = 1;

interface Group extends BalanceKey, GroupClose {
  readonly batches: readonly SettlementRow[];
  readonly payoutId: string | null;
  readonly reserveDays: number;
}

/** The end of a run: what is kept back, what is paid out, what is carried over, and the word that a batch is done. */
@Injectable()
export class CloseGroups {
  constructor(
    private readonly outbox: Outbox,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {}

  /** In the order in which the run goes through them: its cursor stands behind the last. */
  async close(tx: Tx, run: RunRow, keys: readonly BalanceKey[]): Promise<void> {
    const last = keys.at(-1);
    if (last === undefined) throw new Error('invariant: nobody to close');
    const groups = await this.decide(tx, run, keys);
    const payouts = groups.flatMap(({ merchantId, currency, payoutId, payoutMinor }) =>
      payoutId === null || payoutMinor === null
        ? []
        : [{ id: payoutId, merchantId, currency, amountMinor: payoutMinor }],
    );
    await this.reserve(tx, groups);
    await completeBatches(tx, groups.flatMap(batchesToComplete));
    crashPoint('settlement.before-completed');
    await insertPayouts(tx, { id: run.id, bank: this.config.BANK_NAME, way: this.config.BANK_PAYOUTS }, payouts);
    await insertMovements(
      tx,
      payouts.map(({ id, merchantId, currency, amountMinor }) => ({
        id: newId('bt'),
        merchantId,
        currency,
        type: 'payout',
        amountMinor: -amountMinor,
        settlementId: null,
        payoutId: id,
      })),
    );
    await payBatches(tx, payouts);
    crashPoint('settlement.after-payout-create');
    await changeBalances(tx, groups.map(changeOf));
    await endSetAsides(tx, keys);
    await storeProgress(tx, run.id, {
      phase: 'PAYING',
      cursor: [last.merchantId, last.currency],
      payouts: payouts.length,
    });
    const rows = await lockPayouts(
      tx,
      payouts.map(({ id }) => id),
    );
    await this.outbox.publish(tx, [
      ...groups.flatMap((group) => group.batches.map((batch) => completedEvent(batch, group))),
      ...rows.map((row) => payoutEvent('created', row)),
    ]);
  }

  private async decide(tx: Tx, run: RunRow, keys: readonly BalanceKey[]): Promise<readonly Group[]> {
    const balances = new Map((await lockBalances(tx, keys)).map((row) => [keyOf(row), row]));
    const batches = await listOpenBatches(tx, run.id, keys);
    const merchantIds = [...new Set(keys.map(({ merchantId }) => merchantId))];
    const rules = new Map((await listReserveRules(tx, merchantIds)).map((rule) => [rule.merchantId, rule]));
    return keys.map((key) => {
      const own = batches.filter((batch) => keyOf(batch) === keyOf(key));
      const rule = rules.get(key.merchantId);
      // PayFlow's own merchant has no balance: what was paid to him is in people's wallets.
      const availableMinor =
        key.merchantId === WALLET_MERCHANT_ID ? 0n : (balances.get(keyOf(key))?.availableMinor ?? 0n);
      const minimum = BigInt(this.config.PAYOUT_MINIMUMS[key.currency] ?? MINIMUM_MINOR);
      const close = closeGroup({ availableMinor, batches: own }, rule, minimum);
      return {
        ...key,
        ...close,
        batches: own,
        payoutId: close.payoutMinor === null ? null : newId('po'),
        reserveDays: rule?.days ?? 0,
      };
    });
  }

  private async reserve(tx: Tx, groups: readonly Group[]): Promise<void> {
    const kept = groups.flatMap(({ merchantId, currency, reserves, reserveDays }) =>
      reserves.map((reserve) => ({ ...reserve, id: newId('bt'), merchantId, currency, days: reserveDays })),
    );
    await insertMovements(
      tx,
      kept.map(({ id, merchantId, currency, settlementId, amountMinor }) => ({
        id,
        merchantId,
        currency,
        type: 'reserve',
        amountMinor: -amountMinor,
        settlementId,
        payoutId: null,
      })),
    );
    await insertReserves(tx, kept);
  }
}

const reservedOf = ({ reserves }: GroupClose, settlementId: string): bigint =>
  reserves.find((reserve) => reserve.settlementId === settlementId)?.amountMinor ?? 0n;

const batchesToComplete = (group: Group) =>
  group.batches.map(({ id }) => ({ id, reservedMinor: reservedOf(group, id) }));

const changeOf = ({ merchantId, currency, reserves, payoutMinor }: Group) => {
  const reservedMinor = reserves.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  return { merchantId, currency, availableMinor: -reservedMinor - (payoutMinor ?? 0n), reservedMinor };
};

const completedEvent = (batch: SettlementRow, group: Group): OutgoingEvent => {
  const reservedMinor = reservedOf(group, batch.id);
  const { id, merchantId, acquirer, currency } = batch;
  return {
    definition: SETTLEMENT_EVENTS.completed,
    aggregateId: id,
    merchantId,
    key: merchantId,
    occurredAt: new Date(),
    payload: {
      settlementId: id,
      merchantId,
      acquirer,
      currency,
      cutoffAt: batch.cutoffAt.toISOString(),
      lineCount: Number(batch.lineCount),
      gross: minorToJson(batch.grossMinor),
      refunds: minorToJson(batch.refundsMinor),
      disputes: minorToJson(batch.disputesMinor),
      fees: minorToJson(batch.feesMinor),
      reserved: minorToJson(reservedMinor),
      net: minorToJson(batch.netMinor - reservedMinor),
      payoutId: group.payoutId,
    },
  };
};
