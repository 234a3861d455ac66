import { connect, createServer, type Server, type Socket } from 'node:net';

/** The simple-query message ends with NUL; so `BEGIN ISOLATION LEVEL READ COMMITTED` is not taken for it. */
const COMMIT_QUERY = 'COMMIT\u0000';

/** What the proxy does when it sees COMMIT: hand it on and cut the answer off, or cut before it arrives. */
export type Cut = 'none' | 'answer-lost' | 'request-lost';

/** ReadyForQuery, idle: how the server's greeting ends (PostgreSQL 17, 53.7). */
const READY = Buffer.from('Z\u0000\u0000\u0000\u0005I', 'latin1');
const FIELDS = 'SFATAL\u0000C57P01\u0000Mterminating connection due to administrator command\u0000\u0000';
const TERMINATED = Buffer.concat([Buffer.from([0x45, 0, 0, 0, FIELDS.length + 4]), Buffer.from(FIELDS, 'latin1')]);

/** A TCP proxy in front of Postgres that breaks the connection at COMMIT, once. */
export class CuttingProxy {
  cut: Cut = 'none';
  /** The next connection is terminated with its greeting: both come in one piece. */
  terminatesNextGreeting = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async before(target: { readonly host: string; readonly port: number }): Promise<CuttingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new CuttingProxy(server, address.port);
    server.on('connection', (client) => {
      proxy.bridge(client, connect(target));
    });
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private bridge(client: Socket, upstream: Socket): void {
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.sockets.delete(socket));
    }
    let answersPass = true;
    let greeted = false;
    client.on('data', (chunk) => {
      if (this.cut !== 'none' && chunk.includes(COMMIT_QUERY)) {
        const cut = this.cut;
        this.cut = 'none';
        if (cut === 'request-lost') {
          client.destroy();
          upstream.destroy();
          return;
        }
        answersPass = false;
        // The server has committed once it answers; only then is the caller's connection cut.
        upstream.once('data', () => client.destroy());
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (!answersPass) return;
      const greets = !greeted && chunk.subarray(-READY.length).equals(READY);
      greeted ||= greets;
      if (greets && this.terminatesNextGreeting) {
        this.terminatesNextGreeting = false;
        client.end(Buffer.concat([chunk, TERMINATED]));
      } else client.write(chunk);
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  }
}
