import type { Sql, Tx } from '@payflow/postgres';

export interface SecondFactor {
  readonly secretSealed: Buffer;
  /** Null: enrolled, and not asked for yet. */
  readonly confirmedAt: Date | null;
}

export const findSecondFactor = async (sql: Sql, userId: string): Promise<SecondFactor | undefined> =>
  (
    await sql.query<SecondFactor>(
      'SELECT secret_sealed AS "secretSealed", confirmed_at AS "confirmedAt" FROM second_factors WHERE user_id = $1',
      [userId],
    )
  )[0];

/** In place of one that was not confirmed. */
export const enrollSecondFactor = async (tx: Tx, userId: string, secretSealed: Buffer): Promise<void> => {
  await tx.execute(
    `INSERT INTO second_factors (user_id, secret_sealed, created_at) VALUES ($1, $2, now())
     ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, created_at = excluded.created_at
      WHERE second_factors.confirmed_at IS NULL`,
    [userId, secretSealed],
  );
};

export const confirmSecondFactor = async (
  tx: Tx,
  userId: string,
  recoveryCodeHashes: readonly Buffer[],
): Promise<void> => {
  await tx.execute('UPDATE second_factors SET confirmed_at = now() WHERE user_id = $1', [userId]);
  await tx.execute(
    `INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, decode(hash, 'hex') FROM unnest($2::text[]) AS hash`,
    [userId, recoveryCodeHashes.map((hash) => hash.toString('hex'))],
  );
};

/** The secret, what was used of it, and its recovery codes. */
export const deleteSecondFactor = async (tx: Tx, userId: string): Promise<void> => {
  for (const table of ['second_factors', 'recovery_codes', 'totp_steps'] as const)
    await tx.execute(`DELETE FROM ${table} WHERE user_id = $1`, [userId]);
};

/** Steps that no clock is near to any more need not be remembered. */
const STEPS_KEPT = 10;

/** Of several who bring the code of a step, one is told true. */
export const takeStep = async (tx: Tx, userId: string, step: number): Promise<boolean> => {
  await tx.execute('DELETE FROM totp_steps WHERE user_id = $1 AND step < $2', [userId, step - STEPS_KEPT]);
  return (
    (await tx.execute('INSERT INTO totp_steps (user_id, step) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      userId,
      step,
    ])) === 1
  );
};

/** Of several who bring a recovery code, one is told true. */
export const takeRecoveryCode = async (tx: Tx, userId: string, codeHash: Buffer): Promise<boolean> =>
  (await tx.execute(
    'UPDATE recovery_codes SET used_at = now() WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL',
    [userId, codeHash],
  )) === 1;
