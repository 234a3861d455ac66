import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newId } from '@payflow/kernel';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

import { startDetached } from '../tools/stack/detach.js';
import { SERVICES } from '../tools/stack/services.js';
import { eraseStack, scratchStackBeside } from '../tools/test/runs.js';
import { authorize, call, demo, eventually, newKey, newMerchant, stackHome, type TestMerchant } from './stack.js';

const run = promisify(execFile);
const AUDIT = join(import.meta.dirname, '..', 'tools', 'audit.mjs');
const START_MS = 300_000;
const CARD = '4000056655665556';
/** How long consumers may lag behind the traffic; where they do not, nobody waits for it. */
const PATIENT_GRACE = ['--grace-seconds', '120'] as const;
/** Each test starts a program; on a machine that is busy with other things that takes its time. */
jest.setTimeout(600_000);

/** What `npm run audit -- --json` prints, as far as these tests look at it. */
interface Verdict {
  readonly number: number;
  readonly holds: boolean;
  readonly error?: string;
  readonly compared: Readonly<Record<string, number>>;
  readonly findings: readonly { readonly problem: string; readonly ids: Readonly<Record<string, string>> }[];
}

/** The stack that these tests break is their own: the others go on with theirs. */
const scratch = scratchStackBeside(stackHome());

const audit = async (
  ...args: readonly string[]
): Promise<{ readonly text: string; readonly verdicts: readonly Verdict[] }> => {
  const options = {
    env: { ...process.env, NODE_OPTIONS: '', PAYFLOW_HOME: scratch.home },
    maxBuffer: 16 * 1024 * 1024,
  };
  const { stdout } = await run(process.execPath, [AUDIT, '--json', ...args], options).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  return { text: stdout, verdicts: (JSON.parse(stdout) as { verdicts: readonly Verdict[] }).verdicts };
};

/** The audit of one invariant, expected to find these ids. */
const expectFound = async (number: number, ids: readonly string[], ...args: readonly string[]): Promise<string> => {
  const { text, verdicts } = await audit('--invariant', String(number), '--grace-seconds', '1', ...args);
  expect(verdicts).toMatchObject([{ number, holds: false }]);
  expect(verdicts[0]?.error).toBeUndefined();
  const found = verdicts[0]?.findings.flatMap((finding) => Object.values(finding.ids));
  expect(found).toEqual(expect.arrayContaining([...ids]));
  return text;
};

/** As the superuser, with every trigger off: what no service and no operator's role could do. */
const inDatabase = async (service: string, statement: string, parameters: readonly unknown[] = []): Promise<any[]> => {
  const url = new URL(demo().postgres);
  url.pathname = `/payflow_${service.replaceAll('-', '_')}`;
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  try {
    await client.query('SET session_replication_role = replica');
    return (await client.query(statement, [...parameters])).rows;
  } finally {
    await client.end();
  }
};

/** Tables whose triggers hold even for a superuser in replica mode. */
const withoutTriggers = async (tables: readonly string[], work: () => Promise<void>): Promise<void> => {
  for (const table of tables) await inDatabase('ledger', `ALTER TABLE ${table} DISABLE TRIGGER USER`);
  try {
    await work();
  } finally {
    for (const table of tables) await inDatabase('ledger', `ALTER TABLE ${table} ENABLE TRIGGER USER`);
  }
};

/** Nobody relays the outbox and no timer is taken up while the payment service is held. */
const whilePaymentIsHeld = async (work: () => Promise<void>): Promise<void> => {
  const pid = demo().pids['payment'];
  if (pid === undefined) throw new Error('no pid of payment');
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
    await eventually(async () => {
      expect((await call('GET', '/payments?limit=1', { token: merchant.token })).status).toBe(200);
    });
  }
};

let merchant: TestMerchant;

const authorized = async (): Promise<string> => {
  const answer = await authorize(merchant);
  expect(answer.body).toMatchObject({ status: 'AUTHORIZED' });
  return answer.body.paymentId as string;
};

const sold = async (key = newKey()): Promise<string> => {
  const answer = await authorize(merchant, { capture: true }, key);
  expect(answer.body).toMatchObject({ status: 'CAPTURED' });
  return answer.body.paymentId as string;
};

/** Sold, and everything that follows from it has arrived. */
const settled = async (key = newKey()): Promise<string> => {
  const paymentId = await sold(key);
  await eventually(async () => {
    expect(await inDatabase('ledger', `SELECT FROM transactions WHERE payment_id = $1`, [paymentId])).toHaveLength(2);
  });
  return paymentId;
};

interface JournalLine {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly body: unknown;
}

/** A client that authorizes, captures, refunds and cancels until it is told to stop, and notes what it heard. */
const client = async (isOver: () => boolean, journal: JournalLine[]): Promise<void> => {
  const post = async (path: string, body: object): Promise<any> => {
    const key = newKey();
    const answer = await call<any>('POST', path, { token: merchant.token, key, body });
    journal.push({ key, method: 'POST', path, status: answer.status, body: answer.body });
    return answer.body;
  };
  for (let round = 0; !isOver(); round += 1) {
    const card = { number: CARD, expMonth: 12, expYear: 2034, cvc: '123' };
    const order = { amount: 1000 + round, currency: 'USD', paymentMethod: { type: 'card', card } };
    const { paymentId } = await post('/payments/authorize', order);
    if (round % 3 === 0) await post(`/payments/${paymentId}/cancel`, {});
    else await post(`/payments/${paymentId}/capture`, { amount: 400, final: round % 3 === 1 });
    if (round % 3 === 1) await post(`/payments/${paymentId}/refund`, { amount: 150 });
  }
};

beforeAll(async () => {
  await eraseStack(scratch);
  mkdirSync(scratch.home, { recursive: true });
  const anyPorts = Object.fromEntries(SERVICES.map(({ portVariable }) => [portVariable, '0']));
  const own = { NODE_OPTIONS: '', DATABASE_URL: '', KAFKA_BROKERS: '', PAYFLOW_HOME: scratch.home };
  await startDetached(scratch, { ...process.env, ...anyPorts, ...own }, () => undefined);
  // Of this test file alone: Jest gives each its own environment.
  process.env['PAYFLOW_E2E_HOME'] = scratch.home;
  merchant = await newMerchant();
}, START_MS);

afterAll(async () => {
  await eraseStack(scratch);
}, START_MS);

describe('npm run audit', () => {
  const journal: JournalLine[] = [];
  const file = join(scratch.home, 'journal.jsonl');

  it('finds every invariant to hold while payments are made, and has looked at them', async () => {
    let over = false;
    const traffic = Promise.all(Array.from({ length: 3 }, () => client(() => over, journal)));
    // Enough for each invariant to have something to look at, also where it follows the payments later: in the ledger,
    // which takes events, and in its tree, which takes transactions.
    await eventually(async () => {
      expect(journal.length).toBeGreaterThan(100);
      const [signed] = await inDatabase('ledger', 'SELECT max(size)::int AS size FROM ledger_checkpoints');
      expect(signed.size).toBeGreaterThan(20);
    });
    const { verdicts } = await audit(...PATIENT_GRACE).finally(() => {
      over = true;
    });
    await traffic;
    expect(verdicts.filter(({ holds }) => !holds)).toEqual([]);
    expect(verdicts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    // Nobody waits, and nobody here has a wallet: what 12 finds is tested on books of its own (tools/audit/wallets.test.ts).
    for (const { number, compared } of verdicts.filter((verdict) => verdict.number < 11))
      expect({ number, most: Math.max(...Object.values(compared)) > 20 }).toEqual({ number, most: true });
  });

  it('finds what a client was told to be true', async () => {
    writeFileSync(file, journal.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { verdicts } = await audit('--invariant', '5', '--journal', file, ...PATIENT_GRACE);
    expect(verdicts).toMatchObject([{ holds: true, compared: { 'answers of the journal': journal.length } }]);
  });

  // The first of these: what the others break may stop the tree before it has come to a later payment.
  it('9: names a transaction that was changed after it was signed, though all its sums are right', async () => {
    const paymentId = await settled();
    const [sale] = await inDatabase(
      'ledger',
      `SELECT id, position FROM transactions WHERE payment_id = $1 AND type = 'CAPTURE'`,
      [paymentId],
    );
    await eventually(async () => {
      const covering = await inDatabase('ledger', 'SELECT FROM ledger_checkpoints WHERE size >= $1 LIMIT 1', [
        sale.position,
      ]);
      expect(covering).toHaveLength(1);
    });
    await withoutTriggers(['transactions'], async () => {
      await inDatabase('ledger', `UPDATE transactions SET correlation_id = 'another' WHERE id = $1`, [sale.id]);
    });
    await expectFound(9, [sale.id]);
  });

  it('1: names the first entry that somebody changed, its transaction, and an account with a wrong balance', async () => {
    const paymentId = await settled();
    const [entry] = await inDatabase(
      'ledger',
      `SELECT e.id, t.id AS transaction_id, e.position, e.line, a.id AS account FROM entries e
         JOIN transactions t USING (position) JOIN accounts a ON a.seq = e.account
        WHERE t.payment_id = $1 AND t.type = 'CAPTURE' AND e.line = 1`,
      [paymentId],
    );
    await withoutTriggers(['entries'], async () => {
      await inDatabase('ledger', 'UPDATE entries SET amount = amount + 1 WHERE id = $1', [entry.id]);
    });
    await expectFound(1, [entry.id, entry.transaction_id, entry.account]);
  });

  it('2: names a payment whose entries are missing, and a transaction that no event implies', async () => {
    const [missing, doubled] = [await settled(), await settled()];
    const extra = newId('ltx');
    await withoutTriggers(['entries', 'transactions'], async () => {
      await inDatabase(
        'ledger',
        `WITH gone AS (DELETE FROM transactions WHERE payment_id = $1 AND type = 'CAPTURE' RETURNING position)
         DELETE FROM entries WHERE position IN (SELECT position FROM gone)`,
        [missing],
      );
      await inDatabase(
        'ledger',
        `INSERT INTO transactions (position, id, reference, content_hash, type, effective_at, recorded_at, payment_id)
         SELECT (SELECT max(position) + 1000 FROM transactions), $2, reference || ':again', content_hash, type,
                effective_at, recorded_at, payment_id
           FROM transactions WHERE payment_id = $1 AND type = 'CAPTURE'`,
        [doubled, extra],
      );
    });
    await expectFound(2, [missing, extra]);
  });

  it('3: names a state that took more than was held, a row that gave back more, and a hold that nobody has', async () => {
    const [state, row, hold] = [await settled(), await settled(), await authorized()];
    await inDatabase(
      'payment',
      `UPDATE payment_events SET data = jsonb_set(data, '{amountMinor}', '5000')
        WHERE payment_id = $1 AND type = 'CaptureRequested'`,
      [state],
    );
    await inDatabase('payment', 'ALTER TABLE payments DROP CONSTRAINT refunded_within_captured');
    await inDatabase('payment', 'UPDATE payments SET refunded_minor = captured_minor + 1 WHERE id = $1', [row]);
    await withoutTriggers(['entries'], async () => {
      await inDatabase('ledger', `DELETE FROM entries WHERE payment_id = $1 AND entry_type = 'AUTH'`, [hold]);
    });
    await expectFound(3, [state, row, hold]);
  });

  it('4: names a payment that is held twice, a capture that nobody ordered, and a reference that was posted twice', async () => {
    const [twice, captured] = [await authorized(), await settled()];
    const [attempt, capture] = [newId('att'), newId('cap')];
    await inDatabase(
      'acquirer-sim',
      `WITH copy AS (
         INSERT INTO operations (acquirer, reference, operation, authorization_id, payment_id, merchant_id, amount_minor,
                                 currency, created_at)
         SELECT 'sim2', $2, operation, 'sim2_planted', payment_id, merchant_id, amount_minor, currency, created_at
           FROM operations WHERE payment_id = $1 AND operation = 'authorize' RETURNING *),
       said AS (
         INSERT INTO operation_results (acquirer, reference, sequence, outcome, amount_minor, technical, message, created_at)
         SELECT acquirer, reference, 1, 'approved', amount_minor, false, 'Approved.', created_at FROM copy)
       INSERT INTO authorizations (acquirer, authorization_id, reference, amount_minor, currency)
       SELECT acquirer, authorization_id, reference, amount_minor, currency FROM copy`,
      [twice, attempt],
    );
    await inDatabase(
      'acquirer-sim',
      `WITH copy AS (
         INSERT INTO operations (acquirer, reference, operation, authorization_id, payment_id, merchant_id, amount_minor,
                                 currency, created_at)
         SELECT acquirer, $2, operation, authorization_id, payment_id, merchant_id, amount_minor, currency, created_at
           FROM operations WHERE payment_id = $1 AND operation = 'capture' RETURNING *)
       INSERT INTO operation_results (acquirer, reference, sequence, outcome, amount_minor, technical, message, created_at)
       SELECT acquirer, reference, 1, 'approved', amount_minor, false, 'Captured.', created_at FROM copy`,
      [captured, capture],
    );
    await inDatabase('ledger', 'ALTER TABLE transactions DROP CONSTRAINT transactions_reference_key');
    const [{ reference }] = await inDatabase(
      'ledger',
      `INSERT INTO transactions (position, id, reference, content_hash, type, effective_at, recorded_at)
       SELECT (SELECT max(position) + 1000 FROM transactions), $2, reference, content_hash, type, effective_at, recorded_at
         FROM transactions WHERE payment_id = $1 AND type = 'CAPTURE' RETURNING reference`,
      [captured, newId('ltx')],
    );
    await expectFound(4, [twice, attempt, capture, reference as string]);
  });

  it('5: names the key whose answer is not true any more, and what a client was told that nobody has', async () => {
    const key = newKey();
    await sold(key);
    await inDatabase(
      'payment',
      `UPDATE idempotency_keys SET body = jsonb_set(body::jsonb, '{capturedAmount}', '999')::text WHERE key = $1`,
      [key],
    );
    const told = { paymentId: newId('pay'), status: 'AUTHORIZED', version: 3, acquirer: 'sim', capturedAmount: 0 };
    const lost: JournalLine = { key: newKey(), method: 'POST', path: '/payments/authorize', status: 201, body: told };
    const refund = { refundId: newId('ref'), paymentId: await sold(), refundStatus: 'SUCCEEDED', refundedAmount: 5 };
    const untrue: JournalLine = { ...lost, key: newKey(), path: '/refunds', body: refund };
    writeFileSync(file, `${JSON.stringify(lost)}\n${JSON.stringify(untrue)}\n`);
    await expectFound(5, [key, told.paymentId, lost.key, refund.paymentId, untrue.key], '--journal', file);
  });

  it('6: names what is not in the outbox, not sent, not on its topic, not in the inbox, not applied, and given up', async () => {
    const [unnumbered, unapplied, unread, givenUp] = [
      await settled(),
      await settled(),
      await settled(),
      await settled(),
    ];
    await inDatabase('payment', 'DELETE FROM outbox WHERE aggregate_id = $1 AND sequence = 2', [unnumbered]);
    await inDatabase('ledger', 'UPDATE gates SET next_sequence = 1 WHERE aggregate_id = $1', [unapplied]);
    const [first] = await inDatabase(
      'payment',
      `SELECT headers->>'ce_id' AS event FROM outbox WHERE aggregate_id = $1 AND sequence = 1`,
      [unread],
    );
    await inDatabase('ledger', 'DELETE FROM inbox WHERE event_id = $1', [first.event]);
    const unsent = newId('evt');
    await inDatabase(
      'payment',
      `INSERT INTO outbox (topic, key, headers, envelope, aggregate_id, sequence, published_at)
       SELECT topic, key, headers || jsonb_build_object('ce_id', $2::text), replace(envelope, headers->>'ce_id', $2), $3, 1,
              clock_timestamp()
         FROM outbox WHERE aggregate_id = $1 AND sequence = 1`,
      [unread, unsent, newId('pay')],
    );
    const letter = newId('dl');
    await inDatabase(
      'ledger',
      `INSERT INTO dead_letters (dead_letter_id, consumer, event_id, claimed, aggregate_id, sequence, topic, partition,
                                 kafka_offset, headers, digest, reason, error_line, attempts, first_failed_at, last_failed_at)
       VALUES ($1, 'ledger.journal', $2, true, $3, 1, 'payment.created', 0, 0, '{}', 'planted', 'planted', '', 1, now(), now())`,
      [letter, await eventOf(givenUp), givenUp],
    );
    const waiting = newId('evt');
    await whilePaymentIsHeld(async () => {
      await inDatabase(
        'payment',
        `INSERT INTO outbox (topic, key, headers, envelope, aggregate_id, sequence)
         SELECT topic, key, headers || jsonb_build_object('ce_id', $2::text), replace(envelope, headers->>'ce_id', $2), $3, 1
           FROM outbox WHERE aggregate_id = $1 AND sequence = 1`,
        [unread, waiting, newId('pay')],
      );
      await expectFound(6, [unnumbered, unapplied, first.event as string, unsent, waiting, letter]);
    });
  });

  it('7: names the payment whose row, order or refund is not what its events say', async () => {
    const [row, order] = [await settled(), await settled()];
    await inDatabase('payment', `UPDATE payments SET status = 'AUTHORIZED' WHERE id = $1`, [row]);
    await inDatabase('payment', `UPDATE payment_attempts SET amount_minor = 1 WHERE payment_id = $1`, [order]);
    await expectFound(7, [row, order]);
  });

  it('8: finds a card number in a row, a message and a log, and does not repeat it', async () => {
    const paymentId = await settled();
    await inDatabase('payment', 'UPDATE payments SET description = $2 WHERE id = $1', [paymentId, `card ${CARD}`]);
    const producer = new Kafka({ brokers: [demo().kafka], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const event = newId('evt');
    await producer.send({
      topic: 'payment.events.dlq',
      messages: [{ value: CARD.replaceAll(/(\d{4})(?=\d)/g, '$1-'), headers: { ce_id: event } }],
    });
    await producer.disconnect();
    mkdirSync(scratch.logs, { recursive: true });
    appendFileSync(join(scratch.logs, 'planted.log'), `{"msg":"paid with ${CARD}"}\n`);
    const text = await expectFound(8, [paymentId, event, 'planted.log:1']);
    expect(text).not.toContain(CARD);
  });

  it('10: names the payment of which an acquirer says that he took something else', async () => {
    const paymentId = await settled();
    await inDatabase(
      'acquirer-sim',
      `UPDATE operation_results r SET amount_minor = r.amount_minor - 1 FROM operations o
        WHERE o.reference = r.reference AND o.payment_id = $1 AND o.operation = 'capture'`,
      [paymentId],
    );
    await expectFound(10, [paymentId]);
  });

  it('11: names a payment that waits for nothing, and an order that is stuck without an item for people, and a forgotten timer', async () => {
    const [waiting, stuck] = [await settled(), await settled()];
    await inDatabase('payment', `UPDATE payments SET status = 'PROCESSING' WHERE id = $1`, [waiting]);
    const operation = newId('cap');
    await inDatabase(
      'payment',
      `INSERT INTO payment_events (payment_id, version, type, data, occurred_at, principal_id)
       VALUES ($1, 100, 'PaymentStuck', jsonb_build_object('operationId', $2::text, 'inquiries', 7), now(), 'svc_payment')`,
      [stuck, operation],
    );
    await whilePaymentIsHeld(async () => {
      await inDatabase(
        'payment',
        `INSERT INTO psp_webhooks (provider, webhook_id, state, next_try_at) VALUES ('sim', $1, 'waiting', now())`,
        [operation],
      );
      await expectFound(11, [waiting, operation, `sim ${operation}`]);
    });
  });

  it('says so, and fails, when there is nothing to audit', async () => {
    const nowhere = { env: { ...process.env, NODE_OPTIONS: '', PAYFLOW_HOME: join(scratch.home, 'nowhere') } };
    await expect(run(process.execPath, [AUDIT], nowhere)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No PayFlow runs in'),
    });
  });
});

const eventOf = async (paymentId: string): Promise<string> => {
  const [row] = await inDatabase(
    'payment',
    `SELECT headers->>'ce_id' AS event FROM outbox WHERE aggregate_id = $1 AND sequence = 1`,
    [paymentId],
  );
  return row.event as string;
};
