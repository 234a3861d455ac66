import type { Database, Tx } from '@payflow/postgres';

import type { Address, LoginName } from '../domain/login-name.js';
import {
  ACCOUNT_POLICY,
  ADDRESS_POLICY,
  decideTry,
  SEND_POLICY,
  type ThrottlePolicy,
  type ThrottleState,
} from '../domain/throttle.js';
import { deleteForgotten, lockSubject, saveThrottle } from '../store/login-throttle.js';

/** What is tried for, and how many tries it stands. */
export interface Attempted {
  readonly subject: string;
  readonly policy: ThrottlePolicy;
}

/** One try in so many clears forgotten rows away: no timer of its own is needed for a table this small. */
const CLEANUP_ONE_IN = 200;
const FORGET_AFTER_MS = Math.max(
  ...[ACCOUNT_POLICY, ADDRESS_POLICY, SEND_POLICY].map(({ forgetAfterMs }) => forgetAfterMs),
);

/**
 * Counts a try as failed before the secret is looked at: otherwise a thousand parallel guesses would all pass first. Give
 * the subjects in the same order everywhere (account, address), so that two tries never wait for each other in a circle.
 *
 * @returns how long to wait, when there have been too many
 */
export const countTry = async (database: Database, attempted: readonly Attempted[]): Promise<number | undefined> =>
  await database.transaction(async (tx) => await countIn(tx, attempted));

const countIn = async (tx: Tx, attempted: readonly Attempted[]): Promise<number | undefined> => {
  const now = new Date();
  if (Math.random() * CLEANUP_ONE_IN < 1) await deleteForgotten(tx, new Date(now.getTime() - FORGET_AFTER_MS));
  const counted: { subject: string; next: ThrottleState }[] = [];
  for (const { subject, policy } of attempted) {
    const decision = decideTry(await lockSubject(tx, subject), policy, now);
    if (!decision.allowed) return decision.retryAfterMs;
    counted.push({ subject, next: decision.next });
  }
  for (const { subject, next } of counted) await saveThrottle(tx, subject, next);
  return undefined;
};

/** By the name that was typed, whether or not somebody has it. */
export const triesOfName = (name: LoginName): Attempted => ({
  subject: `account:${name.kind}:${name.value}`,
  policy: ACCOUNT_POLICY,
});
export const triesOfAddress = (address: string): Attempted => ({
  subject: `address:${address}`,
  policy: ADDRESS_POLICY,
});
/** By user and not by name: whoever has two names has no more tries for it. */
export const triesOfPassword = (userId: string): Attempted => ({
  subject: `password:${userId}`,
  policy: ACCOUNT_POLICY,
});
export const triesOfSecondFactor = (userId: string): Attempted => ({
  subject: `second-factor:${userId}`,
  policy: ACCOUNT_POLICY,
});
/** Mails and messages to one address, whoever asks for them. */
export const sendingsTo = (address: Address): Attempted => ({
  subject: `send:${address.kind}:${address.value}`,
  policy: SEND_POLICY,
});
