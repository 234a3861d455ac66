import { WALLET_MERCHANT_ID } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { migrations as bankMigrations } from '../../apps/acquirer-sim/src/migrations.js';
import { paymentReference } from '../../apps/ledger/src/domain/references.js';
import { migrations as ledgerMigrations } from '../../apps/ledger/src/migrations.js';
import { MIGRATIONS as paymentMigrations } from '../../apps/payment/src/migrations/migrations.js';
import { migrations as walletMigrations } from '../../apps/wallet/src/migrations.js';
import type { Finding } from './invariant.js';
import { type Posted, ScratchBooks } from './scratch-books.js';
import { walletsAgree } from './wallets-agree.js';

/** The books of a day with wallets, written as the services write them; then somebody breaks them, one thing after another. */

const MIGRATIONS = {
  wallet: walletMigrations,
  ledger: ledgerMigrations,
  payment: paymentMigrations,
  'acquirer-sim': bankMigrations,
} as const;

let books: ScratchBooks<keyof typeof MIGRATIONS>;
const inDatabase = async (
  service: keyof typeof MIGRATIONS,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<void> => {
  await books.write(service, statement, parameters);
};
const post: ScratchBooks<'ledger'>['post'] = async (...posting) => await books.post(...posting);
const audit = async (): Promise<readonly Finding[]> => await books.audit(walletsAgree);

/** Breaks something, and expects to be told so in these words, about this. */
const expectFound = async (breakIt: () => Promise<unknown>, problem: RegExp, id: string): Promise<void> => {
  const tells = ({ problem: told, ids }: Finding): boolean => problem.test(told) && Object.values(ids).includes(id);
  expect((await audit()).filter(tells)).toEqual([]);
  await breakIt();
  expect((await audit()).filter(tells)).not.toEqual([]);
};

interface WalletTransaction {
  readonly id?: string;
  readonly type?: string;
  readonly status: string;
  readonly from?: string | null;
  readonly to?: string | null;
  readonly amount: number;
  readonly posted?: Posted;
  readonly fromBalance?: number;
  readonly toBalance?: number;
  readonly reversed?: boolean;
  readonly paymentId?: string;
}

const record = async (transaction: WalletTransaction): Promise<string> => {
  const { id = newId('txn'), type = 'TRANSFER', status, from = null, to = null, amount, posted } = transaction;
  const ended = status === 'PENDING' ? null : new Date();
  await inDatabase(
    'wallet',
    `INSERT INTO wallet_transactions (id, type, status, reason, from_wallet_id, to_wallet_id, payment_id, amount_minor, currency,
       from_balance_after, to_balance_after, ledger_transaction_id, posted_at, reversed_at, requested_by, created_at, completed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'USD', $9, $10, $11, $12, $13, 'usr_1', now(), $14)`,
    [
      id,
      type,
      status,
      status === 'FAILED' ? 'insufficient_funds' : null,
      from,
      to,
      transaction.paymentId ?? null,
      amount,
      transaction.fromBalance ?? null,
      transaction.toBalance ?? null,
      posted?.transactionId ?? null,
      posted?.at ?? null,
      transaction.reversed === true ? new Date() : null,
      ended,
    ],
  );
  if (ended !== null) await tell(id, status, 1);
  return id;
};

const tell = async (id: string, status: string, sequence: number): Promise<void> => {
  await inDatabase(
    'wallet',
    `INSERT INTO outbox (topic, headers, envelope, aggregate_id, sequence)
     VALUES ('wallet.transaction', '{}', $1, $2, $3)`,
    [JSON.stringify({ payload: { status } }), id, sequence],
  );
};

const [alice, carol] = [newId('wal'), newId('wal')];
const ALICE = `user:usr_1:wallet:${alice}`;
const CAROL = `user:usr_2:wallet:${carol}`;
const IN_TRANSIT = 'bank:sim:in_transit';
const CASH = 'bank:sim:cash';
const OWN_MERCHANT = `merchant:${WALLET_MERCHANT_ID}:payable`;
const RECEIVABLE = 'psp:wallet:receivable';

const transferred = async (amount: number): Promise<string> => {
  const id = newId('txn');
  const posted = await post(`wallet:${id}`, [[ALICE, CAROL, amount]]);
  return await record({
    id,
    status: 'SUCCESS',
    from: alice,
    to: carol,
    amount,
    posted,
    fromBalance: posted.balanceOf(ALICE),
    toBalance: posted.balanceOf(CAROL),
  });
};

const claimed = async (status: 'OPEN' | 'PAID' | 'RETURNED', amount: number): Promise<string> => {
  const id = newId('txn');
  const posted = await post(`wallet:${id}`, [[ALICE, 'wallet:claims', amount]]);
  const fromBalance = posted.balanceOf(ALICE);
  const end = status === 'PAID' ? await post(`wallet:${id}:paid`, [['wallet:claims', CAROL, amount]]) : undefined;
  if (status === 'RETURNED') await post(`wallet:${id}:returned`, [['wallet:claims', ALICE, amount]]);
  await record({
    id,
    status: { OPEN: 'PENDING', PAID: 'SUCCESS', RETURNED: 'FAILED' }[status],
    from: alice,
    to: end && carol,
    amount,
    posted,
    fromBalance,
    ...(end && { toBalance: end.balanceOf(CAROL) }),
    reversed: status === 'RETURNED',
  } as WalletTransaction);
  await inDatabase(
    'wallet',
    `INSERT INTO wallet_claims (transaction_id, channel, address, status, expires_at) VALUES ($1, 'email', 'x@example.com', $2, now())`,
    [id, status],
  );
  return id;
};

const withdrawn = async (stage: 'SENDING' | 'PAID' | 'RETURNED', amount: number): Promise<string> => {
  const id = newId('txn');
  const posted = await post(`wallet:${id}`, [[ALICE, IN_TRANSIT, amount]], { type: 'WITHDRAW' });
  const fromBalance = posted.balanceOf(ALICE);
  if (stage !== 'SENDING') await post(`wallet:${id}:paid`, [[IN_TRANSIT, CASH, amount]]);
  if (stage === 'RETURNED') {
    await post(`wallet:${id}:returned`, [
      [CASH, IN_TRANSIT, amount],
      [IN_TRANSIT, ALICE, amount],
    ]);
  }
  const status = { SENDING: 'PENDING', PAID: 'SUCCESS', RETURNED: 'FAILED' }[stage];
  await record({
    id,
    type: 'WITHDRAW',
    status,
    from: alice,
    amount,
    posted,
    fromBalance,
    reversed: stage === 'RETURNED',
  });
  await inDatabase('wallet', `INSERT INTO wallet_withdrawals (transaction_id, bank, stage) VALUES ($1, 'sim', $2)`, [
    id,
    stage,
  ]);
  await inDatabase(
    'acquirer-sim',
    `INSERT INTO bank_payouts (bank, reference, bank_reference, amount_minor, currency, account, name, request_hash, created_at)
     VALUES ('sim', $1, 'b', $2, 'USD', 'DE89370400440532013000', 'A', '\\x00', now())`,
    [id, amount],
  );
  if (stage !== 'SENDING') await inBankBook(id, 'CREDIT', amount);
  if (stage === 'RETURNED') await inBankBook(id, 'RETURN', amount);
  return id;
};

const inBankBook = async (reference: string, kind: string, amount: number): Promise<void> => {
  await inDatabase(
    'acquirer-sim',
    `INSERT INTO bank_book (bank, reference, kind, account, name, amount_minor, currency, created_at)
     VALUES ('sim', $1, $2, 'DE89370400440532013000', 'A', $3, 'USD', now())`,
    [reference, kind, amount],
  );
};

/** By card to PayFlow's own merchant, and from him into the wallet. */
const added = async (amount: number): Promise<{ readonly id: string; readonly paymentId: string }> => {
  const [id, paymentId] = [newId('txn'), newId('pay')];
  await post(paymentReference(paymentId, 1), [['psp:sim:receivable', OWN_MERCHANT, amount]], {
    type: 'CAPTURE',
    paymentId,
  });
  const posted = await post(`wallet:${id}`, [[OWN_MERCHANT, ALICE, amount]], { type: 'ADD', paymentId });
  const toBalance = posted.balanceOf(ALICE);
  await record({ id, type: 'ADD', status: 'SUCCESS', to: alice, amount, posted, toBalance, paymentId });
  return { id, paymentId };
};

const held = async (amount: number): Promise<string> => {
  const id = newId('hld');
  await post(`wallet:${id}:place`, [[ALICE, `${ALICE}:held`, amount]], { type: 'HOLD' });
  await inDatabase(
    'wallet',
    `INSERT INTO wallet_holds (id, wallet_id, status, amount_minor, currency, requested_by, expires_at, created_at)
     VALUES ($1, $2, 'PLACED', $3, 'USD', 'usr_1', now(), now())`,
    [id, alice, amount],
  );
  return id;
};

const paid = async (amount: number): Promise<string> => {
  const [id, paymentId] = [newId('txn'), newId('pay')];
  const posted = await post(`wallet:${id}`, [[ALICE, RECEIVABLE, amount]], { type: 'PAY', paymentId });
  await post(paymentReference(paymentId, 1), [[RECEIVABLE, 'merchant:mer_1:payable', amount]], {
    type: 'CAPTURE',
    paymentId,
  });
  const fromBalance = posted.balanceOf(ALICE);
  return await record({ id, type: 'PAY', status: 'SUCCESS', from: alice, amount, posted, fromBalance, paymentId });
};

beforeAll(async () => {
  books = await ScratchBooks.open(MIGRATIONS);
  for (const [id, owner] of [
    [alice, 'usr_1'],
    [carol, 'usr_2'],
  ])
    await inDatabase('wallet', `INSERT INTO wallets (id, owner_id, currency) VALUES ($1, $2, 'USD')`, [id, owner]);
}, 120_000);
afterAll(async () => {
  await books.close();
});

it('finds nothing in the books of a day on which everything happened', async () => {
  await added(100_000);
  await transferred(300);
  await record({ status: 'FAILED', from: alice, to: carol, amount: 1_000_000 });
  await record({ status: 'PENDING', from: alice, to: carol, amount: 5 });
  await claimed('OPEN', 50);
  await claimed('PAID', 20);
  await claimed('RETURNED', 10);
  await withdrawn('SENDING', 30);
  await withdrawn('PAID', 100);
  await withdrawn('RETURNED', 70);
  await held(60);
  await paid(40);
  expect(await audit()).toEqual([]);
});

describe('names', () => {
  it('a success without its posting, and a success over another amount', async () => {
    const missing = newId('txn');
    const ghost = { transactionId: 'ltx_ghost', at: new Date(), balanceOf: () => 0 };
    await expectFound(
      () => record({ id: missing, status: 'SUCCESS', from: alice, to: carol, amount: 5, posted: ghost }),
      /which the ledger has not/,
      missing,
    );
    const other = await transferred(7);
    await expectFound(
      () => inDatabase('wallet', 'UPDATE wallet_transactions SET amount_minor = 8 WHERE id = $1', [other]),
      /it is SUCCESS over 8 USD, and the ledger has .* -7 USD/,
      other,
    );
  });

  it('a success between other wallets than the ledger moved it between', async () => {
    const id = await transferred(7);
    await expectFound(
      () =>
        inDatabase('wallet', 'UPDATE wallet_transactions SET from_wallet_id = $2, to_wallet_id = $3 WHERE id = $1', [
          id,
          carol,
          alice,
        ]),
      /it is SUCCESS over 7 USD, and the ledger has/,
      id,
    );
  });

  it('a failure whose money has left, and one that came back and goes on', async () => {
    const id = await record({ status: 'FAILED', from: alice, to: carol, amount: 9 });
    await expectFound(() => post(`wallet:${id}`, [[ALICE, CAROL, 9]]), /FAILED and has not come back/, id);
  });

  it('what was posted twice for one transaction', async () => {
    const id = await transferred(11);
    await expectFound(() => post(`wallet:${id}:again`, [[ALICE, CAROL, 11]]), /-22 USD/, id);
  });

  it('what was posted for no transaction', async () => {
    const id = newId('txn');
    await expectFound(() => post(`wallet:${id}`, [[ALICE, CAROL, 1]]), /does not exist/, id);
  });

  it('a balance behind a transaction that is not the ledger’s, and another time', async () => {
    const [balance, time] = [await transferred(3), await transferred(3)];
    await expectFound(
      () =>
        inDatabase('wallet', 'UPDATE wallet_transactions SET to_balance_after = to_balance_after + 1 WHERE id = $1', [
          balance,
        ]),
      /as the balance behind it \(to\)/,
      balance,
    );
    await expectFound(
      () =>
        inDatabase(
          'wallet',
          `UPDATE wallet_transactions SET posted_at = posted_at - interval '1 minute' WHERE id = $1`,
          [time],
        ),
      /at another time/,
      time,
    );
  });

  it('a wallet that may fall below zero, and one that did', async () => {
    const poor = `user:usr_3:wallet:${newId('wal')}`;
    await post(`wallet:${newId('hld')}`, [['wallet:claims', poor, 1]]);
    await expectFound(
      () => inDatabase('ledger', 'UPDATE accounts SET floor = NULL WHERE code = $1', [poor]),
      /with the floor none/,
      poor,
    );
    await expectFound(() => post(`wallet:${newId('hld')}`, [[poor, 'wallet:claims', 4]]), /a wallet had -3/, poor);
  });

  it('a hold of which the held account has something else', async () => {
    const id = await held(15);
    await expectFound(
      () => inDatabase('wallet', 'UPDATE wallet_holds SET confirmed_minor = 5 WHERE id = $1', [id]),
      /the held account has 75, the open holds have 70/,
      `${ALICE}:held`,
    );
  });

  it('money that waits at an address, or on its way to the bank, without anybody waiting for it', async () => {
    await expectFound(
      () => inDatabase('wallet', `UPDATE wallet_claims SET status = 'PAID' WHERE status = 'OPEN'`),
      /on their way are 0/,
      'wallet:claims USD',
    );
    const id = await withdrawn('SENDING', 31);
    await expectFound(
      () => inDatabase('wallet', `UPDATE wallet_withdrawals SET stage = 'NOT_DEBITED' WHERE transaction_id = $1`, [id]),
      /the account has 61, on their way are 30/,
      `${IN_TRANSIT} USD`,
    );
  });

  it('a posting on wallets and clearing accounts that nobody has any business to make', async () => {
    const reference = `manual:${newId('req')}`;
    await expectFound(() => post(reference, [['shop:world', CAROL, 1]]), /nobody has any business/, reference);
    const early = `manual:${newId('req')}`;
    await expectFound(() => post(early, [[IN_TRANSIT, 'shop:world', 1]]), /nobody has any business/, early);
  });

  it('a payment by wallet that was never captured, and an addition that was paid and not added', async () => {
    const [id, paymentId] = [newId('txn'), newId('pay')];
    await expectFound(
      async () => {
        const posted = await post(`wallet:${id}`, [[ALICE, RECEIVABLE, 12]], { type: 'PAY', paymentId });
        const fromBalance = posted.balanceOf(ALICE);
        await record({ id, type: 'PAY', status: 'SUCCESS', from: alice, amount: 12, posted, fromBalance, paymentId });
      },
      /12 of it have stayed there/,
      paymentId,
    );
    const unadded = newId('pay');
    await expectFound(
      () =>
        post(paymentReference(unadded, 1), [['psp:sim:receivable', OWN_MERCHANT, 13]], {
          type: 'CAPTURE',
          paymentId: unadded,
        }),
      /13 of it have stayed there/,
      unadded,
    );
  });

  it('a withdrawal that the bank paid twice, and one that it never paid', async () => {
    const [twice, never] = [await withdrawn('PAID', 21), await withdrawn('PAID', 22)];
    await expectFound(() => inBankBook(twice, 'CREDIT', 21), /the bank's book says 42, the ledger says 21/, twice);
    await expectFound(() => inBankBook(never, 'RETURN', 22), /the bank's book says 0, the ledger says 22/, never);
  });

  it('an end that was not told, told twice, or told otherwise', async () => {
    const [silent, twice, otherwise] = [await transferred(1), await transferred(1), await transferred(1)];
    await expectFound(
      () => inDatabase('wallet', 'DELETE FROM outbox WHERE aggregate_id = $1', [silent]),
      /no event tells it/,
      silent,
    );
    await expectFound(() => tell(twice, 'SUCCESS', 2), /it was told twice/, twice);
    await expectFound(() => tell(otherwise, 'FAILED', 2), /its last event says FAILED/, otherwise);
  });
});
