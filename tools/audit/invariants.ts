import { acquirerAgrees } from './acquirer-agrees.ts';
import { amountsWithinBounds } from './amounts-within-bounds.ts';
import { balancedJournal } from './balanced-journal.ts';
import { entriesFollowEvents } from './entries-follow-events.ts';
import type { Invariant } from './invariant.ts';
import { readModels } from './read-models.ts';

/** What the audit checks, in the order of spec §5. */
export const INVARIANTS: readonly Invariant[] = [
  balancedJournal,
  entriesFollowEvents,
  amountsWithinBounds,
  readModels,
  acquirerAgrees,
];
