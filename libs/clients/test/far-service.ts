import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Of the connection it came by. */
  readonly callerPort: number | undefined;
}

type Behaviour = (request: SeenRequest, response: ServerResponse) => void;

/** A real HTTP server on loopback that stands where another service stands, and behaves as a test says. */
export class FarService {
  readonly seen: SeenRequest[] = [];
  private behaviours: Behaviour[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<FarService> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const far = new FarService(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      void far.handle(request, response);
    });
    return far;
  }

  /** How the next requests are met, one after the other; the last goes on for ever. */
  behave(...behaviours: Behaviour[]): void {
    this.behaviours = behaviours;
    this.seen.length = 0;
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const body = Buffer.concat(chunks).toString();
    const seen = { method, url, headers, body, callerPort: request.socket.remotePort };
    this.seen.push(seen);
    const behaviour = this.behaviours.length > 1 ? this.behaviours.shift() : this.behaviours[0];
    behaviour?.(seen, response);
  }
}

export const answers =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

export const resets: Behaviour = (_request, response) => {
  response.socket?.resetAndDestroy();
};

/** Takes the request and never answers. */
export const fallsSilent: Behaviour = () => undefined;
