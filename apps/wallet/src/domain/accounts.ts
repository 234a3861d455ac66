/*
 * The ledger's accounts of wallets. `user:` and `wallet:` are reserved: only PayFlow's own services post there.
 */

export interface WalletName {
  readonly id: string;
  readonly ownerId: string;
}

/** What the owner may spend. Never below zero. */
export const availableAccount = ({ id, ownerId }: WalletName): string => `user:${ownerId}:wallet:${id}`;

/** What is held of it for somebody. Never below zero. */
export const heldAccount = (wallet: WalletName): string => `${availableAccount(wallet)}:held`;

/** Money on its way to somebody who has no account yet. */
export const CLAIMS_ACCOUNT = 'wallet:claims';

/** The wallets as an acquirer of payments: what they were paid with, until the payment's own entries take it up. */
export const WALLET_RECEIVABLE = 'psp:wallet:receivable';

/** The one posting of a transaction, and the further steps of those that have some. A reference posts once for ever. */
export const postingReference = (transactionId: string, step?: 'paid' | 'returned' | 'reversal'): string =>
  step === undefined ? `wallet:${transactionId}` : `wallet:${transactionId}:${step}`;
