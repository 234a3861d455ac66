import type { DisputeStatus } from '@payflow/contracts';

/** How a dispute goes on: answered or not, it ends; an end is an end. */
const NEXT: Readonly<Record<DisputeStatus, readonly DisputeStatus[]>> = {
  NEEDS_RESPONSE: ['UNDER_REVIEW', 'ACCEPTED', 'EXPIRED', 'WON', 'LOST'],
  UNDER_REVIEW: ['WON', 'LOST'],
  WON: [],
  LOST: [],
  ACCEPTED: [],
  EXPIRED: [],
};

export const mayBecome = (from: DisputeStatus, to: DisputeStatus): boolean => NEXT[from].includes(to);

/** Stripe's words, so that a test decides how its dispute ends; evidence without one waits for the control route. */
export const verdictOnEvidence = (evidence: Readonly<Record<string, string>>): 'WON' | 'LOST' | undefined => {
  const texts = Object.values(evidence);
  if (texts.some((text) => text.includes('winning_evidence'))) return 'WON';
  return texts.some((text) => text.includes('losing_evidence')) ? 'LOST' : undefined;
};
