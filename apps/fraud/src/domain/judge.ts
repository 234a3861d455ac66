import type { FraudOutcome, FraudReason, FraudRule, FraudRulesResponse } from '@payflow/contracts';

import { conditionSeen } from './condition.js';
import type { Facts } from './facts.js';
import type { Features } from './features.js';

export type RuleSet = Pick<FraudRulesResponse, 'rules' | 'thresholds'>;

export interface Judgement {
  readonly outcome: FraudOutcome;
  /** 0 to 100. */
  readonly score: number;
  /** Enforced rules whose condition holds, in the order of the rules, also those that a stronger one overrides. */
  readonly reasons: readonly FraudReason[];
  /** What shadow rules would have said. */
  readonly shadow: readonly FraudReason[];
}

const SCORE_MAX = 100;
/** A hundred reasons fit into an event. */
const DETAIL_LENGTH_MAX = 300;

const concerns = ({ merchantIds }: FraudRule, { merchantId }: Facts): boolean =>
  merchantIds === undefined || merchantIds.some((id) => id === merchantId);

const reasonOf = (rule: FraudRule, facts: Facts, features: Features): FraudReason | undefined => {
  const seen = concerns(rule, facts) ? conditionSeen(rule.when, facts, features) : undefined;
  if (seen === undefined) return undefined;
  const detail = seen.join('; ').slice(0, DETAIL_LENGTH_MAX);
  return { ruleId: rule.id, name: rule.name, effect: rule.effect, score: rule.score ?? 0, detail };
};

/** The strongest word that was said: an explicit ALLOW is somebody's promise, and holds against all others. */
const outcomeOf = (
  reasons: readonly FraudReason[],
  score: number,
  { review, block }: RuleSet['thresholds'],
): FraudOutcome => {
  for (const word of ['ALLOW', 'BLOCK', 'REVIEW'] as const)
    if (reasons.some(({ effect }) => effect === word)) return word;
  if (block !== null && score >= block) return 'BLOCK';
  return review !== null && score >= review ? 'REVIEW' : 'ALLOW';
};

/** Judges a payment by the rules: the same rules, facts and features always give the same answer. */
export const judge = ({ rules, thresholds }: RuleSet, facts: Facts, features: Features): Judgement => {
  const spoken = (mode: FraudRule['mode']): readonly FraudReason[] =>
    rules.flatMap((rule) => (rule.mode === mode ? (reasonOf(rule, facts, features) ?? []) : []));
  const reasons = spoken('ENFORCED');
  const sum = reasons.reduce((total, { score }) => total + score, 0);
  const score = Math.min(SCORE_MAX, Math.max(0, sum));
  const outcome = outcomeOf(reasons, score, thresholds);
  const shadow = spoken('SHADOW');
  return { outcome: outcome === 'REVIEW' && !facts.canWait ? 'BLOCK' : outcome, score, reasons, shadow };
};
