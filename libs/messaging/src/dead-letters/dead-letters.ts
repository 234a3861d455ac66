import type { Database, Tx } from '@payflow/postgres';
import { crashPoint, Problem } from '@payflow/service';

import { callHandler } from '../inbox/call-handler.js';
import { decode } from '../inbox/decode.js';
import { causeOf, describeFailure, isInfrastructureFailure } from '../inbox/failure.js';
import { lockGates, moveGates } from '../inbox/gate-sql.js';
import { park, wakeParked } from '../inbox/parked-sql.js';
import type { ConsumerBinding } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import {
  type DeadLetter,
  type DeadLetterStatus,
  findDeadLetter,
  listDeadLetters,
  lockDeadLetter,
  recordAction,
  setDeadLetterStatus,
} from './dead-letter-sql.js';

export interface DryRun {
  readonly wouldSucceed: boolean;
  readonly reason: string | null;
}

/** Ends the transaction of a dry run, whose effects nobody wants. */
class RolledBack extends Error {
  constructor(readonly result: DryRun) {
    super('a dry run is rolled back');
  }
}

/** What people do with messages that consumers gave up. Every action is kept with its principal and time. */
export class DeadLetters {
  constructor(
    readonly service: string,
    private readonly database: Database,
    private readonly bindings: ReadonlyMap<string, ConsumerBinding>,
    private readonly settings: MessagingSettings,
  ) {}

  async list(query: {
    readonly before: string | undefined;
    readonly status: DeadLetterStatus | undefined;
    readonly limit: number;
  }): Promise<{ readonly letters: readonly DeadLetter[]; readonly hasMore: boolean }> {
    const letters = await listDeadLetters(this.database, { ...query, rowsMax: query.limit + 1 });
    return { letters: letters.slice(0, query.limit), hasMore: letters.length > query.limit };
  }

  /** @throws Problem dead_letter_not_found */
  async get(deadLetterId: string): Promise<DeadLetter> {
    const letter = await findDeadLetter(this.database, deadLetterId);
    if (letter === undefined) throw new Problem('dead_letter_not_found');
    return letter;
  }

  /**
   * Has the message tried once more, under its old event id. It ends as `replayed`, or is `open` again.
   *
   * @throws Problem dead_letter_not_found, dead_letter_settled
   */
  async replay(deadLetterId: string, principalId: string): Promise<DeadLetter> {
    return await this.database.transaction(async (tx) => {
      const letter = await openLetter(tx, deadLetterId);
      await park(tx, letter.consumer, [
        {
          raw: letter.raw,
          eventId: letter.claimed ? letter.eventId : null,
          aggregateId: letter.aggregateId,
          sequence: letter.sequence,
          // The next try is the last one.
          attempts: this.settings.retryTriesMax - 1,
          failed: true,
          dueInMs: 0,
          deadLetterId,
        },
      ]);
      crashPoint('dead-letters.after-replay-before-mark');
      await setDeadLetterStatus(tx, deadLetterId, 'replaying');
      await recordAction(tx, { deadLetterId, action: 'replay', principalId });
      return { ...letter, status: 'replaying' };
    });
  }

  /**
   * Gives the message up for good. An ordered consumer goes on with the event after it.
   *
   * @throws Problem dead_letter_not_found, dead_letter_settled
   */
  async discard(deadLetterId: string, principalId: string, reason: string): Promise<DeadLetter> {
    return await this.database.transaction(async (tx) => {
      const letter = await openLetter(tx, deadLetterId);
      await setDeadLetterStatus(tx, deadLetterId, 'discarded');
      await this.passDiscarded(tx, letter);
      await recordAction(tx, { deadLetterId, action: 'discard', principalId, reason });
      return { ...letter, status: 'discarded' };
    });
  }

  /** Handles the message in a transaction that is rolled back, and tells what came of it. */
  async dryRun(deadLetterId: string, principalId: string): Promise<DryRun> {
    const letter = await this.get(deadLetterId);
    const result = await this.tryOut(letter);
    await recordAction(this.database, {
      deadLetterId,
      action: 'dry_run',
      principalId,
      outcome: result.wouldSucceed ? 'would succeed' : (result.reason ?? 'would fail'),
    });
    return result;
  }

  private async tryOut(letter: DeadLetter): Promise<DryRun> {
    try {
      return await this.database.transaction(async (tx): Promise<never> => {
        throw new RolledBack(await this.outcomeIn(tx, letter));
      });
    } catch (error) {
      if (error instanceof RolledBack) return error.result;
      if (isInfrastructureFailure(error)) throw error;
      return { wouldSucceed: false, reason: describeFailure(causeOf(error)).reason };
    }
  }

  private async outcomeIn(tx: Tx, letter: DeadLetter): Promise<DryRun> {
    const binding = this.bindings.get(letter.consumer);
    if (binding === undefined)
      return { wouldSucceed: false, reason: `there is no consumer ${letter.consumer} any more` };
    const decoded = decode(letter.raw, binding.kind, this.settings.messageBytesMax);
    if (!decoded.ok) return { wouldSucceed: false, reason: decoded.poison.reason };
    const { aggregateId, sequence } = decoded.delivery.envelope;
    if (binding.ordered) {
      const next = (await lockGates(tx, binding.consumer, [aggregateId])).get(aggregateId) ?? 1;
      if (sequence < next) return { wouldSucceed: true, reason: 'it was applied before; a replay has no effect' };
      if (sequence > next)
        return { wouldSucceed: false, reason: `it would wait for sequence ${next} of ${aggregateId}` };
    }
    await callHandler(binding, [decoded.delivery], tx);
    return { wouldSucceed: true, reason: null };
  }

  private async passDiscarded(tx: Tx, { consumer, aggregateId, sequence }: DeadLetter): Promise<void> {
    const isOrdered = this.bindings.get(consumer)?.ordered ?? false;
    if (!isOrdered || aggregateId === null || sequence === null) return;
    const next = (await lockGates(tx, consumer, [aggregateId])).get(aggregateId);
    if (next !== sequence) return;
    await moveGates(tx, consumer, new Map([[aggregateId, sequence + 1]]));
    await wakeParked(tx, consumer, aggregateId, sequence + 1);
  }
}

const openLetter = async (tx: Tx, deadLetterId: string): Promise<DeadLetter> => {
  const letter = await lockDeadLetter(tx, deadLetterId);
  if (letter === undefined) throw new Problem('dead_letter_not_found');
  if (letter.status !== 'open') throw new Problem('dead_letter_settled', { detail: `It is ${letter.status}.` });
  return letter;
};
