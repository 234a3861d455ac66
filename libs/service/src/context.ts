import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known about the work at hand, wherever the code stands: it goes into log lines, events and calls to other services. */
export interface Context {
  readonly requestId?: string;
  /** The request that began it all, over services and events. */
  readonly correlationId?: string;
  /** The event or request that caused this work directly. */
  readonly causationId?: string;
  /** W3C Trace Context of the caller. */
  readonly traceparent?: string;
  readonly paymentId?: string;
  readonly eventId?: string;
}

const storage = new AsyncLocalStorage<Context>();
const NOTHING: Context = Object.freeze({});

export const currentContext = (): Context => storage.getStore() ?? NOTHING;

/** Runs `work` in exactly this context: what it should keep of the outer one, the caller spreads in. */
export const runInContext = <Result>(context: Context, work: () => Result): Result => storage.run(context, work);
