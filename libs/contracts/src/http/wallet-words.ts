/** What a wallet transaction is. */
export const WALLET_TRANSACTION_TYPES = ['ADD', 'TRANSFER', 'PAY', 'REFUND', 'WITHDRAW'] as const;
export type WalletTransactionType = (typeof WALLET_TRANSACTION_TYPES)[number];

/** How it stands. PENDING: somebody outside (an acquirer, a bank, the receiver) has not answered yet. */
export const WALLET_TRANSACTION_STATUSES = ['PENDING', 'SUCCESS', 'FAILED'] as const;
export type WalletTransactionStatus = (typeof WALLET_TRANSACTION_STATUSES)[number];
