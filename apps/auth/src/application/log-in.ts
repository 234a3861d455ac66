import type { Database, Tx } from '@payflow/postgres';

import type { Passwords } from '../credentials/passwords.js';
import type { LoginName } from '../domain/login-name.js';
import { scopesOfRoles } from '../domain/scopes.js';
import { ACCOUNT_POLICY, ADDRESS_POLICY, decideTry, type ThrottleState } from '../domain/throttle.js';
import type { TokenIssuer, IssuedToken } from '../keys/token-issuer.js';
import { deleteForgotten, forgetSubject, lockSubject, saveThrottle, takeBackTry } from '../store/login-throttle.js';
import { findUserByLoginName } from '../store/users.js';

export interface LoginAttempt {
  readonly name: LoginName;
  readonly password: string;
  readonly address: string;
}

export type LoginOutcome =
  | { readonly kind: 'logged_in'; readonly userId: string; readonly token: IssuedToken }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterMs: number };

/** The client that people log in through. */
const FIRST_PARTY_CLIENT = 'payflow';

/** One try in so many clears forgotten rows away: no timer of its own is needed for a table this small. */
const CLEANUP_ONE_IN = 200;

/**
 * Checks a password. Every try takes the same steps whether or not there is such an account (one look-up, one argon2id),
 * and every refusal is the same: unknown, wrong and blocked look alike from outside.
 */
export const logIn = async (
  database: Database,
  passwords: Passwords,
  tokens: TokenIssuer,
  attempt: LoginAttempt,
): Promise<LoginOutcome> => {
  const subjects = subjectsOf(attempt);
  const blocked = await database.transaction(async (tx) => await countTry(tx, subjects));
  if (blocked !== undefined) return { kind: 'throttled', retryAfterMs: blocked };
  const user = await findUserByLoginName(database, attempt.name);
  const matches = await passwords.matches(attempt.password, user?.passwordHash);
  if (!user || !matches || user.status === 'BLOCKED') return { kind: 'refused' };
  await forgetSubject(database, subjects.account);
  await takeBackTry(database, subjects.address);
  const token = await tokens.issue({
    id: user.id,
    kind: 'user',
    clientId: FIRST_PARTY_CLIENT,
    roles: user.roles,
    scopes: scopesOfRoles(user.roles),
    merchantId: null,
    username: user.username ?? user.email ?? user.phone,
  });
  return { kind: 'logged_in', userId: user.id, token };
};

interface Subjects {
  readonly account: string;
  readonly address: string;
}

const subjectsOf = ({ name, address }: LoginAttempt): Subjects => ({
  account: `account:${name.kind}:${name.value}`,
  address: `address:${address}`,
});

/**
 * Counts a try as failed before the password is looked at. Account before address, always: two tries never wait for each
 * other in a circle.
 *
 * @returns how long to wait, when there have been too many
 */
const countTry = async (tx: Tx, subjects: Subjects): Promise<number | undefined> => {
  const now = new Date();
  if (Math.random() * CLEANUP_ONE_IN < 1) {
    await deleteForgotten(
      tx,
      new Date(now.getTime() - Math.max(ACCOUNT_POLICY.forgetAfterMs, ADDRESS_POLICY.forgetAfterMs)),
    );
  }
  const counted: { subject: string; next: ThrottleState }[] = [];
  for (const [subject, policy] of [
    [subjects.account, ACCOUNT_POLICY],
    [subjects.address, ADDRESS_POLICY],
  ] as const) {
    const decision = decideTry(await lockSubject(tx, subject), policy, now);
    if (!decision.allowed) return decision.retryAfterMs;
    counted.push({ subject, next: decision.next });
  }
  for (const { subject, next } of counted) await saveThrottle(tx, subject, next);
  return undefined;
};
