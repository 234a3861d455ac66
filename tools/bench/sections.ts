import { flat } from './flat.ts';
import { fraud } from './fraud.ts';
import { lag } from './lag.ts';
import { ledger } from './ledger.ts';
import { overload } from './overload.ts';
import { payments } from './payments.ts';
import { reads } from './reads.ts';
import { reconciliation } from './reconciliation.ts';
import type { Section } from './section.ts';
import { settlement } from './settlement.ts';
import { wallets } from './wallets.ts';
import { webhooks } from './webhooks.ts';

/**
 * In the order in which they run: the ledger first, while its journal is short, and last those that leave a million payments
 * behind, or books that no audit passes; `docs/performance.md` tells them the same way.
 */
export const SECTIONS: readonly Section[] = [
  ledger,
  wallets,
  payments,
  lag,
  reads,
  overload,
  fraud,
  webhooks,
  flat,
  settlement,
  reconciliation,
];
