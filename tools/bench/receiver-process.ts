import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { ReceiverAnswer, ReceiverQuestion, Seen } from './webhook-receivers.ts';

/** Merchants' servers: one that answers at once, and some that never do. It ends with the process that wants it. */

interface Arrivals {
  readonly ids: string[];
  firstAt: number;
  lastAt: number;
}

/** By path: so that a load does not see what another has sent. */
const arrivals = new Map<string, Arrivals>();
let held = 0;

const accept: RequestListener = (request, response) => {
  request.resume().once('end', () => {
    const now = performance.now();
    const path = request.url ?? '';
    const seen = arrivals.get(path) ?? { ids: [], firstAt: now, lastAt: now };
    seen.lastAt = now;
    seen.ids.push(String(request.headers['webhook-id']));
    arrivals.set(path, seen);
    response.end();
  });
};

const holdForEver: RequestListener = (request) => {
  request.resume();
  held += 1;
};

const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
};

const seenAt = (path: string): Seen => {
  const { ids, firstAt, lastAt } = arrivals.get(path) ?? { ids: [], firstAt: 0, lastAt: 0 };
  return { count: ids.length, tookMs: lastAt - firstAt, held };
};

const answerTo = async (question: ReceiverQuestion): Promise<ReceiverAnswer> => {
  switch (question.kind) {
    case 'open':
      return {
        healthy: await listen(accept),
        silent: await Promise.all(Array.from({ length: question.silent }, () => listen(holdForEver))),
      };
    case 'seen':
      return seenAt(question.path);
    case 'ids':
      return arrivals.get(question.path)?.ids ?? [];
  }
};

process.on('message', (question: ReceiverQuestion) => {
  void answerTo(question).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => {
  process.exit();
});
