import { randomUUID } from 'node:crypto';

import { Failure } from '../servers/failure.ts';

/** One call as a client makes it, with a key of its own. What is a string is sent as a file, all else as JSON. */
export const call = async <Answer>(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  token: string | undefined,
  body?: unknown,
): Promise<Answer> => {
  const isFile = typeof body === 'string';
  const response = await fetch(url, {
    method,
    headers: {
      'idempotency-key': randomUUID(),
      ...(body === undefined ? {} : { 'content-type': isFile ? 'text/csv' : 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: isFile ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Failure(`${method} ${url} answered ${String(response.status)}: ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as Answer;
};

const PAUSE_MS = 100;

/** Asks again and again until there is an answer. */
export const until = async <Result>(
  what: string,
  withinMs: number,
  look: () => Promise<Result | undefined>,
  pauseMs = PAUSE_MS,
): Promise<Result> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new Failure(`${what} did not come within ${String(withinMs / 1_000)} seconds.`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
};
