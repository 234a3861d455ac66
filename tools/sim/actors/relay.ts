import { awaiting, type Flow } from '../flow.ts';
import type { Process } from '../process.ts';
import type { OutboxRow } from '../payment-tables.ts';
import type { World } from '../world.ts';
import type { PaymentService } from './payment.ts';

const BATCH_ROWS_MAX = 50;
const FAILURE_DELAY_MS = 400;

/** Sends the outbox to the broker: elected by a session lock, one batch at a time, marked when it was acknowledged. */
export class Relay {
  private readonly world: World;
  private readonly service: PaymentService;
  private readonly process: Process;
  private cursor = 0;

  constructor(world: World, service: PaymentService, process: Process) {
    this.world = world;
    this.service = service;
    this.process = process;
  }

  *loop(): Flow {
    const { database } = this.service;
    for (;;) {
      if (!database.tryLockSession('relay', this.process)) {
        yield database.until('session');
        continue;
      }
      const rows = this.select();
      if (rows.length === 0) {
        yield database.until('outbox');
        continue;
      }
      yield this.process.stepMs();
      if (!(yield* this.publish(rows))) {
        database.endSession('relay', this.process);
        yield FAILURE_DELAY_MS;
      }
    }
  }

  private select(): readonly OutboxRow[] {
    const { pending } = this.service.tables;
    if (this.world.seams.rules.relaySelectsUnpublished) return pending.slice(0, BATCH_ROWS_MAX);
    const rows = pending.filter(({ position }) => position > this.cursor).slice(0, BATCH_ROWS_MAX);
    this.cursor = rows.at(-1)?.position ?? this.cursor;
    return rows;
  }

  private *publish(rows: readonly OutboxRow[]): Flow<boolean> {
    const { tables, database } = this.service;
    const { marksAfterAck } = this.world.seams.rules;
    if (!marksAfterAck) tables.markPublished(rows);
    const acknowledged = yield* awaiting(this.world.broker.produce(rows));
    if (!acknowledged) return false;
    // Selected and marked on the connection that holds the lock: who lost it can do neither.
    if (!database.holdsSession('relay', this.process)) return false;
    if (marksAfterAck) tables.markPublished(rows);
    return true;
  }
}
