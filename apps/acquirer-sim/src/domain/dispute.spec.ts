import { describe, expect, it } from '@jest/globals';
import { DISPUTE_STATUSES } from '@payflow/contracts';

import { mayBecome, verdictOnEvidence } from './dispute.js';

describe("a dispute in the acquirer's book", () => {
  it('is answered or ends, and no end becomes anything else', () => {
    const ways = DISPUTE_STATUSES.map((from) => [from, DISPUTE_STATUSES.filter((to) => mayBecome(from, to))]);
    expect(Object.fromEntries(ways)).toEqual({
      NEEDS_RESPONSE: ['UNDER_REVIEW', 'WON', 'LOST', 'ACCEPTED', 'EXPIRED'],
      UNDER_REVIEW: ['WON', 'LOST'],
      WON: [],
      LOST: [],
      ACCEPTED: [],
      EXPIRED: [],
    });
  });

  it.each([
    [{ uncategorizedText: 'winning_evidence' }, 'WON'],
    [{ refundPolicy: 'See: losing_evidence.' }, 'LOST'],
    [{ uncategorizedText: 'The parcel was delivered.' }, undefined],
    [{}, undefined],
  ])('is decided by the words of its evidence %j: %s', (evidence, verdict) => {
    expect(verdictOnEvidence(evidence)).toBe(verdict);
  });
});
