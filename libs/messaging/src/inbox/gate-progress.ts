interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
}

/** Tells who waits in this process that a gate has moved. Another process' progress is seen by asking the database. */
export class GateProgress {
  private readonly waiters = new Map<string, Set<Waiter>>();

  /** To be called after the commit. */
  moved(consumer: string, nextByAggregate: ReadonlyMap<string, number>): void {
    for (const [aggregateId, next] of nextByAggregate) {
      for (const waiter of this.waiters.get(keyOf(consumer, aggregateId)) ?? [])
        if (waiter.sequence < next) waiter.resolve();
    }
  }

  /** Resolves when the gate has passed this sequence here, or when the time is over. */
  async waitFor(consumer: string, aggregateId: string, sequence: number, timeoutMs: number): Promise<void> {
    const key = keyOf(consumer, aggregateId);
    await new Promise<void>((resolve) => {
      const waiters = this.waiters.get(key) ?? new Set();
      const timer = setTimeout(done, timeoutMs);
      const waiter: Waiter = { sequence, resolve: done };
      this.waiters.set(key, waiters.add(waiter));
      function done(): void {
        clearTimeout(timer);
        waiters.delete(waiter);
        resolve();
      }
    });
    if (this.waiters.get(key)?.size === 0) this.waiters.delete(key);
  }
}

const keyOf = (consumer: string, aggregateId: string): string => `${consumer}\n${aggregateId}`;
