import type { Sql, Tx } from '@payflow/postgres';

import { CODE_TRIES_MAX, type CodePurpose } from '../domain/codes.js';
import type { Address } from '../domain/login-name.js';

export interface AccountCode {
  readonly userId: string;
  readonly purpose: CodePurpose;
  readonly address: Address;
  readonly codeHash: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** The code of a person for a purpose; an older one is good for nothing from now on. */
export const replaceCode = async (tx: Tx, code: AccountCode): Promise<void> => {
  await tx.execute(
    `INSERT INTO account_codes (user_id, purpose, channel, address, code_hash, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (user_id, purpose, channel) DO UPDATE
        SET address = excluded.address, code_hash = excluded.code_hash, tries = 0, created_at = excluded.created_at,
            expires_at = excluded.expires_at`,
    [code.userId, code.purpose, code.address.kind, code.address.value, code.codeHash, code.createdAt, code.expiresAt],
  );
};

export interface OpenCode {
  readonly userId: string;
  readonly codeHash: Buffer;
}

/**
 * Counts a try against every code that is under way to the address, before any is looked at, in a transaction of its own: a
 * refusal undoes the one that uses the code.
 *
 * @returns the codes that this try may be compared with: of each person to whom one went at this address
 */
export const countCodeTry = async (sql: Sql, purpose: CodePurpose, address: Address): Promise<readonly OpenCode[]> => {
  const counted = await sql.query<OpenCode & { readonly tries: number }>(
    `UPDATE account_codes SET tries = least(tries + 1, $4)
      WHERE address = $1 AND purpose = $2 AND channel = $3 AND expires_at > now()
      RETURNING user_id AS "userId", code_hash AS "codeHash", tries`,
    [address.value, purpose, address.kind, CODE_TRIES_MAX + 1],
  );
  return counted.filter(({ tries }) => tries <= CODE_TRIES_MAX);
};

/** Of several who bring the same code at once, one is told true. */
export const useCode = async (tx: Tx, purpose: CodePurpose, code: OpenCode): Promise<boolean> =>
  (await tx.execute('DELETE FROM account_codes WHERE user_id = $1 AND purpose = $2 AND code_hash = $3', [
    code.userId,
    purpose,
    code.codeHash,
  ])) === 1;

/** Codes that must not be good for anything any more, of whatever purpose. */
export const deleteCodesOf = async (tx: Tx, userId: string, purpose: CodePurpose): Promise<void> => {
  await tx.execute('DELETE FROM account_codes WHERE user_id = $1 AND purpose = $2', [userId, purpose]);
};

export const deleteExpiredCodes = async (sql: Sql): Promise<number> =>
  await sql.execute('DELETE FROM account_codes WHERE expires_at < now()');
