import type { Sql, Tx } from '@payflow/postgres';

import type { RuleSet } from '../domain/judge.js';

/** A version of the rules as it is stored, for ever. */
export interface RuleSetRow {
  readonly version: bigint;
  readonly ruleSet: RuleSet;
  readonly createdAt: Date;
  readonly createdBy: string;
}

const COLUMNS = 'version, rule_set AS "ruleSet", created_at AS "createdAt", created_by AS "createdBy"';

/** The rules that hold, if they are newer than this version; 0 for whatever there is. */
export const findNewerRuleSet = async (sql: Sql, newerThan: bigint): Promise<RuleSetRow | undefined> => {
  const [row] = await sql.query<RuleSetRow>(
    `SELECT ${COLUMNS} FROM fraud_rule_sets WHERE version > $1 ORDER BY version DESC LIMIT 1`,
    [newerThan],
  );
  return row;
};

export const findRuleSet = async (sql: Sql, version: bigint): Promise<RuleSetRow | undefined> => {
  const [row] = await sql.query<RuleSetRow>(`SELECT ${COLUMNS} FROM fraud_rule_sets WHERE version = $1`, [version]);
  return row;
};

/** @throws a unique violation when somebody else wrote the version meanwhile */
export const insertRuleSet = async (tx: Tx, { version, ruleSet, createdAt, createdBy }: RuleSetRow): Promise<void> => {
  await tx.execute('INSERT INTO fraud_rule_sets (version, rule_set, created_at, created_by) VALUES ($1, $2, $3, $4)', [
    version,
    JSON.stringify(ruleSet),
    createdAt,
    createdBy,
  ]);
};
