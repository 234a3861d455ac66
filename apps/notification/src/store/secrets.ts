import type { Sql, Tx } from '@payflow/postgres';

/** A secret that signs an endpoint's webhooks. Sealed: see application/webhook-secrets.ts. */
export interface SecretRow {
  readonly endpointId: string;
  readonly version: number;
  readonly sealed: Buffer;
  readonly publicKey: string;
}

export const insertSecret = async (tx: Tx, secret: SecretRow): Promise<void> => {
  await tx.execute('INSERT INTO webhook_secrets (endpoint_id, version, sealed, public_key) VALUES ($1, $2, $3, $4)', [
    secret.endpointId,
    secret.version,
    secret.sealed,
    secret.publicKey,
  ]);
};

/** Those that sign now, newest first. */
export const signingSecrets = async (sql: Sql, endpointIds: readonly string[]): Promise<readonly SecretRow[]> =>
  await sql.query<SecretRow>(
    `SELECT endpoint_id AS "endpointId", version, sealed, public_key AS "publicKey" FROM webhook_secrets
      WHERE endpoint_id = ANY ($1::text[]) AND (expires_at IS NULL OR expires_at > clock_timestamp())
      ORDER BY endpoint_id, version DESC`,
    [endpointIds],
  );

/**
 * Lets all that sign now end then, unless they end before; those that have ended are forgotten. The endpoint is locked.
 *
 * @returns the version that comes next, how many of the former sign on, and when the last of them ends
 */
export const expireSecrets = async (
  tx: Tx,
  endpointId: string,
  overlapSeconds: number,
): Promise<{ readonly nextVersion: number; readonly formerExpireAt: Date; readonly formerSigning: number }> => {
  const [, [row]] = await Promise.all([
    tx.execute('DELETE FROM webhook_secrets WHERE endpoint_id = $1 AND expires_at <= clock_timestamp()', [endpointId]),
    tx.query<{ nextVersion: number; formerExpireAt: Date; formerSigning: number }>(
      `WITH ending AS (
         UPDATE webhook_secrets SET expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $2))
          WHERE endpoint_id = $1 RETURNING version, expires_at)
       SELECT max(version) + 1 AS "nextVersion", max(expires_at) AS "formerExpireAt",
              (count(*) FILTER (WHERE $2 > 0))::int AS "formerSigning" FROM ending`,
      [endpointId, overlapSeconds],
    ),
  ]);
  if (row === undefined) throw new Error('invariant: an endpoint has no secret');
  return row;
};

export const deleteSecrets = async (tx: Tx, endpointId: string): Promise<void> => {
  await tx.execute('DELETE FROM webhook_secrets WHERE endpoint_id = $1', [endpointId]);
};
