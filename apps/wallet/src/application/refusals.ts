import { Problem } from '@payflow/service';

import type { SpendingRefusal } from '../domain/spending.js';
import type { TransferRefusal } from '../domain/transfer.js';

/** A spending refusal as the caller sees it. `owner_unknown` is asked about before. */
export const problemOfSpending = (refusal: SpendingRefusal): Problem => {
  switch (refusal.code) {
    case 'owner_unknown':
    case 'verification_required':
      return new Problem('verification_required');
    case 'account_blocked':
      return new Problem('account_blocked');
    case 'wallet_frozen':
      return new Problem('wallet_frozen');
    case 'wallet_limit_exceeded':
      return new Problem('wallet_limit_exceeded', {
        detail:
          refusal.limit === 'transfer'
            ? 'It is more than may leave the wallet at once.'
            : 'It is more than may still leave the wallet today (UTC).',
        extensions: { limit: Number(refusal.limitMinor), remaining: Number(refusal.remainingMinor) },
      });
  }
};

export const problemOfTransfer = (refusal: TransferRefusal): Problem => {
  switch (refusal.code) {
    case 'wallet_not_found':
      return walletNotFound(refusal.side === 'from' ? 'fromWallet' : 'toWallet');
    case 'transfer_to_itself':
      return new Problem('transfer_to_itself');
    case 'currency_mismatch':
      return new Problem('currency_mismatch', {
        detail: `The wallet that pays is in ${refusal.expected}, not in ${refusal.found}.`,
      });
    case 'wallet_unavailable':
      return new Problem('wallet_unavailable');
    default:
      return problemOfSpending(refusal);
  }
};

export const walletNotFound = (field: string): Problem =>
  new Problem('wallet_not_found', { errors: [{ pointer: `/${field}`, code: 'not_found', message: 'is not known' }] });
