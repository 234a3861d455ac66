import { createHash } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import {
  decodeTransaction,
  encodeTransaction,
  LeafFormatError,
  type LeafTransaction,
  transactionLeafHash,
} from './transaction-leaf.js';

const entry = {
  id: 'le_1',
  line: '1',
  accountId: 'acc_1',
  account: 'psp:sim:receivable',
  direction: 'debit',
  amount: '1000',
  currency: 'USD',
  balanceAfter: '-1000',
  type: 'CAPTURE',
  paymentId: 'pay_1',
  merchantId: null,
};
const sale: LeafTransaction = {
  position: '7',
  id: 'ltx_1',
  reference: 'payflow:payment:pay_1:2',
  contentHash: 'ab'.repeat(32),
  type: 'CAPTURE',
  effectiveAtUs: '1763715600000000',
  recordedAtUs: '1763715600123000',
  paymentId: 'pay_1',
  merchantId: 'mer_1',
  eventId: 'evt_1',
  acquirerReference: null,
  reverts: null,
  postedBy: null,
  correlationId: 'req_1',
  metadata: { order: '42', Straße: '😀' },
  entries: [entry, { ...entry, id: 'le_2', line: '2', direction: 'credit', account: 'merchant:mer_1:payable' }],
};

describe('the leaf of a transaction', () => {
  it('is hashed behind the prefix of leaves', () => {
    const content = encodeTransaction(sale);
    const expected = createHash('sha256')
      .update(Buffer.from([0]))
      .update(content)
      .digest();
    expect(transactionLeafHash(sale).equals(expected)).toBe(true);
  });

  it('is the same for ever: somebody has its proof', () => {
    const { metadata: _without, ...plain } = sale;
    const hash = transactionLeafHash({ ...plain, metadata: {}, entries: [entry] });
    expect(hash.toString('hex')).toBe('ab127ca9ab63cace2506fd2648cc45c668627115809a8bb3cf7d5f02d16f6fff');
  });

  it('can be read again', () => {
    expect(decodeTransaction(encodeTransaction(sale))).toEqual(sale);
    const long = { ...sale, metadata: { text: 'ü'.repeat(100_000) } };
    expect(decodeTransaction(encodeTransaction(long))).toEqual(long);
  });

  it('is another for each thing that is changed', () => {
    const changed: readonly LeafTransaction[] = [
      sale,
      ...Object.keys(sale)
        .filter((name) => name !== 'metadata' && name !== 'entries')
        .map((name) => ({ ...sale, [name]: 'changed' })),
      ...Object.keys(entry).map((name) => ({ ...sale, entries: [{ ...entry, [name]: 'changed' }, sale.entries[1]!] })),
      { ...sale, metadata: { order: '43', Straße: '😀' } },
      { ...sale, metadata: { order: '42' } },
      { ...sale, metadata: {} },
      { ...sale, entries: sale.entries.slice(1) },
      { ...sale, entries: sale.entries.toReversed() },
      { ...sale, merchantId: null },
      { ...sale, merchantId: '' },
      // One boundary moved: what is joined without lengths would be the same.
      { ...sale, reference: `${sale.reference}a`, contentHash: sale.contentHash.slice(1) },
    ];
    expect(new Set(changed.map((one) => transactionLeafHash(one).toString('hex'))).size).toBe(changed.length);
  });

  it('does not depend on the order in which metadata come', () => {
    const other = { ...sale, metadata: { Straße: '😀', order: '42' } };
    expect(transactionLeafHash(other).equals(transactionLeafHash(sale))).toBe(true);
  });

  it('is refused when it is cut short, goes on, or is of another version', () => {
    const content = encodeTransaction(sale);
    for (let end = 0; end < content.length; end += 1)
      expect(() => decodeTransaction(content.subarray(0, end))).toThrow(LeafFormatError);
    expect(() => decodeTransaction(Buffer.concat([content, Buffer.from([0])]))).toThrow(LeafFormatError);
    expect(() => decodeTransaction(Buffer.from(content.toString('latin1').replace('/1', '/2'), 'latin1'))).toThrow(
      /unknown version/,
    );
  });
});
