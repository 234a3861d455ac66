import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { Access, AcceptsForm, createServiceApp, httpConfigFields, Public, ServiceModule } from './index.js';

const bodySchema = z.strictObject({ amount: z.int().min(1).optional(), note: z.string().optional() });

@Controller('/things')
class ThingController {
  @Public()
  @AcceptsForm()
  @Post()
  echo(@Body({ schema: bodySchema }) body: z.infer<typeof bodySchema>): unknown {
    return { body };
  }

  @Access('payments:read')
  @Get('/:thingId')
  read(): unknown {
    return {};
  }
}

@Module({
  imports: [ServiceModule.forRoot({ name: 'gateway', configSchema: z.object(httpConfigFields), database: false })],
  controllers: [ThingController],
})
class ThingModule {}

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await createServiceApp({ name: 'gateway', module: ThingModule, environment: { LOG_LEVEL: 'info' } });
});
afterAll(async () => {
  await app.close();
});

describe('http', () => {
  it.each([
    ['POST', '/things', 'application/json', '{"amount":1}'],
    ['POST', '/things', undefined, undefined],
    ['POST', '/things', 'application/json', '{"amount":1,"amount":2}'],
    ['POST', '/things', 'application/json', '{"amount":'],
    ['POST', '/things', 'application/json', '{"amount":"x","foo":1,"bar":2}'],
    ['POST', '/things', 'application/x-www-form-urlencoded', 'note=a'],
    ['POST', '/things', 'text/plain', 'note=a'],
    ['GET', '/things/4', undefined, undefined],
    ['DELETE', '/things/4', undefined, undefined],
    ['GET', '/nothing', undefined, undefined],
    ['GET', '/%zz', undefined, undefined],
    ['GET', '/health/live', undefined, undefined],
    ['GET', '/health/ready', undefined, undefined],
    ['GET', '/openapi.json', undefined, undefined],
  ] as const)('%s %s %s %s', async (method, url, type, payload) => {
    const answer = await app.inject({
      method,
      url,
      ...(payload === undefined ? {} : { payload }),
      headers: { ...(type === undefined ? {} : { 'content-type': type }), 'x-request-id': 'abc' },
    });
    expect(answer.statusCode).toBeLessThan(600);
  });
});
