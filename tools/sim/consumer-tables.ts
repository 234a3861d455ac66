import type { Fresh } from '../../libs/messaging/src/inbox/gate-plan.js';

export interface ParkedRow {
  readonly parkedId: bigint;
  readonly fresh: Fresh;
  readonly aggregateId: string;
  readonly sequence: number;
  /** By the simulation's own clock. */
  readonly parkedAtMs: number;
  attempts: number;
  /** Null: it waits for its predecessors. */
  dueAtMs: number | null;
  leaseUntilMs: number;
  fence: number;
  readonly deadLetterId: number | undefined;
}

export interface DeadLetter {
  readonly deadLetterId: number;
  readonly fresh: Fresh | undefined;
  status: 'open' | 'replaying' | 'replayed' | 'discarded';
}

/** inbox, gates, parked, dead_letters, consumer_offsets of one consumer: committed rows only. */
export class ConsumerTables {
  readonly inbox = new Set<string>();
  readonly gates = new Map<string, number>();
  readonly parked = new Map<bigint, ParkedRow>();
  readonly parkedOf = new Map<string, Set<ParkedRow>>();
  readonly deadLetters = new Map<number, DeadLetter>();
  readonly poisonSeen = new Set<string>();
  readonly offsets = new Map<string, { readonly clusterId: number; readonly next: number }>();
  private lastId = 0;

  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  insertParked(row: ParkedRow): void {
    this.parked.set(row.parkedId, row);
    const own = this.parkedOf.get(row.aggregateId);
    if (own === undefined) this.parkedOf.set(row.aggregateId, new Set([row]));
    else own.add(row);
  }

  deleteParked(parkedId: bigint): ParkedRow | undefined {
    const row = this.parked.get(parkedId);
    if (row === undefined) return undefined;
    this.parked.delete(parkedId);
    const own = this.parkedOf.get(row.aggregateId);
    own?.delete(row);
    if (own?.size === 0) this.parkedOf.delete(row.aggregateId);
    return row;
  }
}
