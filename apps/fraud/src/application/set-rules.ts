import { Injectable } from '@nestjs/common';
import type { FraudRulesResponse, FraudRuleStatistics, Principal, SetFraudRulesRequest } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, isUniqueViolation, type Tx } from '@payflow/postgres';
import { entityTag, Idempotency, Problem, type RequestMeta, requireVersion, type StoredAnswer } from '@payflow/service';

import type { RuleSet } from '../domain/judge.js';
import { ruleStatistics } from '../store/rule-matches.js';
import { findNewerRuleSet, findRuleSet, insertRuleSet, type RuleSetRow } from '../store/rule-sets.js';
import { CurrentRules, rulesView } from './current-rules.js';

const LEASE_MS = 5_000;
const MS_PER_DAY = 86_400_000;

/** New rules get ids, under which their statistics are kept. */
export const withIds = ({ rules, thresholds }: SetFraudRulesRequest): RuleSet => ({
  rules: rules.map((rule) => ({ ...rule, id: rule.id ?? newId('frl') })),
  thresholds,
});

/** GET and PUT /fraud/rules, and how the rules do. */
@Injectable()
export class SetRules {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly rules: CurrentRules,
  ) {}

  /** @throws Problem fraud_rules_not_found for a version that there is not */
  async read(version: number | undefined): Promise<FraudRulesResponse> {
    if (version === undefined) return rulesView(await findNewerRuleSet(this.database, 0n));
    const row = await findRuleSet(this.database, BigInt(version));
    if (row === undefined && version !== 0) throw new Problem('fraud_rules_not_found');
    return rulesView(row);
  }

  async statistics(days: number): Promise<FraudRuleStatistics> {
    const since = new Date(Date.now() - days * MS_PER_DAY);
    return { since: since.toISOString(), data: await ruleStatistics(this.database, since) };
  }

  /** Adds a version; the ones before stay as they were. */
  async set(request: {
    readonly principal: Principal;
    readonly meta: RequestMeta;
    readonly body: SetFraudRulesRequest;
  }): Promise<StoredAnswer> {
    const { body, principal, meta } = request;
    const identity = this.idempotency.identify(request);
    const options = { resourceId: 'fraud_rules', leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const version = (await findNewerRuleSet(tx, 0n))?.version ?? 0n;
      requireVersion(meta.ifMatch, version);
      const row: RuleSetRow = {
        version: version + 1n,
        ruleSet: withIds(body),
        createdAt: new Date(),
        createdBy: principal.id,
      };
      await insert(tx, row);
      tx.onCommit(() => {
        this.rules.learn(row);
      });
      return { status: 200, body: rulesView(row), headers: { etag: entityTag(row.version) } };
    });
  }
}

const insert = async (tx: Tx, row: RuleSetRow): Promise<void> => {
  try {
    await insertRuleSet(tx, row);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Problem('concurrent_update', { detail: 'Somebody else changed the rules at the same moment.' });
  }
};
