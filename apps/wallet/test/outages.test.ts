import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { WalletsUnderTest } from './wallets-under-test.js';

/** Between the wallets and the ledger: hands requests on, and keeps the answers to itself while it is told to. */
let link: Server;
let target = '';
let silent = false;
let port = 0;
let wallets: WalletsUnderTest;

const listen = async (): Promise<void> => {
  link.listen(port, '127.0.0.1');
  await once(link, 'listening');
  const address = link.address();
  if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
  ({ port } = address);
};

beforeAll(async () => {
  link = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void fetch(`${target}${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
        body: Buffer.concat(chunks),
      }).then(async (answer) => {
        const text = await answer.text();
        if (silent) return;
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(text);
      });
    });
  });
  await listen();
  wallets = await WalletsUnderTest.start({ environment: { LEDGER_URL: `http://127.0.0.1:${port}` } });
  target = wallets.ledgerUrl;
});
afterEach(() => {
  silent = false;
});
afterAll(async () => {
  await wallets.stop();
  link.closeAllConnections();
  link.close();
});

it('answers 202 when the ledger posted it and did not say so, and the timers find out without anybody', async () => {
  const [alice, bob] = await Promise.all([wallets.person(), wallets.person()]);
  const [from, to] = await Promise.all([wallets.wallet(alice, 1_000), wallets.wallet(bob)]);
  const key = newId('req');
  silent = true;
  const pending = await wallets.transfer(alice, from, to, 400, { key });
  expect([pending.status, pending.body['status'], pending.body['success']]).toEqual([202, 'PENDING', false]);
  silent = false;
  const id = String(pending.body['transactionId']);
  await eventually(
    async () => {
      expect((await wallets.get(`/transactions/${id}`, alice)).body).toMatchObject({ status: 'SUCCESS', debit: 400 });
    },
    { timeoutMs: 90_000, intervalMs: 250 },
  );
  expect((await wallets.transfer(alice, from, to, 400, { key })).body).toMatchObject({
    success: true,
    transactionId: id,
  });
  expect([await wallets.available(from), await wallets.available(to)]).toEqual([600, 400]);
}, 180_000);

it('answers 503 when the ledger is not there, moves nothing, and the key is free', async () => {
  const [alice, bob] = await Promise.all([wallets.person(), wallets.person()]);
  const [from, to] = await Promise.all([wallets.wallet(alice, 1_000), wallets.wallet(bob)]);
  const key = newId('req');
  link.closeAllConnections();
  link.close();
  await once(link, 'close');
  const refused = await wallets.transfer(alice, from, to, 400, { key });
  expect([refused.status, refused.body['code'], refused.headers['retry-after']]).toEqual([
    503,
    'dependency_unavailable',
    '2',
  ]);
  await listen();
  await eventually(async () => {
    expect((await wallets.transfer(alice, from, to, 400, { key })).status).toBe(200);
  });
  expect([await wallets.available(from), await wallets.available(to)]).toEqual([600, 400]);
  const rows = await wallets.database.query<{ status: string; reason: string | null }>(
    'SELECT DISTINCT status, reason FROM wallet_transactions WHERE from_wallet_id = $1 ORDER BY status',
    [from],
  );
  expect(rows).toEqual([
    { status: 'FAILED', reason: 'ledger_unavailable' },
    { status: 'SUCCESS', reason: null },
  ]);
});
