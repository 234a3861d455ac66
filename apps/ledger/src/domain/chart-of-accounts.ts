/**
 * The chart of accounts. A code is a path of segments; with its currency it names one account.
 *
 * | code                             | what its balance (credits − debits) says                           |
 * |----------------------------------|--------------------------------------------------------------------|
 * | psp:{acquirer}:receivable        | below zero: what the acquirer owes us                              |
 * | merchant:{id}:payable            | above zero: what we owe the merchant                               |
 * | merchant:{id}:reserve            | above zero: what we owe him and keep back                          |
 * | fees:revenue                     | above zero: what we earned                                         |
 * | memo:psp:{acquirer}:authorized   | below zero: what is held at the acquirer and not yet captured      |
 * | memo:merchant:{id}:authorized    | above zero: the same holds, by merchant                            |
 * | user:{id}:wallet:{wallet}        | above zero: what a person has in this wallet and may spend         |
 * | user:{id}:wallet:{wallet}:held   | above zero: what is held in it for somebody                        |
 * | wallet:claims                    | above zero: on its way to people who have no account yet           |
 * | bank:{bank}:cash                 | below zero: what we have at the bank                               |
 * | bank:{bank}:in_transit           | above zero: paid out and not yet taken by the bank                 |
 * | settlement:differences           | above zero: what acquirers and banks said beyond our books         |
 *
 * The memo pair moves no money. It makes a hold a balanced transaction like every other (spec §4).
 */
export const pspReceivable = (acquirer: string): string => `psp:${acquirer}:receivable`;
export const merchantPayable = (merchantId: string): string => `merchant:${merchantId}:payable`;
export const bankCash = (bank: string): string => `bank:${bank}:cash`;
export const feesRevenue = 'fees:revenue';
export const pspAuthorized = (acquirer: string): string => `memo:psp:${acquirer}:authorized`;
export const merchantAuthorized = (merchantId: string): string => `memo:merchant:${merchantId}:authorized`;

/** How the codes of a person's accounts begin. */
export const peoplesAccounts = (userId: string): string => `user:${userId}:`;

/** First segments that belong to PayFlow: only its own services post there. */
const RESERVED_SEGMENTS: ReadonlySet<string> = new Set([
  'psp',
  'merchant',
  'fees',
  'memo',
  'bank',
  'user',
  'wallet',
  'settlement',
]);

/** Whether only PayFlow's own services post there. */
export const isReservedCode = (code: string): boolean => RESERVED_SEGMENTS.has(firstSegmentOf(code));

/**
 * Whether facts move its balance, which nothing may keep out of the journal. The others are what somebody has, and stay in
 * the exact range of JSON numbers: a client's own accounts, and people's wallets.
 */
export const isBalanceOfFacts = (code: string): boolean => isReservedCode(code) && firstSegmentOf(code) !== 'user';

const firstSegmentOf = (code: string): string => code.split(':', 1)[0] ?? '';
