import { connect, createServer, type Server, type Socket } from 'node:net';

/** The simple-query message ends with NUL; so `BEGIN ISOLATION LEVEL READ COMMITTED` is not taken for it. */
const COMMIT_QUERY = 'COMMIT\u0000';

/** What the proxy does when it sees COMMIT: hand it on and cut the answer off, or cut before it arrives. */
export type Cut = 'none' | 'answer-lost' | 'request-lost';

/** A TCP proxy in front of Postgres that breaks the connection at COMMIT, once. */
export class CuttingProxy {
  cut: Cut = 'none';
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
      if (answersPass) client.write(chunk);
    });
    client.on('close', () => upstream.end());
    upstream.on('close', () => client.destroy());
  }
}
