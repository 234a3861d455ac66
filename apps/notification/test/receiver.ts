import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A webhook as it arrived. */
export interface Received {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Behaviour = (response: ServerResponse, received: Received, number: number) => void;

/** Answers with a status and nothing else. */
export const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end();
  };

/** The statuses one after the other, then the last for ever. */
export const answers =
  (...statuses: readonly number[]): Behaviour =>
  (response, _received, number) => {
    response.writeHead(statuses[Math.min(number, statuses.length) - 1] ?? 200).end();
  };

/** A merchant's server on the loopback, which keeps what came. */
export class Receiver {
  readonly received: Received[] = [];
  /** Connections that were ever made. */
  connections = 0;
  private answersInFlight = 0;
  /** The most that were answered at one time. */
  concurrencyMax = 0;

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private behaviour: Behaviour,
  ) {}

  static async open(behaviour: Behaviour = answer(200)): Promise<Receiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const receiver = new Receiver(`http://127.0.0.1:${port}/hook`, server, behaviour);
    server.on('connection', () => {
      receiver.connections += 1;
    });
    server.on('request', (request, response) => {
      void receiver.take(request, response);
    });
    return receiver;
  }

  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
  }

  /** How often each webhook-id came. */
  get counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { id } of this.received) counts[id] = (counts[id] ?? 0) + 1;
    return counts;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.answersInFlight += 1;
    this.concurrencyMax = Math.max(this.concurrencyMax, this.answersInFlight);
    response.on('close', () => {
      this.answersInFlight -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = request.headers as Record<string, string>;
    const received = { id: headers['webhook-id'] ?? '', headers, body: Buffer.concat(chunks).toString('utf8') };
    this.received.push(received);
    this.behaviour(response, received, this.received.length);
  }
}
