import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { type FraudDecision, type FraudDecisionRequest, VELOCITY_KEYS } from '@payflow/contracts';
import { canonicalJson, newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database, isUniqueViolation, type Tx } from '@payflow/postgres';
import { InjectConfig, Problem } from '@payflow/service';

import { type Facts, factsOf, velocityValueOf } from '../domain/facts.js';
import { beginOf, type Features, minuteOf, seenIn, type WatchedWindow } from '../domain/features.js';
import { judge } from '../domain/judge.js';
import { listValuesOf } from '../domain/list-values.js';
import type { FraudConfig } from '../fraud.config.js';
import { type DecisionRow, findDecisionOf, insertDecision } from '../store/decisions.js';
import { listsWith } from '../store/list-entries.js';
import { insertReview } from '../store/reviews.js';
import { insertRuleMatches } from '../store/rule-matches.js';
import { findNewerRuleSet } from '../store/rule-sets.js';
import { type Counted, countAttempt, rememberCard, sumWindows } from '../store/velocity.js';
import { CurrentRules, type HeldRules } from './current-rules.js';
import { FraudMetrics } from './fraud-metrics.js';
import { judgedEvents } from './publications.js';

const MS_PER_SECOND = 1_000;
/** Somebody would have to change the rules between two reads of one decision, again and again. */
const LOOKS_MAX = 5;

interface Question {
  readonly request: FraudDecisionRequest;
  readonly facts: Facts;
  readonly hash: Uint8Array;
  /** When the attempt counts. */
  readonly at: Date;
  readonly now: Date;
  readonly counted: readonly Counted[];
}

type Look =
  | { readonly known: DecisionRow }
  | { readonly known: undefined; readonly rules: HeldRules; readonly features: Features };

/** POST /internal/fraud/decisions: one round trip to read, one to write, one to commit. */
@Injectable()
export class Decide {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly rules: CurrentRules,
    private readonly metrics: FraudMetrics,
    @InjectConfig() private readonly config: FraudConfig,
  ) {}

  /** @throws Problem idempotency_key_reused when the subject was judged with other content */
  async run(request: FraudDecisionRequest): Promise<FraudDecision> {
    const question = questionOf(request, new Date());
    const begun = performance.now();
    try {
      return decisionView(await this.database.transaction((tx) => this.decide(tx, question)));
    } catch (error) {
      if (!isUniqueViolation(error, 'fraud_decisions_subject_id_key')) throw error;
      // Its twin was faster, and its decision is the one that holds.
      const known = await findDecisionOf(this.database, request.subjectId);
      if (known === undefined) throw error;
      return decisionView(requireSame(known, question));
    } finally {
      this.metrics.took(performance.now() - begun);
    }
  }

  private async decide(tx: Tx, question: Question): Promise<DecisionRow> {
    const look = await this.look(tx, question);
    if (look.known !== undefined) return requireSame(look.known, question);
    const { request, facts, now } = question;
    const judgement = judge(look.rules.ruleSet, facts, look.features);
    const isReview = judgement.outcome === 'REVIEW';
    const row: DecisionRow = {
      id: newId('fd'),
      requestHash: question.hash,
      request,
      ...judgement,
      features: look.features,
      rulesVersion: look.rules.version,
      reviewId: isReview ? newId('frv') : null,
      decideBy: isReview ? new Date(now.getTime() + this.config.FRAUD_REVIEW_SECONDS * MS_PER_SECOND) : null,
      at: question.at,
      decidedAt: now,
    };
    await this.store(tx, question, row);
    tx.onCommit(() => {
      this.metrics.decided(row.outcome);
    });
    return row;
  }

  /** What is there, what holds and what was counted: all in one round trip, and again should the rules have changed. */
  private async look(tx: Tx, question: Question): Promise<Look> {
    const { request, facts, at } = question;
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const rules = this.rules.known;
      const [known, newer, lists, velocities] = await Promise.all([
        findDecisionOf(tx, request.subjectId),
        findNewerRuleSet(tx, rules.version),
        listsWith(tx, listValuesOf(facts), facts.fields.ip),
        velocitiesOf(tx, rules.windows, facts, at),
      ]);
      if (known !== undefined) return { known };
      if (newer === undefined) return { known, rules, features: { velocities, lists } };
      this.rules.learn(newer);
    }
    throw new Problem('dependency_unavailable', { detail: 'The rules change faster than they can be read.' });
  }

  /** The counts come last: a busy merchant's rows are locked from there to the commit, and other decisions wait for them. */
  private async store(tx: Tx, { facts, counted, request }: Question, row: DecisionRow): Promise<void> {
    const minute = minuteOf(row.at);
    const { fingerprint } = facts.fields;
    const { subjectId, currency, amount, merchantId } = request;
    const work: Promise<unknown>[] = [
      insertDecision(tx, { ...row, fingerprint, ip: velocityValueOf(facts, 'ip') }),
      insertRuleMatches(tx, row),
    ];
    if (row.reviewId !== null && row.decideBy !== null && merchantId !== null) {
      const { decideBy, decidedAt: createdAt } = row;
      const about = { decisionId: row.id, paymentId: subjectId, merchantId };
      work.push(insertReview(tx, { id: row.reviewId, ...about, decideBy, createdAt }));
    }
    work.push(this.outbox.publishFirst(tx, judgedEvents(row)));
    if (fingerprint !== null) work.push(rememberCard(tx, counted, fingerprint, minute));
    work.push(countAttempt(tx, counted, { subjectId, minute, currency, amountMinor: BigInt(amount) }));
    await Promise.all(work);
  }
}

const questionOf = (request: FraudDecisionRequest, now: Date): Question => {
  const facts = factsOf(request);
  const at = new Date(request.at);
  return {
    request,
    facts,
    hash: contentHash(request),
    at: at < now ? at : now,
    now,
    counted: VELOCITY_KEYS.flatMap((kind) => {
      const value = velocityValueOf(facts, kind);
      return value === null ? [] : { kind, value };
    }),
  };
};

/** Who pays whom how much with what. Whoever asks again may ask at another time, and from elsewhere or from a timer. */
const contentHash = ({
  at: _at,
  ip: _ip,
  ipCountry: _ipCountry,
  email: _email,
  ...content
}: FraudDecisionRequest): Uint8Array => createHash('sha256').update(canonicalJson(content)).digest();

const requireSame = (known: DecisionRow, { hash }: Question): DecisionRow => {
  if (Buffer.from(known.requestHash).equals(hash)) return known;
  throw new Problem('idempotency_key_reused', { detail: 'This subject was judged with other content.' });
};

const velocitiesOf = async (
  tx: Tx,
  windows: readonly WatchedWindow[],
  facts: Facts,
  at: Date,
): Promise<Features['velocities']> => {
  const sought = windows.flatMap((window) => {
    const value = velocityValueOf(facts, window.by);
    return value === null ? [] : { ...window, kind: window.by, value, since: beginOf(window, at) };
  });
  const { fingerprint } = facts.fields;
  const counts = await sumWindows(tx, sought, { until: minuteOf(at), currency: facts.currency, fingerprint });
  return sought.map((window, index) => seenIn(window, facts, (measure) => Number(counts[index]?.[measure] ?? 0n)));
};

const decisionView = (row: DecisionRow): FraudDecision => ({
  decisionId: row.id,
  outcome: row.outcome,
  score: row.score,
  reasons: [...row.reasons],
  rulesVersion: Number(row.rulesVersion),
  reviewId: row.reviewId,
  decideBy: row.decideBy?.toISOString() ?? null,
});
