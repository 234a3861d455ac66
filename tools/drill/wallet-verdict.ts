import type { WalletOperation } from './operation.ts';
import { type Findings, groupBy, type MutableFindings } from './verdict.ts';
import type { WalletFact, WalletFacts } from './wallet-facts.ts';

/** The merchant's refund was refused by the wallet, as an acquirer: what it says later is taken as done. */
const BY_ACQUIRER = 'refund_failed';
/** Nothing else is wrong with what the drill's people send each other. */
const TRANSFER_REFUSALS: ReadonlySet<string> = new Set(['insufficient_funds']);
const HAPPENED: ReadonlySet<string> = new Set(['SUCCESS', 'PLACED', 'CONFIRMED', 'VOIDED', 'EXPIRED']);

/** Compares what people were told about their wallets with the wallet service and the ledger, once nothing is under way. */
export const judgeWallets = (operations: readonly WalletOperation[], facts: WalletFacts): Findings => {
  const findings: MutableFindings = { lost: [], doubled: [], unasked: [], apart: [] };
  judgeOperations(operations, facts, findings);
  judgeVoids(operations, facts, findings);
  compareLedger(facts, findings);
  findings.apart.push(...facts.contradictions.map((text) => `${text}: a contradiction`));
  for (const { operationId, contradiction } of operations) {
    if (contradiction !== null) findings.apart.push(`${operationId}: two answers to one key: ${contradiction}`);
  }
  return findings;
};

const effectOf = ({ kind, amount }: Pick<WalletFact | WalletOperation, 'kind' | 'amount'>): string =>
  `${kind} of ${amount}`;

const judgeOperations = (
  operations: readonly WalletOperation[],
  facts: WalletFacts,
  findings: MutableFindings,
): void => {
  const all = [...facts.transactions, ...facts.holds];
  const known = new Set(all.map(({ id }) => id));
  const effects = groupBy(
    all.filter(({ status }) => HAPPENED.has(status)),
    effectOf,
  );
  const wishes = operations.filter(({ kind }) => kind !== 'void');
  for (const operation of wishes) judgeOne(operation, effects.get(effectOf(operation)) ?? [], known, findings);
  const asked = new Set(wishes.map(effectOf));
  for (const [effect, [first]] of effects)
    if (!asked.has(effect)) findings.unasked.push(`${first?.id ?? ''}, a ${effect}: nobody asked for it`);
};

const judgeOne = (
  operation: WalletOperation,
  effects: readonly WalletFact[],
  known: ReadonlySet<string>,
  findings: MutableFindings,
): void => {
  const { told, operationId, kind, fromWalletId, toWalletId } = operation;
  const name = `${effectOf(operation)} (${operationId})`;
  const [effect] = effects;
  if (effects.length > 1)
    findings.doubled.push(`${name} happened ${effects.length} times: ${effects.map(({ id }) => id).join(', ')}`);
  if (effect !== undefined && (effect.fromWalletId !== fromWalletId || effect.toWalletId !== toWalletId))
    findings.apart.push(`${name} is ${effect.id}, between other wallets`);
  if (told.kind === 'refused') {
    if (effect !== undefined && told.code !== BY_ACQUIRER)
      findings.unasked.push(`${name} was refused (${told.code}) and is ${effect.id}`);
    if (kind === 'transfer' && !TRANSFER_REFUSALS.has(told.code))
      findings.apart.push(`${name} was refused with ${told.code}, without a reason`);
  }
  if (told.kind !== 'done') return;
  const id = toldId(operation, told.body);
  if (id !== undefined && !known.has(id)) findings.lost.push(`${name} was answered with ${id}, which is not there`);
  // Of what is under way, a 202 says that it will end, not how.
  if (told.status === 202) return;
  if (effect === undefined) findings.lost.push(`${name} was answered ${told.status} and did not happen`);
  else if (id !== undefined && id !== effect.id)
    findings.apart.push(`${name} was answered with ${id} and is ${effect.id}`);
};

/** What an answer names. The refund of a merchant names nothing of the wallet's. */
const toldId = ({ kind }: WalletOperation, body: Readonly<Record<string, unknown>>): string | undefined => {
  const id = kind === 'hold' ? body['holdId'] : body['transactionId'];
  return kind !== 'refund' && typeof id === 'string' ? id : undefined;
};

const judgeVoids = (operations: readonly WalletOperation[], facts: WalletFacts, findings: MutableFindings): void => {
  const voids = new Map(
    operations.flatMap((one) => (one.kind === 'void' && one.holdId !== null ? [[one.holdId, one] as const] : [])),
  );
  for (const { id, status } of facts.holds) {
    const told = voids.get(id)?.told;
    if (told?.kind === 'done' && told.status === 200 && status !== 'VOIDED')
      findings.lost.push(`void of ${id} was answered 200, and it is ${status}`);
    if (told?.kind !== 'done' && told?.kind !== 'silence' && status === 'VOIDED')
      findings.unasked.push(
        `${id} is VOIDED: ${told === undefined ? 'nobody asked for it' : `refused (${told.code})`}`,
      );
  }
};

const SIGNS: Readonly<Partial<Record<WalletFact['kind'], number>>> = { add: 1, refund: 1, withdraw: -1, pay: -1 };

/** Each has moved by one posting, and together the wallets have what came in less what went out. */
const compareLedger = ({ transactions, posted, balance }: WalletFacts, findings: MutableFindings): void => {
  const counts = groupBy(posted, (id) => id);
  const done = transactions.filter(({ status }) => status === 'SUCCESS');
  for (const { id } of done) {
    const count = counts.get(id)?.length ?? 0;
    if (count !== 1) findings.apart.push(`${id} is SUCCESS and the ledger has ${count} postings of it`);
  }
  const expected = done.reduce((sum, { kind, amount }) => sum + (SIGNS[kind] ?? 0) * amount, 0);
  if (balance !== expected)
    findings.apart.push(`the wallets have ${balance}, and ${expected} was added and refunded less withdrawn and paid`);
};
