import { bankAgrees } from './bank-agrees.ts';
import type { Invariant } from './invariant.ts';
import type { Sources } from './sources.ts';
import {
  belowZero,
  holdsThatDiffer,
  paymentsNotCleared,
  strangersOnClearingAccounts,
  waitingMoneyThatDiffers,
} from './wallet-accounts.ts';
import { eventsThatDiffer } from './wallet-events.ts';
import { postingsThatDiffer } from './wallet-postings.ts';
import type { WalletSources } from './wallet-sources.ts';

/**
 * Invariant 12. Wallets are kept in two places, transactions here and balances in the ledger, and their money comes from
 * payments and goes to a bank that keeps its own book. Each of the four is compared with the others, transaction by
 * transaction and account by account. How each check keeps traffic from raising false alarms stands where it is.
 */
export const walletsAgree: Invariant = {
  number: 12,
  title: 'Wallets, ledger and bank agree',
  why: 'Somebody would have money that nobody gave him, or have lost what was taken from him.',
  async *check(sources) {
    const all = withWallet(sources);
    if (all === undefined) return;
    yield* belowZero(all);
    yield* strangersOnClearingAccounts(all);
    yield* eventsThatDiffer(all);
    sources.progress('transactions and postings');
    yield* postingsThatDiffer(all);
    sources.progress('holds and money on its way');
    yield* holdsThatDiffer(all);
    yield* waitingMoneyThatDiffers(all);
    yield* paymentsNotCleared(all);
    yield* bankAgrees(all);
  },
};

const withWallet = (sources: Sources): WalletSources | undefined => {
  const wallet = sources.databases.get('wallet');
  if (wallet === undefined) {
    sources.note('there is no wallet service in this installation');
    return undefined;
  }
  return { ...sources, wallet };
};
