import { Injectable } from '@nestjs/common';
import type { FraudRulesResponse } from '@payflow/contracts';

import { DEFAULT_RULES } from '../domain/default-rules.js';
import { type WatchedWindow, windowsOf } from '../domain/features.js';
import type { RuleSet } from '../domain/judge.js';
import type { RuleSetRow } from '../store/rule-sets.js';

/** Rules as decisions use them. */
export interface HeldRules {
  readonly version: bigint;
  readonly ruleSet: RuleSet;
  readonly windows: readonly WatchedWindow[];
}

const held = (version: bigint, ruleSet: RuleSet): HeldRules => ({
  version,
  ruleSet,
  windows: windowsOf(ruleSet.rules),
});

export const DEFAULTS = held(0n, DEFAULT_RULES);

/**
 * The rules that hold, in memory. Each decision asks for newer ones together with its features, which costs it no round trip of
 * its own: a change holds on every instance from the next payment on.
 */
@Injectable()
export class CurrentRules {
  private newest = DEFAULTS;

  get known(): HeldRules {
    return this.newest;
  }

  /** Of a version that is committed. */
  learn({ version, ruleSet }: RuleSetRow): void {
    if (version > this.newest.version) this.newest = held(version, ruleSet);
  }
}

export const rulesView = (row: RuleSetRow | undefined): FraudRulesResponse => ({
  version: Number(row?.version ?? DEFAULTS.version),
  ...(row?.ruleSet ?? DEFAULTS.ruleSet),
  createdAt: row?.createdAt.toISOString() ?? null,
  createdBy: row?.createdBy ?? null,
});
