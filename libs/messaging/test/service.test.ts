import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Envelope, type Principal, ROLES, type Scope } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { baseConfigFields, createServiceApp, currentContext, runInContext, ServiceModule } from '@payflow/service';
import {
  createTestDatabase,
  eventually,
  servicePrincipal,
  type TestDatabase,
  testKafka,
  TokenMint,
} from '@payflow/testing';
import { z } from 'zod';

import {
  type Delivery,
  EventCatchUp,
  Messaging,
  messagingConfigFields,
  MessagingModule,
  Outbox,
  Subscription,
} from '../src/index.js';
import { FAST, MessagingTest1763700000000, newAggregate, outgoing, sendRaw, wireEvent } from './support.js';

/** Two services as they really are: one owns tokens, the other follows them. */
const NO_BROKER = '127.0.0.1:1';
const CONSUMER = 'test.follower';
const prefix = `s${String(process.pid)}-${String(Date.now())}.`;
const configSchema = z.object({ ...baseConfigFields, ...messagingConfigFields });

const owner: { url: string; token: () => Promise<string> } = { url: '', token: () => Promise.resolve('') };
const broken = new Set<string>();
const contexts = new Map<string, ReturnType<typeof currentContext>>();

@Controller()
class FollowerController {
  constructor(private readonly outbox: Outbox) {}

  @Subscription({ consumer: CONSUMER, kind: 'token', ordered: true })
  async follow(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    for (const { envelope } of deliveries) {
      if (broken.has(envelope.aggregateId)) throw new Error('the follower is broken');
      contexts.set(envelope.eventId, currentContext());
      await tx.execute('INSERT INTO effects (consumer, event_id, aggregate_id, sequence) VALUES ($1, $2, $3, $4)', [
        CONSUMER,
        envelope.eventId,
        envelope.aggregateId,
        envelope.sequence,
      ]);
      if (envelope.correlationId === 'answer' && !envelope.aggregateId.startsWith('re-'))
        await this.outbox.publish(tx, [outgoing(`re-${envelope.aggregateId}`)]);
    }
  }
}

const ownAccess = { ownerUrls: {}, serviceToken: () => Promise.reject(new Error('asks nobody')) };

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'tokenization', configSchema, database: true }),
    MessagingModule.forRoot({ service: 'tokenization', settings: FAST ?? {}, ...ownAccess }),
  ],
})
class OwnerModule {}

@Module({
  imports: [
    ServiceModule.forRoot({ name: 'payment', configSchema, database: true }),
    MessagingModule.forRootAsync({
      service: 'payment',
      settings: FAST ?? {},
      inject: [Database],
      useFactory: () => ({ ownerUrls: { token: owner.url }, serviceToken: owner.token }),
    }),
  ],
  controllers: [FollowerController],
})
class FollowerModule {}

let mint: TokenMint;
const databases: TestDatabase[] = [];
const apps: NestFastifyApplication[] = [];

const startApp = async (
  name: 'tokenization' | 'payment',
  module: Type,
  brokers: string,
): Promise<NestFastifyApplication> => {
  const database = await createTestDatabase({ service: name, migrations: [MessagingTest1763700000000] });
  databases.push(database);
  const app = await createServiceApp({
    name,
    module,
    environment: {
      DATABASE_URL: database.runtimeUrl,
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC_PREFIX: prefix,
      AUTH_URL: mint.url,
      SERVICE_CLIENT_SECRET: 'a secret of the tests',
      LOG_LEVEL: 'silent',
    },
  });
  apps.push(app);
  return app;
};

let tokens: NestFastifyApplication;

beforeAll(async () => {
  mint = await TokenMint.open();
  // The owner never reaches a broker: whatever followers learn, they learn as the tests decide.
  tokens = await startApp('tokenization', OwnerModule, NO_BROKER);
  await tokens.listen({ port: 0, host: '127.0.0.1' });
  owner.url = `http://127.0.0.1:${String((tokens.getHttpServer().address() as AddressInfo).port)}`;
  owner.token = () => mint.token(servicePrincipal('payment'));
}, 60_000);

afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await mint.close();
  await Promise.all(databases.map((database) => database.drop()));
}, 60_000);

const publish = async (aggregateId: string, count: number, context = {}): Promise<void> => {
  for (let number = 0; number < count; number += 1)
    await runInContext(context, () =>
      tokens.get(Database).transaction((tx) => tokens.get(Outbox).publish(tx, [outgoing(aggregateId)])),
    );
};

const applied = async (app: NestFastifyApplication, aggregateId: string): Promise<readonly number[]> =>
  (
    await app
      .get(Database)
      .query<{ sequence: number }>('SELECT sequence FROM effects WHERE aggregate_id = $1 ORDER BY position', [
        aggregateId,
      ])
  ).map(({ sequence }) => sequence);

const operator = (...scopes: readonly Scope[]): Principal => ({
  id: 'usr_operator',
  kind: 'user',
  roles: ['admin'],
  scopes,
});

describe('the event API of an owner', () => {
  const get = async (path: string, token?: string) =>
    await tokens.inject({
      url: path,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });

  it('answers services only', async () => {
    expect((await get('/internal/events/tok_1')).statusCode).toBe(401);
    const merchantToken = await mint.token({
      id: 'cli_x',
      kind: 'client',
      roles: ['merchant'],
      scopes: [...ROLES.merchant],
    });
    expect((await get('/internal/events/tok_1', merchantToken)).statusCode).toBe(403);
  });

  it('tells what comes after a sequence, in order, sent to Kafka or not', async () => {
    const aggregateId = newAggregate();
    await publish(aggregateId, 3);
    const response = await get(`/internal/events/${aggregateId}?after=1`, await owner.token());
    expect(response.statusCode).toBe(200);
    const { data } = response.json<{ data: { topic: string; envelope: string }[] }>();
    expect(data.map(({ topic, envelope }) => [topic, (JSON.parse(envelope) as Envelope).sequence])).toEqual([
      ['token.created', 2],
      ['token.created', 3],
    ]);
  });
});

describe('a follower without a broker', () => {
  it('serves, and reads its own writes by asking the owner', async () => {
    const follower = await startApp('payment', FollowerModule, NO_BROKER);
    expect((await follower.inject({ url: '/health/ready' })).statusCode).toBe(200);
    const aggregateId = newAggregate();
    await publish(aggregateId, 3);
    expect(await follower.get(EventCatchUp).catchUp(CONSUMER, 'token', aggregateId, 3, 5_000)).toBe(3);
    expect(await applied(follower, aggregateId)).toEqual([1, 2, 3]);
    expect(await follower.get(EventCatchUp).catchUp(CONSUMER, 'token', aggregateId, 3, 5_000)).toBe(3);
    expect(await applied(follower, aggregateId)).toEqual([1, 2, 3]);
  }, 90_000);

  it('says how far it came when the owner does not have the event either', async () => {
    const follower = apps[1];
    if (follower === undefined) throw new Error('no follower');
    const aggregateId = newAggregate();
    await publish(aggregateId, 1);
    expect(await follower.get(EventCatchUp).catchUp(CONSUMER, 'token', aggregateId, 9, 600)).toBe(1);
  }, 90_000);
});

describe('a follower with a broker', () => {
  let follower: NestFastifyApplication;

  beforeAll(async () => {
    follower = await startApp('payment', FollowerModule, testKafka().brokerList);
    await follower.get(Messaging).cluster.ensureTopics();
  }, 180_000);

  it('fetches what Kafka did not bring for too long', async () => {
    const aggregateId = newAggregate();
    await publish(aggregateId, 3);
    const rows = await tokens
      .get(Database)
      .query<{ envelope: string }>('SELECT envelope FROM outbox WHERE aggregate_id = $1 ORDER BY sequence', [
        aggregateId,
      ]);
    const third = rows[2]?.envelope ?? '';
    await sendRaw(follower.get(Messaging), 'token.created', aggregateId, third);
    await eventually(async () => {
      expect(await applied(follower, aggregateId)).toEqual([1, 2, 3]);
    });
  }, 90_000);

  it('handles an event in the context of its cause, and passes it on', async () => {
    const aggregateId = newAggregate();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await publish(aggregateId, 1, { requestId: 'req_1', correlationId: 'answer', traceparent });
    await follower.get(EventCatchUp).catchUp(CONSUMER, 'token', aggregateId, 1, 5_000);
    const [event] = await follower
      .get(Database)
      .query<{ event_id: string }>('SELECT event_id FROM effects WHERE aggregate_id = $1', [aggregateId]);
    const eventId = event?.event_id ?? '';
    expect(contexts.get(eventId)).toMatchObject({
      eventId,
      correlationId: 'answer',
      causationId: 'req_1',
      traceparent,
    });
    const [answer] = await follower
      .get(Database)
      .query<{ envelope: string; headers: Record<string, string> }>(
        'SELECT envelope, headers FROM outbox WHERE aggregate_id = $1',
        [`re-${aggregateId}`],
      );
    expect(JSON.parse(answer?.envelope ?? '')).toMatchObject({ correlationId: 'answer', causationId: eventId });
    expect(answer?.headers).toMatchObject({
      ce_specversion: '1.0',
      ce_type: 'token.created.v1',
      ce_source: '/payflow/payment',
      ce_subject: `re-${aggregateId}`,
      'content-type': 'application/json',
      'causation-id': eventId,
      traceparent,
    });
  }, 90_000);

  it('lets operators list, try, replay and discard its dead letters, by their scopes', async () => {
    const aggregateId = newAggregate();
    broken.add(aggregateId);
    const event = wireEvent(aggregateId, 1);
    await sendRaw(follower.get(Messaging), event.topic, event.key, JSON.stringify(event.envelope));
    const call = async (method: 'GET' | 'POST', path: string, scopes: readonly Scope[], body?: object, key?: string) =>
      await follower.inject({
        method,
        url: `/operations/dead-letters${path}`,
        headers: {
          authorization: `Bearer ${await mint.token(operator(...scopes))}`,
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { payload: body }),
      });
    const letter = await eventually(async () => {
      const response = await call('GET', '?status=open', ['operations:read']);
      expect(response.statusCode).toBe(200);
      const { data, nextCursor } = response.json<{ data: { deadLetterId: string }[]; nextCursor: string | null }>();
      expect(data).toMatchObject([
        { service: 'payment', consumer: CONSUMER, aggregateId, attempts: 5, status: 'open' },
      ]);
      expect(nextCursor).toBeNull();
      return `/${data[0]?.deadLetterId ?? ''}`;
    });
    expect((await call('GET', letter, ['operations:read'])).json()).toMatchObject({
      body: JSON.stringify(event.envelope),
    });
    expect((await call('POST', `${letter}/replay`, ['operations:read'])).statusCode).toBe(403);
    expect((await call('POST', `${letter}/dry-run`, ['operations:write'])).json()).toEqual({
      wouldSucceed: false,
      reason: 'the handler failed: the follower is broken',
    });
    const groups = await call('GET', '/groups', ['operations:read']);
    expect(groups.json()).toMatchObject({
      data: [{ service: 'payment', consumer: CONSUMER, topic: event.topic, count: 1 }],
      truncated: false,
    });
    broken.clear();
    expect((await call('POST', '/replay', ['operations:write'], { reason: 'none chosen' })).statusCode).toBe(400);
    expect((await call('POST', '/replay', ['operations:read'], {})).statusCode).toBe(403);
    const { group } = groups.json<{ data: { group: string }[] }>().data[0] ?? { group: '' };
    const wanted = { group, reason: 'the follower is whole again' };
    const job = await call('POST', '/replay', ['operations:write'], wanted, 'once');
    expect(job.statusCode).toBe(202);
    const again = await call('POST', '/replay', ['operations:write'], wanted, 'once');
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.json()).toEqual(job.json());
    const { jobId } = job.json<{ jobId: string }>();
    await eventually(async () => {
      expect((await call('GET', `/jobs/${jobId}`, ['operations:read'])).json()).toMatchObject({
        status: 'done',
        total: 1,
        handled: 1,
      });
    });
    await eventually(async () => {
      expect((await call('GET', letter, ['operations:read'])).json()).toMatchObject({ status: 'replayed' });
    });
    expect(await applied(follower, aggregateId)).toEqual([1]);
    const discard = await call('POST', `${letter}/discard`, ['operations:write'], { reason: 'too late' });
    expect(discard.json()).toMatchObject({ code: 'dead_letter_settled', status: 409 });
    expect((await call('POST', `${letter}/discard`, ['operations:write'], {})).statusCode).toBe(400);
    expect((await call('GET', '/dl_nothing', ['operations:read'])).statusCode).toBe(404);
    expect((await call('GET', '/jobs/dlj_nothing', ['operations:read'])).statusCode).toBe(404);
    expect((await call('GET', `/actions?jobId=${jobId}`, ['operations:read'])).json()).toMatchObject({
      data: [{ action: 'replay', jobId, reason: wanted.reason, principalId: operator().id }],
    });
  }, 90_000);

  it('republishes its outbox for an operator', async () => {
    const response = await follower.inject({
      method: 'POST',
      url: '/internal/outbox/republish',
      headers: { authorization: `Bearer ${await mint.token(operator('operations:write'))}` },
    });
    expect(response.statusCode).toBe(201);
    expect(response.json<{ messages: number }>().messages).toBeGreaterThan(0);
  });
});
