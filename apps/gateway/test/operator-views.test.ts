import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { userPrincipal } from '@payflow/testing';

import { type LoopbackService, type RunningGateway, startGateway } from './running-gateway.js';

/** What operators see over all services, also when one is down. Auth is the mint here, which has no dead letters: missing. */
let gateway: RunningGateway;
let operator: string;

const AT = '2026-11-21T10:00:00.000Z';
const group = (service: string, count: number) => ({
  group: '0123456789ab',
  service,
  consumer: `${service}.consumer`,
  topic: 'payment.created',
  reason: 'the handler failed',
  errorLine: 'Error at x',
  count,
  firstFailedAt: AT,
  lastFailedAt: AT,
  newestDeadLetterId: newId('dl'),
});

const PAGES: Readonly<Record<string, unknown>> = {
  '/operations/dead-letters/groups': { data: [], truncated: false },
  '/operations/dead-letters/parked': { data: [] },
};

/** A service that answers these paths, and an empty page to every other list. */
const holds = (service: LoopbackService, pages: Readonly<Record<string, unknown>> = {}): void => {
  service.answer = ({ url }, response) => {
    const [path = ''] = url.split('?');
    const page = pages[path] ?? PAGES[path] ?? { data: [], nextCursor: null };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
  };
};

beforeAll(async () => {
  gateway = await startGateway();
  operator = await gateway.authorization(userPrincipal(newId('usr'), 'admin'));
});
afterAll(async () => {
  await gateway.stop();
});

const services = (): readonly LoopbackService[] => {
  const { payment, tokenization, ledger, wallet, fraud, notification, settlement } = gateway;
  return [payment, tokenization, ledger, wallet, fraud, notification, settlement];
};
beforeAll(() => {
  for (const service of services()) holds(service);
});
afterEach(() => {
  for (const service of services()) holds(service);
});

const get = async (path: string, authorization = operator) => {
  const response = await fetch(gateway.url + path, { headers: { authorization } });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
};

describe('GET /operations/dead-letters', () => {
  it('has the groups of all services, in the name of the caller, the most frequent first', async () => {
    holds(gateway.ledger, { '/operations/dead-letters/groups': { data: [group('ledger', 3)], truncated: false } });
    holds(gateway.wallet, { '/operations/dead-letters/groups': { data: [group('wallet', 7)], truncated: false } });
    const { status, body, headers } = await get('/operations/dead-letters');
    expect(status).toBe(200);
    expect(body['data']).toMatchObject([
      { service: 'wallet', count: 7 },
      { service: 'ledger', count: 3 },
    ]);
    expect(gateway.ledger.last.headers.authorization).toBe(operator);
    expect(gateway.ledger.last.url).toBe('/operations/dead-letters/groups?status=open');
    expect(headers.get('ratelimit')).not.toBeNull();
  });

  it('names a service that is down, and shows the rest', async () => {
    holds(gateway.ledger, { '/operations/dead-letters/groups': { data: [group('ledger', 3)], truncated: false } });
    await gateway.wallet.close();
    try {
      const { status, body } = await get('/operations/dead-letters');
      expect(status).toBe(200);
      expect(body).toMatchObject({ complete: false, missing: ['auth', 'wallet'], data: [{ service: 'ledger' }] });
    } finally {
      await gateway.wallet.listen();
    }
  });

  it('is for operators', async () => {
    const merchant = await gateway.merchant();
    for (const path of ['/operations/dead-letters', '/operations/stuck']) {
      expect((await get(path, merchant)).status).toBe(403);
      expect((await fetch(gateway.url + path)).status).toBe(401);
    }
  });

  it('stands in the description of the API', async () => {
    const { body } = await get('/openapi.json');
    expect(Object.keys(body['paths'] as object)).toEqual(
      expect.arrayContaining(['/operations/dead-letters', '/operations/stuck']),
    );
  });
});

describe('GET /operations/stuck', () => {
  it('has what waits for people in all services, what has waited longest first, each with where to go on', async () => {
    const [paymentId, payoutId] = [newId('pay'), newId('po')];
    const exception = {
      exceptionId: 'pex_1',
      paymentId,
      merchantId: 'mer_1',
      operationId: 'att_1',
      kind: 'stuck',
      detail: {},
      createdAt: '2026-11-21T12:00:00.000Z',
      resolvedAt: null,
      resolvedBy: null,
      resolution: null,
    };
    const ofNoPayment = {
      ...exception,
      exceptionId: 'pex_2',
      paymentId: null,
      merchantId: null,
      operationId: 'sim:feed:7',
      kind: 'unrecorded_dispute',
      createdAt: '2026-11-21T12:01:00.000Z',
    };
    holds(gateway.payment, { '/payment-exceptions': { data: [ofNoPayment, exception], nextCursor: null } });
    holds(gateway.ledger, {
      '/operations/dead-letters/parked': {
        data: [
          { consumer: 'ledger.journal', retrying: 2, waiting: 5, oldestAt: AT },
          { consumer: 'ledger.fresh', retrying: 1, waiting: 0, oldestAt: new Date().toISOString() },
        ],
      },
    });
    const payout = {
      payoutId,
      merchantId: 'mer_1',
      amount: 500,
      currency: 'USD',
      status: 'PENDING',
      reason: 'payout_account_missing',
      attention: null,
      bank: 'sim',
      bankAccount: null,
      bankReference: null,
      settlementIds: [],
      createdAt: '2026-11-21T11:00:00.000Z',
      sentAt: null,
      paidAt: null,
      endedAt: null,
    };
    holds(gateway.settlement, {
      '/payouts': { data: [payout, { ...payout, payoutId: newId('po'), reason: null }], nextCursor: 'more' },
    });
    const { body } = await get('/operations/stuck');
    expect(body['data']).toMatchObject([
      { kind: 'parked_messages', service: 'ledger', id: 'ledger.journal' },
      { kind: 'payout', service: 'settlement', id: payoutId, links: { payout: `/payouts/${payoutId}` } },
      {
        kind: 'payment_exception',
        id: 'pex_1',
        links: { timeline: `/payments/${paymentId}/timeline`, resolve: '/payment-exceptions/pex_1/resolve' },
      },
      {
        kind: 'payment_exception',
        id: 'pex_2',
        summary: 'unrecorded_dispute: sim:feed:7',
        links: { resolve: '/payment-exceptions/pex_2/resolve' },
      },
    ]);
    expect(body).toMatchObject({ complete: false, missing: ['auth'], truncated: ['payout'], withheld: [] });
  });

  it('tells apart what the caller may not see, what is missing, and an answer that nobody understands', async () => {
    gateway.ledger.answer = ({ url }, response) => {
      const refused = url.startsWith('/ledger/approvals');
      const problem = {
        type: 'about:blank',
        title: 'no',
        status: 403,
        code: 'insufficient_scope',
        requestId: 'r',
        docUrl: 'http://d',
      };
      const body = refused ? problem : (PAGES[url.split('?')[0] ?? ''] ?? {});
      response.writeHead(refused ? 403 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    gateway.fraud.answers(200, { nonsense: true });
    const { status, body } = await get('/operations/stuck');
    expect(status).toBe(200);
    expect(body).toMatchObject({ complete: false, missing: ['fraud', 'auth'], withheld: ['ledger_approval'] });
  });
});
