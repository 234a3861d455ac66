import type { Tx } from '@payflow/postgres';

import {
  type Idempotency,
  keyIn,
  type KeyRow,
  KEYLESS_WINDOW_SECONDS,
  refusalOfTwin,
  replayOf,
  type RequestIdentity,
  type StoredAnswer,
} from './idempotency.js';
import { judgeKey } from './idempotency-verdict.js';
import { Problem } from './problem.js';

/*
 * Keys of many requests that are begun together in one transaction and ended together in a later one, with a call to another
 * service between the two: claimed with one statement, answered with another. In between a key is `running`, and the resource
 * it names is there, because both were committed at once; so a request whose owner died is resumed from its resource.
 *
 * Requests without a key are claimed too, under their content, for the 60 seconds in which the same again is an accident.
 */

/** The right to run one request of a set. */
export interface SetClaim {
  readonly scope: string;
  readonly key: string;
  readonly keyless: boolean;
  readonly resourceId: string;
}

/** What the keys say before anything was begun. */
export type ClaimStanding =
  /** To be run. `fence` goes with the claim. */
  | { readonly kind: 'open'; readonly fence: bigint }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  /** Begun by somebody who is overdue: to be resumed from what it made. */
  | { readonly kind: 'overdue'; readonly resourceId: string }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** Another has claimed one of the keys since it was looked up. Nothing was written; look again. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';
}

interface FoundRow extends KeyRow {
  readonly n: bigint;
}

/** Where each request stands, in their order. */
export const findClaimStandings = async (
  tx: Tx,
  identities: readonly RequestIdentity[],
): Promise<readonly ClaimStanding[]> => {
  const rows = await tx.query<FoundRow>(
    // A look-up each, by the index: as a join it is a scan of the table in plans made while that was empty.
    `SELECT w.n, k.request_hash, k.state, k.resource_id, k.fence, k.status, k.headers, k.body,
            k.expires_at <= clock_timestamp() AS expired, k.lease_until <= clock_timestamp() AS lease_over
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (scope, key, n)
      CROSS JOIN LATERAL (SELECT * FROM idempotency_keys WHERE scope = w.scope AND key = w.key LIMIT 1) AS k`,
    [identities.map(({ scope }) => scope), identities.map(keyIn)],
  );
  const found = new Map(rows.map((row) => [Number(row.n) - 1, row] as const));
  return identities.map((identity, index) => standingOf(identity, found.get(index)));
};

const standingOf = (identity: RequestIdentity, row: FoundRow | undefined): ClaimStanding => {
  if (row === undefined) return { kind: 'open', fence: 1n };
  const verdict = judgeKey({
    expired: row.expired,
    keyless: identity.key === undefined,
    sameRequest: Buffer.from(row.request_hash).equals(identity.hash),
    state: row.state,
    leaseOver: row.lease_over,
  });
  switch (verdict) {
    case 'restart':
      return { kind: 'open', fence: row.fence + 1n };
    case 'take_over':
      return { kind: 'overdue', resourceId: row.resource_id };
    case 'replay':
      return { kind: 'answered', answer: replayOf(row) };
    case 'reused':
      return { kind: 'refused', problem: new Problem('idempotency_key_reused') };
    case 'in_use':
      return { kind: 'refused', problem: refusalOfTwin(false, undefined) };
    case 'duplicate':
      return { kind: 'refused', problem: refusalOfTwin(true, row.resource_id) };
  }
};

export interface ClaimedRequest {
  readonly identity: RequestIdentity;
  /** Of its standing. */
  readonly fence: bigint;
  readonly resourceId: string;
}

export const claimOf = ({ identity, resourceId }: Omit<ClaimedRequest, 'fence'>): SetClaim => ({
  scope: identity.scope,
  key: keyIn(identity),
  keyless: identity.key === undefined,
  resourceId,
});

/**
 * Claims keys that were open, in the transaction that makes their resources. No two may be equal.
 *
 * @throws ClaimLostError
 */
export const claimKeys = async (
  tx: Tx,
  requests: readonly ClaimedRequest[],
  { leaseMs, retentionSeconds }: { readonly leaseMs: number } & Pick<Idempotency, 'retentionSeconds'>,
): Promise<void> => {
  if (requests.length === 0) return;
  // In one order everywhere: two instances that claim the same keys wait for each other and do not lock each other out.
  const rows = requests.map((request) => ({ ...claimOf(request), request })).sort((a, b) => compare(a.key, b.key));
  const claimed = await tx.execute(CLAIM_SQL, [
    rows.map(({ scope }) => scope),
    rows.map(({ key }) => key),
    rows.map(({ request }) => Buffer.from(request.identity.hash).toString('hex')),
    rows.map(({ resourceId }) => resourceId),
    rows.map(({ request }) => request.fence),
    rows.map(({ keyless }) => (keyless ? KEYLESS_WINDOW_SECONDS : retentionSeconds)),
    leaseMs,
  ]);
  if (claimed !== rows.length) throw new ClaimLostError(`${rows.length} keys were open, ${claimed} were claimed`);
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const CLAIM_SQL = `
INSERT INTO idempotency_keys AS k (scope, key, request_hash, state, resource_id, fence, lease_until, expires_at)
SELECT n.scope, n.key, decode(n.hash, 'hex'), 'running', n.resource_id, n.fence,
       now() + make_interval(secs => $7::double precision / 1000),
       now() + make_interval(secs => n.lifetime)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::double precision[])
    AS n (scope, key, hash, resource_id, fence, lifetime)
ON CONFLICT (scope, key) DO UPDATE
   SET request_hash = excluded.request_hash, state = 'running', resource_id = excluded.resource_id, fence = excluded.fence,
       lease_until = excluded.lease_until, status = NULL, headers = NULL, body = NULL, created_at = now(),
       expires_at = excluded.expires_at
 WHERE k.fence = excluded.fence - 1`;

/**
 * Stores answers in the transaction that has the effects they tell of. A request without a key keeps its resource's id only,
 * and is forgotten when it was refused, so that it can be corrected and sent again. Whoever lost his key meanwhile (it was past
 * its retention) is passed over: the effect is the resource's, not the key's.
 */
export const completeClaims = async (
  tx: Tx,
  answered: readonly { readonly claim: SetClaim; readonly answer: StoredAnswer }[],
): Promise<void> => {
  const forgotten = answered.filter(({ claim, answer }) => claim.keyless && answer.status >= 400);
  const kept = answered.filter(({ claim, answer }) => !claim.keyless || answer.status < 400);
  await Promise.all([
    releaseClaims(
      tx,
      forgotten.map(({ claim }) => claim),
    ),
    kept.length === 0
      ? undefined
      : tx.execute(COMPLETE_SQL, [
          kept.map(({ claim }) => claim.scope),
          kept.map(({ claim }) => claim.key),
          kept.map(({ claim }) => claim.resourceId),
          kept.map(({ claim, answer }) => (claim.keyless ? null : answer.status)),
          kept.map(({ claim, answer }) => (claim.keyless ? null : JSON.stringify(answer.headers))),
          kept.map(({ claim, answer }) => (claim.keyless ? null : answer.bodyText)),
        ]),
  ]);
};

const COMPLETE_SQL = `
UPDATE idempotency_keys k SET state = 'done', status = n.status, headers = n.headers::jsonb, body = n.body
  FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[])
    AS n (scope, key, resource_id, status, headers, body)
 WHERE k.scope = n.scope AND k.key = n.key AND k.resource_id = n.resource_id AND k.state = 'running'`;

/** Gives claims back after a failure that certainly had no effect, so that the keys can be used again at once. */
export const releaseClaims = async (tx: Tx, claims: readonly SetClaim[]): Promise<void> => {
  if (claims.length === 0) return;
  await tx.execute(
    `DELETE FROM idempotency_keys k USING unnest($1::text[], $2::text[], $3::text[]) AS n (scope, key, resource_id)
      WHERE k.scope = n.scope AND k.key = n.key AND k.resource_id = n.resource_id AND k.state = 'running'`,
    [claims.map(({ scope }) => scope), claims.map(({ key }) => key), claims.map(({ resourceId }) => resourceId)],
  );
};
