import {
  acquirerDisputeWebhookSchema,
  type AcquirerRedirectRequest,
  type AcquirerReversalRequest,
  type acquirerAmountRequestSchema,
  type acquirerVoidRequestSchema,
  acquirerWebhookSchema,
  type PaymentMethodType,
} from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import type { z } from 'zod';

import type { AcquirerOutcome } from '../domain/commands.js';
import type {
  AuthorizeOperation,
  CaptureOperation,
  Operation,
  Payment,
  RefundOperation,
  VoidOperation,
} from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';
import { outcomeOfAnswer, outcomeOfInquiry } from './acquirer-answer.js';
import type { AcquirerHttp, Exchange } from './acquirer-http.js';
import type { Acquirer, WebhookMessage, WebhookRequest } from './acquirer-port.js';
import type { CardForwarder } from './card-forwarder.js';
import { signatureOf } from './webhook-signature.js';

type AmountRequest = z.input<typeof acquirerAmountRequestSchema>;
type VoidRequest = z.input<typeof acquirerVoidRequestSchema>;

/** As the contract has it, with placeholders in place of a card; the vault puts in what it has. */
const CARD_TEMPLATE = {
  number: '{{card.number}}',
  expMonth: '{{card.expMonth}}',
  expYear: '{{card.expYear}}',
  cvc: '{{card.cvc}}',
  holderName: '{{card.holderName}}',
};

export interface PayflowAcquirerOptions {
  readonly address: string;
  /** Without it no webhook is authentic. */
  readonly webhookSecret: string | undefined;
  /** Public address of the gateway: where the payer comes back to. */
  readonly gatewayUrl: string;
}

/** An acquirer that speaks PayFlow's own protocol (contracts: http/acquirer), as the simulator does. */
export class PayflowAcquirer implements Acquirer {
  readonly methods: ReadonlySet<PaymentMethodType> = new Set(['card', 'bank_redirect']);

  constructor(
    private readonly options: PayflowAcquirerOptions,
    private readonly http: AcquirerHttp,
    private readonly cards: CardForwarder,
  ) {}

  async authorize(payment: Payment, operation: AuthorizeOperation): Promise<AcquirerOutcome> {
    const request = this.authorizationOf(payment, operation);
    const exchange =
      payment.paymentMethod?.type === 'bank_redirect'
        ? await this.http.post(`${this.options.address}/redirects`, request, operation)
        : await this.cards.forward(payment, operation, {
            path: '/authorizations',
            headers: { 'idempotency-key': operation.id },
            encoding: 'json',
            body: { ...request, card: CARD_TEMPLATE },
          });
    return outcomeOf(exchange, payment, operation);
  }

  async capture(payment: Payment, operation: CaptureOperation): Promise<AcquirerOutcome> {
    const body: AmountRequest = { ...amountOf(payment, operation), final: operation.final };
    return await this.order(this.addressBelow(payment, 'captures'), body, payment, operation);
  }

  async void(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome> {
    const body: VoidRequest = { reference: operation.id };
    return await this.order(this.addressBelow(payment, 'voids'), body, payment, operation);
  }

  /** By the attempt's reference: there may be no authorization to name. */
  async reverse(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome> {
    if (operation.reverses === null) throw new Error(`invariant: ${operation.id} names no attempt to reverse`);
    const { merchantId, paymentId } = payment;
    const body: AcquirerReversalRequest = {
      ...amountOf(payment, operation),
      originalReference: operation.reverses,
      merchantId,
      paymentId,
    };
    return await this.order(`${this.options.address}/reversals`, body, payment, operation);
  }

  async refund(payment: Payment, operation: RefundOperation): Promise<AcquirerOutcome> {
    const body: AmountRequest = amountOf(payment, operation);
    return await this.order(this.addressBelow(payment, 'refunds'), body, payment, operation);
  }

  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    const url = `${this.options.address}/operations/${encodeURIComponent(operation.id)}`;
    const exchange = await this.http.get(url, operation);
    return exchange.kind === 'failed'
      ? { kind: 'no_answer', reason: exchange.outcome.kind === 'not_sent' ? exchange.outcome.reason : 'no_answer' }
      : outcomeOfInquiry(exchange.status, exchange.body, operation, payment.currency);
  }

  parseWebhook(request: WebhookRequest): WebhookMessage {
    const { webhookSecret } = this.options;
    if (webhookSecret === undefined) return { kind: 'not_authentic', reason: 'no secret is set' };
    const signature = signatureOf(request, webhookSecret, new Date());
    if (!signature.authentic) return { kind: 'not_authentic', reason: signature.reason };
    const { webhookId } = signature;
    const content = jsonOf(request.body);
    const message = acquirerWebhookSchema.safeParse(content);
    if (message.success) return { kind: 'news', webhookId, operationId: message.data.data.reference };
    const dispute = acquirerDisputeWebhookSchema.safeParse(content);
    return dispute.success
      ? { kind: 'dispute_news', webhookId, disputeReference: dispute.data.data.disputeId }
      : { kind: 'ignored', webhookId, reason: 'unknown_content' };
  }

  private async order(
    url: string,
    body: AmountRequest | VoidRequest | AcquirerReversalRequest,
    payment: Payment,
    operation: Operation,
  ): Promise<AcquirerOutcome> {
    return outcomeOf(await this.http.post(url, body, operation), payment, operation);
  }

  private addressBelow({ paymentId, authorization }: Payment, route: string): string {
    if (!authorization) throw new Error(`invariant: ${paymentId} has no authorization to follow up`);
    return `${this.options.address}/authorizations/${encodeURIComponent(authorization.acquirerReference)}/${route}`;
  }

  private authorizationOf(payment: Payment, operation: AuthorizeOperation): AcquirerRedirectRequest {
    const { merchantId, paymentId, statementDescriptor } = payment;
    const bank = payment.paymentMethod?.bank;
    return {
      ...amountOf(payment, operation),
      merchantId,
      paymentId,
      ...(statementDescriptor === null ? {} : { statementDescriptor }),
      ...(bank === undefined ? {} : { bank }),
      returnUrl: `${this.options.gatewayUrl}/payments/${paymentId}/return`,
    };
  }
}

const jsonOf = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

const amountOf = (
  { currency }: Payment,
  { id: reference, amountMinor }: Operation,
): { readonly reference: string; readonly amount: number; readonly currency: string } => ({
  reference,
  amount: minorToJson(amountMinor),
  currency,
});

const outcomeOf = (exchange: Exchange, { currency }: Payment, operation: Operation): AcquirerOutcome =>
  exchange.kind === 'failed' ? exchange.outcome : outcomeOfAnswer(exchange.status, exchange.body, operation, currency);
