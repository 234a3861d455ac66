import { isAlive, type ProcessRecord } from '../servers/process.ts';

const BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 15_000;
/** After so long a life a death is a new one, not the next of a series. */
const STEADY_MS = 30_000;

/** A process that the supervisor keeps alive. */
export interface UnitPlan {
  readonly name: string;
  readonly start: () => Promise<ProcessRecord>;
  /** The end of its log, for the line that says it died. */
  readonly lastWords: () => string;
}

export class Unit {
  readonly plan: UnitPlan;
  record: ProcessRecord;
  restarts = 0;
  private failures = 0;
  private startedAtMs = performance.now();
  private nextTryMs = 0;
  private deathReported = false;
  private held = false;
  private starting: Promise<void> | undefined;

  constructor(plan: UnitPlan, record: ProcessRecord, restarts = 0) {
    this.plan = plan;
    this.record = record;
    this.restarts = restarts;
  }

  /** Looks at the process, and starts it again when it is gone and its time has come. */
  watch(report: (line: string) => void, onRestarted: () => void): void {
    if (this.held || this.starting !== undefined || isAlive(this.record)) return;
    const now = performance.now();
    if (!this.deathReported) {
      this.deathReported = true;
      this.failures = now - this.startedAtMs > STEADY_MS ? 1 : this.failures + 1;
      const delayMs = backoffMs(this.failures);
      this.nextTryMs = now + delayMs;
      const words = this.plan.lastWords();
      report(
        `${this.plan.name} (process ${String(this.record.pid)}) ended; started again in ${(delayMs / 1000).toFixed(1)} s.` +
          (words === '' ? '' : ` Its log ends: ${words}`),
      );
    }
    if (now < this.nextTryMs) return;
    this.starting = this.startAgain(report, onRestarted).finally(() => {
      this.starting = undefined;
    });
  }

  /** Leaves it as it is, also dead, until it is released: what ends it now wants it to stay ended. */
  async hold(): Promise<void> {
    this.held = true;
    await this.settled();
  }

  /** Watches over it again, as over one that never failed. */
  release(): void {
    this.held = false;
    this.failures = 0;
    this.nextTryMs = 0;
  }

  /** Returns once no start is under way. */
  async settled(): Promise<void> {
    await this.starting;
  }

  private async startAgain(report: (line: string) => void, onRestarted: () => void): Promise<void> {
    try {
      this.record = await this.plan.start();
      this.restarts += 1;
      this.startedAtMs = performance.now();
      this.deathReported = false;
      report(`${this.plan.name} runs again as process ${String(this.record.pid)}.`);
      onRestarted();
    } catch (error) {
      this.failures += 1;
      this.nextTryMs = performance.now() + backoffMs(this.failures);
      report(`${this.plan.name} could not be started: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** 0.5 s, 1 s, 2 s … 15 s: quick after one crash, patient with something that cannot start. */
export const backoffMs = (failures: number): number => Math.min(BACKOFF_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
