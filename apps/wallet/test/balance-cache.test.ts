import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

import { eventually, freePort } from '@payflow/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';

import { WalletsUnderTest } from './wallets-under-test.js';

const present = spawnSync('redis-server', ['--version']).status === 0;
if (!present)
  process.stdout.write('skipped: no redis-server on this machine; the tests of the balance cache need one\n');

(present ? describe : describe.skip)('Displayed balances with Redis', () => {
  let wallets: WalletsUnderTest;
  let server: ChildProcess;
  let redis: Redis;

  beforeAll(async () => {
    const port = await freePort();
    server = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      {
        stdio: 'ignore',
      },
    );
    redis = new Redis(port, '127.0.0.1');
    redis.on('error', () => undefined);
    await eventually(async () => {
      expect(await redis.ping()).toBe('PONG');
    });
    wallets = await WalletsUnderTest.start({ environment: { REDIS_URL: `redis://127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    redis.disconnect();
    server.kill('SIGKILL');
    await wallets.stop();
  });

  it('are kept, never stale, and the same when Redis is flushed, holds nonsense or dies', async () => {
    const [alice, bob] = await Promise.all([wallets.person(), wallets.person()]);
    const [from, to] = await Promise.all([wallets.wallet(alice, 1_000), wallets.wallet(bob)]);
    const shown = async (): Promise<unknown> => (await wallets.get(`/wallets/${from}/balance`, alice)).body['total'];
    expect(await shown()).toBe(1_000);
    await eventually(async () => {
      expect(await redis.keys(`payflow:wallet-balance:${from}:*`)).toHaveLength(1);
    });
    expect(await shown()).toBe(1_000);
    expect((await wallets.transfer(alice, from, to, 100)).status).toBe(200);
    expect(await shown()).toBe(900);
    await redis.flushall();
    expect(await shown()).toBe(900);
    for (const key of await redis.keys('*')) await redis.set(key, '{"available":"lots"}');
    expect(await shown()).toBe(900);
    server.kill('SIGKILL');
    await once(server, 'exit');
    expect(await shown()).toBe(900);
    expect((await wallets.transfer(alice, from, to, 100)).status).toBe(200);
    expect(await shown()).toBe(800);
  });
});

describe('Displayed balances with an address where no Redis is', () => {
  it('are those of the ledger', async () => {
    const wallets = await WalletsUnderTest.start({
      environment: { REDIS_URL: `redis://127.0.0.1:${await freePort()}` },
    });
    try {
      const alice = await wallets.person();
      const from = await wallets.wallet(alice, 1_000);
      expect((await wallets.get(`/wallets/${from}/balance`, alice)).body['total']).toBe(1_000);
      expect((await wallets.get(`/wallets/${from}`, alice)).body['balance']).toBe('10.00');
    } finally {
      await wallets.stop();
    }
  });
});
