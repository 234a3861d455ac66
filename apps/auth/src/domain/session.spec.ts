import { describe, expect, it } from '@jest/globals';

import { decideRefresh, type KnownRefreshToken, type KnownSession, REFRESH_GRACE_MS } from './session.js';

const now = new Date('2026-02-07T12:00:00Z');
const from = (ms: number): Date => new Date(now.getTime() + ms);
const open: KnownRefreshToken = { expiresAt: from(60_000), rotatedAt: null, successorUsed: false };
const session: KnownSession = { expiresAt: from(60_000), endedAt: null, userStatus: 'ACTIVE' };

describe('a refresh token that is shown', () => {
  it.each<[string, Partial<KnownRefreshToken>, Partial<KnownSession>, string]>([
    ['is rotated when it was not yet', {}, {}, 'rotate'],
    ['is of no use when it is too old', { expiresAt: now }, {}, 'refuse'],
    ['gets its successor again within the grace', { rotatedAt: from(1 - REFRESH_GRACE_MS) }, {}, 'repeat'],
    ['was stolen when it comes after the grace', { rotatedAt: from(-REFRESH_GRACE_MS) }, {}, 'end_session'],
    ['was stolen when its successor was used', { rotatedAt: from(-1), successorUsed: true }, {}, 'end_session'],
    ['is of no use when the session has ended', {}, { endedAt: from(-1) }, 'refuse'],
    ['is of no use when the session is too old', {}, { expiresAt: now }, 'refuse'],
    ['is of no use when the person is blocked', {}, { userStatus: 'BLOCKED' }, 'refuse'],
    ['ends nothing that has ended', { rotatedAt: from(-60_000) }, { endedAt: from(-1) }, 'refuse'],
  ])('%s', (_, token, other, expected) => {
    expect(decideRefresh({ ...open, ...token }, { ...session, ...other }, now)).toBe(expected);
  });
});
