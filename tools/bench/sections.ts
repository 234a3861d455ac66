import { flat } from './flat.ts';
import { lag } from './lag.ts';
import { ledger } from './ledger.ts';
import { overload } from './overload.ts';
import { payments } from './payments.ts';
import { reads } from './reads.ts';
import type { Section } from './section.ts';
import { wallets } from './wallets.ts';

/**
 * In the order in which they run: the ledger first, while its journal is short, and last the one that leaves a million
 * payments behind; `docs/performance.md` tells them the same way.
 */
export const SECTIONS: readonly Section[] = [ledger, wallets, payments, lag, reads, overload, flat];
