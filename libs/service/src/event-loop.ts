import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;
const WINDOW_MS = 5_000;
/** Above this, requests wait longer for the processor than for the database (docs/reliability). */
export const EVENT_LOOP_DELAY_P99_MS_MAX = 200;

/** The delay of the event loop, p99 over the last window (five seconds unless told otherwise). */
export class EventLoopDelay {
  private histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private latestMs = 0;

  constructor(private readonly windowMs = WINDOW_MS) {}

  start(): void {
    this.histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.histogram.enable();
    this.timer = setInterval(() => {
      // Not in the turn of the timers: behind a block, the histogram's own timer has not ticked yet, and a reset would
      // make it forget the block.
      setImmediate(() => {
        this.closeWindow();
      });
    }, this.windowMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.histogram?.disable();
  }

  get p99Ms(): number {
    return this.latestMs;
  }

  private closeWindow(): void {
    if (this.histogram === undefined) return;
    // The histogram holds nanoseconds between two ticks of its timer, the timer's own interval included.
    this.latestMs = Math.max(0, this.histogram.percentile(99) / 1e6 - RESOLUTION_MS);
    this.histogram.reset();
  }
}
