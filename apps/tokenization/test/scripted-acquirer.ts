import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

type Script = (request: Received, response: ServerResponse) => void;

/** An acquirer that a test tells how to answer, and that remembers what it received. */
export class ScriptedAcquirer {
  readonly received: Received[] = [];
  script: Script = (_, response) => {
    answerJson(response, 201, { outcome: 'approved' });
  };

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async open(): Promise<ScriptedAcquirer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    const acquirer = new ScriptedAcquirer(`http://127.0.0.1:${String(address.port)}`, server);
    server.on('request', (request, response) => {
      void acquirer.receive(request, response);
    });
    return acquirer;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
    const body = isForm ? Object.fromEntries(new URLSearchParams(text)) : (JSON.parse(text) as Record<string, unknown>);
    const received = { url: request.url ?? '', headers: request.headers, body };
    this.received.push(received);
    this.script(received, response);
  }
}

export const answerJson = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};
