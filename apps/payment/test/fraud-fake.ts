import { type FraudDecision, type FraudDecisionRequest, fraudDecisionRequestSchema } from '@payflow/contracts';
import { newId } from '@payflow/kernel';

import { ContractServer, type Reply, type Request } from './contract-server.js';

/** What fraud does with the next subject it has not judged yet. `hang`: it takes longer than anybody waits. */
export type FraudMood = 'ALLOW' | 'BLOCK' | 'REVIEW' | 'hang' | 'failure' | 'nonsense';

const HOUR_MS = 3_600_000;

/** Fraud as the contract has it: a subject is judged once, and whoever asks the same again hears the same. */
export class FraudFake {
  readonly server = new ContractServer((request) => this.handle(request));
  /** Every question, in order. */
  readonly asked: FraudDecisionRequest[] = [];
  private readonly decisions = new Map<string, FraudDecision>();
  private readonly judged = new Map<string, FraudDecisionRequest>();
  private readonly moods: FraudMood[] = [];
  private readonly hanging: (() => void)[] = [];

  next(...moods: readonly FraudMood[]): void {
    this.moods.push(...moods);
  }

  /** Its word on a subject; fails when it was never asked. */
  decisionOn(subjectId: string): FraudDecision {
    const decision = this.decisions.get(subjectId);
    if (!decision) throw new Error(`given: ${subjectId} was never judged`);
    return decision;
  }

  questionsAbout(subjectId: string): readonly FraudDecisionRequest[] {
    return this.asked.filter((request) => request.subjectId === subjectId);
  }

  async close(): Promise<void> {
    for (const end of this.hanging) end();
    await this.server.close();
  }

  private async handle({ method, path, headers, body }: Request): Promise<Reply> {
    if (headers.authorization === undefined) return this.server.violation('no service token');
    if (method !== 'POST' || path !== '/internal/fraud/decisions')
      return this.server.violation(`no such route: ${method} ${path}`);
    const parsed = fraudDecisionRequestSchema.safeParse(body);
    if (!parsed.success) return this.server.violation(`decisions: ${parsed.error.message}`);
    this.asked.push(parsed.data);
    const { subjectId } = parsed.data;
    const known = this.decisions.get(subjectId);
    if (known) return sameQuestion(this.judged.get(subjectId), parsed.data) ? { status: 200, body: known } : REUSED;
    const mood = this.moods.shift() ?? 'ALLOW';
    if (mood === 'failure') return { status: 500, body: { message: 'no' } };
    if (mood === 'nonsense') return { status: 200, body: { outcome: 'PERHAPS' } };
    if (mood === 'hang') {
      await new Promise<void>((resolve) => this.hanging.push(resolve));
      return 'silence';
    }
    const decision = decisionOf(mood);
    this.decisions.set(subjectId, decision);
    this.judged.set(subjectId, parsed.data);
    return { status: 200, body: decision };
  }
}

/** Only the time may be another. */
const sameQuestion = (judged: FraudDecisionRequest | undefined, asked: FraudDecisionRequest): boolean =>
  judged !== undefined && JSON.stringify({ ...judged, at: '' }) === JSON.stringify({ ...asked, at: '' });

const REUSED: Reply = {
  status: 422,
  body: {
    type: 'https://payflow/docs/problems/idempotency_key_reused',
    title: 'The key was used for another request',
    status: 422,
    code: 'idempotency_key_reused',
    requestId: 'req_fraud',
    docUrl: 'https://payflow/docs/problems/idempotency_key_reused',
  },
};

const decisionOf = (outcome: FraudDecision['outcome']): FraudDecision => ({
  decisionId: newId('fd'),
  outcome,
  score: { ALLOW: 5, REVIEW: 60, BLOCK: 95 }[outcome],
  reasons: [{ ruleId: newId('frl'), name: 'fake rule', effect: outcome, score: 5, detail: 'amount 1000' }],
  rulesVersion: 3,
  reviewId: outcome === 'REVIEW' ? newId('frv') : null,
  decideBy: outcome === 'REVIEW' ? new Date(Date.now() + HOUR_MS).toISOString() : null,
});
