import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

import { isAcquirer } from '../../apps/acquirer-sim/src/domain/acquirers.js';
import { Failure } from '../servers/failure.ts';
import { brokenAnswers, type GivenAnswer, resourceOf } from './answers.ts';
import { hasTable } from './broker.ts';
import type { Finding } from './invariant.ts';
import type { Sources } from './sources.ts';

const BATCH_SIZE = 500;

/** A line of the journal that a client keeps: what it asked, and the answer or (status null) the silence. */
interface JournalLine {
  readonly key: string | null;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly body: unknown;
}

type Answered = GivenAnswer & { readonly line: JournalLine; readonly resource: string };

/**
 * Compares what a client was answered with what is there: every resource in the state that was told, each key with one
 * resource and its stored answer, and at the acquirers at least what was told to be captured.
 */
export async function* brokenJournal(sources: Sources, file: string): AsyncGenerator<Finding> {
  const resourceOfKey = new Map<string, string>();
  let batch: Answered[] = [];
  for await (const line of linesOf(file)) {
    sources.compared(line.status === null ? 'silences' : 'answers of the journal', 1);
    const answer = answerIn(line);
    if (answer === undefined) continue;
    yield* secondResource(resourceOfKey, answer);
    batch.push(answer);
    if (batch.length < BATCH_SIZE) continue;
    yield* brokenBatch(sources, batch);
    batch = [];
  }
  yield* brokenBatch(sources, batch);
}

async function* linesOf(file: string): AsyncGenerator<JournalLine> {
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    if (text.trim() === '') continue;
    try {
      yield JSON.parse(text) as JournalLine;
    } catch (error) {
      throw new Failure(`${file}, line ${number} is not JSON.`, { cause: error });
    }
  }
}

const STATUS_OK_MAX = 299;

const answerIn = (line: JournalLine): Answered | undefined => {
  const { status, body, key } = line;
  if (status === null || status > STATUS_OK_MAX || typeof body !== 'object' || body === null) return undefined;
  const answer = { ids: key === null ? {} : { key }, body: body as GivenAnswer['body'] };
  const resource = resourceOf(answer);
  return resource === undefined ? undefined : { ...answer, line, resource };
};

function* secondResource(resourceOfKey: Map<string, string>, { line, resource }: Answered): Generator<Finding> {
  if (line.key === null || line.method === 'GET') return;
  const place = `${line.path} ${line.key}`;
  const first = resourceOfKey.get(place);
  if (first !== undefined && first !== resource)
    yield { problem: `the key was answered with ${first} and with ${resource}`, ids: { key: line.key } };
  resourceOfKey.set(place, resource);
}

async function* brokenBatch(sources: Sources, answers: readonly Answered[]): AsyncGenerator<Finding> {
  yield* await brokenAnswers(sources, answers);
  yield* await forgottenKeys(sources, answers);
  yield* await lessAtAcquirers(sources, answers);
}

const ACCEPTED = 202;

/**
 * A 2xx to a key is stored with it in the transaction of its effect. A 202 of a transfer says that its end is not known yet:
 * what is stored is the end, which may be a refusal.
 */
const forgottenKeys = async ({ databases }: Sources, answers: readonly Answered[]): Promise<readonly Finding[]> => {
  const keyed = answers.filter(({ line }) => line.key !== null && line.method !== 'GET');
  const ended = new Set<string>();
  const stored = new Set<string>();
  for (const database of databases.values()) {
    if (!(await hasTable(database, 'idempotency_keys'))) continue;
    const rows = await database.query<{ key: string; good: boolean }>(
      `SELECT key, status BETWEEN 200 AND 299 AS good FROM idempotency_keys WHERE key = ANY($1) AND state = 'done'`,
      [keyed.map(({ line }) => line.key)],
    );
    for (const { key, good } of rows) {
      ended.add(key);
      if (good) stored.add(key);
    }
  }
  return keyed
    .filter(({ line: { key, status } }) => key !== null && !(status === ACCEPTED ? ended : stored).has(key))
    .map(({ ids, resource, line }) => ({
      problem: `${String(line.status)} was answered, and no service has the answer under its key`,
      ids: { resource, ...ids },
    }));
};

const lessAtAcquirers = async ({ acquirers }: Sources, answers: readonly Answered[]): Promise<readonly Finding[]> => {
  const told = answers.filter(
    ({ body }) => typeof body['capturedAmount'] === 'number' && isAcquirer(String(body['acquirer'])),
  );
  const rows = await acquirers.query<{ id: string; captured: string }>(
    `SELECT o.payment_id AS id, sum(a.captured_minor)::text AS captured
       FROM authorizations a JOIN operations o ON o.acquirer = a.acquirer AND o.reference = a.reference
      WHERE o.payment_id = ANY($1) GROUP BY o.payment_id`,
    [told.map(({ body }) => body['paymentId'])],
  );
  const captured = new Map(rows.map((row) => [row.id, BigInt(row.captured)]));
  return told.flatMap(({ body, ids }) => {
    const payment = String(body['paymentId']);
    const taken = captured.get(payment) ?? 0n;
    const answered = BigInt(body['capturedAmount'] as number);
    if (taken >= answered) return [];
    return [
      { problem: `captured ${answered} was answered, the acquirer's book has ${taken}`, ids: { payment, ...ids } },
    ];
  });
};
