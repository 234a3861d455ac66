import { createHash, createHmac, hkdfSync } from 'node:crypto';

import type { Principal } from '@payflow/contracts';
import { canonicalJson, type Json } from '@payflow/kernel';
import type { Database, Sql, Tx } from '@payflow/postgres';
import type { FastifyReply } from 'fastify';

import { currentContext } from './context.js';
import { crashPoint } from './crash-point.js';
import { judgeKey } from './idempotency-verdict.js';
import { Problem, PROBLEM_MEDIA_TYPE, problemDocument } from './problem.js';
import type { RequestMeta } from './request.js';

/** For a service's migration. A row is a key of one principal on one route, and what became of its request. */
export const IDEMPOTENCY_DDL = `
CREATE TABLE idempotency_keys (
  scope        text        NOT NULL,
  key          text        NOT NULL,
  request_hash bytea       NOT NULL,
  state        text        NOT NULL CHECK (state IN ('running', 'done')),
  resource_id  text        NOT NULL,
  fence        bigint      NOT NULL,
  lease_until  timestamptz NOT NULL,
  status       smallint,
  headers      jsonb,
  body         text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
`;

/** What a command answers, before it is written out. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer as its bytes, so that a replay is the same to the byte. */
export interface StoredAnswer {
  readonly status: number;
  readonly bodyText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly replayed: boolean;
}

/** Which request this is: the same principal, route and key, and the same content. */
export interface RequestIdentity {
  /** Principal and route. */
  readonly scope: string;
  /** Undefined when the caller sent none. */
  readonly key: string | undefined;
  readonly hash: Uint8Array;
}

/** The right to run a request, until the lease runs out and another takes it over with a higher fence. */
export interface Claim {
  readonly scope: string;
  /** Undefined for a request without a key that is not guarded either: nothing is stored. */
  readonly key: string | undefined;
  readonly keyless: boolean;
  readonly fence: bigint;
  readonly resourceId: string;
}

export interface ClaimOptions {
  /** The id of what the request will make or change, chosen before it runs, so that a successor finds it. */
  readonly resourceId: string;
  /** How long the claim holds without being completed. Longer than the work can take, its calls to others included. */
  readonly leaseMs: number;
  /** Without a key, the same request within 60 s is refused. */
  readonly moneyMoving: boolean;
}

export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer }
  | { readonly kind: 'resume'; readonly claim: Claim; readonly resourceId: string };

export interface IdentifiedRequest {
  readonly meta: RequestMeta;
  readonly principal: Principal;
  readonly body: unknown;
}

/** Without a key, an equal request of the same principal within this time is taken for an accident. */
export const KEYLESS_WINDOW_SECONDS = 60;
const HASH_KEY_BYTES = 32;
/** Keys begin with a printable character, so no caller's key can begin like this. */
const KEYLESS_PREFIX = '\u0001';

/** The request's key, or, where the caller sent none, the one that its content makes. */
export const keyIn = ({ key, hash }: RequestIdentity): string =>
  key ?? KEYLESS_PREFIX + Buffer.from(hash).toString('base64url');

export interface KeyRow {
  readonly request_hash: Uint8Array;
  readonly state: 'running' | 'done';
  readonly resource_id: string;
  readonly fence: bigint;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: string | null;
  readonly expired: boolean;
  readonly lease_over: boolean;
}

/**
 * One effect per Idempotency-Key (spec §2): the key is claimed in the transaction of the first effect, the answer is
 * stored in the transaction of the last, and a key whose owner died is resumed from its resource, never restarted.
 */
export class Idempotency {
  constructor(
    private readonly options: {
      readonly retentionSeconds: number;
      readonly gatewayUrl: string;
      /** Replaceable where the content must not be guessable from its hash (the vault uses an HMAC). */
      readonly hash?: (content: string) => Uint8Array;
    },
  ) {}

  /** The same service with another hash of contents. */
  withHash(hash: (content: string) => Uint8Array): Idempotency {
    return new Idempotency({ ...this.options, hash });
  }

  /**
   * The same service for requests whose content could be found by trying, like the number of a bank account: what a row keeps
   * of them is an HMAC under a key of its own, derived from this one (RFC 5869).
   */
  underKey(key: Buffer): Idempotency {
    const own = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'payflow:request-hashes', HASH_KEY_BYTES));
    return this.withHash((content) => createHmac('sha256', own).update(content).digest());
  }

  /** How long an answer is kept. */
  get retentionSeconds(): number {
    return this.options.retentionSeconds;
  }

  identify(request: IdentifiedRequest): RequestIdentity {
    const { meta, principal, body } = request;
    const contentHash = (): Uint8Array =>
      (this.options.hash ?? sha256)(
        canonicalJson({
          path: meta.path,
          query: meta.query as Json,
          body: (meta.cardFingerprint === undefined ? body : withoutSwappedToken(body, meta.cardFingerprint)) as Json,
        }),
      );
    let hash: Uint8Array | undefined;
    return {
      scope: `${principal.id} ${meta.route}`,
      key: meta.idempotencyKey,
      // A tenth of a small request's cost, and without a key hardly anybody asks.
      get hash() {
        return (hash ??= contentHash());
      },
    };
  }

  /**
   * Claims the key in the caller's transaction, so that a rollback gives it back. Twins that run at the same moment are
   * refused at once instead of waiting on the row.
   *
   * @throws Problem idempotency_key_in_use | idempotency_key_reused | duplicate_request
   */
  async claim(tx: Tx, identity: RequestIdentity, options: ClaimOptions): Promise<ClaimOutcome> {
    const keyless = identity.key === undefined;
    const claim = { scope: identity.scope, keyless, resourceId: options.resourceId, fence: 1n };
    if (keyless && !options.moneyMoving) return { kind: 'claimed', claim: { ...claim, key: undefined } };
    const key = keyIn(identity);
    const lifetimeSeconds = keyless ? KEYLESS_WINDOW_SECONDS : this.options.retentionSeconds;
    const inserted = await insertKey(tx, { ...identity, key }, options, lifetimeSeconds);
    if (!inserted.acquired) throw refusalOfTwin(keyless, undefined);
    crashPoint('idempotency.after-claim');
    if (inserted.created) return { kind: 'claimed', claim: { ...claim, key } };
    return await this.claimExisting(tx, { ...identity, key }, { ...claim, key }, options, lifetimeSeconds);
  }

  /**
   * Stores the answer in the transaction that has the effect. A request without a key keeps its resource's id only, and
   * is forgotten when it was refused, so that it can be corrected and sent again.
   *
   * @throws Problem concurrent_update when another took the claim over
   */
  async complete(tx: Tx, claim: Claim, answer: StoredAnswer): Promise<void> {
    if (claim.key === undefined) return;
    const done = claim.keyless
      ? await completeKeyless(tx, claim, claim.key, answer.status < 400)
      : await completeKeyed(tx, claim, claim.key, answer);
    if (done === 0) throw new Problem('concurrent_update', { detail: 'Another instance has taken the request over.' });
  }

  /**
   * Whether such a request has been here before. A guess, for whoever would ask others in vain about a repetition: only
   * `claim` decides.
   */
  async isRepetition(sql: Sql, identity: RequestIdentity): Promise<boolean> {
    const rows = await sql.query(
      'SELECT 1 FROM idempotency_keys WHERE scope = $1 AND key = $2 AND expires_at > now()',
      [identity.scope, keyIn(identity)],
    );
    return rows.length > 0;
  }

  /** Prolongs the claim of work that goes on. @returns false when another took it over. */
  async renew(tx: Tx, claim: Claim, leaseMs: number): Promise<boolean> {
    if (claim.key === undefined) return true;
    const renewed = await tx.execute(
      `UPDATE idempotency_keys SET lease_until = now() + make_interval(secs => $4::double precision / 1000)
        WHERE scope = $1 AND key = $2 AND fence = $3 AND state = 'running'`,
      [claim.scope, claim.key, claim.fence, leaseMs],
    );
    return renewed === 1;
  }

  /** Gives a claim back after a failure that certainly had no effect, so that the key can be used again at once. */
  async release(tx: Tx, claim: Claim): Promise<void> {
    if (claim.key === undefined) return;
    await tx.execute(
      `DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND fence = $3 AND state = 'running'`,
      [claim.scope, claim.key, claim.fence],
    );
  }

  /**
   * Claim, work and answer in one transaction. A refusal by the rules of business (a Problem of status 404, 409 or 422
   * thrown by `work`) is an answer too: the work's writes are undone and the refusal is stored. `concurrent_update` is
   * not: nothing was decided, and the repetition decides anew.
   *
   * @throws Problem of `claim`, and whatever else `work` throws
   */
  async runOnce(
    database: Database,
    identity: RequestIdentity,
    options: ClaimOptions,
    work: (tx: Tx, resourceId: string) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const answer = await database.transaction(async (tx) => {
      const outcome = await this.claim(tx, identity, options);
      if (outcome.kind === 'replay') return outcome.answer;
      const { key, resourceId } = outcome.claim;
      // Nothing is stored without a key, a refusal neither: it undoes the transaction and is answered as it was thrown.
      const stored =
        key === undefined
          ? storedAnswer(await work(tx, resourceId))
          : await this.answerOf(tx, () => work(tx, resourceId));
      await this.complete(tx, outcome.claim, stored);
      crashPoint('idempotency.before-commit');
      return stored;
    });
    crashPoint('idempotency.before-answer');
    return answer;
  }

  /** A refusal as the answer it is sent as, for commands that store it themselves. */
  storedProblem(problem: Problem): StoredAnswer {
    const document = problemDocument(problem, currentContext().requestId ?? '', this.options.gatewayUrl);
    return {
      status: problem.status,
      bodyText: JSON.stringify(document),
      headers: { ...problem.headers, 'content-type': PROBLEM_MEDIA_TYPE },
      replayed: false,
    };
  }

  private async answerOf(tx: Tx, work: () => Promise<Answer>): Promise<StoredAnswer> {
    // Sent with the work's first statement. It needs no release: the commit ends it.
    const saved = tx.execute('SAVEPOINT idempotent_work');
    try {
      const [answer] = await Promise.all([work(), saved]);
      return storedAnswer(answer);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await tx.execute('ROLLBACK TO SAVEPOINT idempotent_work');
      return this.storedProblem(error);
    }
  }

  private async claimExisting(
    tx: Tx,
    identity: RequestIdentity & { readonly key: string },
    claim: Claim,
    options: ClaimOptions,
    lifetimeSeconds: number,
  ): Promise<ClaimOutcome> {
    const row = await lockKey(tx, identity);
    // Locked by the owner, who is completing it, or deleted by the clean-up this very moment.
    if (row === undefined) throw refusalOfTwin(claim.keyless, undefined);
    const verdict = judgeKey({
      expired: row.expired,
      keyless: claim.keyless,
      sameRequest: Buffer.from(row.request_hash).equals(identity.hash),
      state: row.state,
      leaseOver: row.lease_over,
    });
    switch (verdict) {
      case 'restart': {
        const fence = await restartKey(tx, identity, options, lifetimeSeconds);
        return { kind: 'claimed', claim: { ...claim, fence } };
      }
      case 'duplicate':
        throw refusalOfTwin(true, row.resource_id);
      case 'reused':
        throw new Problem('idempotency_key_reused');
      case 'replay':
        return { kind: 'replay', answer: replayOf(row) };
      case 'in_use':
        throw refusalOfTwin(false, undefined);
      case 'take_over':
        return await this.resume(tx, identity, claim, options.leaseMs, row.resource_id);
    }
  }

  private async resume(
    tx: Tx,
    identity: RequestIdentity & { readonly key: string },
    claim: Claim,
    leaseMs: number,
    resourceId: string,
  ): Promise<ClaimOutcome> {
    const fence = await takeOverKey(tx, identity, leaseMs);
    return { kind: 'resume', claim: { ...claim, fence, resourceId }, resourceId };
  }
}

/** The bytes of an answer. `undefined` is an empty body. */
export const storedAnswer = (answer: Answer): StoredAnswer => ({
  status: answer.status,
  bodyText: answer.body === undefined ? '' : JSON.stringify(answer.body),
  headers: answer.headers ?? {},
  replayed: false,
});

/** Sends the bytes as they are stored. */
export const sendAnswer = async (reply: FastifyReply, answer: StoredAnswer): Promise<void> => {
  if (answer.replayed) reply.header('idempotent-replayed', 'true');
  if (answer.bodyText !== '') reply.header('content-type', 'application/json; charset=utf-8');
  await reply.code(answer.status).headers(answer.headers).send(answer.bodyText);
};

const isRefusal = (error: unknown): error is Problem =>
  error instanceof Problem && [404, 409, 422].includes(error.status) && error.code !== 'concurrent_update';

const sha256 = (content: string): Uint8Array => createHash('sha256').update(content).digest();

/** The body with the fingerprint where the gateway put the single-use token of an inline card. */
const withoutSwappedToken = (body: unknown, fingerprint: string): unknown => {
  if (typeof body !== 'object' || body === null || !('paymentMethod' in body)) return body;
  const method = body.paymentMethod;
  if (typeof method !== 'object' || method === null) return body;
  return { ...body, paymentMethod: { ...method, token: fingerprint } };
};

/** To a request whose twin is running, or was made without a key moments ago. */
export const refusalOfTwin = (keyless: boolean, resource: string | undefined): Problem => {
  if (!keyless) return new Problem('idempotency_key_in_use');
  return new Problem('duplicate_request', {
    detail: 'The same request was made less than a minute ago. To repeat it on purpose, send an Idempotency-Key.',
    headers: { 'retry-after': String(KEYLESS_WINDOW_SECONDS) },
    ...(resource === undefined ? {} : { extensions: { resource } }),
  });
};

export const replayOf = (row: KeyRow): StoredAnswer => {
  if (row.status === null || row.body === null) throw new Error('invariant: a completed key without its answer');
  return { status: row.status, bodyText: row.body, headers: row.headers ?? {}, replayed: true };
};

/** Lets one transaction at a time into a key: 64 bits of its hash as an advisory lock that ends with the transaction. */
const lockNumberOf = (scope: string, key: string): bigint =>
  createHash('sha256').update(`${scope}\u0000${key}`).digest().readBigInt64BE();

type KeyedIdentity = RequestIdentity & { readonly key: string };

const insertKey = async (
  tx: Tx,
  identity: KeyedIdentity,
  options: ClaimOptions,
  lifetimeSeconds: number,
): Promise<{ readonly acquired: boolean; readonly created: boolean }> => {
  const [row] = await tx.query<{ acquired: boolean; created: boolean }>(
    `WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS acquired),
          inserted AS (
            INSERT INTO idempotency_keys (scope, key, request_hash, state, resource_id, fence, lease_until, expires_at)
            SELECT $2, $3, $4, 'running', $5, 1, now() + make_interval(secs => $6::double precision / 1000),
                   now() + make_interval(secs => $7::double precision)
              FROM turn WHERE acquired
            ON CONFLICT (scope, key) DO NOTHING
            RETURNING 1)
     SELECT acquired, EXISTS (SELECT FROM inserted) AS created FROM turn`,
    [
      lockNumberOf(identity.scope, identity.key),
      identity.scope,
      identity.key,
      identity.hash,
      options.resourceId,
      options.leaseMs,
      lifetimeSeconds,
    ],
  );
  return row ?? { acquired: false, created: false };
};

const lockKey = async (tx: Tx, identity: KeyedIdentity): Promise<KeyRow | undefined> => {
  const [row] = await tx.query<KeyRow>(
    `SELECT request_hash, state, resource_id, fence, status, headers, body,
            expires_at <= clock_timestamp() AS expired, lease_until <= clock_timestamp() AS lease_over
       FROM idempotency_keys WHERE scope = $1 AND key = $2 FOR UPDATE SKIP LOCKED`,
    [identity.scope, identity.key],
  );
  return row;
};

/** A key past its retention is new again; its fence goes on, so that an owner from before cannot complete it. */
const restartKey = async (
  tx: Tx,
  identity: KeyedIdentity,
  options: ClaimOptions,
  lifetimeSeconds: number,
): Promise<bigint> => {
  const [row] = await tx.query<{ fence: bigint }>(
    `UPDATE idempotency_keys
        SET request_hash = $3, state = 'running', resource_id = $4, fence = fence + 1, status = NULL, headers = NULL,
            body = NULL, created_at = now(), lease_until = now() + make_interval(secs => $5::double precision / 1000),
            expires_at = now() + make_interval(secs => $6::double precision)
      WHERE scope = $1 AND key = $2 RETURNING fence`,
    [identity.scope, identity.key, identity.hash, options.resourceId, options.leaseMs, lifetimeSeconds],
  );
  return fenceOf(row);
};

const takeOverKey = async (tx: Tx, identity: KeyedIdentity, leaseMs: number): Promise<bigint> => {
  const [row] = await tx.query<{ fence: bigint }>(
    `UPDATE idempotency_keys
        SET fence = fence + 1, lease_until = now() + make_interval(secs => $3::double precision / 1000)
      WHERE scope = $1 AND key = $2 RETURNING fence`,
    [identity.scope, identity.key, leaseMs],
  );
  return fenceOf(row);
};

const fenceOf = (row: { readonly fence: bigint } | undefined): bigint => {
  if (row === undefined) throw new Error('invariant: a locked key has vanished');
  return row.fence;
};

const completeKeyed = async (tx: Tx, claim: Claim, key: string, answer: StoredAnswer): Promise<number> =>
  await tx.execute(
    `UPDATE idempotency_keys SET state = 'done', status = $4, headers = $5, body = $6
      WHERE scope = $1 AND key = $2 AND fence = $3 AND state = 'running'`,
    [claim.scope, key, claim.fence, answer.status, JSON.stringify(answer.headers), answer.bodyText],
  );

const completeKeyless = async (tx: Tx, claim: Claim, key: string, succeeded: boolean): Promise<number> =>
  await tx.execute(
    succeeded
      ? `UPDATE idempotency_keys SET state = 'done' WHERE scope = $1 AND key = $2 AND fence = $3 AND state = 'running'`
      : `DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND fence = $3 AND state = 'running'`,
    [claim.scope, key, claim.fence],
  );
