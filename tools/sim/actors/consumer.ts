import type { Envelope } from '@payflow/contracts';

import { standingAt } from '../../../libs/messaging/src/inbox/gate.js';
import { type Fresh, parkedIdsToDeliver, planOf, planUnordered } from '../../../libs/messaging/src/inbox/gate-plan.js';
import type { NewParked, ParkedHead } from '../../../libs/messaging/src/inbox/parked-sql.js';
import { MESSAGING_DEFAULTS } from '../../../libs/messaging/src/settings.js';
import { ConsumerTables, type DeadLetter, type ParkedRow } from '../consumer-tables.ts';
import type { Called } from '../network.ts';
import { awaiting, type Flow } from '../flow.ts';
import { Process } from '../process.ts';
import { type Database, DatabaseDown, type Transaction } from '../store.ts';
import { DueRows } from '../timers.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { type LogMessage, type Place, PLACES } from './broker.ts';

/** What a consumer does with events, within the transaction that holds their inbox rows. */
export type Handler = (tx: Transaction, envelopes: readonly Envelope[]) => Flow;

/** A handler failed. Poison is of no use to try again. */
export class HandlerFailed extends Error {
  override readonly name = 'HandlerFailed';
  readonly isPoison: boolean;
  /** Set when it was delivered alone: the guilty one, and where it was parked. */
  guilty: { readonly parkedId: bigint | undefined } | undefined;

  constructor(message: string, isPoison: boolean) {
    super(message);
    this.isPoison = isPoison;
  }
}

const SESSION_TIMEOUT_MS = 6_000;
const JOIN_MS = [50, 1_500] as const;
const CHUNK_MAX = 12;
const RETRY_CLAIMS_MAX = 20;
const POLL_MS = 100;
const GAP_LOOK_MS_MAX = 4 * 3_600_000;
const DATABASE_RETRY_MS = 250;
const OPERATOR_MS = [600_000, 3_600_000] as const;
const SETTINGS = MESSAGING_DEFAULTS;

/** A consumer group: two processes over one database that share the partitions. */
export class ConsumerGroup {
  readonly name: string;
  readonly isOrdered: boolean;
  readonly database: Database;
  readonly tables = new ConsumerTables();
  readonly processes: readonly Process[];
  private readonly parkedDue: DueRows<ParkedRow>;
  private readonly gapsDue: DueRows<{ readonly aggregateId: string }>;
  private readonly gapRows = new Map<string, { readonly aggregateId: string }>();
  private readonly gapLooks = new Map<string, number>();
  private readonly brokenUntilMs = new Map<string, number>();
  private readonly world: World;
  private readonly handle: Handler;
  private generation = 0;
  private lastParkedId = 0n;

  constructor(world: World, name: string, isOrdered: boolean, database: Database, handle: Handler) {
    this.world = world;
    this.name = name;
    this.isOrdered = isOrdered;
    this.database = database;
    this.processes = [1, 2].map(
      (index) =>
        new Process(`${name}-${index}`, world, () => {
          world.scheduler.after(world.random.between(...JOIN_MS), `${name} joins`, () => {
            this.rebalance();
          });
        }),
    );
    this.handle = handle;
    this.parkedDue = new DueRows(`${name} retry due`, database, world.scheduler, (row) => {
      const process = world.anyUp(this.processes);
      // It is looked at again, whatever keeps it from being claimed now.
      this.parkedDue.set(row, Math.max(database.nowMs() + POLL_MS, row.leaseUntilMs));
      if (process) process.run('retries', this.retryAll(process, this.claimDue()));
    });
    this.gapsDue = new DueRows(`${name} gap due`, database, world.scheduler, (row) => {
      this.gapRows.delete(row.aggregateId);
      if (!this.tables.parkedOf.has(row.aggregateId)) {
        this.gapLooks.delete(row.aggregateId);
        return;
      }
      this.watchGap(row.aggregateId);
      const process = world.anyUp(this.processes);
      if (process) process.run('gap', this.closeGap(process, row.aggregateId));
    });
  }

  /** The broker notices that a member is gone. */
  memberCrashed(): void {
    this.world.scheduler.after(SESSION_TIMEOUT_MS, `${this.name} session over`, () => {
      this.rebalance();
    });
  }

  clockJumped(): void {
    this.parkedDue.clockJumped();
    this.gapsDue.clockJumped();
  }

  /** Partitions are assigned anew. Who had one may still be at work on it: nothing rests on that. */
  rebalance(): void {
    this.generation += 1;
    const { generation } = this;
    const up = this.processes.filter(({ isUp }) => isUp);
    if (up.length === 0) return;
    for (const [index, place] of PLACES.entries()) {
      const process = up[(index + generation) % up.length]!;
      process.run('consume', this.consume(process, place, generation));
    }
  }

  private *consume(process: Process, place: Place, generation: number): Flow {
    const { broker, scheduler, faults } = this.world;
    let { clusterId } = broker;
    let position = this.storedPosition(place, clusterId);
    while (this.generation === generation) {
      if (broker.clusterId !== clusterId) {
        ({ clusterId } = broker);
        position = this.storedPosition(place, clusterId);
      }
      const messages = broker.fetch(place, position, 1 + this.world.random.below(CHUNK_MAX));
      const last = messages.at(-1);
      if (last === undefined) {
        yield broker.until(place);
        continue;
      }
      yield this.world.network.latencyMs();
      if (this.generation !== generation || broker.clusterId !== clusterId) continue;
      scheduler.countAlso(messages.length);
      if (faults.strikes('rebalance')) this.rebalance();
      try {
        yield* this.take(process, messages, { place, clusterId });
        position = last.offset + 1;
      } catch (error) {
        if (!(error instanceof DatabaseDown)) throw error;
        yield DATABASE_RETRY_MS;
      }
    }
  }

  /** The database says how far it got; offsets of another cluster say nothing about this one. */
  private storedPosition(place: Place, clusterId: number): number {
    const stored = this.tables.offsets.get(place.name);
    if (stored === undefined) return 0;
    return stored.clusterId === clusterId || !this.world.seams.rules.offsetsAreOfTheCluster ? stored.next : 0;
  }

  // One transaction for what follows each other; one by one when that fails.

  private *take(process: Process, messages: readonly LogMessage[], from: From | undefined): Flow {
    const { rules } = this.world.seams;
    if (!rules.offsetsAreWithEffect && from) {
      this.storeProgress(messages, from)();
      yield process.stepMs();
    }
    try {
      yield* this.apply(process, messages, Number.POSITIVE_INFINITY, from);
    } catch (error) {
      if (!(error instanceof HandlerFailed)) throw error;
      for (const message of messages) yield* this.takeOne(process, message, from);
    }
  }

  private *takeOne(process: Process, message: LogMessage, from: From | undefined): Flow {
    try {
      yield* this.apply(process, [message], 1, from);
    } catch (error) {
      if (!(error instanceof HandlerFailed) || message.envelope === undefined) throw error;
      const tx = this.database.begin(process);
      try {
        yield* this.setAside(tx, process, freshOf(message.envelope), error);
        if (from) tx.write(this.storeProgress([message], from));
        yield process.stepMs();
        tx.commit();
      } finally {
        tx.rollback();
      }
    }
  }

  private *apply(process: Process, messages: readonly LogMessage[], deliverMax: number, from: From | undefined): Flow {
    const tx = this.database.begin(process);
    try {
      yield* this.applyIn(tx, process, messages, deliverMax);
      if (from) tx.write(this.storeProgress(messages, from));
      yield process.stepMs();
      tx.commit();
    } finally {
      tx.rollback();
    }
    yield process.stepMs();
  }

  private storeProgress(messages: readonly LogMessage[], { place, clusterId }: From): () => void {
    const next = messages.at(-1)!.offset + 1;
    return () => this.tables.offsets.set(place.name, { clusterId, next });
  }

  private *applyIn(tx: Transaction, process: Process, messages: readonly LogMessage[], deliverMax: number): Flow {
    const fresh = yield* this.claimFresh(tx, process, messages);
    const plan =
      this.isOrdered && fresh.length > 0 ? yield* this.planOrdered(tx, fresh, deliverMax) : planUnordered(fresh);
    yield* this.deliver(
      tx,
      plan.deliver.map(({ delivery }) => delivery.envelope),
      plan.deliver[0]?.parkedId,
    );
    this.moveGates(tx, plan.nextByAggregate);
    for (const one of plan.park) this.park(tx, process, one);
    for (const parkedId of plan.unpark) this.unpark(tx, parkedId);
    for (const { aggregateId, sequence } of plan.wake) this.wake(tx, aggregateId, sequence);
    for (const message of messages) if (message.envelope === undefined) this.buryPoison(tx, message);
  }

  private *claimFresh(tx: Transaction, process: Process, messages: readonly LogMessage[]): Flow<readonly Fresh[]> {
    const { rules } = this.world.seams;
    const byEventId = new Map<string, Envelope>();
    for (const { envelope } of messages)
      if (envelope !== undefined && !byEventId.has(envelope.eventId)) byEventId.set(envelope.eventId, envelope);
    const fresh = new Set<string>();
    for (const eventId of [...byEventId.keys()].sort()) if (yield* this.claimEvent(tx, eventId)) fresh.add(eventId);
    if (!rules.inboxIsWithEffect) {
      for (const eventId of fresh) this.tables.inbox.add(eventId);
      yield process.stepMs();
    }
    return [...byEventId.values()].filter(({ eventId }) => fresh.has(eventId)).map(freshOf);
  }

  /** An insert that waits for a twin in flight, and finds it there once that has committed. */
  private *claimEvent(tx: Transaction, eventId: string): Flow<boolean> {
    const { rules } = this.world.seams;
    if (!rules.inboxRemembers) return true;
    if (this.tables.inbox.has(eventId)) return false;
    yield* tx.lock(`inbox ${this.name} ${eventId}`);
    if (this.tables.inbox.has(eventId)) return false;
    if (rules.inboxIsWithEffect) tx.write(() => this.tables.inbox.add(eventId));
    return true;
  }

  private *planOrdered(tx: Transaction, fresh: readonly Fresh[], deliverMax: number): Flow<ReturnType<typeof planOf>> {
    const aggregateIds = [...new Set(fresh.map(({ delivery }) => delivery.envelope.aggregateId))].sort();
    const next = yield* this.lockGates(tx, aggregateIds);
    const parked = aggregateIds.flatMap((aggregateId) => this.parkedHeads(aggregateId));
    const decisions = this.world.seams.decideAtGates(fresh, next, parked, deliverMax);
    const ids = new Set(parkedIdsToDeliver(decisions));
    const rows = new Map([...ids].map((parkedId) => [parkedId, this.tables.parked.get(parkedId)]));
    return planOf(decisions, (parkedId) => {
      const row = rows.get(parkedId);
      if (row === undefined) throw new Violation('assertion', 'a parked event cannot be read');
      return row.fresh.delivery;
    });
  }

  private parkedHeads(aggregateId: string): readonly ParkedHead[] {
    return [...(this.tables.parkedOf.get(aggregateId) ?? [])]
      .sort((a, b) => a.sequence - b.sequence || Number(a.parkedId - b.parkedId))
      .map((row) => ({
        parkedId: row.parkedId,
        aggregateId,
        sequence: row.sequence,
        retrying: row.attempts > 0,
      }));
  }

  private *lockGates(tx: Transaction, aggregateIds: readonly string[]): Flow<ReadonlyMap<string, number>> {
    for (const aggregateId of aggregateIds) yield* tx.lock(`gate ${this.name} ${aggregateId}`);
    return new Map(aggregateIds.map((aggregateId) => [aggregateId, this.tables.gates.get(aggregateId) ?? 1]));
  }

  private moveGates(tx: Transaction, next: ReadonlyMap<string, number>): void {
    if (next.size > 0)
      tx.write(() => {
        for (const [aggregateId, sequence] of next) this.tables.gates.set(aggregateId, sequence);
      });
  }

  private *deliver(tx: Transaction, envelopes: readonly Envelope[], parkedId: bigint | undefined): Flow {
    if (envelopes.length === 0) return;
    try {
      this.maybeFail(envelopes);
      yield* this.handle(tx, envelopes);
    } catch (error) {
      if (error instanceof HandlerFailed && envelopes.length === 1) error.guilty = { parkedId };
      throw error;
    }
  }

  private maybeFail(envelopes: readonly Envelope[]): void {
    const { faults, scheduler } = this.world;
    for (const { aggregateId } of envelopes) {
      if (faults.strikes('handler_broken'))
        this.brokenUntilMs.set(aggregateId, scheduler.nowMs + faults.detail('handler_broken').between(1_000, 900_000));
      if ((this.brokenUntilMs.get(aggregateId) ?? 0) > scheduler.nowMs)
        throw new HandlerFailed(`the handler fails with ${aggregateId}`, false);
    }
    if (faults.strikes('handler_error')) throw new HandlerFailed('the handler failed', false);
  }

  /** Puts away what could not be applied, so that its partition moves on. */
  private *setAside(tx: Transaction, process: Process, fresh: Fresh, error: HandlerFailed): Flow {
    const { envelope } = fresh.delivery;
    if (!(yield* this.claimEvent(tx, envelope.eventId))) return;
    if (!this.isOrdered) {
      this.failArrival(tx, process, fresh, error);
      return;
    }
    const next = (yield* this.lockGates(tx, [envelope.aggregateId])).get(envelope.aggregateId) ?? 1;
    const standing = standingAt(next, fresh.sequence);
    if (standing === 'passed') return;
    if (error.guilty?.parkedId !== undefined) this.failHead(tx, error, error.guilty.parkedId);
    if (standing === 'early') this.park(tx, process, parkedFor(fresh, 0, null));
    else this.failArrival(tx, process, fresh, error);
  }

  private failArrival(tx: Transaction, process: Process, fresh: Fresh, error: HandlerFailed): void {
    if (!this.world.seams.rules.failedIsParked) return;
    if (isHopeless(error, 1)) this.bury(tx, fresh, undefined);
    else this.park(tx, process, parkedFor(fresh, 1, this.retryDelayMs(1)));
  }

  /** A parked event was at the gate and failed for the first time. */
  private failHead(tx: Transaction, error: HandlerFailed, parkedId: bigint): void {
    const row = this.tables.parked.get(parkedId);
    if (row === undefined) return;
    if (isHopeless(error, 1)) {
      this.unpark(tx, parkedId);
      this.bury(tx, row.fresh, undefined);
      return;
    }
    const dueAtMs = this.database.nowMs() + this.retryDelayMs(1);
    tx.write(() => {
      row.attempts += 1;
      this.setDue(row, dueAtMs);
    });
  }

  private retryDelayMs(failures: number): number {
    return this.world.seams.retryDelayMs(failures, SETTINGS, this.world.random.fraction());
  }

  // Parking.

  private park(tx: Transaction, process: Process, message: NewParked, deadLetterId?: number): void {
    this.lastParkedId += 1n;
    const row: ParkedRow = {
      parkedId: this.lastParkedId,
      fresh: message.raw as unknown as Fresh,
      aggregateId: message.aggregateId ?? '',
      sequence: message.sequence ?? 0,
      parkedAtMs: this.world.scheduler.nowMs,
      attempts: message.attempts,
      dueAtMs: null,
      leaseUntilMs: 0,
      fence: 0,
      deadLetterId,
    };
    const dueAtMs = message.dueInMs === null ? null : this.database.nowMs() + message.dueInMs;
    tx.write(() => {
      this.tables.insertParked(row);
      this.setDue(row, dueAtMs);
      this.watchGap(row.aggregateId);
      if (!this.world.seams.rules.parkedIsDurable) this.keepInMemory(process, row);
    });
  }

  /** What a bug that parks in memory loses with its process. */
  private keepInMemory(process: Process, row: ParkedRow): void {
    process.onceCrashed(() => {
      this.forget(row);
    });
  }

  private forget(row: ParkedRow): void {
    this.tables.deleteParked(row.parkedId);
    this.parkedDue.clear(row);
  }

  private setDue(row: ParkedRow, dueAtMs: number | null): void {
    row.dueAtMs = dueAtMs;
    if (dueAtMs === null) this.parkedDue.clear(row);
    else this.parkedDue.set(row, Math.max(dueAtMs, row.leaseUntilMs));
  }

  /** Applied, or of no use; the dead letters among them are settled. */
  private unpark(tx: Transaction, parkedId: bigint): void {
    tx.write(() => {
      const row = this.tables.deleteParked(parkedId);
      if (row === undefined) return;
      this.parkedDue.clear(row);
      if (row.deadLetterId !== undefined) this.tables.deadLetters.get(row.deadLetterId)!.status = 'replayed';
    });
  }

  private wake(tx: Transaction, aggregateId: string, sequence: number): void {
    if (!this.world.seams.rules.wakesParked) return;
    tx.write(() => {
      for (const row of this.tables.parkedOf.get(aggregateId) ?? [])
        if (row.sequence === sequence && row.dueAtMs === null) this.setDue(row, this.database.nowMs());
    });
  }

  // Parked messages are tried again when they are due.

  private *retryAll(process: Process, claimed: readonly Claimed[]): Flow {
    for (const { row, fence, attempts } of claimed) {
      try {
        yield* this.retry(process, row, fence, attempts);
      } catch (error) {
        if (!(error instanceof DatabaseDown)) throw error;
        this.giveBack(row, fence);
      }
    }
  }

  /** One statement: each try is counted before it begins. */
  private claimDue(): readonly Claimed[] {
    const now = this.database.nowMs();
    const due = [...this.tables.parked.values()]
      .filter((row) => row.dueAtMs !== null && row.dueAtMs <= now && row.leaseUntilMs <= now)
      .filter((row) => !this.database.isLocked(`parked ${this.name} ${row.parkedId}`))
      .slice(0, RETRY_CLAIMS_MAX);
    return due.map((row) => {
      row.attempts += 1;
      row.fence += 1;
      row.leaseUntilMs = now + this.world.seams.rules.parkedLeaseMs;
      this.parkedDue.set(row, row.leaseUntilMs);
      return { row, fence: row.fence, attempts: row.attempts };
    });
  }

  private giveBack(row: ParkedRow, fence: number): void {
    if (row.fence !== fence || !this.tables.parked.has(row.parkedId)) return;
    row.attempts = Math.max(row.attempts - 1, 0);
    row.leaseUntilMs = 0;
    this.setDue(row, row.dueAtMs);
  }

  private *retry(process: Process, row: ParkedRow, fence: number, attempts: number): Flow {
    const tx = this.database.begin(process);
    try {
      if (attempts > SETTINGS.retryTriesMax) throw new HandlerFailed('the process ended while it was handled', false);
      yield* this.retryIn(tx, row, fence);
      yield process.stepMs();
      tx.commit();
    } catch (error) {
      tx.rollback();
      if (!(error instanceof HandlerFailed)) throw error;
      yield* this.failRetry(process, row, fence, attempts, error);
    } finally {
      tx.rollback();
    }
  }

  private *retryIn(tx: Transaction, row: ParkedRow, fence: number): Flow {
    const { envelope } = row.fresh.delivery;
    const { aggregateId, sequence } = row;
    if (!this.isOrdered) {
      if (!(yield* this.lockClaimed(tx, row, fence))) return;
      yield* this.deliver(tx, [envelope], row.parkedId);
      this.unpark(tx, row.parkedId);
      return;
    }
    const next = (yield* this.lockGates(tx, [aggregateId])).get(aggregateId) ?? 1;
    if (!(yield* this.lockClaimed(tx, row, fence))) return;
    const standing = standingAt(next, sequence);
    if (standing === 'early') {
      tx.write(() => {
        row.attempts = 0;
        row.leaseUntilMs = 0;
        this.setDue(row, null);
        this.watchGap(aggregateId);
      });
      return;
    }
    if (standing === 'at_gate') yield* this.deliver(tx, [envelope], row.parkedId);
    this.unpark(tx, row.parkedId);
    if (standing === 'passed') return;
    this.moveGates(tx, new Map([[aggregateId, next + 1]]));
    this.wake(tx, aggregateId, next + 1);
  }

  private *lockClaimed(tx: Transaction, row: ParkedRow, fence: number): Flow<boolean> {
    yield* tx.lock(`parked ${this.name} ${row.parkedId}`);
    if (!this.world.seams.rules.parkedFenceIsChecked) return true;
    return this.tables.parked.has(row.parkedId) && row.fence === fence;
  }

  private *failRetry(process: Process, row: ParkedRow, fence: number, attempts: number, error: HandlerFailed): Flow {
    yield process.stepMs();
    if (!isHopeless(error, attempts)) {
      if (row.fence !== fence || !this.tables.parked.has(row.parkedId)) return;
      row.leaseUntilMs = 0;
      this.setDue(row, this.database.nowMs() + this.retryDelayMs(attempts));
      return;
    }
    const tx = this.database.begin(process);
    try {
      if (yield* this.lockClaimed(tx, row, fence)) {
        this.bury(tx, row.fresh, row.deadLetterId);
        tx.write(() => {
          this.forget(row);
        });
      }
      yield process.stepMs();
      tx.commit();
    } finally {
      tx.rollback();
    }
  }

  // Dead letters, and the people who look after them.

  private bury(tx: Transaction, fresh: Fresh, again: number | undefined): void {
    if (!this.world.seams.rules.deadLettersAreKept) return;
    const deadLetterId = again ?? this.tables.nextId();
    tx.write(() => {
      const letter: DeadLetter = { deadLetterId, fresh, status: 'open' };
      this.tables.deadLetters.set(deadLetterId, letter);
      this.operatorLooks(letter);
    });
  }

  /** What cannot be read is not claimed: its ids are what it says of itself. */
  private buryPoison(tx: Transaction, message: LogMessage): void {
    const place = `${this.world.broker.clusterId} ${message.offset}`;
    if (this.tables.poisonSeen.has(place)) return;
    tx.write(() => {
      this.tables.poisonSeen.add(place);
      const deadLetterId = this.tables.nextId();
      this.tables.deadLetters.set(deadLetterId, { deadLetterId, fresh: undefined, status: 'discarded' });
    });
  }

  private operatorLooks(letter: DeadLetter): void {
    this.world.scheduler.after(this.world.random.between(...OPERATOR_MS), `${this.name} operator`, () => {
      if (letter.status !== 'open') return;
      this.operatorLooks(letter);
      const process = this.world.anyUp(this.processes);
      if (process) process.run('replay', this.replay(process, letter));
    });
  }

  private *replay(process: Process, letter: DeadLetter): Flow {
    const tx = this.database.begin(process);
    yield* tx.lock(`letter ${this.name} ${letter.deadLetterId}`);
    if (letter.fresh === undefined || letter.status !== 'open') {
      tx.rollback();
      return;
    }
    // The next try is the last one.
    this.park(tx, process, parkedFor(letter.fresh, SETTINGS.retryTriesMax - 1, 0), letter.deadLetterId);
    tx.write(() => {
      letter.status = 'replaying';
    });
    yield process.stepMs();
    tx.commit();
  }

  // Gaps are fetched from the owner of the events.

  private watchGap(aggregateId: string): void {
    if (!this.isOrdered || !this.world.seams.rules.gapsAreFetched) return;
    const row = this.gapRows.get(aggregateId) ?? { aggregateId };
    if (this.gapRows.has(aggregateId)) return;
    this.gapRows.set(aggregateId, row);
    // The product looks every five seconds for ever; the model less and less often, so that a blocked gate costs little.
    const looks = this.gapLooks.get(aggregateId) ?? 0;
    this.gapLooks.set(aggregateId, looks + 1);
    this.gapsDue.set(
      row,
      this.database.nowMs() + Math.min(GAP_LOOK_MS_MAX, SETTINGS.gapAgeMs * 2 ** Math.min(looks, 12)),
    );
  }

  private *closeGap(process: Process, aggregateId: string): Flow {
    const next = this.tables.gates.get(aggregateId) ?? 1;
    const waiting = [...(this.tables.parkedOf.get(aggregateId) ?? [])];
    if (waiting.length === 0) return;
    const isGap = waiting.every(({ sequence }) => sequence > next);
    const isBuried = [...this.tables.deadLetters.values()].some(
      ({ fresh, status }) =>
        fresh?.delivery.envelope.aggregateId === aggregateId &&
        fresh.sequence === next &&
        (status === 'open' || status === 'replaying'),
    );
    if (!isGap || isBuried) return;
    const called: Called<readonly Envelope[]> = yield* awaiting(
      this.world.askOwner(aggregateId, next - 1, SETTINGS.fetchDeadlineMs),
    );
    if (called.kind !== 'answer' || called.answer.length === 0) return;
    this.world.scheduler.countAlso(called.answer.length);
    yield* this.take(
      process,
      called.answer.map((envelope) => ({ offset: -1, envelope })),
      undefined,
    );
  }
}

/** A parked message that a process holds until the lease runs out. */
interface Claimed {
  readonly row: ParkedRow;
  readonly fence: number;
  readonly attempts: number;
}

interface From {
  readonly place: Place;
  readonly clusterId: number;
}

/** The product's shape of an event that is new; the bytes of the message are the envelope itself here. */
const freshOf = (envelope: Envelope): Fresh => {
  const delivery = { envelope, topic: envelope.type, partition: 0, offset: 0n, headers: {} };
  const fresh: { delivery: Fresh['delivery']; sequence: number; raw?: Fresh['raw'] } = {
    delivery,
    sequence: envelope.sequence,
  };
  fresh.raw = fresh as unknown as Fresh['raw'];
  return fresh as Fresh;
};

const parkedFor = (fresh: Fresh, attempts: number, dueInMs: number | null): NewParked => ({
  raw: fresh.raw,
  eventId: fresh.delivery.envelope.eventId,
  aggregateId: fresh.delivery.envelope.aggregateId,
  sequence: fresh.sequence,
  attempts,
  failed: attempts > 0,
  dueInMs,
  deadLetterId: null,
});

const isHopeless = (error: HandlerFailed, attempts: number): boolean =>
  error.isPoison || attempts >= SETTINGS.retryTriesMax;
