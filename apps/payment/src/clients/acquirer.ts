import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { acquirerAmountRequestSchema, acquirerVoidRequestSchema } from '@payflow/contracts';
import { minorToJson, unreachable } from '@payflow/kernel';
import { currentContext, InjectConfig, Logger } from '@payflow/service';
import { Agent } from 'undici';
import type { z } from 'zod';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { Authorization, CaptureOperation, Payment, RefundOperation, VoidOperation } from '../domain/payment.js';
import type { PaymentConfig } from '../payment.config.js';
import { outcomeOfAnswer } from './acquirer-answer.js';
import { AcquirerLines } from './acquirer-lines.js';

/** What is asked of an acquirer for a card it has authorized: no card number is in it, so it needs no vault. */
export type FollowUp = CaptureOperation | VoidOperation | RefundOperation;

type AmountRequest = z.input<typeof acquirerAmountRequestSchema>;
type VoidRequest = z.input<typeof acquirerVoidRequestSchema>;

const CONNECT_TIMEOUT_MS = 2_000;
/** Shorter than the servers' keep-alive, so that a connection is dropped here before it is dropped there. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;
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
    const { authorization } = payment;
    if (!authorization) throw new Error(`invariant: ${operation.id} follows no authorization`);
    const address = this.config.ACQUIRERS[operation.acquirer];
    if (address === undefined) return { kind: 'not_sent', reason: 'acquirer_unknown' };
    const url = `${address}/authorizations/${encodeURIComponent(authorization.acquirerReference)}/${routeOf(operation)}`;
    return await this.lines.send(
      operation.acquirer,
      async () => await this.post(url, payment, operation, authorization),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.agent.close();
  }

  private async post(
    url: string,
    payment: Payment,
    operation: FollowUp,
    authorization: Authorization,
  ): Promise<AcquirerOutcome> {
    const { origin, pathname } = new URL(url);
    const { requestId, traceparent } = currentContext();
    try {
      const response = await this.agent.request({
        origin,
        path: pathname,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': operation.id,
          ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
          ...(traceparent === undefined ? {} : { traceparent }),
        },
        body: JSON.stringify(requestOf(payment, operation)),
        signal: AbortSignal.timeout(this.config.ACQUIRER_TIMEOUT_MS),
      });
      return outcomeOfAnswer(response.statusCode, parsed(await response.body.text()), operation, payment.currency);
    } catch (error) {
      this.logger.warn(
        { err: error, operationId: operation.id, acquirer: authorization.acquirer },
        'no answer of the acquirer',
      );
      return NOT_CONNECTED.has(codeOf(error))
        ? { kind: 'not_sent', reason: 'acquirer_unreachable' }
        : { kind: 'unanswered', reason: 'no_answer' };
    }
  }
}

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

const requestOf = (payment: Payment, operation: FollowUp): AmountRequest | VoidRequest => {
  const reference = operation.id;
  if (operation.kind === 'void') return { reference };
  const amount = { reference, amount: minorToJson(operation.amountMinor), currency: payment.currency };
  return operation.kind === 'capture' ? { ...amount, final: operation.final } : amount;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
