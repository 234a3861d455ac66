import type { Database, Sql, Tx } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { callHandler } from '../inbox/call-handler.js';
import { decode } from '../inbox/decode.js';
import { causeOf, describeFailure, isInfrastructureFailure } from '../inbox/failure.js';
import { lockGates } from '../inbox/gate-sql.js';
import type { ConsumerBinding } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import {
  type DeadLetter,
  type DeadLetterStatus,
  findDeadLetter,
  listDeadLetters,
  type StoredDeadLetter,
} from './dead-letter-sql.js';
import {
  type ActionRow,
  countSelected,
  type Doer,
  type GroupRow,
  type LetterPlace,
  listActions,
  listGroups,
  lockLetters,
  newestSelected,
  recordActions,
  type Selection,
} from './dead-letter-set-sql.js';
import { discardLetters, replayLetters } from './settle.js';

export interface DryRun {
  readonly wouldSucceed: boolean;
  readonly reason: string | null;
}

/** What a replay would do with some of many, each outcome counted. */
export interface DryRunOfSome {
  readonly open: number;
  readonly letters: readonly { readonly deadLetterId: string; readonly result: DryRun }[];
}

/** More causes than people look through; the most frequent are shown. */
const GROUPS_MAX = 500;

/** Ends the transaction of a dry run, whose effects nobody wants. */
class RolledBack extends Error {
  constructor(readonly result: DryRun) {
    super('a dry run is rolled back');
  }
}

/** What people do with messages that consumers gave up. Every action is kept: by whom, when and why. */
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
    readonly group?: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly letters: readonly StoredDeadLetter[]; readonly hasMore: boolean }> {
    const { before, status, group, limit } = query;
    const letters = await listDeadLetters(this.database, { before, status, group, rowsMax: limit + 1 });
    return { letters: letters.slice(0, limit), hasMore: letters.length > limit };
  }

  /** By their cause, the most frequent first. */
  async groups(
    status: DeadLetterStatus,
  ): Promise<{ readonly groups: readonly GroupRow[]; readonly truncated: boolean }> {
    const groups = await listGroups(this.database, status, GROUPS_MAX + 1);
    return { groups: groups.slice(0, GROUPS_MAX), truncated: groups.length > GROUPS_MAX };
  }

  async actions(query: {
    readonly before: bigint | undefined;
    readonly deadLetterId: string | undefined;
    readonly jobId: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly actions: readonly ActionRow[]; readonly hasMore: boolean }> {
    const actions = await listActions(this.database, { ...query, rowsMax: query.limit + 1 });
    return { actions: actions.slice(0, query.limit), hasMore: actions.length > query.limit };
  }

  /** @throws Problem dead_letter_not_found */
  async get(deadLetterId: string, sql: Sql = this.database): Promise<StoredDeadLetter> {
    const letter = await findDeadLetter(sql, deadLetterId);
    if (letter === undefined) throw new Problem('dead_letter_not_found');
    return letter;
  }

  /**
   * Has the message tried once more, under its old event id. It ends as `replayed`, or is `open` again.
   *
   * @throws Problem dead_letter_not_found, dead_letter_settled
   */
  async replay(tx: Tx, deadLetterId: string, by: Doer): Promise<StoredDeadLetter> {
    await replayLetters(tx, [await openLetter(tx, deadLetterId)], by, this.settings);
    return await this.get(deadLetterId, tx);
  }

  /**
   * Gives the message up for good. An ordered consumer goes on with the event after it.
   *
   * @throws Problem dead_letter_not_found, dead_letter_settled
   */
  async discard(tx: Tx, deadLetterId: string, by: Doer): Promise<StoredDeadLetter> {
    await discardLetters(tx, [await openLetter(tx, deadLetterId)], by, this.bindings);
    return await this.get(deadLetterId, tx);
  }

  /** Handles the message in a transaction that is rolled back, and tells what came of it. @throws Problem dead_letter_not_found */
  async dryRun(deadLetterId: string): Promise<DryRun> {
    return await this.tryOut(await this.get(deadLetterId));
  }

  /** The same with the newest open letters of a selection, one after the other. */
  async dryRunOfSome(selection: Selection, lettersMax: number): Promise<DryRunOfSome> {
    const ids = await newestSelected(this.database, selection, lettersMax);
    const letters: DryRunOfSome['letters'][number][] = [];
    for (const deadLetterId of ids) letters.push({ deadLetterId, result: await this.dryRun(deadLetterId) });
    return { open: await countSelected(this.database, selection), letters };
  }

  async recordDryRuns(sql: Sql, letters: DryRunOfSome['letters'], by: Doer): Promise<void> {
    await recordActions(
      sql,
      'dry_run',
      by,
      letters.map(({ deadLetterId, result: { wouldSucceed, reason } }) => ({
        deadLetterId,
        outcome: wouldSucceed ? 'would succeed' : (reason ?? 'would fail'),
      })),
    );
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
}

const openLetter = async (tx: Tx, deadLetterId: string): Promise<LetterPlace> => {
  const [letter] = await lockLetters(tx, [deadLetterId]);
  if (letter === undefined) throw new Problem('dead_letter_not_found');
  if (letter.status !== 'open') throw new Problem('dead_letter_settled', { detail: `It is ${letter.status}.` });
  return letter;
};
