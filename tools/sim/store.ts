import { type Flow, Reply } from './flow.ts';
import type { Process } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/** The connection broke before the commit: nothing of the transaction is there. */
export class DatabaseDown extends Error {
  override readonly name = 'DatabaseDown';
}

interface Lock {
  holder: Transaction | undefined;
  waiters: Reply<void>[];
}

/**
 * A Postgres database as far as the rules of the code rest on it: transactions that commit whole or not at all, row locks
 * held to the end, committed rows only (READ COMMITTED), one clock for leases and due times, sequences that are given out
 * before the commit, and session locks that end with their connection. Tables are plain maps of committed rows.
 */
export class Database {
  readonly name: string;
  clockOffsetMs = 0;
  /** Where the world lets it fail. */
  onBegin: () => void = () => undefined;
  private readonly waiting = new Map<string, Reply<void>[]>();
  private readonly scheduler: Scheduler;
  private readonly locks = new Map<string, Lock>();
  private readonly open = new Set<Transaction>();
  private readonly sessionLocks = new Map<string, { readonly process: Process; readonly life: number }>();

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.scheduler = scheduler;
  }

  /** `now()` and `clock_timestamp()`. */
  nowMs(): number {
    return this.scheduler.nowMs + this.clockOffsetMs;
  }

  begin(process: Process): Transaction {
    this.onBegin();
    const transaction = new Transaction(process, this.locks, this.open);
    this.open.add(transaction);
    process.transactions.add(transaction);
    return transaction;
  }

  isLocked(key: string): boolean {
    return this.locks.get(key)?.holder !== undefined;
  }

  /** Every connection is cut; open transactions are rolled back, and session locks are free. */
  restart(): void {
    for (const transaction of this.open) transaction.lose();
    this.sessionLocks.clear();
    this.signal('session');
  }

  tryLockSession(name: string, process: Process): boolean {
    if (this.holdsSession(name, process)) return true;
    const holder = this.sessionLocks.get(name);
    if (holder !== undefined && holder.process.isUp && holder.process.life === holder.life) return false;
    this.sessionLocks.set(name, { process, life: process.life });
    return true;
  }

  holdsSession(name: string, process: Process): boolean {
    const holder = this.sessionLocks.get(name);
    return holder?.process === process && holder.life === process.life;
  }

  endSession(name: string, process: Process): void {
    if (!this.holdsSession(name, process)) return;
    this.sessionLocks.delete(name);
    this.signal('session');
  }

  /** Resolves with the next `signal` of that name: where the product polls, the model is told. */
  until(name: string): Reply<void> {
    const reply = new Reply<void>();
    const waiting = this.waiting.get(name);
    if (waiting === undefined) this.waiting.set(name, [reply]);
    else waiting.push(reply);
    return reply;
  }

  signal(name: string): void {
    const waiting = this.waiting.get(name);
    if (waiting === undefined) return;
    this.waiting.delete(name);
    for (const reply of waiting) reply.settle();
  }
}

/** Writes are kept until the commit; locks until the end. */
export class Transaction {
  readonly process: Process;
  private readonly locks: Map<string, Lock>;
  private readonly open: Set<Transaction>;
  private readonly held: string[] = [];
  private readonly writes: (() => void)[] = [];
  private readonly afterCommit: (() => void)[] = [];
  private ended = false;
  private lost = false;

  constructor(process: Process, locks: Map<string, Lock>, open: Set<Transaction>) {
    this.process = process;
    this.locks = locks;
    this.open = open;
  }

  write(change: () => void): void {
    this.writes.push(change);
  }

  onCommit(action: () => void): void {
    this.afterCommit.push(action);
  }

  /** Like `FOR UPDATE SKIP LOCKED` and `pg_try_advisory_xact_lock`. */
  tryLock(key: string): boolean {
    const lock = this.locks.get(key);
    if (lock?.holder !== undefined) return lock.holder === this;
    if (lock === undefined) this.locks.set(key, { holder: this, waiters: [] });
    else lock.holder = this;
    this.held.push(key);
    return true;
  }

  /** Like `FOR UPDATE`. */
  *lock(key: string): Flow {
    while (!this.tryLock(key)) {
      const freed = new Reply<void>();
      this.locks.get(key)?.waiters.push(freed);
      yield freed;
      this.requireAlive();
    }
  }

  /** @throws DatabaseDown when the connection broke before it */
  commit(): void {
    this.requireAlive();
    for (const change of this.writes) change();
    this.end();
    for (const action of this.afterCommit) action();
  }

  rollback(): void {
    if (!this.ended) this.end();
  }

  /** The connection broke. */
  lose(): void {
    this.lost = true;
    this.rollback();
  }

  private requireAlive(): void {
    if (this.lost || this.ended) throw new DatabaseDown('the transaction was rolled back');
  }

  private end(): void {
    this.ended = true;
    this.open.delete(this);
    this.process.transactions.delete(this);
    for (const key of this.held) {
      const lock = this.locks.get(key);
      if (lock === undefined) continue;
      this.locks.delete(key);
      for (const waiter of lock.waiters) waiter.settle();
    }
  }
}
