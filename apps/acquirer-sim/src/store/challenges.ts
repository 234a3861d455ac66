import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { Verdict } from '../domain/outcome.js';

/** A page that waits for a payer, or did. */
export interface Challenge {
  readonly token: string;
  readonly acquirer: AcquirerName;
  readonly reference: string;
  readonly kind: 'card' | 'bank';
  /** As the payer knows him. */
  readonly merchant: string;
  readonly bank: string | null;
  readonly returnUrl: string | null;
  readonly whenCompleted: Verdict;
  readonly expiresAt: Date;
}

export const insertChallenge = async (tx: Tx, challenge: Challenge): Promise<void> => {
  await tx.execute(
    `INSERT INTO challenges (token, acquirer, reference, kind, merchant, bank, return_url, when_completed, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      challenge.token,
      challenge.acquirer,
      challenge.reference,
      challenge.kind,
      challenge.merchant,
      challenge.bank,
      challenge.returnUrl,
      JSON.stringify(challenge.whenCompleted),
      challenge.expiresAt,
    ],
  );
};

export const findChallenge = async (
  sql: Sql,
  acquirer: AcquirerName,
  token: string,
): Promise<Challenge | undefined> => {
  const [row] = await sql.query<Challenge>(
    `SELECT token, acquirer, reference, kind, merchant, bank, return_url AS "returnUrl",
       when_completed AS "whenCompleted", expires_at AS "expiresAt"
     FROM challenges WHERE acquirer = $1 AND token = $2`,
    [acquirer, token],
  );
  return row;
};
