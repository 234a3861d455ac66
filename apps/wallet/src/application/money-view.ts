import { type MoneyMovement, type ProblemCode, PROBLEMS } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { type Idempotency, Problem, type StoredAnswer, storedAnswer } from '@payflow/service';

import type { OwnedTransactionRow } from '../store/wallet-transactions.js';
import { failedTransfer } from './transfer-answers.js';

const CREATED = 201;
const ACCEPTED = 202;

/** Money that comes or goes, as its owner sees it. */
export const movementView = (
  row: OwnedTransactionRow,
  nextAction: MoneyMovement['nextAction'] = null,
): MoneyMovement => {
  const balance = row.fromBalanceAfter ?? row.toBalanceAfter;
  return {
    transactionId: row.id as MoneyMovement['transactionId'],
    type: row.type,
    status: row.status,
    reason: row.reason,
    walletId: row.fromWalletId ?? row.toWalletId ?? '',
    amount: minorToJson(row.amountMinor),
    currency: row.currency,
    balanceAfter: balance === null ? null : minorToJson(balance),
    paymentId: row.paymentId,
    nextAction: row.status === 'PENDING' ? nextAction : null,
    bankAccount: row.type === 'WITHDRAW' ? row.counterparty : null,
    createdAt: row.createdAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
  };
};

/** 201 when it has ended, 202 while somebody outside has not answered. */
export const movementAnswer = (
  row: OwnedTransactionRow,
  nextAction: MoneyMovement['nextAction'] = null,
): StoredAnswer =>
  storedAnswer({
    status: row.status === 'PENDING' ? ACCEPTED : CREATED,
    body: movementView(row, nextAction),
    headers: { location: `/transactions/${row.id}` },
  });

/** What failed before anything moved is told as what it was refused for, with the transaction that keeps it in the history. */
export const nothingMoved = (row: OwnedTransactionRow, idempotency: Idempotency): StoredAnswer => {
  const { reason } = row;
  if (reason === null || !isProblemCode(reason) || reason in OF_THE_LEDGER)
    return idempotency.storedProblem(failedTransfer(row));
  return idempotency.storedProblem(new Problem(reason, { extensions: { transactionId: row.id } }));
};

const OF_THE_LEDGER = { insufficient_funds: true, balance_out_of_range: true } as const;

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);
