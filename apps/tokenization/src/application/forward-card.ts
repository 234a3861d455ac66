import { Injectable } from '@nestjs/common';
import type { ForwardRequest, ForwardResponse, Principal } from '@payflow/contracts';
import { type Json, newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger, Problem } from '@payflow/service';

import { Acquirers, type Sent } from '../clients/acquirers.js';
import { type ClearCard, fillCard, fillForm } from '../domain/card-template.js';
import { scrub } from '../domain/scrub.js';
import { type UnusableReason, unusableReason } from '../domain/token.js';
import { insertForward, markNotSent, mayHaveBeenSent } from '../store/forwards.js';
import { findToken, lockSingleUseToken, markUsed, type TokenRow } from '../store/tokens.js';
import type { TokenizationConfig } from '../tokenization.config.js';
import { ClearCards } from './clear-cards.js';

/** Set by the connection, not by the caller; `content-type` follows from the encoding. */
const REFUSED_HEADERS = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

const SENT_BEFORE: ForwardResponse = { outcome: 'no_answer', reason: 'sent_before' };

/** A token that a payment may use, or must not although this attempt of it did before. */
type Use = { readonly usable: true; readonly token: TokenRow; readonly forwardId: string } | { readonly usable: false };

/** Rolls back what was written for a token that turns out not to be usable. */
class UnusableTokenError extends Error {
  override readonly name = 'UnusableTokenError';

  constructor(readonly reason: UnusableReason) {
    super(`the token cannot be used: ${reason}`);
  }
}

/** POST /internal/forward: the one place where a card number is read, for the time of one request to an acquirer. */
@Injectable()
export class ForwardCard {
  constructor(
    private readonly database: Database,
    private readonly clearCards: ClearCards,
    private readonly acquirers: Acquirers,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  /**
   * Uses the token for the payment, then sends. Once this has committed, a single-use token belongs to the payment, also
   * when nothing could be sent: its attempts may try again, no other payment's.
   *
   * @throws Problem acquirer_not_allowed | validation_failed (headers) | token_unusable: nothing was sent
   */
  async run(caller: Principal, request: ForwardRequest): Promise<ForwardResponse> {
    const startedAt = performance.now();
    const post = this.acquirers.get(request.acquirer);
    if (post === undefined) throw new Problem('acquirer_not_allowed');
    requireHeaders(request.headers);
    const use = await this.use(caller, request);
    if (!use.usable) return SENT_BEFORE;
    crashPoint('vault.forward.after-use');
    const { token, forwardId } = use;
    const card = await this.clearCards.of(token);
    const { mediaType, body } = encoded(request, card);
    const timeoutMs = request.timeoutMs - (performance.now() - startedAt);
    const sent: Sent =
      timeoutMs <= 0
        ? { kind: 'not_sent', reason: 'deadline' }
        : await post({
            path: request.path,
            headers: { ...request.headers, 'content-type': mediaType },
            body,
            timeoutMs,
          });
    crashPoint('vault.forward.after-answer');
    body.fill(0);
    if (sent.kind === 'answered') this.clearCards.forgetCvc(token.tokenId, { soon: request.keepCvc });
    this.logger.info(
      {
        tokenId: token.tokenId,
        paymentId: request.paymentId,
        attemptId: request.attemptId,
        acquirer: request.acquirer,
        outcome: sent.kind,
        ...(sent.kind === 'answered' ? { status: sent.status } : { reason: sent.reason }),
        durationMs: Math.round(performance.now() - startedAt),
      },
      'card forwarded',
    );
    return sent.kind === 'not_sent' && (await this.mayStillHaveBeenSent(request, forwardId))
      ? SENT_BEFORE
      : responseOf(sent, card.number);
  }

  /**
   * The token, used by this payment from now on where it can be used once. Not usable: it can no longer be, but the attempt
   * was sent when it could, and may have had an effect; a refusal would say that it had none.
   *
   * @throws Problem token_unusable
   */
  private async use(caller: Principal, request: ForwardRequest): Promise<Use> {
    try {
      return await this.database.transaction(async (tx) => await this.markedAndNoted(tx, caller, request));
    } catch (error) {
      if (!(error instanceof UnusableTokenError)) throw error;
      if (await mayHaveBeenSent(this.database, request.tokenId, request.attemptId)) return { usable: false };
      throw new Problem('token_unusable', { extensions: { reason: error.reason } });
    }
  }

  /**
   * In one round trip and the commit: the use and its record are written before the token is judged, by how it was before.
   *
   * @throws UnusableTokenError: both writes must be rolled back
   */
  private async markedAndNoted(tx: Tx, caller: Principal, request: ForwardRequest): Promise<Use> {
    const { tokenId, paymentId } = request;
    const at = new Date();
    const forwardId = newId('fwd');
    // Only a token that can be used up needs its row's lock: a reusable one is forwarded by many at once.
    const [locked] = await Promise.all([
      lockSingleUseToken(tx, tokenId),
      markUsed(tx, tokenId, paymentId, at),
      insertForward(tx, { ...request, forwardId, caller: caller.id, startedAt: at }),
    ]);
    const token = locked ?? (await findToken(tx, tokenId));
    if (token === undefined) throw new UnusableTokenError('unknown');
    const reason = unusableReason(token, {
      merchantId: request.merchantId,
      userId: request.userId ?? null,
      paymentId,
      at,
      ...(request.acceptedAt === undefined ? {} : { acceptedAt: new Date(request.acceptedAt) }),
      demoMode: this.config.DEMO_MODE,
    });
    if (reason !== undefined) throw new UnusableTokenError(reason);
    return { usable: true, token, forwardId };
  }

  /**
   * This forward was not sent; another one of the attempt may have been, before it or while it waited for a connection.
   * So it is asked now and not when this one began.
   */
  private async mayStillHaveBeenSent({ tokenId, attemptId }: ForwardRequest, forwardId: string): Promise<boolean> {
    await markNotSent(this.database, forwardId);
    return await mayHaveBeenSent(this.database, tokenId, attemptId);
  }
}

const encoded = (
  { encoding, body }: ForwardRequest,
  card: ClearCard,
): { readonly mediaType: string; readonly body: Buffer } =>
  encoding === 'form'
    ? {
        mediaType: 'application/x-www-form-urlencoded',
        // The contract lets only text into a form.
        body: Buffer.from(fillForm(body as Readonly<Record<string, string>>, card), 'utf8'),
      }
    : {
        mediaType: 'application/json',
        body: Buffer.from(JSON.stringify(fillCard(body as Readonly<Record<string, Json>>, card)), 'utf8'),
      };

const requireHeaders = (headers: Readonly<Record<string, string>>): void => {
  const errors = Object.entries(headers)
    .filter(([name, value]) => REFUSED_HEADERS.has(name) || !PRINTABLE_ASCII.test(value))
    .map(([name]) => ({ pointer: `/headers/${name}`, code: 'invalid_header', message: 'cannot be forwarded' }));
  if (errors.length > 0) throw new Problem('validation_failed', { errors });
};

const responseOf = (sent: Sent, number: string): ForwardResponse =>
  sent.kind === 'answered'
    ? { outcome: 'answered', status: sent.status, body: scrub(decoded(sent.body), number) }
    : { outcome: sent.kind, reason: sent.reason };

/** JSON where it is JSON, text otherwise: an answer is an answer, and the caller judges it by its status. */
const decoded = (body: Buffer): Json => {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
};
