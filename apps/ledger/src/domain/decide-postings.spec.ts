import { type Currency, currencyOf } from '@payflow/kernel';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { BALANCE_MINOR_MAX, type Books, decidePostings } from './decide-postings.js';
import { brokenBalanceChain, currenciesOutOfBalance, type Leg, legsBelowFloor } from './invariants.js';
import type {
  Account,
  DraftAuthority,
  DraftGroup,
  GroupDecision,
  Outcome,
  Posting,
  TransactionDraft,
} from './journal.js';

const currency = (code: string): Currency => {
  const known = currencyOf(code);
  if (known === undefined) throw new Error(`unknown currency ${code}`);
  return known;
};
const USD = currency('USD');
const EUR = currency('EUR');

const account = (seq: number, code: string, options: Partial<Account> = {}): Account => ({
  seq: BigInt(seq),
  accountId: `acc_${seq}`,
  code,
  currency: USD,
  floorMinor: null,
  balanceMinor: 0n,
  ...options,
});

const move = (from: string, to: string, amountMinor: bigint, code: Currency = USD): Posting => ({
  from,
  to,
  amountMinor,
  currency: code,
  entryType: 'TRANSFER',
});

const draft = (
  reference: string,
  postings: readonly Posting[],
  authority: DraftAuthority = 'client',
): TransactionDraft => ({
  transactionId: `ltx_${reference}`,
  authority,
  reference,
  type: 'TRANSFER',
  postings,
  opens: [],
  refusalIsFinal: false,
  effectiveAt: null,
  metadata: {},
  provenance: {
    paymentId: null,
    merchantId: null,
    eventId: null,
    acquirerReference: null,
    reverts: null,
    postedBy: null,
    correlationId: null,
  },
});

/** The drafts' postings stand for the hash of their content. */
const contentHashOf = ({ postings }: TransactionDraft): string =>
  postings.map(({ from, to, amountMinor, currency: code }) => `${from}>${to}:${amountMinor}${code}`).join();

const booksOf = (accounts: readonly Account[], seen: Books['seen'] = new Map()): Books => ({
  accounts,
  seen,
  contentHashOf,
});

const each = (...drafts: readonly TransactionDraft[]): readonly DraftGroup[] =>
  drafts.map((one) => ({ atomic: false, drafts: [one] }));

const outcomesOf = (decisions: readonly GroupDecision[]): readonly Outcome[] =>
  decisions.flatMap(({ outcomes }) => outcomes);

const ALICE = account(1, 'own:alice', { floorMinor: 0n, balanceMinor: 100n });
const BOB = account(2, 'own:bob', { floorMinor: 0n });
const BOB_EUR = account(3, 'own:bob', { floorMinor: 0n, currency: EUR });
const PAYABLE = account(4, 'merchant:mer_1:payable');
const FULL = account(5, 'own:full', { balanceMinor: BALANCE_MINOR_MAX });
const EMPTY = account(6, 'own:empty', { balanceMinor: -BALANCE_MINOR_MAX });
const ACCOUNTS = [ALICE, BOB, BOB_EUR, PAYABLE, FULL, EMPTY];

describe('a posting', () => {
  it('debits one account and credits the other, each entry with the balance after it', () => {
    const [outcome] = outcomesOf(
      decidePostings(booksOf(ACCOUNTS), each(draft('a', [move('own:alice', 'own:bob', 30n)]))),
    );
    expect(outcome).toMatchObject({
      kind: 'posted',
      entries: [
        { account: ALICE, line: 1, direction: 'debit', amountMinor: 30n, balanceAfterMinor: 70n },
        { account: BOB, line: 2, direction: 'credit', amountMinor: 30n, balanceAfterMinor: 30n },
      ],
    });
  });

  it('may name its accounts by id', () => {
    const [outcome] = outcomesOf(
      decidePostings(booksOf(ACCOUNTS), each(draft('a', [move('acc_1', 'acc_3', 1n, EUR)]))),
    );
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'currency_mismatch', account: 'acc_1' } });
    const [other] = outcomesOf(decidePostings(booksOf(ACCOUNTS), each(draft('b', [move('acc_1', 'acc_2', 1n)]))));
    expect(other).toMatchObject({ kind: 'posted' });
  });

  it('of PayFlow itself may use its own accounts, without limit', () => {
    const payable = { ...PAYABLE, balanceMinor: BALANCE_MINOR_MAX };
    const fees = account(9, 'fees:revenue', { balanceMinor: BALANCE_MINOR_MAX });
    const posting = move('merchant:mer_1:payable', 'fees:revenue', 1n);
    const [outcome] = outcomesOf(decidePostings(booksOf([payable, fees]), each(draft('a', [posting], 'event'))));
    expect(outcome).toMatchObject({ kind: 'posted' });
  });
});

describe('refusals, in their order of precedence', () => {
  const seen = new Map([['old', { transactionId: 'ltx_old', contentHash: 'another content' }]]);
  // Each row has every fault of the rows below it, too, as far as they can go together.
  const wrong = {
    account_not_found: move('own:nobody', 'own:bob', 1n),
    account_reserved: move('merchant:mer_1:payable', 'own:bob', 1n),
    currency_mismatch: move('own:alice', 'own:bob', 1n, EUR),
    posting_to_itself: move('own:bob', 'own:bob', 1n),
    insufficient_funds: move('own:alice', 'own:full', 101n),
    balance_out_of_range: move('own:alice', 'own:full', 1n),
  } as const;
  const order = Object.keys(wrong) as (keyof typeof wrong)[];

  it('a reference that was posted with other content comes first', () => {
    const [outcome] = outcomesOf(
      decidePostings(booksOf(ACCOUNTS, seen), each(draft('old', [wrong.account_not_found]))),
    );
    expect(outcome).toEqual({ kind: 'refused', refusal: { code: 'reference_taken', transactionId: 'ltx_old' } });
  });

  it.each(order.slice(0, 5).map((code, index) => [code, order.slice(index)] as const))(
    '%s comes before what follows it',
    (code, faults) => {
      const worstLast = faults.toReversed().map((fault) => wrong[fault]);
      const named = ['insufficient_funds'].includes(code) ? [wrong[code]] : worstLast;
      const [outcome] = outcomesOf(decidePostings(booksOf(ACCOUNTS), each(draft('a', named))));
      expect(outcome).toMatchObject({ kind: 'refused', refusal: { code } });
    },
  );

  it.each([
    ['account_not_found', move('own:alice', 'own:nobody', 1n), 'to', 'own:nobody'],
    ['account_reserved', move('own:alice', 'merchant:mer_1:payable', 1n), 'to', 'merchant:mer_1:payable'],
    ['account_reserved', move('acc_4', 'own:bob', 1n), 'from', 'acc_4'],
    ['currency_mismatch', move('own:alice', 'own:bob', 1n, EUR), 'from', 'own:alice'],
    ['insufficient_funds', move('own:alice', 'own:bob', 101n), 'from', 'own:alice'],
    ['balance_out_of_range', move('own:alice', 'own:full', 1n), 'to', 'own:full'],
    ['balance_out_of_range', move('own:empty', 'own:bob', 1n), 'from', 'own:empty'],
  ])('%s names the posting, its side and the account', (code, posting, side, name) => {
    const [outcome] = outcomesOf(
      decidePostings(booksOf(ACCOUNTS), each(draft('a', [move('own:alice', 'own:bob', 1n), posting]))),
    );
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code, postingIndex: 1, side, account: name } });
  });

  it('posting to itself is told even when code and id name the account', () => {
    const [outcome] = outcomesOf(decidePostings(booksOf(ACCOUNTS), each(draft('a', [move('acc_1', 'own:alice', 1n)]))));
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'posting_to_itself', postingIndex: 0 } });
  });

  it('the floor holds after every posting of a transaction, not only after the last', () => {
    const dip = [move('own:alice', 'own:bob', 150n), move('own:bob', 'own:alice', 150n)];
    expect(outcomesOf(decidePostings(booksOf(ACCOUNTS), each(draft('a', dip))))).toMatchObject([{ kind: 'refused' }]);
    expect(
      outcomesOf(decidePostings(booksOf([ALICE, { ...BOB, balanceMinor: 150n }]), each(draft('a', dip.toReversed())))),
    ).toMatchObject([{ kind: 'posted' }]);
  });
});

describe('a reference posts once for ever', () => {
  const posting = move('own:alice', 'own:bob', 60n);

  it('the same content again is the transaction that was posted, even when the money is gone', () => {
    const seen = new Map([['r', { transactionId: 'ltx_first', contentHash: contentHashOf(draft('r', [posting])) }]]);
    const poor = [{ ...ALICE, balanceMinor: 0n }, BOB];
    expect(outcomesOf(decidePostings(booksOf(poor, seen), each(draft('r', [posting]))))).toEqual([
      { kind: 'replayed', transactionId: 'ltx_first' },
    ]);
  });

  it('within one batch, too', () => {
    const other = draft('r', [move('own:alice', 'own:bob', 1n)]);
    expect(
      outcomesOf(decidePostings(booksOf(ACCOUNTS), each(draft('r', [posting]), draft('r', [posting]), other))),
    ).toMatchObject([
      { kind: 'posted' },
      { kind: 'replayed', transactionId: 'ltx_r' },
      { kind: 'refused', refusal: { code: 'reference_taken', transactionId: 'ltx_r' } },
    ]);
  });

  it('a refused draft leaves its reference free', () => {
    const decisions = decidePostings(
      booksOf(ACCOUNTS),
      each(draft('r', [move('own:alice', 'own:bob', 101n)]), draft('r', [posting])),
    );
    expect(outcomesOf(decisions)).toMatchObject([{ kind: 'refused' }, { kind: 'posted' }]);
  });
});

describe('an atomic group', () => {
  const good = draft('good', [move('own:alice', 'own:bob', 60n)]);
  const tooMuch = draft('too-much', [move('own:alice', 'own:bob', 60n)]);

  it('posts nothing when one of its drafts is refused, and tells which', () => {
    const [decision] = decidePostings(booksOf(ACCOUNTS), [{ atomic: true, drafts: [good, tooMuch] }]);
    expect(decision).toMatchObject({
      posts: false,
      outcomes: [{ kind: 'posted' }, { kind: 'refused', refusal: { code: 'insufficient_funds' } }],
    });
  });

  it('that posts nothing leaves balances and references to those behind it', () => {
    const [, behind] = decidePostings(booksOf(ACCOUNTS), [
      { atomic: true, drafts: [good, tooMuch] },
      { atomic: false, drafts: [good, tooMuch] },
    ]);
    expect(behind?.outcomes).toMatchObject([{ kind: 'posted' }, { kind: 'refused' }]);
  });

  it('that posts counts for those behind it', () => {
    const [first, behind] = decidePostings(booksOf(ACCOUNTS), [
      { atomic: true, drafts: [good] },
      { atomic: false, drafts: [good, tooMuch] },
    ]);
    expect(first?.posts).toBe(true);
    expect(behind?.outcomes).toMatchObject([{ kind: 'replayed', transactionId: 'ltx_good' }, { kind: 'refused' }]);
  });
});

describe('whatever is asked', () => {
  const CODES = ['a', 'b', 'c', 'd'] as const;
  const accountsArbitrary = fc
    .array(fc.record({ floorMinor: fc.constantFrom(null, 0n, -50n), balanceMinor: fc.bigInt(0n, 200n) }), {
      minLength: 8,
      maxLength: 8,
    })
    .map((rows) =>
      rows.map((row, index) =>
        account(index + 1, CODES[index % 4] ?? 'a', { ...row, currency: index < 4 ? USD : EUR }),
      ),
    );
  const postingArbitrary = fc
    .tuple(
      fc.constantFrom(...CODES, 'nobody'),
      fc.constantFrom(...CODES),
      fc.bigInt(1n, 150n),
      fc.constantFrom(USD, EUR),
    )
    .map(([from, to, amount, code]) => move(from, to, amount, code));
  const draftArbitrary = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.array(postingArbitrary, { minLength: 1, maxLength: 3 }))
    .map(([reference, postings]) => draft(`r${reference}`, postings));
  const groupsArbitrary = fc.array(
    fc.record({ atomic: fc.boolean(), drafts: fc.array(draftArbitrary, { minLength: 1, maxLength: 4 }) }),
    { maxLength: 12 },
  );

  /** The legs that are written, behind an opening leg for each account. */
  const legsOf = (accounts: readonly Account[], decisions: readonly GroupDecision[]): readonly Leg[] => [
    ...accounts.map((one) => ({
      account: one.code,
      currency: one.currency,
      direction: 'credit' as const,
      amountMinor: one.balanceMinor,
      balanceAfterMinor: one.balanceMinor,
    })),
    ...writtenLegs(decisions),
  ];
  const writtenLegs = (decisions: readonly GroupDecision[]): readonly Leg[] =>
    decisions
      .filter(({ posts }) => posts)
      .flatMap(({ outcomes }) => outcomes)
      .flatMap((outcome) => (outcome.kind === 'posted' ? outcome.entries : []))
      .map((entry) => ({ ...entry, account: entry.account.code, currency: entry.account.currency }));

  it('debits equal credits per currency, balances follow one another, floors hold', () => {
    fc.assert(
      fc.property(accountsArbitrary, groupsArbitrary, (accounts, groups) => {
        const decisions = decidePostings(booksOf(accounts), groups);
        expect(currenciesOutOfBalance(writtenLegs(decisions))).toEqual([]);
        expect(brokenBalanceChain(legsOf(accounts, decisions))).toEqual([]);
        const floorOf = (code: string, currencyCode: string): bigint | null =>
          accounts.find((one) => one.code === code && one.currency === currencyCode)?.floorMinor ?? null;
        expect(legsBelowFloor(writtenLegs(decisions), floorOf)).toEqual([]);
      }),
    );
  });

  it('what is refused does not change what becomes of the others', () => {
    fc.assert(
      fc.property(accountsArbitrary, groupsArbitrary, (accounts, groups) => {
        const decisions = decidePostings(booksOf(accounts), groups);
        const kept = groups.flatMap((group, index) => {
          const decision = decisions[index];
          if (decision === undefined || !decision.posts) return [];
          return [{ ...group, drafts: group.drafts.filter((_, at) => decision.outcomes[at]?.kind !== 'refused') }];
        });
        expect(writtenLegs(decidePostings(booksOf(accounts), kept))).toEqual(writtenLegs(decisions));
      }),
    );
  });

  it('one batch decides as one batch after the other would', () => {
    fc.assert(
      fc.property(accountsArbitrary, groupsArbitrary, (accounts, groups) => {
        const together = decidePostings(booksOf(accounts), groups);
        const seen = new Map<string, { transactionId: string; contentHash: string }>();
        let now = accounts;
        const apart = groups.map((group) => {
          const [decision] = decidePostings(booksOf(now, seen), [group]);
          if (decision?.posts === true) {
            for (const outcome of decision.outcomes) {
              if (outcome.kind !== 'posted') continue;
              const { transactionId, reference } = outcome.draft;
              seen.set(reference, { transactionId, contentHash: contentHashOf(outcome.draft) });
              for (const entry of outcome.entries) {
                now = now.map((one) =>
                  one.seq === entry.account.seq ? { ...one, balanceMinor: entry.balanceAfterMinor } : one,
                );
              }
            }
          }
          return decision;
        });
        const told = (decision: GroupDecision | undefined): unknown => ({
          posts: decision?.posts,
          outcomes: decision?.outcomes.map((outcome) =>
            outcome.kind === 'posted' ? writtenLegs([{ posts: true, outcomes: [outcome] }]) : outcome,
          ),
        });
        expect(together.map(told)).toEqual(apart.map(told));
      }),
    );
  });
});
