import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AcquirerOperation, AcquirerWebhook, BookLine, SetAcquirerMode } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { createServiceApp } from '@payflow/service';
import { createTestDatabase, type TestDatabase } from '@payflow/testing';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';

import { AcquirerSimModule } from '../src/acquirer-sim.module.js';
import { migrations } from '../src/migrations.js';

export type AuthorizationRequest = Record<string, unknown> & { reference: string; paymentId: string };

/** Status 0: the connection ended without an answer. */
export interface Answered<Body = AcquirerOperation> {
  readonly status: number;
  readonly body: Body;
  readonly replayed: boolean;
}

/** The simulator on a port of its own, with a database of its own. */
export class RunningAcquirer {
  private constructor(
    readonly database: TestDatabase,
    private readonly environment: Readonly<Record<string, string>>,
    private app: NestFastifyApplication,
    private address: string,
  ) {}

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<RunningAcquirer> {
    const database = await createTestDatabase({ service: 'acquirer-sim', migrations });
    const environment = {
      DATABASE_URL: database.runtimeUrl,
      SERVICE_CLIENT_SECRET: 'secret-of-the-simulator',
      LOG_LEVEL: 'silent',
      NODE_ENV: 'test',
      PUBLIC_URL: 'http://simulator.example',
      ...settings,
    };
    return new RunningAcquirer(database, environment, ...(await listening(environment)));
  }

  /** As a new process would find it. */
  async restart(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.app.close();
    [this.app, this.address] = await listening({ ...this.environment, ...settings });
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.drop();
  }

  async call<Body = AcquirerOperation>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    payload?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered<Body>> {
    const response = await this.fetch(path, {
      method,
      headers: { ...headers, ...(payload === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
    }).catch(() => undefined);
    if (response === undefined) return { status: 0, body: undefined as Body, replayed: false };
    return {
      status: response.status,
      body: (await response.json()) as Body,
      replayed: response.headers.get('idempotent-replayed') === 'true',
    };
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(this.address + path, { redirect: 'manual', ...init });
  }

  async authorize(
    body: object = authorization(),
    { acquirer = 'sim', mode }: { readonly acquirer?: string; readonly mode?: string } = {},
  ): Promise<Answered> {
    const headers: Record<string, string> = mode === undefined ? {} : { 'x-acquirer-mode': mode };
    return await this.call('POST', `/acquirers/${acquirer}/authorizations`, body, headers);
  }

  /** The id of an approved authorization. */
  async authorized(over: Record<string, unknown> = {}): Promise<string> {
    const { body } = await this.authorize(authorization(over));
    if (body.authorizationId === null) throw new Error('the authorization was not approved');
    return body.authorizationId;
  }

  async change(
    id: string,
    what: 'captures' | 'refunds' | 'voids',
    body: Record<string, unknown> = {},
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    const reference = newId(({ captures: 'cap', refunds: 'ref', voids: 'vod' } as const)[what]);
    const amount = what === 'voids' ? {} : { amount: 100, currency: 'USD' };
    const request = { reference, ...amount, ...body };
    return await this.call('POST', `/acquirers/sim/authorizations/${id}/${what}`, request, headers);
  }

  async reverse(original: AuthorizationRequest, over: Record<string, unknown> = {}): Promise<Answered> {
    const { reference, amount, currency, merchantId, paymentId } = original;
    const request = { reference: newId('vod'), originalReference: reference, amount, currency, merchantId, paymentId };
    return await this.call('POST', '/acquirers/sim/reversals', { ...request, ...over });
  }

  async inquire(reference: string, acquirer = 'sim'): Promise<Answered> {
    return await this.call('GET', `/acquirers/${acquirer}/operations/${reference}`);
  }

  async bookOf(filter: Record<string, string>, acquirer = 'sim'): Promise<readonly BookLine[]> {
    const query = new URLSearchParams({ limit: '100', ...filter }).toString();
    const { body } = await this.call<{ data: BookLine[] }>('GET', `/acquirers/${acquirer}/operations?${query}`);
    return body.data;
  }

  /** Runs SQL as the owner of the database. */
  async sql(text: string, parameters: readonly unknown[] = []): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: this.database.ownerUrl });
    await client.connect();
    try {
      return (await client.query({ text, values: [...parameters] })).rows as unknown[];
    } finally {
      await client.end();
    }
  }

  /** Lets the time come for a result that is due later. */
  async letTimePass(reference: string): Promise<void> {
    await this.sql('UPDATE due_results SET due_at = now() WHERE reference = $1', [reference]);
  }

  async setMode(mode: SetAcquirerMode, acquirer = 'sim'): Promise<Answered<{ data: readonly SetAcquirerMode[] }>> {
    return await this.call('POST', `/acquirers/${acquirer}/mode`, mode);
  }

  async clearModes(acquirer = 'sim'): Promise<void> {
    await this.call('DELETE', `/acquirers/${acquirer}/mode`);
  }
}

const listening = async (environment: Readonly<Record<string, string>>): Promise<[NestFastifyApplication, string]> => {
  const app = await createServiceApp({ name: 'acquirer-sim', module: AcquirerSimModule, environment });
  await app.listen(0, '127.0.0.1');
  return [app, await app.getUrl()];
};

export const cardNumbered = (number: string): Record<string, unknown> => ({
  number,
  expMonth: 12,
  expYear: 2034,
  cvc: '123',
  holderName: 'Ada',
});

export const authorization = (over: Record<string, unknown> = {}): AuthorizationRequest => ({
  reference: newId('att'),
  amount: 1000,
  currency: 'USD',
  card: cardNumbered('4242424242424242'),
  merchantId: newId('mer'),
  paymentId: newId('pay'),
  ...over,
});

export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly parsed: AcquirerWebhook;
}

export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Stands where the gateway stands: takes webhooks and answers them as the test wants. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  /** The statuses of the next answers; 200 after that. */
  readonly statuses: number[] = [];

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async open(): Promise<WebhookReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const parsed = JSON.parse(body) as AcquirerWebhook;
        receiver.received.push({ path: request.url ?? '', headers: request.headers, body, parsed });
        response.writeHead(receiver.statuses.shift() ?? 200).end();
      });
    });
    return receiver;
  }

  of(reference: string): readonly ReceivedWebhook[] {
    return this.received.filter(({ parsed }) => parsed.data.reference === reference);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Throws what the library throws when the signature or the time is wrong. */
export const verify = ({ headers, body }: ReceivedWebhook): unknown =>
  new Webhook(WEBHOOK_SECRET).verify(body, headers as Record<string, string>);
