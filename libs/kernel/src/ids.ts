import { freshSuffix } from './id-suffix.js';

/** Every prefix an id may have, with what it names. The prefix is the type: a `ref_` where a `pay_` belongs does not compile. */
export const ID_PREFIXES = {
  acc: 'ledger account',
  apk: 'API key: its id, not the key itself',
  apr: 'approval: what one person asked for and another decides',
  att: 'attempt: one try at an acquirer; its id is the idempotency key there',
  bt: 'balance transaction of a merchant',
  cap: 'capture',
  cli: 'OAuth2 client',
  del: 'delivery: one event or message on its way to one receiver',
  dl: 'dead letter',
  dlj: 'dead letter job: a replay or discard of many',
  dp: 'dispute',
  evt: 'event',
  fd: 'fraud decision',
  fle: 'entry of a fraud list',
  frl: 'fraud rule',
  frv: 'fraud review: what people must decide',
  fwd: 'forwarded request of the vault',
  hld: 'hold on a wallet',
  key: 'signing or data key',
  le: 'ledger entry',
  ltx: 'ledger transaction',
  mer: 'merchant',
  pay: 'payment',
  pex: 'payment exception: what people must decide',
  po: 'payout to a merchant',
  rec: 'reconciliation run',
  ref: 'refund',
  req: 'request',
  rep: 'report of an acquirer or a bank, as it was read in',
  ses: 'session: one login of a person',
  set: 'settlement: one batch of a merchant at an acquirer in a currency',
  sex: 'settlement exception: a difference that people must resolve',
  srn: 'settlement run: one pass of the job that settles',
  tok: 'card token',
  txn: 'wallet transaction',
  usr: 'user',
  vod: 'void',
  wal: 'wallet',
  we: 'webhook endpoint',
  wex: 'wallet exception: what people must decide',
} as const;

export type IdPrefix = keyof typeof ID_PREFIXES;

/** A prefixed, time-sorted id: the prefix, an underscore and a UUIDv7 in base 32 (TypeID 0.3). */
export type Id<Prefix extends IdPrefix> = `${Prefix}_${string}`;

export type PaymentId = Id<'pay'>;
export type RefundId = Id<'ref'>;
export type DisputeId = Id<'dp'>;
export type CaptureId = Id<'cap'>;
export type AttemptId = Id<'att'>;
export type VoidId = Id<'vod'>;
export type MerchantId = Id<'mer'>;
export type UserId = Id<'usr'>;
export type WalletId = Id<'wal'>;
export type WalletTransactionId = Id<'txn'>;

/**
 * A fresh id. It reads the clock and the random source: domain code receives ids in its commands and never calls this
 * (the linter forbids it there).
 */
export const newId = <Prefix extends IdPrefix>(prefix: Prefix): Id<Prefix> => `${prefix}_${freshSuffix()}`;

const SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** Whether the text is a well-formed id with this prefix.. */
export const isId = <Prefix extends IdPrefix>(prefix: Prefix, text: string): text is Id<Prefix> =>
  text.startsWith(`${prefix}_`) && SUFFIX.test(text.slice(prefix.length + 1));
