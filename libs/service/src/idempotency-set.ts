import type { Tx } from '@payflow/postgres';

import { type Idempotency, type KeyRow, replayOf, type RequestIdentity, type StoredAnswer } from './idempotency.js';
import { judgeKey } from './idempotency-verdict.js';
import { Problem } from './problem.js';

/*
 * Keys of many requests that one transaction decides: found with one statement, answered with another, so that key, effect
 * and answer are one commit however many requests there are (docs/adr/0010). A key is never seen running: it is there with its
 * answer, or it is not there.
 *
 * The caller lets in one transaction at a time that decides requests of these scopes (the ledger: by the lock of its
 * journal's head), and refuses twins of one set by himself.
 */

/** What a key says about the request that brings it. */
export type KeyStanding =
  /** The request is to be run. `fence` goes with its answer into {@link storeAnswers}. */
  | { readonly kind: 'open'; readonly fence: bigint }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'refused'; readonly problem: Problem };

interface FoundRow extends KeyRow {
  /** The place of its identity among those asked for, from 1. */
  readonly n: bigint;
}

/** Where each request stands, in their order. One without a key is open. */
export const findStandings = async (
  tx: Tx,
  identities: readonly RequestIdentity[],
): Promise<readonly KeyStanding[]> => {
  const keyed = identities.filter(({ key }) => key !== undefined);
  const rows = keyed.length === 0 ? [] : await findKeys(tx, keyed);
  const found = new Map(rows.map((row) => [keyed[Number(row.n) - 1], row] as const));
  return identities.map((identity) => standingOf(identity, found.get(identity)));
};

const findKeys = async (tx: Tx, identities: readonly RequestIdentity[]): Promise<readonly FoundRow[]> =>
  await tx.query<FoundRow>(
    // A look-up each, by the index: as a join it is a scan of the table in plans made while that was empty.
    `SELECT w.n, k.request_hash, k.state, k.resource_id, k.fence, k.status, k.headers, k.body,
            k.expires_at <= clock_timestamp() AS expired, k.lease_until <= clock_timestamp() AS lease_over
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (scope, key, n)
      CROSS JOIN LATERAL (SELECT * FROM idempotency_keys WHERE scope = w.scope AND key = w.key LIMIT 1) AS k`,
    [identities.map(({ scope }) => scope), identities.map(({ key }) => key)],
  );

const standingOf = (identity: RequestIdentity, row: FoundRow | undefined): KeyStanding => {
  if (row === undefined) return { kind: 'open', fence: 1n };
  const verdict = judgeKey({
    expired: row.expired,
    keyless: false,
    sameRequest: Buffer.from(row.request_hash).equals(identity.hash),
    state: row.state,
    leaseOver: row.lease_over,
  });
  switch (verdict) {
    case 'restart':
    case 'take_over':
      return { kind: 'open', fence: row.fence + 1n };
    case 'reused':
      return { kind: 'refused', problem: new Problem('idempotency_key_reused') };
    case 'replay':
      return { kind: 'answered', answer: replayOf(row) };
    case 'in_use':
      return { kind: 'refused', problem: new Problem('idempotency_key_in_use') };
    case 'duplicate':
      throw new Error('invariant: a keyed request was judged as one without a key');
  }
};

/** An answer on its way into the transaction that has the effect it tells of. */
export interface AnsweredRequest {
  readonly identity: RequestIdentity;
  /** Of the standing it was found in. */
  readonly fence: bigint;
  /** What the request made or changed. */
  readonly resourceId: string;
  readonly answer: StoredAnswer;
}

/** Stores the answers of those that have a key. What was open is still open, because the caller lets nobody else in. */
export const storeAnswers = async (
  tx: Tx,
  answered: readonly AnsweredRequest[],
  { retentionSeconds }: Pick<Idempotency, 'retentionSeconds'>,
): Promise<void> => {
  const keyed = answered.filter(({ identity }) => identity.key !== undefined);
  if (keyed.length === 0) return;
  const stored = await tx.execute(STORE_SQL, [
    keyed.map(({ identity }) => identity.scope),
    keyed.map(({ identity }) => identity.key),
    keyed.map(({ identity }) => Buffer.from(identity.hash).toString('hex')),
    keyed.map(({ resourceId }) => resourceId),
    keyed.map(({ fence }) => fence),
    keyed.map(({ answer }) => answer.status),
    keyed.map(({ answer }) => JSON.stringify(answer.headers)),
    keyed.map(({ answer }) => answer.bodyText),
    retentionSeconds,
  ]);
  if (stored !== keyed.length) throw new Error(`invariant: ${keyed.length} keys were open, ${stored} answers stored`);
};

const STORE_SQL = `
INSERT INTO idempotency_keys AS k (scope, key, request_hash, state, resource_id, fence, lease_until, status, headers, body,
                                   expires_at)
SELECT n.scope, n.key, decode(n.hash, 'hex'), 'done', n.resource_id, n.fence, now(), n.status, n.headers::jsonb, n.body,
       now() + make_interval(secs => $9::double precision)
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::smallint[], $7::text[], $8::text[])
    AS n (scope, key, hash, resource_id, fence, status, headers, body)
ON CONFLICT (scope, key) DO UPDATE
   SET request_hash = excluded.request_hash, state = 'done', resource_id = excluded.resource_id, fence = excluded.fence,
       lease_until = excluded.lease_until, status = excluded.status, headers = excluded.headers, body = excluded.body,
       created_at = now(), expires_at = excluded.expires_at
 WHERE k.fence = excluded.fence - 1`;
