import {
  type CreateTokenRequest,
  type ForwardRequest,
  type ForwardResponse,
  forwardResponseSchema,
  type TokenResponse,
  tokenSchema,
  type TokenUsability,
  tokenUsabilitySchema,
} from '@payflow/contracts';

import { ServiceUnavailableError } from './errors.js';
import { ServiceClient } from './service-client.js';

const TIMEOUT_MS = 5_000;
/** What the vault needs around the acquirer's own time. */
const FORWARD_OVERHEAD_MS = 2_000;

export interface VaultClientOptions {
  readonly url: string;
  /** Only for the calls between services; createToken passes its caller's authorization on. */
  readonly accessToken?: () => Promise<string>;
  /** For a caller that has many cards forwarded at once. */
  readonly connectionsMax?: number;
}

/** The vault, as the gateway and payment use it. */
export class VaultClient {
  private readonly client: ServiceClient;

  constructor(options: VaultClientOptions) {
    this.client = new ServiceClient({ service: 'tokenization', ...options });
  }

  /**
   * Puts a card into the vault in its owner's name.
   *
   * @param authorization the owner's `Authorization` header
   * @throws RemoteProblem | ServiceUnavailableError
   */
  async createToken(
    authorization: string,
    body: CreateTokenRequest,
    options: { readonly idempotencyKey?: string } = {},
  ): Promise<TokenResponse> {
    return await this.client.request({
      method: 'POST',
      path: '/tokens',
      authorization,
      body,
      ...options,
      timeoutMs: TIMEOUT_MS,
      answer: tokenSchema,
    });
  }

  /** Whether a payment of this merchant and user may use the token. @throws ServiceUnavailableError */
  async usability(
    tokenId: string,
    owner: { readonly merchantId: string; readonly userId?: string },
  ): Promise<TokenUsability> {
    return await this.client.request({
      method: 'GET',
      path: `/internal/tokens/${encodeURIComponent(tokenId)}`,
      query: { merchantId: owner.merchantId, userId: owner.userId },
      timeoutMs: TIMEOUT_MS,
      answer: tokenUsabilitySchema,
    });
  }

  /**
   * Has a request with a card in it sent to an acquirer. It may arrive twice: the attempt's id makes the second harmless
   * at the vault and at the acquirer. A vault that fell silent is `no_answer`.
   *
   * @throws ServiceUnavailableError when the vault cannot be reached: nothing was sent
   * @throws RemoteProblem token_unusable | acquirer_not_allowed | validation_failed: nothing was sent
   */
  async forward(request: ForwardRequest): Promise<ForwardResponse> {
    try {
      return await this.client.request({
        method: 'POST',
        path: '/internal/forward',
        body: request,
        repeatable: true,
        timeoutMs: request.timeoutMs + FORWARD_OVERHEAD_MS,
        answer: forwardResponseSchema,
      });
    } catch (error) {
      if (!(error instanceof ServiceUnavailableError && error.mayHaveTakenEffect)) throw error;
      return { outcome: 'no_answer', reason: 'the vault did not answer' };
    }
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
