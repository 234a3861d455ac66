import type { FraudRuleStatistics } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { DecisionRow } from './decisions.js';

export const insertRuleMatches = async (
  tx: Tx,
  { id, decidedAt, reasons, shadow }: Pick<DecisionRow, 'id' | 'decidedAt' | 'reasons' | 'shadow'>,
): Promise<void> => {
  const ruleIds = [...reasons, ...shadow].map(({ ruleId }) => ruleId);
  if (ruleIds.length === 0) return;
  const modes = [...reasons.map(() => 'ENFORCED'), ...shadow.map(() => 'SHADOW')];
  await tx.execute(
    `INSERT INTO fraud_rule_matches (decision_id, rule_id, mode, decided_at)
     SELECT $1, rule_id, mode, $4 FROM unnest($2::text[], $3::text[]) AS m (rule_id, mode)`,
    [id, ruleIds, modes, decidedAt],
  );
};

/** How often each rule spoke, and what became of the payments. */
export const ruleStatistics = async (sql: Sql, since: Date): Promise<FraudRuleStatistics['data']> =>
  (
    await sql.query<Record<'ruleId' | 'mode', string> & Record<string, bigint | string>>(
      `SELECT m.rule_id AS "ruleId", m.mode, count(*) AS matched, count(*) FILTER (WHERE d.outcome = 'ALLOW') AS allowed,
              count(*) FILTER (WHERE d.outcome = 'REVIEW') AS reviewed, count(*) FILTER (WHERE d.outcome = 'BLOCK') AS blocked,
              count(o.declined_at) AS declined, count(o.disputed_at) AS disputed
         FROM fraud_rule_matches m JOIN fraud_decisions d ON d.id = m.decision_id
         LEFT JOIN fraud_outcomes o ON o.payment_id = d.subject_id
        WHERE m.decided_at >= $1
        GROUP BY m.rule_id, m.mode ORDER BY m.rule_id, m.mode`,
      [since],
    )
  ).map(({ ruleId, mode, ...counts }) => ({
    ruleId,
    mode: mode as 'ENFORCED' | 'SHADOW',
    matched: Number(counts['matched']),
    allowed: Number(counts['allowed']),
    reviewed: Number(counts['reviewed']),
    blocked: Number(counts['blocked']),
    declined: Number(counts['declined']),
    disputed: Number(counts['disputed']),
  }));
