import { hash } from 'node:crypto';

import { LEAF_PREFIX } from './hashing.js';

/** One leg of a transaction, as its leaf holds it. Numbers are decimal digits. */
export interface LeafEntry {
  readonly id: string;
  readonly line: string;
  readonly accountId: string;
  readonly account: string;
  readonly direction: string;
  readonly amount: string;
  readonly currency: string;
  readonly balanceAfter: string;
  readonly type: string;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
}

/** All that the journal says of a transaction. Its leaf is the hash of this, so that none of it can be changed unseen. */
export interface LeafTransaction {
  /** From 1 and without gaps: the leaf's index plus one. */
  readonly position: string;
  readonly id: string;
  readonly reference: string;
  /** SHA-256 of what was asked for, in hexadecimal digits. */
  readonly contentHash: string;
  readonly type: string;
  /** Microseconds since 1970, UTC. */
  readonly effectiveAtUs: string;
  readonly recordedAtUs: string;
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly eventId: string | null;
  readonly acquirerReference: string | null;
  readonly reverts: string | null;
  readonly postedBy: string | null;
  readonly correlationId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: readonly LeafEntry[];
}

/** The bytes are no leaf of this version. */
export class LeafFormatError extends Error {
  override readonly name = 'LeafFormatError';
}

/*
 * The encoding: fields one after the other, each its length in four bytes (big-endian) and then its text in UTF-8; a field that has
 * no value is the length 0xffffffff alone. The first field is the version, the others stand in the order of the lists below; behind
 * the transaction's own fields the number of its metadata and these, key and value, in the order of their keys' UTF-16 units; then
 * the number of its entries and these, in the order of their lines. No two transactions have the same encoding.
 */
const VERSION = 'payflow/ledger-transaction/1';

const TRANSACTION_FIELDS = [
  'position',
  'id',
  'reference',
  'contentHash',
  'type',
  'effectiveAtUs',
  'recordedAtUs',
  'paymentId',
  'merchantId',
  'eventId',
  'acquirerReference',
  'reverts',
  'postedBy',
  'correlationId',
] as const satisfies readonly (keyof LeafTransaction)[];

const ENTRY_FIELDS = [
  'id',
  'line',
  'accountId',
  'account',
  'direction',
  'amount',
  'currency',
  'balanceAfter',
  'type',
  'paymentId',
  'merchantId',
] as const satisfies readonly (keyof LeafEntry)[];

const WITHOUT_VALUE: ReadonlySet<string> = new Set<keyof LeafTransaction>([
  'paymentId',
  'merchantId',
  'eventId',
  'acquirerReference',
  'reverts',
  'postedBy',
  'correlationId',
]);

const LENGTH_BYTES = 4;
const NONE = 0xffffffff;
/** UTF-8 needs three bytes at most for what JavaScript counts as one. */
const BYTES_PER_UNIT_MAX = 3;

/** The leaf's content: hashed behind the prefix of leaves it is the leaf's hash. */
export const encodeTransaction = (transaction: LeafTransaction): Buffer =>
  Buffer.from(writtenBehindPrefix(transaction).subarray(1));

export const transactionLeafHash = (transaction: LeafTransaction): Buffer =>
  hash('sha256', writtenBehindPrefix(transaction), 'buffer');

/** What a leaf's content says. @throws LeafFormatError */
export const decodeTransaction = (content: Buffer): LeafTransaction => {
  let offset = 0;
  const next = (): string | null => {
    if (offset + LENGTH_BYTES > content.length) throw new LeafFormatError('the leaf ends too early');
    const length = content.readUInt32BE(offset);
    offset += LENGTH_BYTES;
    if (length === NONE) return null;
    if (offset + length > content.length) throw new LeafFormatError('the leaf ends too early');
    offset += length;
    return content.toString('utf8', offset - length, offset);
  };
  const version = next();
  if (version !== VERSION) throw new LeafFormatError(`a leaf of the unknown version ${String(version)}`);
  const fields = (names: readonly string[]): Record<string, string | null> =>
    Object.fromEntries(
      names.map((name) => {
        const value = next();
        if (value === null && !WITHOUT_VALUE.has(name)) throw new LeafFormatError(`${name} has no value`);
        return [name, value];
      }),
    );
  const own = fields(TRANSACTION_FIELDS);
  const many = <One>(read: () => One): readonly One[] => Array.from({ length: countOf(next()) }, () => read());
  const metadata: unknown = Object.fromEntries(many(() => [String(next()), next()] as const));
  const entries = many(() => fields(ENTRY_FIELDS));
  if (offset !== content.length) throw new LeafFormatError('there is more behind the leaf');
  const transaction = { ...own, metadata, entries } as unknown as LeafTransaction;
  // What does not come out the same has its keys in another order, or text that is no UTF-8.
  if (!encodeTransaction(transaction).equals(content)) throw new LeafFormatError('the leaf is not in its one form');
  return transaction;
};

const COUNT = /^\d{1,6}$/;
const countOf = (text: string | null): number => {
  if (text === null || !COUNT.test(text)) throw new LeafFormatError('a count is missing');
  return Number(text);
};

/** One buffer for all, as long as the longest so far: a transaction is written and hashed without a wait between. */
let scratch = Buffer.alloc(16_384, LEAF_PREFIX);

const writtenBehindPrefix = (transaction: LeafTransaction): Buffer => {
  let end = 1;
  const write = (text: string | null): void => {
    const room = LENGTH_BYTES + (text?.length ?? 0) * BYTES_PER_UNIT_MAX;
    if (end + room > scratch.length) scratch = Buffer.concat([scratch], (end + room) * 2);
    const length = text === null ? 0 : scratch.write(text, end + LENGTH_BYTES, 'utf8');
    scratch.writeUInt32BE(text === null ? NONE : length, end);
    end += LENGTH_BYTES + length;
  };
  write(VERSION);
  for (const name of TRANSACTION_FIELDS) write(transaction[name]);
  const keys = Object.keys(transaction.metadata).sort();
  write(String(keys.length));
  for (const key of keys) {
    write(key);
    write(transaction.metadata[key] ?? null);
  }
  write(String(transaction.entries.length));
  for (const entry of transaction.entries) for (const name of ENTRY_FIELDS) write(entry[name]);
  return scratch.subarray(0, end);
};
