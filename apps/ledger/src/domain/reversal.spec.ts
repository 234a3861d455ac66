import { currencyOf } from '@payflow/kernel';
import { describe, expect, it } from '@jest/globals';

import { contentText } from './content.js';
import { isReservedCode } from './chart-of-accounts.js';
import type { TransactionContent } from './journal.js';
import { reversalOf } from './reversal.js';

const USD = currencyOf('USD');
if (USD === undefined) throw new Error('USD is a currency');

describe('a reversal', () => {
  it('moves the same amounts the other way, the last posting first', () => {
    const postings = [
      { from: 'a', to: 'b', amountMinor: 5n, currency: USD },
      { from: 'b', to: 'c', amountMinor: 3n, currency: USD },
    ];
    expect(reversalOf(postings)).toEqual([
      { from: 'c', to: 'b', amountMinor: 3n, currency: USD, entryType: 'REVERSAL' },
      { from: 'b', to: 'a', amountMinor: 5n, currency: USD, entryType: 'REVERSAL' },
    ]);
  });
});

describe('the content of a transaction', () => {
  const content: TransactionContent = {
    reference: 'r',
    type: 'TRANSFER',
    postings: [{ from: 'a', to: 'b', amountMinor: 5n, currency: USD, entryType: 'TRANSFER' }],
    effectiveAt: null,
    metadata: { a: '1', b: '2' },
    provenance: {
      paymentId: null,
      merchantId: null,
      eventId: null,
      acquirerReference: null,
      reverts: null,
      postedBy: 'cli_1',
      correlationId: 'req_1',
    },
  };
  const textOf = (change: Partial<TransactionContent>): string =>
    contentText({ ...content, ...change }, (name) => (name === 'acc_a' ? 'a' : name));
  const [posting] = content.postings;
  if (posting === undefined) throw new Error('there is one');

  it.each<readonly [string, Partial<TransactionContent>]>([
    ['the order of metadata', { metadata: { b: '2', a: '1' } }],
    ['naming an account by its id', { postings: [{ ...posting, from: 'acc_a' }] }],
    ['who posts it', { provenance: { ...content.provenance, postedBy: 'cli_2', correlationId: 'req_2' } }],
  ])('does not depend on %s', (_, change) => {
    expect(textOf(change)).toBe(textOf({}));
  });

  it.each<readonly [string, Partial<TransactionContent>]>([
    ['the reference', { reference: 's' }],
    ['the type', { type: 'OTHER' }],
    ['an amount', { postings: [{ ...posting, amountMinor: 6n }] }],
    ['an account', { postings: [{ ...posting, to: 'c' }] }],
    ['the direction', { postings: [{ ...posting, from: 'b', to: 'a' }] }],
    ['the time', { effectiveAt: new Date(0) }],
    ['metadata', { metadata: { a: '1', b: '3' } }],
  ])('depends on %s', (_, change) => {
    expect(textOf(change)).not.toBe(textOf({}));
  });
});

describe('reserved accounts', () => {
  it.each([
    'psp:sim:receivable',
    'merchant:mer_1:payable',
    'fees:revenue',
    'memo:x',
    'bank:b:cash',
    'fees',
    'user:usr_1:wallet:wal_1',
    'wallet:claims',
  ])('%s', (code) => {
    expect(isReservedCode(code)).toBe(true);
  });
  it.each(['users:1', 'merchants:1', 'pspx', 'my:psp:1'])('not %s', (code) => {
    expect(isReservedCode(code)).toBe(false);
  });
});
