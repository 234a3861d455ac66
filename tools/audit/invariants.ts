import { acquirerAgrees } from './acquirer-agrees.ts';
import { amountsWithinBounds } from './amounts-within-bounds.ts';
import { answersSurvive } from './answers-survive.ts';
import { balancedJournal } from './balanced-journal.ts';
import { cardNumbers } from './card-numbers.ts';
import { deliveredOnce } from './delivered-once.ts';
import { entriesFollowEvents } from './entries-follow-events.ts';
import type { Invariant } from './invariant.ts';
import { nobodyWaits } from './nobody-waits.ts';
import { oneEffect } from './one-effect.ts';
import { readModels } from './read-models.ts';
import { settlementsAgree } from './settlements-agree.ts';
import { treeExtends } from './tree-extends.ts';
import { walletsAgree } from './wallets-agree.ts';

/** What the audit checks: the invariants of spec §5 in its order, and behind them what they come to for wallets and settlements. */
export const INVARIANTS: readonly Invariant[] = [
  balancedJournal,
  entriesFollowEvents,
  amountsWithinBounds,
  oneEffect,
  answersSurvive,
  deliveredOnce,
  readModels,
  cardNumbers,
  treeExtends,
  acquirerAgrees,
  nobodyWaits,
  walletsAgree,
  settlementsAgree,
];
