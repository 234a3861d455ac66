import { ledger } from './ledger.ts';
import type { Section } from './section.ts';

/** In the order in which they run: the ledger first, while its journal is short; `docs/performance.md` tells them the same way. */
export const SECTIONS: readonly Section[] = [ledger];
