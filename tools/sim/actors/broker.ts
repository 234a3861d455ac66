import { type Envelope, TOPICS } from '@payflow/contracts';

import { Reply } from '../flow.ts';
import { hashOfText } from '../random.ts';
import type { World } from '../world.ts';

/** A message in the log; without an envelope it is a stranger's, and cannot be read. */
export interface LogMessage {
  readonly offset: number;
  readonly envelope: Envelope | undefined;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
}

interface Outgoing {
  readonly topic: string;
  readonly key: string;
  readonly envelope: Envelope;
}

const PARTITIONS = 2;
const PRODUCE_TIMEOUT_MS = 3_000;

export const PLACES: readonly Place[] = TOPICS.payment.flatMap((topic) =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, name: `${topic}/${partition}` })),
);

/**
 * Kafka as transport, at least once: a log for each partition; a batch can be lost, late, or appended and its
 * acknowledgement lost; old messages come again; its data can be erased. What it acknowledged it keeps,
 * but it may hold a message back for hours.
 */
export class Broker {
  /** Another one after its data was erased. */
  clusterId = 1;
  private readonly logs = new Map<string, LogMessage[]>();
  private waiting = new Map<string, Reply<void>[]>();
  private downUntilMs = 0;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  get isUp(): boolean {
    return this.world.scheduler.nowMs >= this.downUntilMs;
  }

  /** Resolves with whether the batch was acknowledged. */
  produce(batch: readonly Outgoing[]): Reply<boolean> {
    const { scheduler, faults, network } = this.world;
    const acknowledged = new Reply<boolean>();
    this.maybeStrike();
    const timer = scheduler.after(PRODUCE_TIMEOUT_MS, 'produce time-out', () => {
      acknowledged.settle(false);
    });
    if (!this.isUp || faults.strikes('produce_lost')) return acknowledged;
    const late = faults.strikes('produce_late');
    const delayMs = late ? faults.detail('produce_late').between(PRODUCE_TIMEOUT_MS, 60_000) : network.latencyMs();
    scheduler.after(delayMs, 'batch appended', () => {
      if (!this.isUp) return;
      this.append(batch);
      if (faults.strikes('ack_lost')) return;
      scheduler.after(network.latencyMs(), 'batch acknowledged', () => {
        timer.canceled = true;
        acknowledged.settle(true);
      });
    });
    return acknowledged;
  }

  append(batch: readonly Outgoing[]): void {
    const { faults, scheduler } = this.world;
    for (const { topic, key, envelope } of batch) {
      const name = `${topic}/${hashOfText(key) % PARTITIONS}`;
      if (faults.strikes('message_held_back')) {
        scheduler.after(faults.detail('message_held_back').between(1_000, 36_000_000), 'held message appended', () => {
          this.world.observeHeldBack(envelope);
          this.appendTo(name, envelope);
        });
        continue;
      }
      this.appendTo(name, envelope);
      if (faults.strikes('message_repeated'))
        scheduler.after(faults.detail('message_repeated').between(0, 600_000), 'old message appended', () => {
          this.appendTo(name, envelope);
        });
    }
  }

  fetch(place: Place, offset: number, max: number): readonly LogMessage[] {
    if (!this.isUp) return [];
    return (this.logs.get(place.name) ?? []).slice(offset, offset + max);
  }

  /** Resolves when there may be something new. */
  until(place: Place): Reply<void> {
    const reply = new Reply<void>();
    const waiting = this.waiting.get(place.name);
    if (waiting === undefined) this.waiting.set(place.name, [reply]);
    else waiting.push(reply);
    return reply;
  }

  private appendTo(name: string, envelope: Envelope | undefined): void {
    const log = this.logs.get(name);
    if (log === undefined) this.logs.set(name, [{ offset: 0, envelope }]);
    else log.push({ offset: log.length, envelope });
    this.wake(name);
  }

  private wake(name: string): void {
    const waiting = this.waiting.get(name);
    if (waiting === undefined) return;
    this.waiting.delete(name);
    for (const reply of waiting) reply.settle();
  }

  private maybeStrike(): void {
    const { faults, scheduler } = this.world;
    if (faults.strikes('broker_down')) {
      const downMs = faults.detail('broker_down').between(500, 60_000);
      this.downUntilMs = scheduler.nowMs + downMs;
      scheduler.after(downMs, 'the broker is back', () => {
        this.wakeAll();
      });
    }
    if (faults.strikes('stranger_message'))
      this.appendTo(faults.detail('stranger_message').pick(PLACES).name, undefined);
    if (faults.strikes('broker_erased')) {
      const detail = faults.detail('broker_erased');
      scheduler.after(detail.between(0, 12), 'the broker’s data is erased', () => {
        this.erase(detail.between(100, 20_000));
      });
    }
  }

  private erase(republishAfterMs: number): void {
    this.logs.clear();
    this.clusterId += 1;
    this.wakeAll();
    this.world.scheduler.after(republishAfterMs, 'the outbox is republished', () => {
      this.world.republish();
    });
  }

  private wakeAll(): void {
    for (const name of [...this.waiting.keys()]) this.wake(name);
  }
}
