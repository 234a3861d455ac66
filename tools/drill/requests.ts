import { setTimeout as wait } from 'node:timers/promises';

import { hashOf, type Journal } from './journal.ts';
import type { Asked, Told } from './operation.ts';
import { type Answer, type Call, membersOf } from './platform.ts';

/** How long a client repeats before it gives up: longer than any fault of the drill lasts. */
export const PATIENCE_MS = 90_000;
const PAUSE_MS_MAX = 2_000;

/** One request, and by whom it is sent. */
export interface Request {
  readonly path: string;
  readonly body: string;
  readonly as: (call: Call) => Promise<Answer>;
  /** Asked again after a 202 too, until it is known how it ended. */
  readonly untilEnded?: boolean;
}

const ACCEPTED = 202;

/** Sends requests as the API's documentation tells callers to, and writes each try into the journal. */
export class Requests {
  private readonly journal: Journal;

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /**
   * Asks again with the same key until the answer is final, or patience has run out.
   *
   * @returns undefined when nothing final was heard
   */
  async untilFinal(operation: Asked, request: Request, patienceMs: number): Promise<Answer | undefined> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const answer = await this.send(operation, request);
      if (answer !== undefined && isFinal(answer) && !(request.untilEnded === true && answer.status === ACCEPTED))
        return answer;
      if (performance.now() >= end) return undefined;
      const asked = Number(answer?.headers.get('retry-after') ?? 0) * 1_000;
      await wait(Math.min(Math.max(asked, 100 * operation.tries), PAUSE_MS_MAX));
    }
  }

  /** Sends once more what was answered, and notes an answer that is another one. */
  async sendTwice(operation: Asked, request: Request, { status, text }: Answer): Promise<void> {
    const again = await this.send(operation, request);
    if (again === undefined || !isFinal(again) || (again.status === status && again.text === text)) return;
    operation.contradiction = `first ${status} ${text}, then ${again.status} ${again.text}`;
  }

  /** @returns undefined for silence */
  private async send(operation: Asked, { path, body, as }: Request): Promise<Answer | undefined> {
    operation.tries += 1;
    const line = {
      operationId: operation.operationId,
      try: operation.tries,
      key: operation.key,
      method: 'POST',
      path,
      bodyHash: hashOf(body),
      startedAt: new Date().toISOString(),
    };
    try {
      const answer = await as({ method: 'POST', path, key: operation.key, body });
      const { status, text } = answer;
      this.journal.add({ ...line, endedAt: new Date().toISOString(), status, body: membersOf(text) });
      return answer;
    } catch (error) {
      const silence = silenceOf(error);
      this.journal.add({ ...line, endedAt: new Date().toISOString(), status: null, body: null, silence });
      return undefined;
    }
  }
}

/** Not final: no answer, a failure of theirs, too much at once, or our first try still at work. */
const isFinal = ({ status, text }: Answer): boolean => {
  if (status >= 500 || status === 429 || status === 408 || status === 401) return false;
  const code = membersOf(text)['code'];
  return code !== 'idempotency_key_in_use' && code !== 'concurrent_update';
};

/** An answer of status 2xx may say that it did not happen: a refund that the acquirer refused, money that was not added. */
export const toldBy = ({ status, text }: Answer): Told => {
  const body = membersOf(text);
  if ('refundId' in body && body['status'] === 'FAILED') return { kind: 'refused', status, code: 'refund_failed' };
  if (status >= 300) return { kind: 'refused', status, code: String(body['code']) };
  if ('transactionId' in body && body['status'] === 'FAILED')
    return { kind: 'refused', status, code: String(body['reason']) };
  return { kind: 'done', status, body };
};

const silenceOf = (error: unknown): string => {
  const cause: unknown = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'unknown';
};
