import { Injectable } from '@nestjs/common';
import { RemoteProblem, ServiceUnavailableError, VaultClient } from '@payflow/clients';
import type { ForwardRequest, ForwardResponse, PaymentMethodRequest, TokenUsability } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { InjectConfig, Logger, Problem } from '@payflow/service';

import { AcquirerClient } from '../clients/acquirer.js';
import { outcomeOfAnswer, refusesAccess } from '../clients/acquirer-answer.js';
import { AcquirerLines } from '../clients/acquirer-lines.js';
import type { AcquirerOutcome } from '../domain/commands.js';
import type { AuthorizeOperation, Operation, Payment } from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';
import type { PaymentConfig } from '../payment.config.js';
import type { MethodCheck, Payer, PaymentProcessor } from './payment-processor.js';

type CardMethod = Extract<PaymentMethodRequest, { type: 'card' }>;
type UnusableReason = Extract<TokenUsability, { usable: false }>['reason'];

const UNUSABLE: Readonly<Record<UnusableReason, string>> = {
  unknown: 'The token does not exist, or belongs to another merchant or user.',
  used: 'The token was for one authorization only and has been used.',
  expired: 'The token has expired.',
  deleted: 'The token was deleted.',
  card_expired: "The card's expiry date has passed.",
};

/**
 * Cards. The card number is in the vault and stays there: an authorization is a template with the token, which the
 * vault fills in and forwards. What follows needs no card and goes to the acquirer directly.
 */
@Injectable()
export class CardProcessor implements PaymentProcessor<'card'> {
  readonly type = 'card';

  constructor(
    @InjectConfig() private readonly config: PaymentConfig,
    private readonly vault: VaultClient,
    private readonly acquirers: AcquirerClient,
    private readonly lines: AcquirerLines,
    private readonly logger: Logger,
  ) {}

  async check(method: CardMethod, payer: Payer): Promise<MethodCheck> {
    try {
      const usability = await this.vault.usability(method.token, ownerOf(payer));
      return usability.usable ? this.usable(usability.token) : { usable: false, problem: unusable(usability.reason) };
    } catch (error) {
      return { usable: false, problem: error instanceof Problem ? error : unexpected(error) };
    }
  }

  async send(payment: Payment, operation: Operation): Promise<AcquirerOutcome> {
    if (operation.kind !== 'authorize') return await this.acquirers.send(payment, operation);
    return await this.lines.send(operation.acquirer, async () => await this.forward(payment, operation));
  }

  /** By reference, so it needs no card either. */
  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    return await this.acquirers.inquire(payment, operation);
  }

  private usable(token: Extract<TokenUsability, { usable: true }>['token']): MethodCheck {
    const [acquirer] = Object.keys(this.config.ACQUIRERS);
    if (acquirer === undefined) throw new Error('invariant: the settings name an acquirer');
    const { tokenId, brand, last4, fingerprint } = token;
    return {
      usable: true,
      paymentMethod: { type: 'card', token: tokenId, brand, last4, fingerprint },
    };
  }

  private async forward(payment: Payment, operation: AuthorizeOperation): Promise<AcquirerOutcome> {
    try {
      const response = await this.vault.forward(this.requestOf(payment, operation));
      return this.outcomeOf(response, payment, operation);
    } catch (error) {
      if (error instanceof RemoteProblem) return refused(error);
      // The card waits in the vault, which is about to be back: the order stands, and recovery sends it.
      if (error instanceof ServiceUnavailableError) return { kind: 'unanswered', reason: 'vault_unreachable' };
      // The vault answered what its contract does not know: it may have forwarded.
      this.logger.error({ err: error, operationId: operation.id }, 'the vault answered otherwise');
      return { kind: 'unanswered', reason: 'unintelligible_answer' };
    }
  }

  /** It depends on committed facts only, so a successor after a crash sends the same bytes. */
  private requestOf(payment: Payment, operation: AuthorizeOperation): ForwardRequest {
    const token = payment.paymentMethod?.token;
    if (token === undefined || token === null) throw new Error(`invariant: ${payment.paymentId} has no token`);
    return {
      tokenId: token,
      attemptId: operation.id,
      ...ownerOf(payment),
      acquirer: operation.acquirer,
      path: '/authorizations',
      headers: { 'idempotency-key': operation.id },
      body: {
        reference: operation.id,
        amount: minorToJson(operation.amountMinor),
        currency: payment.currency,
        card: {
          number: '{{card.number}}',
          expMonth: '{{card.expMonth}}',
          expYear: '{{card.expYear}}',
          cvc: '{{card.cvc}}',
          holderName: '{{card.holderName}}',
        },
        merchantId: payment.merchantId,
        paymentId: payment.paymentId,
        ...(payment.statementDescriptor === null ? {} : { statementDescriptor: payment.statementDescriptor }),
      },
      timeoutMs: this.config.ACQUIRER_TIMEOUT_MS,
    };
  }

  private outcomeOf(response: ForwardResponse, payment: Payment, operation: AuthorizeOperation): AcquirerOutcome {
    switch (response.outcome) {
      case 'answered':
        if (refusesAccess(response.status))
          this.logger.error(
            { status: response.status, operationId: operation.id, acquirer: operation.acquirer },
            'the acquirer refuses access: check address and credentials',
          );
        return outcomeOfAnswer(response.status, response.body, operation, payment.currency);
      case 'not_sent':
        this.logger.warn({ reason: response.reason, operationId: operation.id }, 'the authorization was not sent');
        return { kind: 'not_sent', reason: 'acquirer_unreachable' };
      case 'no_answer':
        this.logger.warn({ reason: response.reason, operationId: operation.id }, 'no answer of the acquirer');
        return { kind: 'unanswered', reason: 'no_answer' };
    }
  }
}

const ownerOf = (payer: Payer): { readonly merchantId: string; readonly userId?: string } => ({
  merchantId: payer.merchantId,
  ...(payer.userId === null ? {} : { userId: payer.userId }),
});

const unusable = (reason: UnusableReason): Problem =>
  new Problem('token_unusable', {
    detail: UNUSABLE[reason],
    errors: [{ pointer: '/paymentMethod/token', code: reason, message: UNUSABLE[reason] }],
    extensions: { reason },
  });

const unexpected = (error: unknown): Problem =>
  new Problem('dependency_unavailable', { detail: 'The vault does not answer as agreed.', cause: error });

/** The vault refused to forward: the token was used up by another payment in the meantime, or is gone. */
const refused = (problem: RemoteProblem): AcquirerOutcome =>
  problem.code === 'token_unusable' || problem.code === 'token_not_found'
    ? {
        kind: 'declined',
        code: 'token_unusable',
        declineCode: null,
        adviceCode: 'do_not_try_again',
        message: problem.detail ?? 'The token cannot be used.',
        technical: false,
      }
    : { kind: 'not_sent', reason: 'vault_refused' };
