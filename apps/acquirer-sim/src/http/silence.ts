import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { InjectConfig } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import type { AcquirerSimConfig } from '../acquirer-sim.config.js';

/** Connections that get no answer. */
@Injectable()
export class Silence implements BeforeApplicationShutdown {
  private readonly held = new Set<() => void>();

  constructor(@InjectConfig() private readonly config: AcquirerSimConfig) {}

  /** Says nothing until the caller gives up, time is over or the service stops; then the connection is cut. */
  async hold(reply: FastifyReply): Promise<void> {
    reply.hijack();
    const { raw } = reply;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.held.delete(end);
        raw.destroy();
        resolve();
      };
      const timer = setTimeout(end, this.config.SILENCE_MS);
      raw.once('close', end);
      this.held.add(end);
    });
  }

  beforeApplicationShutdown(): void {
    for (const end of this.held) end();
  }
}
