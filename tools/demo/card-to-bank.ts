import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Webhook } from 'standardwebhooks';

import { narrator } from './narrator.ts';
import { expectThat, inDatabase, type Platform, until } from './platform.ts';

const sale = (amount: number, number = '4242424242424242', more: object = {}): object => ({
  amount,
  currency: 'USD',
  capture: true,
  paymentMethod: { type: 'card', card: { number, expMonth: 12, expYear: 2034, cvc: '123' } },
  ...more,
});

const paid = async (platform: Platform, amount: number): Promise<any> => {
  const { body } = await platform.merchant('POST', '/payments/authorize', sale(amount));
  expectThat(body.status === 'CAPTURED', 'the sale should be captured', body);
  return body;
};

const paymentWith = async (platform: Platform, paymentId: string, holds: (payment: any) => boolean): Promise<any> =>
  await until(async () => {
    const { body } = await platform.merchant('GET', `/payments/${paymentId}`);
    return holds(body) ? body : undefined;
  }, 'the payment should come to it');

export const fraudReview = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    12,
    'The rules have doubts, and people decide',
    'No acquirer is asked before somebody has looked at the payment.',
  );
  const asked = await platform.merchant('POST', '/payments/authorize', sale(4200, '4000000000009235'));
  expectThat(asked.status === 202 && asked.body.status === 'IN_REVIEW', 'it should be under review', asked);
  const { paymentId } = asked.body;
  narrator.step('POST /payments/authorize with 4000 0000 0000 9235', { httpStatus: 202, status: asked.body.status });
  const review = await until(async () => {
    const { body } = await platform.admin('GET', `/fraud/reviews?paymentId=${paymentId}`);
    return body.data[0];
  }, 'it should be in the queue');
  narrator.step('GET /fraud/reviews: what the rules saw', { score: review.score, reasons: review.reasons });
  const approved = await platform.admin('POST', `/fraud/reviews/${review.reviewId}/approve`, {
    reason: 'A customer of many years.',
  });
  expectThat(approved.status === 200, 'the review should be approved', approved);
  const payment = await paymentWith(platform, paymentId, ({ status }) => status === 'CAPTURED');
  narrator.step('POST /fraud/reviews/{id}/approve: the payment goes on by itself', { status: payment.status });
  const blocked = await platform.merchant('POST', '/payments/authorize', sale(4200, '4100000000000019'));
  expectThat(blocked.body.status === 'FAILED', 'the card should be blocked', blocked);
  narrator.step('another card, 4100 0000 0000 0019, is blocked', { lastError: blocked.body.lastError });
};

/** A shop's receiver that refuses its first tries, as one that is being deployed does. */
const openReceiver = async (refusals: number) => {
  const received: { readonly id: string; readonly body: string; readonly headers: Record<string, string> }[] = [];
  let tries = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      tries += 1;
      if (tries <= refusals) {
        response.writeHead(503).end();
        return;
      }
      const headers = request.headers as Record<string, string>;
      received.push({ id: headers['webhook-id'] ?? '', body: Buffer.concat(parts).toString(), headers });
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/payflow`,
    received,
    tries: () => tries,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

export const webhookRecovers = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    13,
    'A webhook endpoint is down, and comes back',
    'Nothing is lost: it is tried again, under the same id and signed.',
  );
  const receiver = await openReceiver(1);
  const { body: endpoint } = await platform.merchant('POST', '/webhook-endpoints', {
    url: receiver.url,
    eventTypes: ['payment.captured'],
  });
  try {
    narrator.step('POST /webhook-endpoints', { id: endpoint.id, eventTypes: endpoint.eventTypes });
    const { paymentId } = await paid(platform, 2700);
    const delivery = await until(async () => {
      const { body } = await platform.merchant('GET', `/webhook-endpoints/${endpoint.id}/deliveries`);
      return body.data.find((one: any) => one.aggregateId === paymentId && one.triesMade > 0);
    }, 'the first try should be in the log');
    narrator.step('GET …/deliveries: the first try was refused', {
      tries: delivery.tries.map(({ statusCode, error }: any) => ({ statusCode, error })),
      nextTryAt: delivery.nextTryAt,
    });
    const told = await until(
      () => Promise.resolve(receiver.received.find(({ body }) => body.includes(paymentId))),
      'the webhook should arrive',
    );
    const event = new Webhook(endpoint.secret).verify(told.body, told.headers) as any;
    expectThat(told.id === delivery.eventId && event.data.paymentId === paymentId, 'it should be that event', told);
    narrator.step('the next one arrived; its signature verifies (Standard Webhooks)', {
      'webhook-id': told.id,
      type: event.type,
    });
  } finally {
    await platform.merchant('DELETE', `/webhook-endpoints/${endpoint.id}`);
    receiver.close();
  }
};

export const disputeLost = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    14,
    'A payer disputes a payment, and the merchant loses',
    'The acquirer takes the money back at once; evidence decides whether it returns.',
  );
  const { paymentId } = await paid(platform, 6500);
  await platform.atSimulator('POST', '/acquirers/sim/disputes', { paymentId, reason: 'product_not_received' });
  const dispute = await until(async () => {
    const { body } = await platform.merchant('GET', `/disputes?paymentId=${paymentId}`);
    return body.data[0];
  }, 'the dispute should arrive');
  narrator.step('GET /disputes', { disputeId: dispute.disputeId, status: dispute.status, reason: dispute.reason });
  await platform.merchant('POST', `/disputes/${dispute.disputeId}/evidence`, { uncategorizedText: 'losing_evidence' });
  const submitted = await platform.merchant('POST', `/disputes/${dispute.disputeId}/submit`, {});
  narrator.step('POST /disputes/{id}/evidence and /submit', { status: submitted.body.status });
  const lost = await until(async () => {
    const { body } = await platform.merchant('GET', `/disputes/${dispute.disputeId}`);
    return body.status === 'LOST' && body.ledgerEntries !== null ? body : undefined;
  }, 'the dispute should be lost');
  const payment = await paymentWith(platform, paymentId, ({ ledgerBalance }) => ledgerBalance === 0);
  narrator.step('the card scheme decides against it', {
    status: lost.status,
    ledgerBalance: payment.ledgerBalance,
    ledgerEntries: lost.ledgerEntries.map(({ type, amount }: any) => `${type} ${amount}`),
  });
};

export const settlementToBank = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    15,
    'From the card to a line on the merchant’s bank statement',
    'One batch, one payout, once, and every step can be followed both ways.',
  );
  const { merchantId } = platform.demo.merchant;
  await platform.admin('PUT', `/merchants/${merchantId}/payout-account`, {
    iban: 'GB57PAYF00000100000001',
    name: 'Demo merchant',
  });
  const { paymentId } = await paid(platform, 9900);
  // Refused, to be asked for again, as long as settlement has not heard of the sale.
  const { body: before } = await until(async () => {
    const balance = await platform.merchant('GET', '/balance');
    return balance.status === 200 ? balance : undefined;
  }, 'the balance should hold the sale');
  narrator.step('GET /balance behind a sale of 9900', before.data);
  const started = await until(async () => {
    const asked = await platform.admin('POST', '/settlements/run', { merchantId });
    return asked.status === 202 ? asked : undefined;
  }, 'the run should be asked for');
  const run = await until(async () => {
    const { body } = await platform.admin('GET', '/settlements/runs');
    return body.data.find((one: any) => one.runId === started.body.runId && one.phase === 'DONE');
  }, 'the run should end');
  narrator.step('POST /settlements/run', {
    lines: run.lineCount,
    settlements: run.settlementCount,
    payouts: run.payoutCount,
  });
  const settled = await paymentWith(platform, paymentId, ({ ledgerEntries }) =>
    ledgerEntries?.some(({ type }: any) => type === 'SETTLEMENT'),
  );
  const [{ settlementId }] = settled.settlements;
  const { body: settlement } = await platform.merchant('GET', `/settlements/${settlementId}`);
  narrator.step('GET /payments/{id}: settled', {
    settlementId,
    ledgerEntries: settled.ledgerEntries.map(({ type, amount }: any) => `${type} ${amount}`),
  });
  const payout = await until(async () => {
    const { body } = await platform.merchant('GET', `/payouts/${settlement.payoutId}`);
    return body.status === 'PAID' ? body : undefined;
  }, 'the payout should be paid');
  const book = await platform.atSimulator('GET', `/banks/sim/book?reference=${payout.payoutId}`);
  expectThat(book.body.data.length === 1, 'the bank should have paid it once', book);
  narrator.step('GET /payouts/{id}, and the bank’s own book', {
    payout: payout.status,
    amount: payout.amount,
    lines: book.body.data.length,
  });
  const { body: timeline } = await platform.merchant('GET', `/payments/${paymentId}/timeline`);
  narrator.step(
    'GET /payments/{id}/timeline',
    timeline.data.map(({ service, summary }: any) => `${service}: ${summary}`),
  );
};

/** One difference of each kind, on purpose. */
const SPOILED = {
  missing_here: 'unknown_line',
  missing_there: 'drop_line',
  amount: 'amount',
  currency: 'currency',
  fee: 'fee',
  duplicate: 'duplicate',
} as const;

export const reconciliation = async (platform: Platform): Promise<void> => {
  narrator.scenario(
    16,
    'The acquirer’s report is wrong in six ways',
    'Each line is compared with our books, and each difference is an item for people.',
  );
  const from = new Date().toISOString();
  const kinds = Object.entries(SPOILED);
  const references: string[] = [];
  const paymentIds: string[] = [];
  for (let index = 0; index < kinds.length; index += 1) {
    const { paymentId } = await paid(platform, 1000 + index);
    paymentIds.push(paymentId);
    const { body } = await platform.merchant('GET', `/payments/${paymentId}/attempts`);
    references.push(body.data.find(({ operation }: any) => operation === 'capture').attemptId);
  }
  const injected = await platform.atSimulator('POST', '/acquirers/sim/settlement-reports/errors', {
    errors: kinds.map(([, kind], index) =>
      kind === 'unknown_line' ? { kind } : { kind, reference: references[index] },
    ),
  });
  expectThat(injected.status === 200 || injected.status === 201, 'the errors should be waiting', injected);
  // What settlement has not heard of yet would be one more difference.
  await until(async () => {
    const lines = await inDatabase(platform, 'settlement', 'SELECT FROM expected_lines WHERE payment_id = ANY($1)', [
      paymentIds,
    ]);
    return lines.length >= paymentIds.length ? lines : undefined;
  }, 'settlement should expect these lines');
  const to = new Date().toISOString();
  const started = await platform.admin('POST', '/reconciliation/runs', {
    source: 'acquirer:sim',
    from,
    to,
    graceSeconds: 0,
  });
  const run = await until(async () => {
    const { body } = await platform.admin('GET', `/reconciliation/runs/${started.body.runId}`);
    return body.status === 'RUNNING' ? undefined : body;
  }, 'the run should end');
  narrator.step('POST /reconciliation/runs', {
    status: run.status,
    matched: run.linesMatched,
    opened: run.exceptionsOpened,
  });
  // Others may pay at the same moment: only what is about these payments, and the line that is about none.
  const ours: any[] = [];
  for (const about of [...paymentIds.map((paymentId) => `paymentId=${paymentId}`), 'kind=missing_here']) {
    const { body } = await platform.admin('GET', `/reconciliation/exceptions?runId=${run.runId}&${about}`);
    ours.push(...body.data);
  }
  const found = [...new Set(ours.map(({ kind }: any) => kind))].sort();
  expectThat(
    JSON.stringify(found) === JSON.stringify(Object.keys(SPOILED).sort()),
    'there should be one difference of each kind',
    ours,
  );
  narrator.step(
    'GET /reconciliation/exceptions',
    ours.map(({ kind, expected, actual, currency }: any) => `${kind}: ${expected} here, ${actual} there, ${currency}`),
  );
  for (const { exceptionId } of ours) {
    const resolved = await platform.admin('POST', `/reconciliation/exceptions/${exceptionId}/resolve`, {
      reason: 'The acquirer has sent a corrected report.',
    });
    expectThat(resolved.body.status === 'RESOLVED', 'it should be resolved', resolved);
  }
  narrator.step('POST …/exceptions/{id}/resolve', `${ours.length} resolved, each with a reason`);
};
