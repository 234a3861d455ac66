import type { SetRoutingRulesRequest } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A version of the rules as it is stored, for ever. */
export interface RoutingRulesRow {
  readonly version: bigint;
  readonly rules: SetRoutingRulesRequest;
  readonly created_at: Date;
  readonly created_by: string;
}

/** The rules that hold, if they are newer than this version; 0 for whatever there is. */
export const findRoutingRules = async (sql: Sql, newerThan: bigint): Promise<RoutingRulesRow | undefined> => {
  const [row] = await sql.query<RoutingRulesRow>(
    `SELECT version, rules, created_at, created_by FROM routing_rules
      WHERE version > $1 ORDER BY version DESC LIMIT 1`,
    [newerThan],
  );
  return row;
};

/** @throws a unique violation when somebody else wrote the version meanwhile */
export const insertRoutingRules = async (
  tx: Tx,
  { version, rules, created_at: createdAt, created_by: createdBy }: RoutingRulesRow,
): Promise<void> => {
  await tx.execute('INSERT INTO routing_rules (version, rules, created_at, created_by) VALUES ($1, $2, $3, $4)', [
    version,
    JSON.stringify(rules),
    createdAt,
    createdBy,
  ]);
};
