import type { Logger } from '@payflow/service';

const FAILURE_DELAY_MS_MAX = 5_000;

/**
 * Work that is repeated until the process stops: at once while there is more, after a pause when not, later when it fails.
 * A pause doubles up to the longest one while the passes find nothing: what nobody needs should cost next to nothing.
 */
export class Loop {
  private running: Promise<void> | undefined;
  private stopping = false;
  private wakeUp: (() => void) | undefined;
  private poked = false;
  private endRest: (() => void) | undefined;

  constructor(
    private readonly name: string,
    private readonly logger: Logger,
    private readonly pauseMs: number,
    /** @returns whether there is more to do at once */
    private readonly pass: () => Promise<boolean>,
    private readonly longestPauseMs = pauseMs,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Ends the pause, if it is pausing; else the next pause is left out. */
  poke(): void {
    this.poked = true;
    this.wakeUp?.();
  }

  /** Lets the pass under way finish. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp?.();
    this.endRest?.();
    await this.running;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  private async run(): Promise<void> {
    let failures = 0;
    let pauses = 0;
    while (!this.stopping) {
      // Also a poke that ended the pause: this pass is for it.
      if (this.poked) pauses = 0;
      this.poked = false;
      try {
        const more = await this.pass();
        failures = 0;
        if (more) pauses = 0;
        else if (!this.wasPoked()) await this.pause(this.idlePauseMs(pauses++));
      } catch (error) {
        failures += 1;
        this.logger.warn({ err: error, loop: this.name, failures }, 'a background pass failed and is repeated');
        await this.pause(Math.min(FAILURE_DELAY_MS_MAX, this.pauseMs * 2 ** Math.min(failures, 10)));
      }
    }
  }

  private idlePauseMs(pausesBefore: number): number {
    return Math.max(this.pauseMs, Math.min(this.longestPauseMs, this.pauseMs * 2 ** Math.min(pausesBefore, 10)));
  }

  /** A pause within a pass; `stop` and `poke` end it. */
  async idle(ms: number): Promise<void> {
    await this.pause(ms);
  }

  /** A pause within a pass that nothing but `stop` ends. */
  async rest(ms: number): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endRest = undefined;
  }

  private wasPoked(): boolean {
    return this.poked;
  }

  private async pause(ms: number): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms * (0.8 + Math.random() * 0.4));
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}
