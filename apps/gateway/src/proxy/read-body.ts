import type { IncomingMessage } from 'node:http';

import { Problem } from '@payflow/service';

export interface BodyLimits {
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

/** Ends the connection with the answer: what is left of the body is not read. */
const AND_CLOSE = { headers: { connection: 'close' } };

const tooLarge = (bytesMax: number): Problem =>
  new Problem('body_too_large', { detail: `The body may have at most ${bytesMax} bytes.`, ...AND_CLOSE });

/**
 * The whole body. Requests are not streamed to the services: a body is small by its limit, a service gets it whole or not
 * at all, and a slow client holds a socket here and no connection, transaction or thread there. Answers are streamed.
 *
 * @throws Problem body_too_large | request_timeout | malformed_request
 */
export const readBody = async (request: IncomingMessage, limits: BodyLimits): Promise<Buffer> => {
  if (Number(request.headers['content-length'] ?? 0) > limits.bytesMax) throw tooLarge(limits.bytesMax);
  const stop = new AbortController();
  try {
    return await Promise.race([
      collected(request, limits.bytesMax, stop.signal),
      lateness(limits.timeoutMs, stop.signal),
    ]);
  } finally {
    stop.abort();
    if (!request.readableEnded) request.pause();
  }
};

const collected = async (request: IncomingMessage, bytesMax: number, stop: AbortSignal): Promise<Buffer> =>
  await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > bytesMax) reject(tooLarge(bytesMax));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      resolve(Buffer.concat(chunks));
    };
    const onBroken = (): void => {
      reject(new Problem('malformed_request', { detail: 'The request ended before its body.' }));
    };
    // The error listener stays: a reset after the answer has begun must not end the process.
    request.on('error', onBroken).on('data', onData).on('end', onEnd).on('close', onBroken);
    stop.addEventListener('abort', () => request.off('data', onData).off('end', onEnd).off('close', onBroken));
  });

const lateness = async (timeoutMs: number, stop: AbortSignal): Promise<never> =>
  await new Promise((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Problem('request_timeout', AND_CLOSE));
    }, timeoutMs);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });
