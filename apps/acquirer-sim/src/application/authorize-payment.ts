import { randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import {
  type AcquirerAuthorizationRequest,
  type AcquirerOperation,
  type AcquirerRedirectRequest,
  testCardOf,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import { open, type Opening } from '../domain/opening.js';
import { approve, authorizationVerdict, type Verdict } from '../domain/outcome.js';
import { type Course, courseOf, courseOfCard, webhookHabitOf } from '../domain/treatment.js';
import { findOperation, insertOperation, type NewOperation } from '../store/book.js';
import { BeginOperation, bookRowOf, type PageContent } from './begin-operation.js';
import type { TakenMode } from './modes.js';
import { type OperationAnswer, OperationView } from './operation-view.js';
import { requestHash } from './request-hash.js';

/** POST /acquirers/{acquirer}/authorizations | redirects */
@Injectable()
export class AuthorizePayment {
  constructor(
    private readonly database: Database,
    private readonly begin: BeginOperation,
    private readonly view: OperationView,
  ) {}

  /** @throws Problem reference_taken */
  async byCard(
    acquirer: AcquirerName,
    request: AcquirerAuthorizationRequest,
    mode: TakenMode,
  ): Promise<OperationAnswer> {
    const { card } = request;
    const at = new Date();
    const cardBin = card.number.slice(0, 6);
    const cardLast4 = card.number.slice(-4);
    const cardBehaviour = testCardOf(card.number)?.behaviour ?? null;
    const operation: NewOperation = {
      ...operationFor(acquirer, request, mode, at),
      cardBin,
      cardLast4,
      cardBehaviour,
      // Not the expiry: a renewed card's may be corrected between a request and its repetition.
      requestHash: requestHash({ ...comparable(request), cardBin, cardLast4 }),
    };
    const course = courseOf(mode.mode, courseOfCard(cardBehaviour, 'authorize', acquirer), 'authorize');
    const verdict = authorizationVerdict(card, operation.amountMinor, at);
    return await this.write(operation, opened(course, verdict, operation), mode, pageFor(request, 'card', null));
  }

  /** The payer is asked at his bank, unless a mode has another course. @throws Problem reference_taken */
  async atBank(acquirer: AcquirerName, request: AcquirerRedirectRequest, mode: TakenMode): Promise<OperationAnswer> {
    const bank = request.bank ?? null;
    const operation: NewOperation = {
      ...operationFor(acquirer, request, mode, new Date()),
      requestHash: requestHash({ ...comparable(request), bank }),
    };
    const course = courseOf(mode.mode, 'challenge', 'authorize');
    return await this.write(
      operation,
      opened(course, approve('Approved by the payer at his bank.'), operation),
      mode,
      pageFor(request, 'bank', bank),
    );
  }

  private async write(
    operation: NewOperation,
    opening: Opening,
    mode: TakenMode,
    page: PageContent,
  ): Promise<OperationAnswer> {
    const written = this.begin.isPlain(operation, opening)
      ? await this.writePlain(operation, opening)
      : await this.database.transaction(async (tx) => await this.begin.run(tx, operation, opening, mode, page));
    if (written !== undefined) return { operation: written, replayed: false };
    const first = await findOperation(this.database, operation.acquirer, operation.reference);
    if (first === undefined || operation.requestHash === null) throw new Error('invariant: the book lost a reference');
    return this.view.replayOf(first, operation.requestHash);
  }

  /** What most authorizations are: one statement. */
  private async writePlain(operation: NewOperation, opening: Opening): Promise<AcquirerOperation | undefined> {
    const { outcome, amountMinor } = opening;
    if (!(await insertOperation(this.database, operation, outcome, amountMinor))) return undefined;
    return this.view.operationOf(bookRowOf(operation, opening));
  }
}

type Request = AcquirerRedirectRequest | AcquirerAuthorizationRequest;

const opened = (course: Course, verdict: Verdict, { amountMinor }: NewOperation): Opening =>
  open(course, verdict, amountMinor);

const operationFor = (
  acquirer: AcquirerName,
  { reference, amount, currency, merchantId, paymentId }: Request,
  { mode }: TakenMode,
  at: Date,
): NewOperation => ({
  acquirer,
  reference,
  operation: 'authorize',
  authorizationId: `${acquirer}_${randomUUID()}`,
  paymentId,
  merchantId,
  amountMinor: BigInt(amount),
  currency,
  final: false,
  cardBin: null,
  cardLast4: null,
  cardBehaviour: null,
  webhookHabit: webhookHabitOf(mode),
  requestHash: null,
  createdAt: at,
});

const comparable = ({ amount, currency, merchantId, paymentId, statementDescriptor }: Request) => ({
  amount,
  currency,
  merchantId,
  paymentId,
  statementDescriptor: statementDescriptor ?? null,
});

const pageFor = (
  { statementDescriptor, merchantId, returnUrl }: Request,
  kind: PageContent['kind'],
  bank: string | null,
): PageContent => ({ kind, merchant: statementDescriptor ?? merchantId, bank, returnUrl: returnUrl ?? null });
