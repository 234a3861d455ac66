import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { type BankCreditor, type BankPayoutRequest, testBankAccountOf } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';
import { type BankName, mayBecome, openPayout, payoutCourseOf } from '../domain/bank.js';
import {
  deleteDueState,
  findPayout,
  insertDueState,
  insertPayout,
  lockBank,
  type PayoutRow,
} from '../store/bank-payouts.js';
import type { TakenBankMode } from './serve-bank.js';
import { enterPayoutState } from './enter-payout-state.js';
import { requestHash } from './request-hash.js';
import { SettleDuePayouts } from './settle-due-payouts.js';

/** A payout as it stands, and whether it was there before. */
export interface PayoutAnswer {
  readonly row: PayoutRow;
  readonly replayed: boolean;
}

/** ISO 4217: no currency. Of a tombstone, which has no amount either. */
const NO_CURRENCY = 'XXX';

/** What is asked of the bank: to pay, to take back, to return. */
@Injectable()
export class PayOut {
  constructor(
    private readonly database: Database,
    private readonly duePayouts: SettleDuePayouts,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  /** POST /banks/{bank}/payouts @throws Problem reference_taken */
  async pay(bank: BankName, request: BankPayoutRequest, { mode, latencyMs }: TakenBankMode): Promise<PayoutAnswer> {
    const hash = requestHash(comparable(request));
    return await this.database.transaction(async (tx) => {
      await lockBank(tx, bank);
      const before = await findPayout(tx, bank, request.reference);
      if (before !== undefined) return replayOf(before, hash);
      const account = testBankAccountOf(request.creditor);
      const { now, later } = openPayout(payoutCourseOf(mode, account?.behaviour ?? null), account?.reason ?? null);
      const at = new Date();
      await insertPayout(tx, {
        bank,
        reference: request.reference,
        bankReference: `bank-${randomUUID()}`,
        amountMinor: BigInt(request.amount),
        currency: request.currency,
        account: accountOf(request.creditor),
        name: request.creditor.name,
        requestHash: hash,
        createdAt: at,
      });
      await enterPayoutState(tx, bank, request.reference, now, at);
      if (later !== undefined) {
        const dueAt = new Date(at.getTime() + (latencyMs ?? this.config.PENDING_MS));
        await insertDueState(tx, { bank, reference: request.reference, ...later }, dueAt);
        tx.onCommit(() => {
          this.duePayouts.poke();
        });
      }
      return { row: await found(tx, bank, request.reference), replayed: false };
    });
  }

  /** POST …/{reference}/cancel: taken back, or, unseen, forbidden for ever. What has left stays as it is. */
  async cancel(bank: BankName, reference: string): Promise<PayoutAnswer> {
    return await this.database.transaction(async (tx) => {
      await lockBank(tx, bank);
      const before = await findPayout(tx, bank, reference);
      const at = new Date();
      if (before === undefined) {
        await insertPayout(tx, {
          bank,
          reference,
          bankReference: null,
          amountMinor: 0n,
          currency: NO_CURRENCY,
          account: null,
          name: null,
          requestHash: null,
          createdAt: at,
        });
      } else if (!mayBecome(before.status, 'CANCELED')) {
        return { row: before, replayed: true };
      }
      await deleteDueState(tx, bank, reference);
      await enterPayoutState(tx, bank, reference, { status: 'CANCELED', reason: null }, at);
      return { row: await found(tx, bank, reference), replayed: false };
    });
  }

  /** A paid payout comes back. Returned already: as it stands. @throws Problem resource_not_found | validation_failed */
  async giveBack(bank: BankName, reference: string, reason: string): Promise<PayoutAnswer> {
    return await this.database.transaction(async (tx) => {
      await lockBank(tx, bank);
      const before = await findPayout(tx, bank, reference);
      if (before === undefined) throw new Problem('resource_not_found', { detail: 'Unknown reference.' });
      if (before.status === 'RETURNED') return { row: before, replayed: true };
      if (!mayBecome(before.status, 'RETURNED')) {
        throw new Problem('validation_failed', { detail: `A payout that is ${before.status} is not returned.` });
      }
      await deleteDueState(tx, bank, reference);
      await enterPayoutState(tx, bank, reference, { status: 'RETURNED', reason }, new Date());
      return { row: await found(tx, bank, reference), replayed: false };
    });
  }
}

const found = async (tx: Tx, bank: BankName, reference: string): Promise<PayoutRow> => {
  const row = await findPayout(tx, bank, reference);
  if (row === undefined) throw new Error('invariant: the bank lost a reference');
  return row;
};

/** A tombstone answers every request. */
const replayOf = (row: PayoutRow, hash: Buffer): PayoutAnswer => {
  if (row.requestHash !== null && !row.requestHash.equals(hash)) {
    throw new Problem('reference_taken', { detail: 'The reference belongs to another payout.' });
  }
  return { row, replayed: true };
};

const accountOf = (creditor: BankCreditor): string =>
  'iban' in creditor ? creditor.iban : `${creditor.routingNumber}/${creditor.accountNumber}`;

const comparable = ({ amount, currency, creditor, remittance }: BankPayoutRequest) => ({
  amount,
  currency,
  account: accountOf(creditor),
  name: creditor.name,
  remittance: remittance ?? null,
});
