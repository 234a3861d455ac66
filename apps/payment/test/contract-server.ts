import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** `silence`: the connection is cut without a word. */
export type Reply = { readonly status: number; readonly body: unknown } | 'silence';

/** A server on loopback in the place of another one, which notes every request that breaks the contract. */
export class ContractServer {
  /** What broke the contract. A test ends with none. */
  readonly violations: string[] = [];
  /** Whether connections are refused at once. */
  down = false;
  private server: Server | undefined;

  constructor(private readonly handle: (request: Request) => Reply | Promise<Reply>) {}

  async listen(): Promise<string> {
    this.server = createServer((request, response) => {
      void this.answer(request, response);
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    return `http://127.0.0.1:${String(address.port)}`;
  }

  async close(): Promise<void> {
    if (!this.server) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Notes the breach and refuses the request. */
  violation(text: string): Reply {
    this.violations.push(text);
    return { status: 400, body: { violation: text } };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.down) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url ?? '/', 'http://contract');
    const reply = await this.handle({
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: await bodyOf(request),
    });
    if (reply === 'silence') {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.body));
  }
}

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
};
