/**
 * The chart of accounts. A code is a path of segments; with its currency it names one account.
 *
 * | code                             | what its balance (credits − debits) says                           |
 * |----------------------------------|--------------------------------------------------------------------|
 * | psp:{acquirer}:receivable        | below zero: what the acquirer owes us                              |
 * | merchant:{id}:payable            | above zero: what we owe the merchant                               |
 * | fees:revenue                     | above zero: what we earned                                         |
 * | memo:psp:{acquirer}:authorized   | below zero: what is held at the acquirer and not yet captured      |
 * | memo:merchant:{id}:authorized    | above zero: the same holds, by merchant                            |
 *
 * The memo pair moves no money. It makes a hold a balanced transaction like every other (spec §4).
 */
export const pspReceivable = (acquirer: string): string => `psp:${acquirer}:receivable`;
export const merchantPayable = (merchantId: string): string => `merchant:${merchantId}:payable`;
export const feesRevenue = 'fees:revenue';
export const pspAuthorized = (acquirer: string): string => `memo:psp:${acquirer}:authorized`;
export const merchantAuthorized = (merchantId: string): string => `memo:merchant:${merchantId}:authorized`;

/** First segments that belong to PayFlow: only its own services post there. */
const RESERVED_SEGMENTS: ReadonlySet<string> = new Set(['psp', 'merchant', 'fees', 'memo', 'bank']);

/** Whether the account is PayFlow's own. */
export const isReservedCode = (code: string): boolean => RESERVED_SEGMENTS.has(code.split(':', 1)[0] ?? '');
