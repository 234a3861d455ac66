import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';

import type { Principal } from '@payflow/contracts';
import { createServiceApp } from '@payflow/service';
import { merchantPrincipal, TokenMint } from '@payflow/testing';
import { newId } from '@payflow/kernel';

import { GatewayModule } from '../src/gateway.module.js';

type App = Awaited<ReturnType<typeof createServiceApp>>;

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = (request: Received, response: ServerResponse) => void;

const json =
  (status: number, body: unknown): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** The answer of the one at the address. */
export const asAnsweredBy =
  (url: string): Answer =>
  (request, response) => {
    const pass = async (): Promise<void> => {
      const { method, url: path, body } = request;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url + path, { method, headers, ...(body === '' ? {} : { body }) });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    };
    void pass().catch(() => response.destroy());
  };

/** A service at the other end of a socket: it keeps what it received and answers what a test tells it to. */
export class LoopbackService {
  readonly received: Received[] = [];
  answer: Answer = json(200, { ok: true });
  private server: Server | undefined;
  private port = 0;

  static async open(): Promise<LoopbackService> {
    const service = new LoopbackService();
    await service.listen();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  answers(status: number, body: unknown): void {
    this.answer = json(status, body);
  }

  get last(): Received {
    const last = this.received.at(-1);
    if (!last) throw new Error('nothing was received');
    return last;
  }

  /** On the port it had, when it had one. */
  async listen(): Promise<void> {
    this.server = createServer((request, response) => void this.receive(request, response));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    this.port = address.port;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server?.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.received.push(received);
    this.answer(received, response);
  }
}

export interface RunningGateway {
  readonly url: string;
  readonly port: number;
  readonly app: App;
  readonly mint: TokenMint;
  readonly payment: LoopbackService;
  readonly tokenization: LoopbackService;
  readonly ledger: LoopbackService;
  readonly wallet: LoopbackService;
  readonly fraud: LoopbackService;
  readonly notification: LoopbackService;
  readonly settlement: LoopbackService;
  readonly acquirerSim: LoopbackService;
  /** A fresh merchant's Authorization header. */
  merchant(): Promise<string>;
  authorization(principal: Principal): Promise<string>;
  stop(): Promise<void>;
}

export const startGateway = async (settings: Readonly<Record<string, string>> = {}): Promise<RunningGateway> => {
  const mint = await TokenMint.open();
  const [payment, tokenization, ledger, wallet, fraud, notification, settlement, acquirerSim] = await Promise.all([
    LoopbackService.open(),
    LoopbackService.open(),
    LoopbackService.open(),
    LoopbackService.open(),
    LoopbackService.open(),
    LoopbackService.open(),
    LoopbackService.open(),
    LoopbackService.open(),
  ]);
  const closeSurroundings = async (): Promise<void> => {
    const services = [payment, tokenization, ledger, wallet, fraud, notification, settlement, acquirerSim];
    await Promise.all(services.map(async (service) => await service.close()));
    await mint.close();
  };
  const app = await createServiceApp({
    name: 'gateway',
    module: GatewayModule,
    environment: {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      GATEWAY_URL: 'http://gateway.test',
      SERVICE_CLIENT_SECRET: 'secret-of-the-gateway',
      AUTH_URL: mint.url,
      ISSUER: mint.url,
      PAYMENT_URL: payment.url,
      TOKENIZATION_URL: tokenization.url,
      LEDGER_URL: ledger.url,
      WALLET_URL: wallet.url,
      FRAUD_URL: fraud.url,
      NOTIFICATION_URL: notification.url,
      SETTLEMENT_URL: settlement.url,
      ACQUIRER_SIM_URL: acquirerSim.url,
      ...settings,
    },
  }).catch(async (error: unknown) => {
    await closeSurroundings();
    throw error;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = await app.getUrl();
  return {
    url,
    port: Number(new URL(url).port),
    app,
    mint,
    payment,
    tokenization,
    ledger,
    wallet,
    fraud,
    notification,
    settlement,
    acquirerSim,
    merchant: async () => await mint.authorization(merchantPrincipal(newId('mer'), newId('cli'))),
    authorization: async (principal) => await mint.authorization(principal),
    stop: async () => {
      await app.close();
      await closeSurroundings();
    },
  };
};

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A request whose path goes out as it is written: fetch and URL would tidy it up. */
export const rawRequest = async (
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<RawAnswer> => {
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString('utf8') };
};
