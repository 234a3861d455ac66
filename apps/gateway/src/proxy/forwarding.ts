import type { IncomingHttpHeaders } from 'node:http';

import type { FastifyReply } from 'fastify';
import type { Dispatcher } from 'undici';

import { answerHeaders } from './headers.js';

export interface Forwarding {
  /** Of the service. */
  readonly pool: Dispatcher;
  readonly request: Dispatcher.DispatchOptions;
  readonly reply: FastifyReply;
  /** How long a client may read nothing of what waits for him. Undici gives no time-out to an answer that is held back. */
  readonly clientTimeoutMs: number;
  /** Headers of our own on every answer. */
  readonly added: () => IncomingHttpHeaders;
  /** There is no answer that the client can get; nothing was sent to him yet. */
  readonly failed: (cause: unknown) => void;
}

/**
 * Sends a request to a service and its answer to the client, as it comes (ADR 0014). A read whose kept-alive connection was
 * closed under it is asked again, once; a write never.
 */
export const forward = (forwarding: Forwarding, attempt = 0): void => {
  forwarding.pool.dispatch(forwarding.request, new PassedAnswer(forwarding, attempt));
};

/** What undici tells of one answer, handed on in as few writes as it came in. */
class PassedAnswer implements Dispatcher.DispatchHandler {
  /** Read to its end, so that its connection can serve again, and not passed on. */
  private dropped = false;
  private begun = false;
  private ended = false;
  /** By Content-Length; NaN where there is none. */
  private bytesLeft = Number.NaN;

  constructor(
    private readonly forwarding: Forwarding,
    private readonly attempt: number,
  ) {}

  onRequestStart(): void {
    // Undici wants it to be there. A client who leaves stops nothing: the service finishes what it has begun.
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    const { reply, added, failed } = this.forwarding;
    if (reply.raw.destroyed) {
      this.dropped = true;
      return;
    }
    if (status === 502 || status === 504) {
      this.dropped = true;
      failed(`status ${status}`);
      return;
    }
    this.bytesLeft = Number(headers['content-length'] ?? Number.NaN);
    reply.raw.writeHead(status, { ...added(), ...answerHeaders(headers) });
    reply.hijack();
    this.begun = true;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { reply, clientTimeoutMs } = this.forwarding;
    const { raw } = reply;
    if (this.dropped || raw.destroyed) return;
    this.bytesLeft -= chunk.length;
    if (this.bytesLeft === 0) {
      // Nearly always the first chunk is all of it: head and body are then one write.
      this.ended = true;
      raw.end(chunk);
      return;
    }
    if (raw.write(chunk)) return;
    controller.pause();
    const giveUp = setTimeout(() => raw.destroy(), clientTimeoutMs);
    const goOn = (): void => {
      clearTimeout(giveUp);
      raw.off('drain', goOn).off('close', goOn);
      controller.resume();
    };
    raw.on('drain', goOn).on('close', goOn);
  }

  onResponseEnd(): void {
    if (!this.dropped && !this.ended) this.forwarding.reply.raw.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const { request, reply, failed } = this.forwarding;
    if (this.dropped) return;
    // Half an answer must not look like a whole one.
    if (this.begun) reply.raw.destroy();
    else if (this.attempt === 0 && isSafe(request.method) && isReset(error) && !reply.sent)
      forward(this.forwarding, this.attempt + 1);
    else failed(error);
  }
}

export const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD';

const isReset = (error: Error): boolean =>
  'code' in error && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(error.code));
