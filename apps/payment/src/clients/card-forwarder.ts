import { Injectable } from '@nestjs/common';
import { RemoteProblem, ServiceUnavailableError, VaultClient } from '@payflow/clients';
import type { ForwardRequest, ForwardResponse } from '@payflow/contracts';
import { InjectConfig, Logger } from '@payflow/service';

import type { AuthorizeOperation, Payment } from '../domain/payment.js';
import type { PaymentConfig } from '../payment.config.js';
import { type Exchange, noteRefusedAccess } from './acquirer-http.js';

/** A request with placeholders where the card belongs. */
export type CardTemplate = Pick<ForwardRequest, 'path' | 'headers' | 'encoding' | 'body'>;

/**
 * Authorizations with a card. Its number is in the vault and stays there: the request is a template, which the vault fills
 * in and forwards to the acquirer.
 */
@Injectable()
export class CardForwarder {
  constructor(
    private readonly vault: VaultClient,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: PaymentConfig,
  ) {}

  async forward(payment: Payment, operation: AuthorizeOperation, template: CardTemplate): Promise<Exchange> {
    try {
      const response = await this.vault.forward(this.requestOf(payment, operation, template));
      const exchange = this.exchangeOf(response, operation);
      noteRefusedAccess(this.logger, exchange, operation);
      return exchange;
    } catch (error) {
      if (error instanceof RemoteProblem) return { kind: 'failed', outcome: refused(error) };
      // The card waits in the vault, which is about to be back: the order stands, and recovery sends it.
      if (error instanceof ServiceUnavailableError) return unanswered('vault_unreachable');
      // The vault answered what its contract does not know: it may have forwarded.
      this.logger.error({ err: error, operationId: operation.id }, 'the vault answered otherwise');
      return unanswered('unintelligible_answer');
    }
  }

  /** It depends on committed facts only, so a successor after a crash sends the same bytes. */
  private requestOf(payment: Payment, operation: AuthorizeOperation, template: CardTemplate): ForwardRequest {
    const token = payment.paymentMethod?.token;
    if (token === undefined || token === null) throw new Error(`invariant: ${payment.paymentId} has no token`);
    return {
      ...template,
      tokenId: token,
      paymentId: payment.paymentId,
      attemptId: operation.id,
      merchantId: payment.merchantId,
      ...(payment.userId === null ? {} : { userId: payment.userId }),
      acquirer: operation.acquirer,
      // People may take longer than a token lives.
      ...(payment.review === null ? {} : { acceptedAt: payment.review.openedAt.toISOString() }),
      // The next acquirer of the route may have to be asked with it.
      keepCvc: operation.route.at(-1) !== operation.acquirer,
      timeoutMs: this.config.ACQUIRER_TIMEOUT_MS,
    };
  }

  private exchangeOf(response: ForwardResponse, { id: operationId, acquirer }: AuthorizeOperation): Exchange {
    switch (response.outcome) {
      case 'answered':
        return { kind: 'answered', status: response.status, body: response.body };
      case 'not_sent':
        this.logger.warn({ reason: response.reason, operationId, acquirer }, 'the authorization was not sent');
        return { kind: 'failed', outcome: { kind: 'not_sent', reason: 'acquirer_unreachable' } };
      case 'no_answer':
        this.logger.warn({ reason: response.reason, operationId, acquirer }, 'no answer of the acquirer');
        return unanswered('no_answer');
    }
  }
}

const unanswered = (reason: string): Exchange => ({ kind: 'failed', outcome: { kind: 'unanswered', reason } });

/** The vault refused to forward: the token was used up by another payment in the meantime, or is gone. */
const refused = (problem: RemoteProblem): Extract<Exchange, { kind: 'failed' }>['outcome'] =>
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
