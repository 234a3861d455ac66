import { connect, type Socket } from 'node:net';

/** An answer as it came, its body unparsed: most loads look at the status alone. */
export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

interface Pending {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const CHUNK_END = Buffer.from('\r\n');

/**
 * A kept HTTP/1.1 connection with one request at a time. It costs the client about a third of what a general HTTP client
 * does, and on a machine where client and server share two cores that is measured too.
 */
export class HttpConnection {
  private received: Buffer = Buffer.alloc(0);
  private pending: Pending | undefined;
  private readonly socket: Socket;
  private readonly host: string;

  private constructor(socket: Socket, host: string) {
    this.socket = socket;
    this.host = host;
    socket.on('data', (data) => {
      this.receive(data);
    });
    const lost = (error?: Error): void => {
      this.pending?.reject(error ?? new Error(`${host} closed the connection in the middle of a request`));
      this.pending = undefined;
    };
    socket.on('error', lost);
    socket.on('close', () => {
      lost();
    });
  }

  /** @param address `http://127.0.0.1:8084` */
  static async open(address: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(address);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new HttpConnection(socket, host);
  }

  /** Sends a request and returns its answer. `headers` are lines, each ended by CRLF. */
  async send(method: string, path: string, headers: string, body?: string): Promise<HttpAnswer> {
    const content =
      body === undefined
        ? ''
        : `content-type: application/json\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n`;
    return await new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
      this.socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.host}\r\n${headers}${content}\r\n${body ?? ''}`);
    });
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    await new Promise<void>((resolve) => this.socket.end(resolve));
  }

  private receive(data: Buffer): void {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    const answer = parse(this.received);
    if (answer === undefined || this.pending === undefined) return;
    const { resolve } = this.pending;
    this.received = Buffer.alloc(0);
    this.pending = undefined;
    resolve(answer);
  }
}

/** The answer when all of it is there. */
const parse = (received: Buffer): HttpAnswer | undefined => {
  const headEnd = received.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = received.toString('latin1', 0, headEnd);
  const status = Number(head.slice(9, 12));
  const rest = received.subarray(headEnd + HEAD_END.length);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    return rest.length < Number(length) ? undefined : { status, head, body: rest };
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return { status, head, body: rest };
  const body = unchunked(rest);
  return body === undefined ? undefined : { status, head, body };
};

/** The body of a chunked answer when its last chunk is there. */
const unchunked = (rest: Buffer): Buffer | undefined => {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const sizeEnd = rest.indexOf(CHUNK_END, at);
    if (sizeEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString('latin1', at, sizeEnd), 16);
    const start = sizeEnd + CHUNK_END.length;
    if (rest.length < start + size + CHUNK_END.length) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(rest.subarray(start, start + size));
    at = start + size + CHUNK_END.length;
  }
};
