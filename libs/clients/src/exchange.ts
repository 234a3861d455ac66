import type { IncomingHttpHeaders } from 'node:http';

import type { Dispatcher } from 'undici';

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** Nothing came in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * One request and its whole answer. Undici's own `request` makes a stream of each answer and, for a deadline, an AbortSignal:
 * together more work than everything else in a call (docs/performance.md).
 *
 * @throws DeadlineError, or what became of the connection
 */
export const exchange = async (
  pool: Dispatcher,
  request: Dispatcher.DispatchOptions,
  timeoutMs: number,
): Promise<RawAnswer> =>
  await new Promise((resolve, reject) => {
    pool.dispatch(request, new Exchange(resolve, reject, timeoutMs));
  });

class Exchange implements Dispatcher.DispatchHandler {
  private readonly timer: NodeJS.Timeout;
  private controller: Dispatcher.DispatchController | undefined;
  private late: DeadlineError | undefined;
  private readonly chunks: Buffer[] = [];
  private status = 0;
  private retryAfter: string | undefined;

  constructor(
    private readonly resolve: (answer: RawAnswer) => void,
    private readonly reject: (error: Error) => void,
    timeoutMs: number,
  ) {
    this.timer = setTimeout(() => {
      this.giveUp(timeoutMs);
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It has waited for a connection longer than it may take altogether.
    if (this.late !== undefined) controller.abort(this.late);
    this.controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.status = status;
    this.retryAfter = headers['retry-after'];
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    clearTimeout(this.timer);
    const [first] = this.chunks;
    const body = this.chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.chunks);
    this.resolve({ status: this.status, text: body.toString('utf8'), retryAfter: this.retryAfter });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.timer);
    this.reject(error);
  }

  private giveUp(timeoutMs: number): void {
    // Whole: what is left of a deadline has so many decimals that a log line with them can pass for a card number.
    this.late = new DeadlineError(`no answer within ${Math.round(timeoutMs)} ms`);
    this.reject(this.late);
    this.controller?.abort(this.late);
  }
}
