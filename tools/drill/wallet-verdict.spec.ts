import { describe, expect, it } from '@jest/globals';

import type { Told, WalletOperation } from './operation.js';
import { linesOf } from './verdict.js';
import type { WalletFact, WalletFacts } from './wallet-facts.js';
import { judgeWallets } from './wallet-verdict.js';

const done = (body: Readonly<Record<string, unknown>>, status = 200): Told => ({ kind: 'done', status, body });
const SILENCE: Told = { kind: 'silence' };
const REFUSED: Told = { kind: 'refused', status: 422, code: 'insufficient_funds' };

const operation = (fields: Partial<WalletOperation>): WalletOperation => ({
  operationId: 'wish-1',
  kind: 'transfer',
  key: 'key-1',
  amount: 1001,
  fromWalletId: 'wal_a',
  toWalletId: 'wal_b',
  holdId: null,
  told: done({ transactionId: 'txn_1' }),
  tries: 1,
  contradiction: null,
  ...fields,
});
const fact = (fields: Partial<WalletFact>): WalletFact => ({
  id: 'txn_1',
  kind: 'transfer',
  status: 'SUCCESS',
  amount: 1001,
  fromWalletId: 'wal_a',
  toWalletId: 'wal_b',
  ...fields,
});

const added = fact({ id: 'txn_0', kind: 'add', amount: 5000, fromWalletId: null, toWalletId: 'wal_a' });
const addition = operation({
  operationId: 'wish-0',
  kind: 'add',
  amount: 5000,
  fromWalletId: null,
  toWalletId: 'wal_a',
  told: done({ transactionId: 'txn_0' }, 201),
});
const transfer = operation({});
const transferred = fact({});
const withdrawal = operation({
  operationId: 'wish-2',
  kind: 'withdraw',
  amount: 1002,
  toWalletId: null,
  told: SILENCE,
});
const withdrawn = fact({ id: 'txn_2', kind: 'withdraw', amount: 1002, toWalletId: null });
const held = fact({ id: 'hld_1', kind: 'hold', status: 'PLACED', amount: 1003, toWalletId: null });
const hold = operation({
  operationId: 'wish-3',
  kind: 'hold',
  amount: 1003,
  toWalletId: null,
  told: done({ holdId: 'hld_1' }, 201),
});
const release = operation({ ...hold, operationId: 'wish-4', kind: 'void', holdId: 'hld_1', told: done({}) });

const books = (transactions: readonly WalletFact[], fields: Partial<WalletFacts> = {}): WalletFacts => ({
  transactions,
  holds: [],
  posted: transactions.filter(({ status }) => status === 'SUCCESS').map(({ id }) => id),
  balance: 5000,
  contradictions: [],
  ...fields,
});

const kindsIn = (operations: readonly WalletOperation[], facts: WalletFacts): readonly string[] =>
  linesOf(judgeWallets(operations, facts)).map((text) => text.split(':')[0] ?? '');

describe('a verdict of wallets without findings', () => {
  it.each<[string, readonly WalletOperation[], WalletFacts]>([
    ['a transfer that was answered and is there', [addition, transfer], books([added, transferred])],
    ['one that was not answered and is there', [addition, operation({ told: SILENCE })], books([added, transferred])],
    ['one that was not answered and is not there', [addition, operation({ told: SILENCE })], books([added])],
    [
      'one that was refused and stays as FAILED',
      [addition, operation({ told: REFUSED })],
      books([added, fact({ status: 'FAILED' })]),
    ],
    [
      'one that failed while the ledger was away, and happened when it was repeated',
      [addition, transfer],
      books([added, transferred, fact({ id: 'txn_9', status: 'FAILED' })]),
    ],
    [
      'a withdrawal that was not answered and is there',
      [addition, withdrawal],
      books([added, withdrawn], { balance: 3998 }),
    ],
    [
      'an addition that was under way and failed',
      [operation({ ...addition, told: done({ transactionId: 'txn_0' }, 202) })],
      books([{ ...added, status: 'FAILED' }], { balance: 0 }),
    ],
    ['a hold that is there', [addition, hold], books([added], { holds: [held] })],
    ['a hold that was voided', [addition, hold, release], books([added], { holds: [{ ...held, status: 'VOIDED' }] })],
  ])('%s', (_name, operations, facts) => {
    expect(linesOf(judgeWallets(operations, facts))).toEqual([]);
  });
});

describe('a verdict of wallets', () => {
  it.each<[string, string, readonly WalletOperation[], WalletFacts]>([
    ['a transfer that was answered and is not there', 'lost', [addition, transfer], books([added])],
    [
      'a transfer that was answered and failed',
      'lost',
      [addition, transfer],
      books([added, fact({ status: 'FAILED' })]),
    ],
    [
      'a transfer that was under way and is not there',
      'lost',
      [addition, operation({ told: done({ transactionId: 'txn_1' }, 202) })],
      books([added]),
    ],
    [
      'a void that was answered and did not happen',
      'lost',
      [addition, hold, release],
      books([added], { holds: [held] }),
    ],
    [
      'two transfers of one request',
      'doubled',
      [addition, operation({ told: SILENCE })],
      books([added, transferred, fact({ id: 'txn_9' })]),
    ],
    ['a transfer that nobody asked for', 'unasked', [addition], books([added, transferred])],
    [
      'a transfer that was refused and happened',
      'unasked',
      [addition, operation({ told: REFUSED })],
      books([added, transferred]),
    ],
    [
      'a hold that nobody voided',
      'unasked',
      [addition, hold],
      books([added], { holds: [{ ...held, status: 'VOIDED' }] }),
    ],
    ['a transfer to somebody else', 'apart', [addition, transfer], books([added, fact({ toWalletId: 'wal_c' })])],
    [
      'a transfer that was answered with another transaction',
      'apart',
      [addition, operation({ told: done({ transactionId: 'txn_0' }) })],
      books([added, transferred]),
    ],
    [
      'a refusal without a reason',
      'apart',
      [addition, operation({ told: { kind: 'refused', status: 404, code: 'wallet_not_found' } })],
      books([added]),
    ],
    [
      'a transfer that was not posted',
      'apart',
      [addition, transfer],
      books([added, transferred], { posted: ['txn_0'] }),
    ],
    [
      'a transfer that was posted twice',
      'apart',
      [addition, transfer],
      books([added, transferred], { posted: ['txn_0', 'txn_1', 'txn_1'] }),
    ],
    ['money that came from nowhere', 'apart', [addition], books([added], { balance: 5001 })],
    ['a withdrawal that is still in the wallet', 'apart', [addition, withdrawal], books([added, withdrawn])],
    [
      'what the bank contradicts',
      'apart',
      [addition],
      books([added], { contradictions: ['txn_2: paid, then refused'] }),
    ],
    [
      'two answers to one key',
      'apart',
      [addition, operation({ contradiction: 'first 200, then 409' })],
      books([added, transferred]),
    ],
  ])('finds %s', (_name, kind, operations, facts) => {
    expect(kindsIn(operations, facts)).toContain(kind);
  });
});
