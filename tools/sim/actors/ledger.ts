import { type Envelope, PAYMENT_EVENTS, type PaymentEventName } from '@payflow/contracts';

import { contentText } from '../../../apps/ledger/src/domain/content.js';
import type { Books, SeenReference } from '../../../apps/ledger/src/domain/decide-postings.js';
import type {
  Account,
  DecidedEntry,
  DraftGroup,
  GroupDecision,
  TransactionDraft,
} from '../../../apps/ledger/src/domain/journal.js';
import type { PaymentFact } from '../../../apps/ledger/src/domain/payment-postings.js';
import { awaiting, type Flow, Reply } from '../flow.ts';
import type { Process } from '../process.ts';
import { Database, DatabaseDown, type Transaction } from '../store.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { ConsumerGroup, HandlerFailed } from './consumer.ts';

export interface JournalTransaction {
  readonly position: number;
  readonly draft: TransactionDraft;
  readonly entries: readonly DecidedEntry[];
}

/** One request of a service to post, under a reference of its own. */
export interface PostRequest {
  readonly reference: string;
  readonly from: string;
  readonly to: string;
  readonly amountMinor: bigint;
}

export type PostAnswer =
  | { readonly kind: 'posted'; readonly transactionId: string }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unavailable' };

interface Waiting {
  readonly draft: TransactionDraft;
  readonly decided: Reply<GroupDecision | undefined>;
}

const POSTINGS_MAX = 8;

/** The ledger: one journal, two doors. Events come by its consumer, requests gather and are committed together. */
export class Ledger {
  readonly database: Database;
  readonly consumer: ConsumerGroup;
  readonly accounts = new Map<string, Account>();
  readonly journal: JournalTransaction[] = [];
  readonly references = new Map<string, SeenReference>();
  /** Events in the order in which they took effect, for each payment. */
  readonly applied = new Map<string, number[]>();
  private readonly world: World;
  private readonly queues = new Map<Process, Waiting[]>();
  private lastSeq = 0n;

  constructor(world: World) {
    this.world = world;
    this.database = new Database('ledger database', world.scheduler);
    this.consumer = new ConsumerGroup(world, 'ledger', true, this.database, (tx, envelopes) =>
      this.record(tx, envelopes),
    );
  }

  openAccount(code: string, currency: string, floorMinor: bigint | null): Account {
    const account = this.newAccount(code, currency, floorMinor);
    this.accounts.set(`${code} ${currency}`, account);
    return account;
  }

  // Events.

  private *record(tx: Transaction, envelopes: readonly Envelope[]): Flow {
    tx.write(() => {
      for (const { aggregateId, sequence } of envelopes) this.noteApplied(aggregateId, sequence);
    });
    const drafts = envelopes.flatMap(
      (envelope) => this.world.seams.draftOf(envelope, factOf(envelope), this.world.newId('ltx')) ?? [],
    );
    if (drafts.length === 0) return;
    const decisions = yield* this.commitIn(tx, [{ atomic: false, drafts }]);
    for (const { outcomes } of decisions)
      for (const outcome of outcomes)
        if (outcome.kind === 'refused') throw new HandlerFailed(outcome.refusal.code, true);
  }

  private noteApplied(aggregateId: string, sequence: number): void {
    const own = this.applied.get(aggregateId);
    if (own === undefined) this.applied.set(aggregateId, [sequence]);
    else own.push(sequence);
  }

  // Requests.

  *serve(process: Process, request: PostRequest, reply: (answer: PostAnswer) => void): Flow {
    const decided = new Reply<GroupDecision | undefined>();
    const waiting = { draft: draftFor(request, this.world.newId('ltx')), decided };
    const queue = this.queues.get(process);
    if (queue === undefined) {
      this.queues.set(process, [waiting]);
      process.onceCrashed(() => {
        this.queues.delete(process);
      });
      process.run('journal commit', this.drain(process));
    } else queue.push(waiting);
    const [outcome] = (yield* awaiting(decided))?.outcomes ?? [];
    switch (outcome?.kind) {
      case undefined:
        reply({ kind: 'unavailable' });
        break;
      case 'posted':
        reply({ kind: 'posted', transactionId: outcome.draft.transactionId });
        break;
      case 'replayed':
        reply({ kind: 'posted', transactionId: outcome.transactionId });
        break;
      case 'refused':
        reply({ kind: 'refused', code: outcome.refusal.code });
        break;
    }
  }

  private *drain(process: Process): Flow {
    const queue = this.queues.get(process) ?? [];
    while (queue.length > 0) yield* this.commitBatch(process, queue.splice(0, POSTINGS_MAX));
    this.queues.delete(process);
  }

  private *commitBatch(process: Process, batch: readonly Waiting[]): Flow {
    const tx = this.database.begin(process);
    try {
      const decisions = yield* this.commitIn(
        tx,
        batch.map(({ draft }) => ({ atomic: false, drafts: [draft] })),
      );
      yield process.stepMs();
      tx.commit();
      yield process.stepMs();
      for (const [index, { decided }] of batch.entries()) decided.settle(decisions[index]);
    } catch (error) {
      if (!(error instanceof DatabaseDown)) throw error;
      for (const { decided } of batch) decided.settle(undefined);
    }
  }

  // The one way into the journal.

  private *commitIn(tx: Transaction, groups: readonly DraftGroup[]): Flow<readonly GroupDecision[]> {
    const { rules, decidePostings } = this.world.seams;
    if (rules.journalIsLocked) yield* tx.lock('journal head');
    const drafts = groups.flatMap((group) => group.drafts);
    const opened = this.accountsMissing(drafts);
    const books = this.booksOf(drafts, opened);
    if (!rules.journalIsLocked) yield tx.process.stepMs();
    const decisions = decidePostings(books, groups);
    tx.write(() => {
      for (const account of opened) {
        const name = `${account.code} ${account.currency}`;
        if (!this.accounts.has(name)) this.accounts.set(name, account);
      }
      for (const { posts, outcomes } of decisions)
        for (const outcome of outcomes) if (posts && outcome.kind === 'posted') this.store(outcome, books);
    });
    return decisions;
  }

  private booksOf(drafts: readonly TransactionDraft[], opened: readonly Account[]): Books {
    const { rules } = this.world.seams;
    const names = new Set(
      drafts.flatMap(({ postings }) =>
        postings.flatMap(({ from, to, currency }) => [`${from} ${currency}`, `${to} ${currency}`]),
      ),
    );
    const known = [...names].flatMap((name) => this.accounts.get(name) ?? []);
    const seen = new Map<string, SeenReference>();
    if (rules.referencePostsOnce)
      for (const { reference } of drafts) {
        const found = this.references.get(reference);
        if (found !== undefined) seen.set(reference, found);
      }
    return { accounts: [...known, ...opened], seen, contentHashOf: (draft) => contentText(draft, (name) => name) };
  }

  /** The accounts that the drafts open and that are not there yet. */
  private accountsMissing(drafts: readonly TransactionDraft[]): readonly Account[] {
    const opened = new Map<string, Account>();
    for (const { code, currency, floorMinor } of drafts.flatMap(({ opens }) => opens)) {
      const name = `${code} ${currency}`;
      if (!this.accounts.has(name) && !opened.has(name)) opened.set(name, this.newAccount(code, currency, floorMinor));
    }
    return [...opened.values()];
  }

  private newAccount(code: string, currency: string, floorMinor: bigint | null): Account {
    this.lastSeq += 1n;
    return {
      seq: this.lastSeq,
      accountId: this.world.newId('acc'),
      code,
      currency: this.world.currencyOf(currency),
      floorMinor,
      balanceMinor: 0n,
    };
  }

  private store(
    posted: { readonly draft: TransactionDraft; readonly entries: readonly DecidedEntry[] },
    books: Books,
  ): void {
    const { draft, entries } = posted;
    const { transactionId, reference } = draft;
    this.references.set(reference, { transactionId, contentHash: books.contentHashOf(draft) });
    for (const { account, balanceAfterMinor } of entries) {
      const name = `${account.code} ${account.currency}`;
      this.accounts.set(name, { ...this.accounts.get(name)!, balanceMinor: balanceAfterMinor });
    }
    const stored = { position: this.journal.length + 1, draft, entries };
    this.journal.push(stored);
    this.world.observeTransaction(stored);
  }
}

const NAME_OF = new Map(
  (Object.keys(PAYMENT_EVENTS) as PaymentEventName[]).map((name) => [PAYMENT_EVENTS[name].type as string, name]),
);

/** The consumer's door checks the payload by the contract; here it was checked when it was published. */
const factOf = (envelope: Envelope): PaymentFact => {
  const event = NAME_OF.get(envelope.type);
  if (event === undefined) throw new Violation('assertion', `the ledger does not know ${envelope.type}`);
  return { event, payload: envelope.payload } as unknown as PaymentFact;
};

const draftFor = ({ reference, from, to, amountMinor }: PostRequest, transactionId: string): TransactionDraft => ({
  transactionId,
  authority: 'service',
  reference,
  type: 'TRANSFER',
  postings: [
    {
      from,
      to,
      amountMinor,
      currency: 'EUR' as TransactionDraft['postings'][number]['currency'],
      entryType: 'TRANSFER',
    },
  ],
  opens: [],
  refusalIsFinal: false,
  effectiveAt: null,
  metadata: {},
  provenance: {
    paymentId: null,
    merchantId: null,
    eventId: null,
    acquirerReference: null,
    reverts: null,
    postedBy: 'svc_wallet',
    correlationId: null,
  },
});
