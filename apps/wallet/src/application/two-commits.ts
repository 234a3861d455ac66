import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  Idempotency,
  Problem,
  type RequestIdentity,
  type StoredAnswer,
  storedAnswer,
} from '@payflow/service';

/** Longer than the ledger may take. */
const LEASE_MS = 15_000;

/** A command that is decided in one commit and recorded in another, with the ledger, or somebody else, between the two. */
export interface TwoCommitCommand {
  /** The id of what it makes or changes: the same for each repetition of the request. */
  readonly resourceId: string;
  /** Without a key, the same request within 60 s is refused. */
  readonly moneyMoving: boolean;
  /** Decides, and leaves a timer behind, so that somebody carries out what this process may not. Throws its refusals. */
  readonly decide: (tx: Tx, resourceId: string) => Promise<void>;
  /** Does what was decided and records it. Any number of times: the second finds it done. */
  readonly carryOut: (resourceId: string) => Promise<unknown>;
  /** How it stands now; a problem for what failed. */
  readonly answer: (resourceId: string) => Promise<Answer | Problem>;
}

/** Runs such commands under their keys. Whoever repeats a request whose owner died gets what became of it. */
@Injectable()
export class TwoCommits {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  /** @throws Problem of the key, and what `decide` refuses */
  async run(identity: RequestIdentity, command: TwoCommitCommand): Promise<StoredAnswer> {
    const { resourceId, moneyMoving } = command;
    const options = { resourceId, moneyMoving, leaseMs: LEASE_MS };
    const outcome = await this.database
      .transaction(async (tx) => {
        const claimed = await this.idempotency.claim(tx, identity, options);
        if (claimed.kind === 'claimed') await command.decide(tx, claimed.claim.resourceId);
        return claimed;
      })
      .catch(async (error: unknown) => {
        if (!(error instanceof Problem) || identity.key === undefined || !isAnswer(error)) throw error;
        return await this.refused(identity, options, error);
      });
    if (outcome.kind === 'replay') return outcome.answer;
    await command.carryOut(outcome.claim.resourceId);
    const answer = await command.answer(outcome.claim.resourceId);
    const stored = answer instanceof Problem ? this.idempotency.storedProblem(answer) : storedAnswer(answer);
    await this.database.transaction((tx) => this.idempotency.complete(tx, outcome.claim, stored));
    return stored;
  }

  /** The refusal is the key's answer from now on. */
  private async refused(
    identity: RequestIdentity,
    options: { readonly resourceId: string; readonly moneyMoving: boolean; readonly leaseMs: number },
    refusal: Problem,
  ): Promise<{ readonly kind: 'replay'; readonly answer: StoredAnswer }> {
    const answer = await this.database.transaction(async (tx) => {
      const claimed = await this.idempotency.claim(tx, identity, options);
      if (claimed.kind === 'replay') return claimed.answer;
      const stored = this.idempotency.storedProblem(refusal);
      await this.idempotency.complete(tx, claimed.claim, stored);
      return stored;
    });
    return { kind: 'replay', answer };
  }
}

/** Not those of the key itself: what they are about is another request's. */
const isAnswer = ({ status, code }: Problem): boolean =>
  [409, 422].includes(status) && !/^(idempotency_|duplicate_|concurrent_)/.test(code);
