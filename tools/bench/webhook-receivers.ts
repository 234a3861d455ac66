import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type ReceiverQuestion =
  | { readonly kind: 'open'; readonly silent: number }
  | { readonly kind: 'seen'; readonly path: string }
  | { readonly kind: 'ids'; readonly path: string };

/** What has arrived at a path of the healthy receiver, from the first to the last of it; and how many the silent ones have. */
export interface Seen {
  readonly count: number;
  readonly tookMs: number;
  readonly held: number;
}

interface Opened {
  readonly healthy: string;
  readonly silent: readonly string[];
}

export type ReceiverAnswer = Opened | Seen | readonly string[];

/** Merchants' servers, in a process of their own. One question at a time. */
export class WebhookReceivers {
  /** Answers 200 at once, at every path. */
  readonly healthy: string;
  /** Take a request and never answer, each at an address of its own. */
  readonly silent: readonly string[];
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, { healthy, silent }: Opened) {
    this.child = child;
    this.healthy = healthy;
    this.silent = silent;
  }

  static async open(silent: number): Promise<WebhookReceivers> {
    const child = fork(fileURLToPath(new URL('receiver-process.ts', import.meta.url)));
    return new WebhookReceivers(child, (await ask(child, { kind: 'open', silent })) as Opened);
  }

  async seen(path: string): Promise<Seen> {
    return (await ask(this.child, { kind: 'seen', path })) as Seen;
  }

  /** `webhook-id` of each that came, as often as it came. */
  async ids(path: string): Promise<readonly string[]> {
    return (await ask(this.child, { kind: 'ids', path })) as readonly string[];
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
}

const ask = async (child: ChildProcess, question: ReceiverQuestion): Promise<ReceiverAnswer> => {
  const answered = new AbortController();
  const { signal } = answered;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('the receivers of webhooks have ended');
  });
  const answer = once(child, 'message', { signal }).then(([message]) => message as ReceiverAnswer);
  child.send(question);
  try {
    return await Promise.race([answer, ended]);
  } finally {
    answered.abort();
    await Promise.allSettled([answer, ended]);
  }
};
