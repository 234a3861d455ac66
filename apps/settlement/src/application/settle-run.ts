import { Injectable } from '@nestjs/common';
import { SETTLEMENT_EVENTS, SETTLEMENT_LINES_MAX } from '@payflow/contracts';
import { minorToJson, newId } from '@payflow/kernel';
import { Outbox, type OutgoingEvent } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger } from '@payflow/service';

import { fittingLines } from '../domain/batch-bound.js';
import { totalsOf } from '../domain/batch-totals.js';
import { packLines } from '../domain/line-events.js';
import type { SettlementConfig } from '../settlement.config.js';
import { listUnsettledLines, settleLines, type UnsettledLine } from '../store/balance-transactions.js';
import { changeBalances } from '../store/merchant-balances.js';
import { type HeldRun, holdRun, RUN_LEASE_MS, type RunRow, storeProgress } from '../store/settlement-runs.js';
import { type AddedPart, addToBatches, listTotals } from '../store/settlements.js';
import { CloseRun } from './close-run.js';

/**
 * Goes through a run: chunk by chunk, each in one commit with the batches it adds to, the balances it changes, the events that
 * tell of it, and the cursor. So a run that is killed anywhere goes on behind its last chunk, and no line is taken twice.
 */
@Injectable()
export class SettleRun {
  constructor(
    private readonly database: Database,
    private readonly closing: CloseRun,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {}

  /**
   * The next step of a run.
   *
   * @returns whether there is more: false when it is done, waits, or is in other hands
   */
  async step(held: HeldRun): Promise<boolean> {
    const phase = await this.database.transaction(async (tx) => {
      const run = await holdRun(tx, held, RUN_LEASE_MS);
      if (run?.phase === 'SETTLING') await this.takeChunk(tx, run);
      return run?.phase;
    });
    const more = phase === 'PAYING' ? await this.closing.next(held) : phase !== undefined;
    crashPoint('settlement.after-chunk');
    return more;
  }

  private async takeChunk(tx: Tx, run: RunRow): Promise<void> {
    const listed = await listUnsettledLines(tx, {
      cutoffAt: run.cutoffAt,
      cursor: run.cursor,
      merchantId: run.merchantId,
      linesMax: this.config.SETTLEMENT_CHUNK_LINES,
      linesOfPaymentMax: SETTLEMENT_LINES_MAX,
    });
    const last = listed.at(-1);
    if (last === undefined) {
      await storeProgress(tx, run.id, { phase: 'PAYING', cursor: [] });
      return;
    }
    const batches = await this.fitting(tx, run, [...groupLines(listed).values()]);
    const added = await this.addBatches(tx, run, batches);
    crashPoint('settlement.after-batch-create');
    await settleLines(
      tx,
      added.flatMap(({ id, lines: own }) => own.map((line) => ({ id: line.id, settlementId: id }))),
    );
    await changeBalances(
      tx,
      batches.map((own) => settledChange(own)),
    );
    crashPoint('settlement.after-lines');
    await storeProgress(tx, run.id, {
      phase: 'SETTLING',
      cursor: [last.merchantId, last.currency, last.acquirer, last.paymentId],
      lines: batches.reduce((count, lines) => count + lines.length, 0),
      settlements: added.filter(({ begun }) => begun).length,
    });
    await this.outbox.publish(
      tx,
      added.flatMap((batch) => this.lineEvents(batch)),
    );
  }

  /** No merchant's batch grows beyond what can be told of it, so that none stops the run for the others. */
  private async fitting(
    tx: Tx,
    run: RunRow,
    batches: readonly (readonly UnsettledLine[])[],
  ): Promise<readonly (readonly UnsettledLine[])[]> {
    const totals = new Map((await listTotals(tx, run.id, batches.map(batchOf))).map((row) => [batchKey(row), row]));
    return batches.flatMap((lines) => {
      const batch = batchOf(lines);
      const fitting = fittingLines(lines, totals.get(batchKey(batch)));
      if (fitting.length < lines.length)
        this.logger.warn({ ...batch, left: lines.length - fitting.length }, 'a batch is full: what is left waits');
      return fitting.length === 0 ? [] : [fitting];
    });
  }

  private async addBatches(
    tx: Tx,
    run: RunRow,
    batches: readonly (readonly UnsettledLine[])[],
  ): Promise<readonly FilledBatch[]> {
    const parts = batches.map((lines) => ({ ...batchOf(lines), ...totalsOf(lines), newId: newId('set') }));
    const added = await addToBatches(tx, { runId: run.id, bank: this.config.BANK_NAME, cutoffAt: run.cutoffAt }, parts);
    const byKey = groupLines(batches.flat());
    return added.map((part) => ({ ...part, lines: byKey.get(batchKey(part)) ?? [] }));
  }

  private lineEvents({ id, merchantId, acquirer, currency, lines }: FilledBatch): readonly OutgoingEvent[] {
    const occurredAt = new Date();
    return packLines(lines, SETTLEMENT_LINES_MAX).map((packed) => ({
      definition: SETTLEMENT_EVENTS.lines,
      aggregateId: id,
      merchantId,
      key: merchantId,
      occurredAt,
      payload: {
        settlementId: id,
        merchantId,
        acquirer,
        currency,
        bank: this.config.BANK_NAME,
        lines: packed.map((line) => ({
          paymentId: line.paymentId,
          balanceTransactionId: line.id,
          type: line.type,
          gross: minorToJson(line.grossMinor),
          fee: minorToJson(line.feeMinor),
          net: minorToJson(line.netMinor),
        })),
      },
    }));
  }
}

interface FilledBatch extends AddedPart {
  readonly lines: readonly UnsettledLine[];
}

type BatchName = Pick<UnsettledLine, 'merchantId' | 'currency' | 'acquirer'>;

const batchKey = ({ merchantId, currency, acquirer }: BatchName): string => `${merchantId} ${currency} ${acquirer}`;

/** By batch; each in the order in which they came. */
const groupLines = (lines: readonly UnsettledLine[]): ReadonlyMap<string, readonly UnsettledLine[]> => {
  const groups = new Map<string, UnsettledLine[]>();
  for (const line of lines) {
    const own = groups.get(batchKey(line));
    if (own === undefined) groups.set(batchKey(line), [line]);
    else own.push(line);
  }
  return groups;
};

const batchOf = (lines: readonly UnsettledLine[]): BatchName => {
  const [first] = lines;
  if (first === undefined) throw new Error('invariant: a batch without a line');
  return { merchantId: first.merchantId, currency: first.currency, acquirer: first.acquirer };
};

/** What was pending is available. */
const settledChange = (lines: readonly UnsettledLine[]) => {
  const netMinor = lines.reduce((sum, line) => sum + line.netMinor, 0n);
  return { ...batchOf(lines), pendingMinor: -netMinor, availableMinor: netMinor };
};
