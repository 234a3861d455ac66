import type { FaultKind } from './faults.ts';
import { type Flow, Reply } from './flow.ts';
import type { Process, Surroundings } from './process.ts';

/** What a caller learns. `refused`: it was certainly not sent. `silence`: nobody knows. */
export type Called<Answer> =
  { readonly kind: 'answer'; readonly answer: Answer } | { readonly kind: 'refused' } | { readonly kind: 'silence' };

/** Who answers requests: returns an answer, or undefined when the connection ends without one. */
export type Server<Request, Answer> = (request: Request, reply: (answer: Answer) => void) => void;

const LATENCY_MS = [0.2, 4] as const;

/**
 * Calls between processes. A request or its answer can be lost or late, a connection refused. A caller waits no longer
 * than it said; what arrives later arrives all the same.
 */
export class Network {
  private readonly around: Surroundings;

  constructor(around: Surroundings) {
    this.around = around;
  }

  latencyMs(): number {
    return this.around.random.between(...LATENCY_MS);
  }

  call<Request, Answer>(
    label: string,
    isUp: () => boolean,
    serve: Server<Request, Answer>,
    request: Request,
    timeoutMs: number,
  ): Reply<Called<Answer>> {
    const { scheduler, faults } = this.around;
    const called = new Reply<Called<Answer>>();
    if (faults.strikes('refused') || !isUp()) {
      scheduler.after(this.latencyMs(), `${label} refused`, () => {
        called.settle({ kind: 'refused' });
      });
      return called;
    }
    const timer = scheduler.after(timeoutMs, `${label} time-out`, () => {
      called.settle({ kind: 'silence' });
    });
    if (faults.strikes('request_lost')) return called;
    scheduler.after(this.delayMs('request_late', timeoutMs), label, () => {
      if (!isUp()) return;
      serve(request, (answer) => {
        if (faults.strikes('reply_lost')) return;
        scheduler.after(this.delayMs('reply_late', timeoutMs), `${label} answered`, () => {
          timer.canceled = true;
          called.settle({ kind: 'answer', answer });
        });
      });
    });
    return called;
  }

  private delayMs(kind: FaultKind, timeoutMs: number): number {
    const { faults } = this.around;
    if (!faults.strikes(kind)) return this.latencyMs();
    return faults.detail(kind).between(timeoutMs * 0.5, timeoutMs * 20);
  }
}

/** A server that runs a flow of a process for each request. */
export const servedBy =
  <Request, Answer>(
    process: Process,
    label: string,
    work: (request: Request, reply: (answer: Answer) => void) => Flow,
  ): Server<Request, Answer> =>
  (request, reply) => {
    process.run(label, work(request, reply));
  };
