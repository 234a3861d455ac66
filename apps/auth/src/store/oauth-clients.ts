import type { Role, Scope } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

export interface OauthClient {
  readonly id: string;
  readonly secretHash: Buffer;
  readonly merchantId: string | null;
  readonly kind: 'client' | 'service';
  readonly roles: readonly Role[];
  readonly scopes: readonly Scope[];
}

/** A client that may ask for tokens, with each secret that works now. */
export interface ActiveClient extends OauthClient {
  /** The one before, while the two overlap. */
  readonly previousSecretHash: Buffer | null;
}

/** A client that may ask for tokens: not disabled, and its merchant not blocked. */
export const findActiveClient = async (sql: Sql, id: string): Promise<ActiveClient | undefined> =>
  (
    await sql.query<ActiveClient>(
      `SELECT client.id, client.secret_hash AS "secretHash", client.merchant_id AS "merchantId", client.kind,
              client.roles, client.scopes,
              CASE WHEN client.previous_secret_until > now() THEN client.previous_secret_hash END AS "previousSecretHash"
         FROM oauth_clients client LEFT JOIN merchants merchant ON merchant.id = client.merchant_id
        WHERE client.id = $1 AND client.disabled_at IS NULL AND merchant.status IS DISTINCT FROM 'BLOCKED'`,
      [id],
    )
  )[0];

export const insertClient = async (tx: Tx, client: OauthClient & { readonly createdAt: Date }): Promise<void> => {
  await tx.execute(
    `INSERT INTO oauth_clients (id, secret_hash, merchant_id, kind, roles, scopes, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [client.id, client.secretHash, client.merchantId, client.kind, client.roles, client.scopes, client.createdAt],
  );
};

/** Makes a configured client what the configuration says. @returns whether anything changed */
export const upsertClient = async (tx: Tx, client: OauthClient): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO oauth_clients (id, secret_hash, merchant_id, kind, roles, scopes)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (id) DO UPDATE
        SET secret_hash = excluded.secret_hash, roles = excluded.roles, scopes = excluded.scopes
      WHERE (oauth_clients.secret_hash, oauth_clients.roles, oauth_clients.scopes)
            IS DISTINCT FROM (excluded.secret_hash, excluded.roles, excluded.scopes)`,
    [client.id, client.secretHash, client.merchantId, client.kind, client.roles, client.scopes],
  )) === 1;

/** A merchant's client as it is listed: without its secrets. */
export interface ListedClient {
  readonly id: string;
  readonly merchantId: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
  readonly previousSecretUntil: Date | null;
}

const LISTED = `id, merchant_id AS "merchantId", scopes, created_at AS "createdAt", disabled_at AS "disabledAt",
  CASE WHEN previous_secret_until > now() THEN previous_secret_until END AS "previousSecretUntil"`;

/** All of a merchant's, the newest first. */
export const clientsOf = async (sql: Sql, merchantId: string): Promise<readonly ListedClient[]> =>
  await sql.query<ListedClient>(`SELECT ${LISTED} FROM oauth_clients WHERE merchant_id = $1 ORDER BY id DESC`, [
    merchantId,
  ]);

/** @returns the client as it is now; undefined when the merchant has no such client */
export const disableClient = async (tx: Tx, merchantId: string, id: string): Promise<ListedClient | undefined> =>
  (
    await tx.query<ListedClient>(
      `UPDATE oauth_clients SET disabled_at = COALESCE(disabled_at, now())
        WHERE merchant_id = $1 AND id = $2 RETURNING ${LISTED}`,
      [merchantId, id],
    )
  )[0];

/** The secret that was the current one works on until then. @returns undefined when there is no such client that works */
export const replaceClientSecret = async (
  tx: Tx,
  client: { readonly merchantId: string; readonly id: string },
  secretHash: Buffer,
  previousUntil: Date,
): Promise<ListedClient | undefined> =>
  (
    await tx.query<ListedClient>(
      `UPDATE oauth_clients
          SET previous_secret_hash = secret_hash, previous_secret_until = $4, secret_hash = $3
        WHERE merchant_id = $1 AND id = $2 AND disabled_at IS NULL RETURNING ${LISTED}`,
      [client.merchantId, client.id, secretHash, previousUntil],
    )
  )[0];
