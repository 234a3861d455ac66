import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP connection to somewhere that a test can cut and mend. */
export class CuttableLink {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  port = 0;

  private constructor(
    private readonly targetHost: string,
    private readonly targetPort: number,
  ) {}

  static async open(targetHost: string, targetPort: number): Promise<CuttableLink> {
    const link = new CuttableLink(targetHost, targetPort);
    await link.mend();
    return link;
  }

  async mend(): Promise<void> {
    this.server = createServer((client) => {
      const target = connect(this.targetPort, this.targetHost);
      for (const socket of [client, target]) {
        this.sockets.add(socket);
        socket
          .on('error', () => undefined)
          .on('close', () => {
            this.sockets.delete(socket);
            client.destroy();
            target.destroy();
          });
      }
      client.pipe(target).pipe(client);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async cut(): Promise<void> {
    const closed = this.server === undefined ? Promise.resolve() : once(this.server, 'close');
    this.server?.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
    await closed;
  }
}
