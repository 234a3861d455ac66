import { type PaymentEntriesResponse, paymentEntriesSchema } from '@payflow/contracts';

import { ServiceClient } from './service-client.js';

const TIMEOUT_MS = 3_000;

/** The ledger, as payment reads it. */
export class LedgerClient {
  private readonly client: ServiceClient;

  constructor(options: { readonly url: string; readonly accessToken: () => Promise<string> }) {
    this.client = new ServiceClient({ service: 'ledger', ...options });
  }

  /**
   * A payment's lines of its events up to `sequence`, once the ledger has applied those, waiting at most `waitMs` for it;
   * `appliedSequence` tells how far it came. With `asOf`, as they stood then.
   *
   * @throws ServiceUnavailableError
   */
  async paymentEntries(
    paymentId: string,
    options: { readonly sequence: number; readonly waitMs: number; readonly asOf?: string },
  ): Promise<PaymentEntriesResponse> {
    return await this.client.request({
      method: 'GET',
      path: `/internal/payments/${encodeURIComponent(paymentId)}/entries`,
      query: { sequence: options.sequence, waitMs: options.waitMs, asOf: options.asOf },
      timeoutMs: TIMEOUT_MS + options.waitMs,
      answer: paymentEntriesSchema,
    });
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
