import type { Logger } from '@payflow/service';

const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1_000;

/** Work that is repeated until the process stops: when its time has come, when it is poked, and at least once a second. */
export class BackgroundLoop {
  private running: Promise<void> | undefined;
  private stopping = false;
  private poked = false;
  private wakeUp: (() => void) | undefined;

  constructor(
    private readonly name: string,
    private readonly logger: Logger,
    /** @returns when there is more to do, as far as is known */
    private readonly pass: () => Promise<Date | null>,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** There is something to do. */
  poke(): void {
    this.poked = true;
    this.wakeUp?.();
  }

  /** Lets the pass under way finish. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp?.();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      this.poked = false;
      const nextAt = await this.passQuietly();
      if (!this.wasPoked()) await this.pause(nextAt);
    }
  }

  /** What was to be done is in the database, and is done by a later pass. */
  private async passQuietly(): Promise<Date | null> {
    try {
      return await this.pass();
    } catch (error) {
      this.logger.warn({ err: error, loop: this.name }, 'a background pass failed and is repeated');
      return null;
    }
  }

  private wasPoked(): boolean {
    return this.poked || this.stopping;
  }

  private async pause(nextAt: Date | null): Promise<void> {
    const wanted = nextAt === null ? PAUSE_MS_MAX : nextAt.getTime() - Date.now();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, wanted)));
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}
