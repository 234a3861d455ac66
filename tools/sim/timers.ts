import type { Timer } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import type { Database } from './store.ts';

/**
 * Rows as timers: the product polls for rows that are due by the database's clock, the model is called when one is. A
 * row has one time; setting it again replaces it.
 */
export class DueRows<Row extends object> {
  private readonly timers = new Map<Row, { readonly dueMs: number; readonly timer: Timer }>();
  private readonly label: string;
  private readonly database: Database;
  private readonly scheduler: Scheduler;
  private readonly onDue: (row: Row) => void;

  constructor(label: string, database: Database, scheduler: Scheduler, onDue: (row: Row) => void) {
    this.label = label;
    this.database = database;
    this.scheduler = scheduler;
    this.onDue = onDue;
  }

  set(row: Row, dueMs: number): void {
    this.clear(row);
    const timer = this.scheduler.after(dueMs - this.database.nowMs(), this.label, () => {
      this.timers.delete(row);
      this.onDue(row);
    });
    this.timers.set(row, { dueMs, timer });
  }

  clear(row: Row): void {
    const set = this.timers.get(row);
    if (set === undefined) return;
    set.timer.canceled = true;
    this.timers.delete(row);
  }

  /** The database's clock was set: what is due is due at another moment. */
  clockJumped(): void {
    for (const [row, { dueMs }] of [...this.timers]) this.set(row, dueMs);
  }
}
