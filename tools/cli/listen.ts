import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

import colors from 'picocolors';
import { Webhook } from 'standardwebhooks';

import { type Connection, expectSuccess } from './connection.ts';
import { CliError, EXIT } from './failure.ts';
import { printable } from './printable.ts';

export interface ListenOptions {
  readonly forwardTo: string;
  readonly events: readonly string[];
  readonly since?: string;
  readonly max?: number;
  readonly intervalMs: number;
  readonly secret?: string;
}

interface FeedEvent {
  readonly id: string;
  readonly type: string;
}

interface Feed {
  readonly data: readonly FeedEvent[];
  readonly nextCursor: string;
  readonly hasMore: boolean;
}

/** One event that was passed on: null where nobody answered. */
export interface Forwarded {
  readonly id: string;
  readonly type: string;
  readonly status: number | null;
}

const FORWARD_TIMEOUT_MS = 10_000;

const fits = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));

/**
 * Reads the feed and posts each event to an address, signed like a webhook (Standard Webhooks, v1): for a receiver that is
 * being written and that nobody reaches from outside. Each is posted once; what the receiver says is shown.
 */
export const listen = async (
  { asMerchant }: Connection,
  options: ListenOptions,
  say: (line: { readonly json: unknown; readonly text: string }) => void,
): Promise<void> => {
  if (!URL.canParse(options.forwardTo)) throw new CliError(EXIT.usage, `${options.forwardTo} is no address.`);
  const secret = options.secret ?? `whsec_${randomBytes(24).toString('base64')}`;
  const webhook = new Webhook(secret);
  say({
    json: { listening: options.forwardTo, secret },
    text: `Forwarding to ${options.forwardTo}. Verify with the secret ${colors.bold(secret)}. Ctrl-C ends it.`,
  });
  let place = `since=${encodeURIComponent(options.since ?? new Date().toISOString())}`;
  for (let forwarded = 0; options.max === undefined || forwarded < options.max;) {
    const feed = expectSuccess<Feed>(await asMerchant('GET', `/events?limit=100&${place}`));
    place = `cursor=${feed.nextCursor}`;
    for (const event of feed.data.filter(({ type }) => options.events.some((pattern) => fits(pattern, type)))) {
      if (options.max !== undefined && forwarded >= options.max) return;
      const result = await forward(webhook, options.forwardTo, event);
      say({ json: result, text: lineOf(result) });
      forwarded += 1;
    }
    if (!feed.hasMore && (options.max === undefined || forwarded < options.max)) await wait(options.intervalMs);
  }
};

const forward = async (webhook: Webhook, url: string, event: FeedEvent): Promise<Forwarded> => {
  const body = JSON.stringify(event);
  const now = new Date();
  const headers = {
    'content-type': 'application/json',
    'webhook-id': event.id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': webhook.sign(event.id, now, body),
  };
  try {
    const signal = AbortSignal.timeout(FORWARD_TIMEOUT_MS);
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await response.body?.cancel();
    return { id: event.id, type: event.type, status: response.status };
  } catch {
    return { id: event.id, type: event.type, status: null };
  }
};

const lineOf = ({ id, type, status }: Forwarded): string => {
  const outcome =
    status === null ? colors.red('no answer') : status < 300 ? colors.green(String(status)) : String(status);
  return `${printable(type)}  ${printable(id)}  → ${outcome}`;
};
