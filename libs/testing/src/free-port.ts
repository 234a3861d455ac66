import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port on loopback that nobody listened on a moment ago: for a process that is told its port before it starts. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
  server.close();
  await once(server, 'close');
  return address.port;
};
