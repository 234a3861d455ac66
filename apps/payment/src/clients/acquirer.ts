import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type {
  AcquirerReversalRequest,
  acquirerAmountRequestSchema,
  acquirerVoidRequestSchema,
} from '@payflow/contracts';
import { minorToJson, unreachable } from '@payflow/kernel';
import { currentContext, InjectConfig, Logger } from '@payflow/service';
import { Agent } from 'undici';
import type { z } from 'zod';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { CaptureOperation, Operation, Payment, RefundOperation, VoidOperation } from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';
import type { PaymentConfig } from '../payment.config.js';
import { outcomeOfAnswer, outcomeOfInquiry, refusesAccess } from './acquirer-answer.js';
import { AcquirerLines } from './acquirer-lines.js';

/** What is asked of an acquirer for a card it has authorized: no card number is in it, so it needs no vault. */
export type FollowUp = CaptureOperation | VoidOperation | RefundOperation;

type AmountRequest = z.input<typeof acquirerAmountRequestSchema>;
type VoidRequest = z.input<typeof acquirerVoidRequestSchema>;

const CONNECT_TIMEOUT_MS = 2_000;
/** Shorter than the servers' keep-alive, so that a connection is dropped here before it is dropped there. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;
/** Of an inquiry: the acquirer has not seen the reference. */
const NOT_FOUND = 404;
const ANSWER_BYTES_MAX = 256 * 1024;

/** Without a connection nothing was sent. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Captures, voids and refunds at an acquirer, each under its operation's id: sent twice, it happens once. */
@Injectable()
export class AcquirerClient implements OnApplicationShutdown {
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxResponseSize: ANSWER_BYTES_MAX,
  });

  constructor(
    @InjectConfig() private readonly config: PaymentConfig,
    private readonly lines: AcquirerLines,
    private readonly logger: Logger,
  ) {}

  async send(payment: Payment, operation: FollowUp): Promise<AcquirerOutcome> {
    const path = pathOf(payment, operation);
    const address = this.config.ACQUIRERS[operation.acquirer];
    if (address === undefined) return { kind: 'not_sent', reason: 'acquirer_unknown' };
    return await this.lines.send(
      operation.acquirer,
      async () => await this.post(new URL(address + path), payment, operation),
    );
  }

  /** Asks what became of an operation, by our reference. Asking changes nothing, so silence only means asking again. */
  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    const address = this.config.ACQUIRERS[operation.acquirer];
    if (address === undefined) return { kind: 'no_answer', reason: 'acquirer_unknown' };
    const { origin, pathname } = new URL(`${address}/operations/${encodeURIComponent(operation.id)}`);
    try {
      const response = await this.agent.request({
        origin,
        path: pathname,
        method: 'GET',
        headers: tracing(),
        signal: AbortSignal.timeout(this.config.ACQUIRER_TIMEOUT_MS),
      });
      const body = parsed(await response.body.text());
      if (response.statusCode !== NOT_FOUND) this.noteRefusedAccess(response.statusCode, operation);
      return outcomeOfInquiry(response.statusCode, body, operation, payment.currency);
    } catch (error) {
      this.unanswered(error, operation);
      return { kind: 'no_answer', reason: isNotConnected(error) ? 'acquirer_unreachable' : 'no_answer' };
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.close();
  }

  private async post({ origin, pathname }: URL, payment: Payment, operation: FollowUp): Promise<AcquirerOutcome> {
    try {
      const response = await this.agent.request({
        origin,
        path: pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': operation.id, ...tracing() },
        body: JSON.stringify(requestOf(payment, operation)),
        signal: AbortSignal.timeout(this.config.ACQUIRER_TIMEOUT_MS),
      });
      const body = parsed(await response.body.text());
      this.noteRefusedAccess(response.statusCode, operation);
      return outcomeOfAnswer(response.statusCode, body, operation, payment.currency);
    } catch (error) {
      this.unanswered(error, operation);
      return isNotConnected(error)
        ? { kind: 'not_sent', reason: 'acquirer_unreachable' }
        : { kind: 'unanswered', reason: 'no_answer' };
    }
  }

  private noteRefusedAccess(status: number, { id: operationId, acquirer }: Operation): void {
    if (refusesAccess(status))
      this.logger.error(
        { status, operationId, acquirer },
        'the acquirer refuses access: check address and credentials',
      );
  }

  private unanswered(error: unknown, { id: operationId, acquirer }: Operation): void {
    this.logger.warn({ err: error, operationId, acquirer }, 'no answer of the acquirer');
  }
}

const tracing = (): Readonly<Record<string, string>> => {
  const { requestId, traceparent } = currentContext();
  return {
    ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
};

/** What reverses an attempt goes by the attempt's reference: there may be no authorization to name. */
const pathOf = (payment: Payment, operation: FollowUp): string => {
  if (operation.kind === 'void' && operation.reverses !== null) return '/reversals';
  const { authorization } = payment;
  if (!authorization) throw new Error(`invariant: ${operation.id} follows no authorization`);
  return `/authorizations/${encodeURIComponent(authorization.acquirerReference)}/${routeOf(operation)}`;
};

const routeOf = (operation: FollowUp): string => {
  switch (operation.kind) {
    case 'capture':
      return 'captures';
    case 'void':
      return 'voids';
    case 'refund':
      return 'refunds';
    default:
      return unreachable(operation);
  }
};

const requestOf = (payment: Payment, operation: FollowUp): AmountRequest | VoidRequest | AcquirerReversalRequest => {
  const reference = operation.id;
  const amount = { reference, amount: minorToJson(operation.amountMinor), currency: payment.currency };
  switch (operation.kind) {
    case 'capture':
      return { ...amount, final: operation.final };
    case 'refund':
      return amount;
    case 'void': {
      const { merchantId, paymentId } = payment;
      return operation.reverses === null
        ? { reference }
        : { ...amount, originalReference: operation.reverses, merchantId, paymentId };
    }
    default:
      return unreachable(operation);
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const isNotConnected = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && NOT_CONNECTED.has(error.code);
