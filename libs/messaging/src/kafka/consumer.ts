import { Loop } from '../loop.js';
import type { Intake } from '../inbox/intake.js';
import { ConsumerSession, type SessionParts } from './consumer-session.js';
import { withDeadline } from './deadline.js';

const REOPEN_DELAY_MS = 500;

/** Keeps one consumer reading from the start of the process to its stop, through sessions that come and go. */
export class KafkaConsumer {
  private readonly loop: Loop;
  private stopped: (reason: string) => void = () => undefined;
  private readonly stopping = new Promise<string>((resolve) => {
    this.stopped = resolve;
  });

  constructor(
    private readonly intake: Intake,
    private readonly parts: SessionParts,
  ) {
    this.loop = new Loop(`consumer ${intake.binding.consumer}`, parts.logger, REOPEN_DELAY_MS, () => this.live());
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    this.stopped('stopped');
    try {
      await withDeadline(this.loop.stop(), this.parts.settings.stopDeadlineMs * 2, 'stopping a consumer');
    } catch (error) {
      this.parts.logger.warn({ err: error, consumer: this.intake.binding.consumer }, 'a consumer is abandoned');
    }
  }

  private async live(): Promise<boolean> {
    await this.parts.cluster.ensureTopics();
    if (this.loop.isStopping) return false;
    const session = new ConsumerSession(this.intake, this.parts);
    try {
      await session.open();
      const reason = await Promise.race([session.ended, this.stopping]);
      this.parts.logger.info({ consumer: this.intake.binding.consumer, reason }, 'a consumer session ended');
    } finally {
      await session.close();
    }
    return false;
  }
}
