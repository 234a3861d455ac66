import { connect, createServer, type Server, type Socket } from 'node:net';

const PRODUCE = 0;

/** A TCP proxy in front of a Kafka broker that can lose the answers to produce requests: the broker did it, nobody learns. */
export class ReplyDroppingProxy {
  /** While true, a connection is cut when the answer to a produce request would go through. */
  dropping = false;
  dropped = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
    private readonly target: () => number,
  ) {}

  static async open(target: () => number): Promise<ReplyDroppingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = new ReplyDroppingProxy(server, address.port, target);
    server.on('connection', (client) => {
      proxy.bridge(client);
    });
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private bridge(client: Socket): void {
    const broker = connect({ host: '127.0.0.1', port: this.target() });
    const produceRequests = new Set<number>();
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.sockets.delete(socket));
    }
    const requests = new Frames((frame) => {
      if (frame.readInt16BE(4) === PRODUCE) produceRequests.add(frame.readInt32BE(8));
      broker.write(frame);
    });
    const answers = new Frames((frame) => {
      if (this.dropping && produceRequests.has(frame.readInt32BE(4))) {
        this.dropped += 1;
        client.destroy();
        broker.destroy();
        return;
      }
      if (!client.destroyed) client.write(frame);
    });
    client.on('data', (chunk) => {
      requests.push(chunk);
    });
    broker.on('data', (chunk) => {
      answers.push(chunk);
    });
    client.on('close', () => broker.destroy());
    broker.on('close', () => client.destroy());
  }
}

/** Kafka's frames: a length of four bytes, then as many bytes. */
class Frames {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly each: (frame: Buffer) => void) {}

  push(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 4) {
      const end = 4 + this.rest.readInt32BE(0);
      if (this.rest.length < end) return;
      const frame = this.rest.subarray(0, end);
      this.rest = this.rest.subarray(end);
      this.each(frame);
    }
  }
}
