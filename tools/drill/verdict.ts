import type { AttemptFact, Facts, PaymentFact } from './facts.ts';
import type { Operation } from './operation.ts';

/**
 * What the comparison of the clients' journal with the databases and the acquirers' books found:
 * - lost: a 2xx whose effect is not there
 * - doubled: more effects than were asked for
 * - unasked: an effect without a request, or after a final no
 * - apart: PayFlow, the acquirer and the ledger do not say the same
 */
export interface Findings {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly unasked: readonly string[];
  readonly apart: readonly string[];
}

export type MutableFindings = { readonly [Kind in keyof Findings]: string[] };

export const together = (one: Findings, other: Findings): Findings => ({
  lost: [...one.lost, ...other.lost],
  doubled: [...one.doubled, ...other.doubled],
  unasked: [...one.unasked, ...other.unasked],
  apart: [...one.apart, ...other.apart],
});

export const countOf = (findings: Findings): number => linesOf(findings).length;

export const linesOf = ({ lost, doubled, unasked, apart }: Findings): readonly string[] => [
  ...lost.map((text) => `lost: ${text}`),
  ...doubled.map((text) => `doubled: ${text}`),
  ...unasked.map((text) => `unasked: ${text}`),
  ...apart.map((text) => `apart: ${text}`),
];

/** A payment that ended with nothing held or taken: what the acquirer approved is taken back there. */
const ENDED_WITHOUT = new Set(['FAILED', 'CANCELED', 'EXPIRED']);

export const judge = (operations: readonly Operation[], facts: Facts): Findings => {
  const findings: MutableFindings = { lost: [], doubled: [], unasked: [], apart: [] };
  judgeCreations(operations, facts, findings);
  judgeChanges(operations, facts, findings);
  compareBooks(facts, findings);
  compareLedger(facts, findings);
  for (const { paymentId, operationId, kind } of facts.exceptions)
    findings.apart.push(`${paymentId}: PayFlow says ${kind} of ${operationId}`);
  for (const { operationId, contradiction } of operations) {
    if (contradiction !== null) findings.apart.push(`${operationId}: two answers to one key: ${contradiction}`);
  }
  return findings;
};

// What clients asked for

const judgeCreations = (operations: readonly Operation[], facts: Facts, findings: MutableFindings): void => {
  const byReference = groupBy(facts.payments, ({ reference }) => reference ?? '');
  const creations = operations.filter(({ paymentId }) => paymentId === null);
  for (const operation of creations) {
    const made = byReference.get(operation.operationId) ?? [];
    const name = `${operation.kind} ${operation.operationId}`;
    if (made.length > 1) findings.doubled.push(`${name}: ${made.map(({ paymentId }) => paymentId).join(', ')}`);
    if (operation.told.kind === 'refused' && made.length > 0)
      findings.unasked.push(`${name} was refused (${operation.told.code}) and is ${made[0]?.paymentId ?? ''}`);
    if (operation.told.kind === 'done') judgePromise(name, operation.told, made, facts, findings);
  }
  const asked = new Set(creations.map(({ operationId }) => operationId));
  for (const { paymentId, reference } of facts.payments) {
    if (!asked.has(reference ?? '')) findings.unasked.push(`${paymentId}: nobody asked for it`);
  }
};

const judgePromise = (
  name: string,
  told: Extract<Operation['told'], { kind: 'done' }>,
  made: readonly PaymentFact[],
  facts: Facts,
  findings: MutableFindings,
): void => {
  const { paymentId, status } = told.body;
  if (!made.some((payment) => payment.paymentId === paymentId)) {
    findings.lost.push(`${name} was answered ${told.status} with ${String(paymentId)}, which is not there`);
    return;
  }
  const approved = (operation: string): boolean =>
    facts.attempts.some(
      (attempt) =>
        attempt.paymentId === paymentId &&
        attempt.operation === operation &&
        attempt.state === 'approved' &&
        !attempt.unwanted,
    );
  if ((status === 'AUTHORIZED' || status === 'CAPTURED') && !approved('authorize'))
    findings.lost.push(`${name} was told ${status} and ${String(paymentId)} has no authorization`);
  if (status === 'CAPTURED' && !approved('capture'))
    findings.lost.push(`${name} was told CAPTURED and ${String(paymentId)} has no capture`);
  if (status === 'FAILED' && approved('authorize'))
    findings.apart.push(`${name} was told FAILED and ${String(paymentId)} is authorized`);
};

const CHANGES = { capture: 'capture', refund: 'refund', cancel: 'void' } as const;

/**
 * An acquirer that said no may have done it after all and say so later; what it says is then taken as done, where there is
 * room for it. PayFlow's own no is final.
 */
const BY_ACQUIRER: ReadonlySet<string> = new Set(['capture_declined', 'cancel_declined', 'refund_failed']);

/** Every request about a payment has an amount of its own there, so effects and requests can be told apart by it. */
const judgeChanges = (operations: readonly Operation[], facts: Facts, findings: MutableFindings): void => {
  const key = (paymentId: string, operation: string, amount: number): string =>
    `${operation} ${amount} of ${paymentId}`;
  const effects = groupBy(
    facts.attempts.filter(({ operation, state }) => operation !== 'authorize' && state === 'approved'),
    ({ paymentId, operation, amount }) => key(paymentId, operation, amount),
  );
  const open = new Set(
    facts.attempts
      .filter(({ state }) => state === 'open')
      .map(({ paymentId, operation, amount }) => key(paymentId, operation, amount)),
  );
  const asked = new Set<string>();
  for (const { kind, paymentId, amount, told, operationId } of operations) {
    if (kind === 'authorize' || kind === 'sale' || paymentId === null) continue;
    const wanted = key(paymentId, CHANGES[kind], amount);
    asked.add(wanted);
    const count = effects.get(wanted)?.length ?? 0;
    if (count > 1) findings.doubled.push(`${wanted} happened ${count} times`);
    if (told.kind === 'done' && told.status === 200 && count === 0)
      findings.lost.push(`${wanted} (${operationId}) was answered 200 and did not happen`);
    if (told.kind === 'done' && told.status === 202 && count === 0 && !attempted(facts, wanted, key))
      findings.lost.push(`${wanted} (${operationId}) was answered 202 and is not there`);
    if (told.kind === 'refused' && !BY_ACQUIRER.has(told.code) && count + (open.has(wanted) ? 1 : 0) > 0)
      findings.unasked.push(`${wanted} (${operationId}) was refused (${told.code}) and happened`);
  }
  judgeUnasked(operations, facts, effects, asked, findings);
};

const attempted = (
  facts: Facts,
  wanted: string,
  key: (paymentId: string, operation: string, amount: number) => string,
): boolean => facts.attempts.some(({ paymentId, operation, amount }) => key(paymentId, operation, amount) === wanted);

/** A sale captures by itself; a success that came too late is taken back by itself. Everything else was asked for. */
const judgeUnasked = (
  operations: readonly Operation[],
  facts: Facts,
  effects: ReadonlyMap<string, readonly AttemptFact[]>,
  asked: ReadonlySet<string>,
  findings: MutableFindings,
): void => {
  const sales = new Map(operations.filter(({ kind }) => kind === 'sale').map((one) => [one.operationId, one.amount]));
  const payments = new Map(facts.payments.map((payment) => [payment.paymentId, payment]));
  for (const [wanted, attempts] of effects) {
    if (asked.has(wanted)) continue;
    const [first] = attempts;
    const payment = payments.get(first?.paymentId ?? '');
    const ofSale = first?.operation === 'capture' && sales.get(payment?.reference ?? '') === first.amount;
    if (ofSale && attempts.length > 1) findings.doubled.push(`${wanted} of a sale happened ${attempts.length} times`);
    const takenBack = first?.operation === 'void' && ENDED_WITHOUT.has(payment?.status ?? '');
    if (!ofSale && !takenBack) findings.unasked.push(`${wanted}: nobody asked for it`);
  }
};

// PayFlow, the acquirer and the ledger beside each other

const compareBooks = (facts: Facts, findings: MutableFindings): void => {
  const attempts = new Map(facts.attempts.map((attempt) => [attempt.attemptId, attempt]));
  const approved = new Map(facts.book.filter((line) => line.approved).map((line) => [line.reference, line]));
  const voided = new Set(
    [...approved.values()].filter(({ operation }) => operation === 'void').map(({ paymentId }) => paymentId),
  );
  for (const line of approved.values()) {
    const attempt = attempts.get(line.reference);
    if (attempt === undefined) findings.apart.push(`the acquirer did ${line.reference}, which PayFlow does not know`);
    // What an acquirer approved too late is taken back there.
    else if (attempt.state === 'no' && !(line.operation === 'authorize' && voided.has(line.paymentId)))
      findings.apart.push(`${line.operation} ${line.reference}: the acquirer did it, PayFlow says it did not`);
    else if (attempt.state === 'approved' && line.operation !== 'void' && line.amount !== attempt.amount)
      findings.apart.push(`${line.operation} ${line.reference}: ${line.amount} there, ${attempt.amount} here`);
  }
  for (const { attemptId, operation, state } of attempts.values()) {
    if (state === 'approved' && !approved.has(attemptId))
      findings.apart.push(`${operation} ${attemptId}: PayFlow says it is done, the acquirer has not done it`);
  }
  const holds = groupBy(
    [...approved.values()].filter(({ operation }) => operation === 'authorize'),
    ({ paymentId }) => paymentId,
  );
  for (const [paymentId, lines] of holds) {
    if (lines.length > 1 && !voided.has(paymentId))
      findings.doubled.push(`${paymentId} is authorized ${lines.length} times at the acquirer`);
  }
};

const compareLedger = (facts: Facts, findings: MutableFindings): void => {
  const ledger = new Map(facts.ledger.map((fact) => [`${fact.paymentId} ${fact.type}`, fact]));
  const done = groupBy(
    facts.attempts.filter(({ state }) => state === 'approved'),
    ({ paymentId }) => paymentId,
  );
  for (const { paymentId, capturedMinor, refundedMinor } of facts.payments) {
    const count = (operation: string): number =>
      done.get(paymentId)?.filter((attempt) => attempt.operation === operation).length ?? 0;
    const compare = (type: string, operation: string, amount: number): void => {
      const fact = ledger.get(`${paymentId} ${type}`) ?? { entries: 0, amount: 0 };
      if (fact.amount !== amount || fact.entries !== count(operation))
        findings.apart.push(
          `${paymentId}: the ledger has ${fact.entries} ${type} of ${fact.amount}, the payment ${count(operation)} of ${amount}`,
        );
    };
    compare('CAPTURE', 'capture', capturedMinor);
    compare('REFUND', 'refund', refundedMinor);
  }
};

export const groupBy = <Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> => {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};
