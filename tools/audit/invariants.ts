import { balancedJournal } from './balanced-journal.ts';
import type { Invariant } from './invariant.ts';

/** What the audit checks, in the order of spec §5. */
export const INVARIANTS: readonly Invariant[] = [balancedJournal];
