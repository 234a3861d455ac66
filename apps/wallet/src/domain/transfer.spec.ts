import { describe, expect, it } from '@jest/globals';

import { decideTransfer, type Parties, type TransferOrder } from './transfer.js';
import type { Limits, Owner, Wallet } from './wallet.js';

const AT = new Date('2026-02-07T23:59:59.999Z');
const LIMITS: Limits = { transferMaxMinor: 1_000n, dayMaxMinor: 2_500n };

const wallet = (id: string, changes: Partial<Wallet> = {}): Wallet => ({
  id,
  ownerId: `owner-of-${id}`,
  currency: 'USD',
  status: 'ACTIVE',
  transferMaxMinor: null,
  dayMaxMinor: null,
  spentOn: null,
  spentMinor: 0n,
  ...changes,
});
const owner = (id: string, changes: Partial<Owner> = {}): Owner => ({
  userId: `owner-of-${id}`,
  status: 'ACTIVE',
  verified: true,
  ...changes,
});
const ORDER: TransferOrder = {
  callerId: 'owner-of-a',
  fromWalletId: 'a',
  toWalletId: 'b',
  amountMinor: 100n,
  currency: undefined,
};
const PARTIES: Parties = { from: wallet('a'), fromOwner: owner('a'), to: wallet('b'), toOwner: owner('b') };

const refusalOf = (order: Partial<TransferOrder>, parties: Partial<Parties>): string | undefined => {
  const decision = decideTransfer({ ...ORDER, ...order }, { ...PARTIES, ...parties }, AT, LIMITS);
  return decision.ok ? undefined : decision.refusal.code;
};

describe('a transfer', () => {
  it('counts on the UTC day on which it is made', () => {
    expect(decideTransfer(ORDER, PARTIES, AT, LIMITS)).toEqual({
      ok: true,
      spending: { walletId: 'a', day: '2026-02-07', spentMinor: 100n },
    });
  });

  it.each<[string, Partial<TransferOrder>, Partial<Parties>, string]>([
    ['out of a wallet that is not there', {}, { from: undefined }, 'wallet_not_found'],
    [
      "out of a stranger's, before anything else is told of it",
      { callerId: 'x', currency: 'EUR' },
      {},
      'wallet_not_found',
    ],
    ['in another currency than the wallet has', { currency: 'EUR' }, {}, 'currency_mismatch'],
    ['to itself', { toWalletId: 'a' }, {}, 'transfer_to_itself'],
    ['into a wallet that is not there', {}, { to: undefined }, 'wallet_not_found'],
    ['into another currency', {}, { to: wallet('b', { currency: 'EUR' }) }, 'currency_mismatch'],
    ['into a frozen wallet', {}, { to: wallet('b', { status: 'FROZEN' }) }, 'wallet_unavailable'],
    ['to somebody who is blocked', {}, { toOwner: owner('b', { status: 'BLOCKED' }) }, 'wallet_unavailable'],
    ['by somebody of whom nothing is known', {}, { fromOwner: undefined }, 'owner_unknown'],
    ['by somebody who is blocked', {}, { fromOwner: owner('a', { status: 'BLOCKED' }) }, 'account_blocked'],
    ['by somebody who is not verified', {}, { fromOwner: owner('a', { verified: false }) }, 'verification_required'],
    ['out of a frozen wallet', {}, { from: wallet('a', { status: 'FROZEN' }) }, 'wallet_frozen'],
    ['of more than may leave at once', { amountMinor: 1_001n }, {}, 'wallet_limit_exceeded'],
    [
      'of more than is left of the day',
      { amountMinor: 501n },
      { from: wallet('a', { spentOn: '2026-02-07', spentMinor: 2_000n }) },
      'wallet_limit_exceeded',
    ],
    [
      'of more than the limit of this wallet',
      {},
      { from: wallet('a', { transferMaxMinor: 99n }) },
      'wallet_limit_exceeded',
    ],
  ])('%s is refused', (_name, order, parties, code) => {
    expect(refusalOf(order, parties)).toBe(code);
  });

  it('may be to somebody of whom nothing is known, or who is not verified, or to an address', () => {
    expect(refusalOf({}, { toOwner: undefined })).toBeUndefined();
    expect(refusalOf({}, { toOwner: owner('b', { verified: false }) })).toBeUndefined();
    expect(refusalOf({ toWalletId: undefined }, { to: undefined, toOwner: undefined })).toBeUndefined();
  });

  it('starts a new day with nothing spent', () => {
    const yesterday = wallet('a', { spentOn: '2026-02-06', spentMinor: 2_500n });
    expect(refusalOf({ amountMinor: 1_000n }, { from: yesterday })).toBeUndefined();
  });

  it('tells what may still leave', () => {
    const spent = wallet('a', { spentOn: '2026-02-07', spentMinor: 2_200n });
    expect(decideTransfer({ ...ORDER, amountMinor: 301n }, { ...PARTIES, from: spent }, AT, LIMITS)).toMatchObject({
      refusal: { limit: 'day', limitMinor: 2_500n, remainingMinor: 300n },
    });
    expect(decideTransfer({ ...ORDER, amountMinor: 1_001n }, { ...PARTIES, from: spent }, AT, LIMITS)).toMatchObject({
      refusal: { limit: 'transfer', limitMinor: 1_000n, remainingMinor: 300n },
    });
  });
});
