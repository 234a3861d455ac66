import { viewOf } from '../../apps/payment/src/application/payment-view.js';
import { fold } from '../../apps/payment/src/domain/evolve.js';
import { operationOf } from '../../apps/payment/src/domain/payment.js';
import { loadHistories, type StoredEvent } from '../../apps/payment/src/store/payment-events.js';
import type { Finding } from './invariant.ts';
import type { Sources } from './sources.ts';

/** A 2xx that somebody got, with where it is kept. */
export interface GivenAnswer {
  /** By which people find it: the key it was given under. */
  readonly ids: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What an answer names. Answers that name nothing we keep (a token, a health report) have none. */
export const resourceOf = ({ body }: Pick<GivenAnswer, 'body'>): string | undefined =>
  [
    body['refundId'],
    body['paymentId'],
    body['tokenId'],
    body['clientId'],
    body['transactionId'],
    body['holdId'],
    body['accountId'],
  ].find(isText) ?? (Array.isArray(body['results']) ? 'results' : undefined);

/**
 * Whether everything that these answers name is there, in at least the state that they told. A payment must have gone through
 * exactly what was told: its history up to the version that was answered is folded and shown again.
 */
export const brokenAnswers = async (sources: Sources, answers: readonly GivenAnswer[]): Promise<readonly Finding[]> => [
  ...(await brokenPayments(sources, answers)),
  ...(await missingRows(sources, answers)),
];

const isText = (value: unknown): value is string => typeof value === 'string';

const brokenPayments = async ({ payment }: Sources, answers: readonly GivenAnswer[]): Promise<readonly Finding[]> => {
  const about = answers.filter(({ body }) => isText(body['paymentId']) && !isText(body['transactionId']));
  const histories = await loadHistories(
    payment,
    about.map(({ body }) => body['paymentId'] as string),
  );
  return about.flatMap((answer) => {
    const paymentId = answer.body['paymentId'] as string;
    const history = histories.get(paymentId) ?? [];
    const problem = isText(answer.body['refundId'])
      ? refundProblem(answer.body, history)
      : paymentProblem(answer.body, history);
    return problem === undefined ? [] : [{ problem, ids: { payment: paymentId, ...answer.ids } }];
  });
};

/** What an answer tells of the payment and no later event may change for that version. */
const TOLD = [
  'status',
  'amount',
  'currency',
  'merchantId',
  'authorizedAmount',
  'capturedAmount',
  'refundedAmount',
] as const;

const paymentProblem = (
  body: Readonly<Record<string, unknown>>,
  history: readonly StoredEvent[],
): string | undefined => {
  const version = body['version'];
  if (typeof version !== 'number') return history.length === 0 ? 'there is no such payment' : undefined;
  if (history.length < version) return `version ${version} was answered, the history ends at ${history.length}`;
  const then = viewOf(fold(history.slice(0, version).map(({ event }) => event)));
  const told = TOLD.find((member) => member in body && body[member] !== then[member]);
  return told === undefined
    ? undefined
    : `${told} ${String(body[told])} was answered; version ${version} has ${String(then[told])}`;
};

const refundProblem = (
  body: Readonly<Record<string, unknown>>,
  history: readonly StoredEvent[],
): string | undefined => {
  const refundId = body['refundId'] as string;
  const refund = operationOf(fold(history.map(({ event }) => event)), refundId);
  if (refund === undefined) return `the refund ${refundId} was answered, the history does not have it`;
  const told = body['refundedAmount'] ?? body['amount'];
  if (typeof told === 'number' && BigInt(told) !== refund.amountMinor)
    return `a refund of ${told} was answered, the history has ${refund.amountMinor}`;
  const succeeded = history.some(({ event }) => event.type === 'RefundSucceeded' && event.refundId === refundId);
  return body['refundStatus'] === 'SUCCEEDED' && !succeeded
    ? 'success was answered, the refund never succeeded'
    : undefined;
};

/** Resources that are a row: where it is, which member of an answer names it, and how its ids begin. */
const ROWS = [
  { member: 'tokenId', prefix: 'tok_', service: 'tokenization', table: 'tokens', column: 'token_id' },
  { member: 'clientId', prefix: 'cli_', service: 'auth', table: 'oauth_clients', column: 'id' },
  { member: 'accountId', prefix: 'acc_', service: 'ledger', table: 'accounts', column: 'id' },
  { member: 'transactionId', prefix: 'ltx_', service: 'ledger', table: 'transactions', column: 'id' },
  { member: 'transactionId', prefix: 'txn_', service: 'wallet', table: 'wallet_transactions', column: 'id' },
  { member: 'holdId', prefix: 'hld_', service: 'wallet', table: 'wallet_holds', column: 'id' },
] as const;

const missingRows = async (sources: Sources, answers: readonly GivenAnswer[]): Promise<readonly Finding[]> => {
  const found: Finding[] = [];
  for (const { member, prefix, service, table, column } of ROWS) {
    const named = answers.flatMap(({ ids, body }) =>
      namesIn(body, member)
        .filter((id) => id.startsWith(prefix))
        .map((id) => ({ id, ids })),
    );
    if (named.length === 0) continue;
    const rows = await sources.databases
      .get(service)
      ?.query<{ id: string }>(`SELECT ${column} AS id FROM ${table} WHERE ${column} = ANY($1)`, [
        named.map(({ id }) => id),
      ]);
    const there = new Set(rows?.map(({ id }) => id));
    for (const { id, ids } of named)
      if (!there.has(id)) found.push({ problem: `${service} has no such ${member}`, ids: { [member]: id, ...ids } });
  }
  return found;
};

/** The answer's own id, and those of the results of a batch. */
const namesIn = (body: Readonly<Record<string, unknown>>, member: string): readonly string[] => {
  const results = Array.isArray(body['results']) ? (body['results'] as readonly unknown[]) : [];
  return [body, ...results].flatMap((one) => {
    const id = typeof one === 'object' && one !== null ? (one as Record<string, unknown>)[member] : undefined;
    return isText(id) ? [id] : [];
  });
};
