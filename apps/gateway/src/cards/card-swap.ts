import type { OnApplicationShutdown } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { RemoteProblem, VaultClient } from '@payflow/clients';
import { type FieldError, swappedCardHeader, type TokenResponse } from '@payflow/contracts';
import { CARD_FINGERPRINT_HEADER, InjectConfig, Problem, SWAPPED_CARD_HEADER } from '@payflow/service';

import type { GatewayConfig } from '../gateway.config.js';
import { type InlineCard, inlineCardOf } from './inline-card.js';

export interface Swapped {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Swaps the card in a payment request for a single-use token of its sender, so that no service but the vault meets a card
 * number. Bodies are neither logged nor kept here.
 */
@Injectable()
export class CardSwap implements OnApplicationShutdown {
  private readonly vault: VaultClient;

  constructor(@InjectConfig() config: GatewayConfig) {
    this.vault = new VaultClient({ url: config.TOKENIZATION_URL });
  }

  /**
   * The request as the payment service sees it: unchanged when it carries no card.
   *
   * @throws Problem malformed_json | validation_failed, what the vault refuses, dependency_unavailable when it is away
   */
  async swap(body: Buffer, authorization: string): Promise<Swapped> {
    const inline = inlineCardOf(body);
    if (!inline) return { body, headers: {} };
    const token = await this.tokenOf(inline, authorization);
    return {
      body: inline.withToken(token.tokenId),
      headers: { [CARD_FINGERPRINT_HEADER]: fingerprintOf(token), [SWAPPED_CARD_HEADER]: swappedCardHeader(token) },
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.vault.close();
  }

  private async tokenOf(inline: InlineCard, authorization: string): Promise<TokenResponse> {
    const { card, merchantId } = inline;
    try {
      return await this.vault.createToken(authorization, {
        card,
        reusable: false,
        ...(merchantId === undefined ? {} : { merchantId }),
      });
    } catch (error) {
      throw error instanceof RemoteProblem ? inTheBody(error, inline) : error;
    }
  }
}

/**
 * A repetition of the request gets another token for the same card: this, and not the token, says whether the content is
 * the same. The expiry belongs to it, since a renewed card keeps its number.
 */
const fingerprintOf = (token: TokenResponse): string => `${token.fingerprint}:${token.expMonth}/${token.expYear}`;

const IN_CARD = '/card/';

/** What the vault found wrong with the card, pointing into the body that the client sent. */
const inTheBody = (problem: RemoteProblem, inline: InlineCard): Problem => {
  if (problem.errors === undefined) return problem;
  const moved = (error: FieldError): FieldError =>
    error.pointer.startsWith(IN_CARD)
      ? { ...error, pointer: inline.pointerOf(error.pointer.slice(IN_CARD.length)) }
      : error;
  return new Problem(problem.code, {
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    errors: problem.errors.map(moved),
    extensions: problem.extensions,
    headers: problem.headers,
    cause: problem,
  });
};
