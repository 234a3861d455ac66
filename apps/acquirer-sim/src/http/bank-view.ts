import type { BankBookLine, BankPayout } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Problem } from '@payflow/service';

import { type BankName, isBank } from '../domain/bank.js';
import type { BookLineRow, PayoutRow } from '../store/bank-payouts.js';

/** @throws Problem resource_not_found */
export const bankNamed = (name: string): BankName => {
  if (!isBank(name)) throw new Problem('resource_not_found', { detail: 'Unknown bank.' });
  return name;
};

export const payoutOf = (row: PayoutRow): BankPayout => ({
  reference: row.reference,
  bankReference: row.bankReference,
  status: row.status,
  reason: row.reason,
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  updatedAt: row.updatedAt.toISOString(),
});

export const bankBookLineOf = (row: BookLineRow): BankBookLine => ({
  position: Number(row.position),
  reference: row.reference,
  kind: row.kind,
  account: row.account,
  name: row.name,
  amount: minorToJson(row.amountMinor),
  currency: row.currency,
  createdAt: row.createdAt.toISOString(),
});
