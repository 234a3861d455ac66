import {
  type PaymentEntriesResponse,
  paymentEntriesSchema,
  type ServiceBalances,
  serviceBalancesSchema,
  type ServicePosting,
  type ServicePostingResult,
  servicePostingResultsSchema,
} from '@payflow/contracts';

import { ServiceClient } from './service-client.js';

const TIMEOUT_MS = 3_000;
/** For five hundred postings behind a full queue of others. */
const POST_TIMEOUT_MS = 10_000;

/** The ledger, as PayFlow's other services use it. */
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

  /**
   * Posts up to SERVICE_POSTINGS_MAX postings, each for itself, and tells what became of each, in their order. A reference
   * posts once for ever: after an error nobody knows which were posted, and sending the same postings again finds out, does
   * what is missing, and answers for the others what they were answered then.
   *
   * @throws ServiceUnavailableError with `mayHaveTakenEffect` as nearly always
   */
  async post(postings: readonly ServicePosting[]): Promise<readonly ServicePostingResult[]> {
    const { results } = await this.client.request({
      method: 'POST',
      path: '/internal/ledger/postings',
      body: { postings },
      repeatable: true,
      timeoutMs: POST_TIMEOUT_MS,
      answer: servicePostingResultsSchema,
    });
    return results;
  }

  /**
   * The balances of up to SERVICE_POSTINGS_MAX accounts at one moment, in their order: now, or as they stood at `asOf`. An
   * account that does not exist has 0.
   *
   * @throws ServiceUnavailableError
   */
  async balances(
    accounts: readonly { readonly code: string; readonly currency: string }[],
    asOf?: string,
  ): Promise<ServiceBalances> {
    return await this.client.request({
      method: 'POST',
      path: '/internal/ledger/balances',
      body: { accounts: accounts.map(({ code, currency }) => ({ code, currency })), asOf },
      repeatable: true,
      timeoutMs: TIMEOUT_MS,
      answer: serviceBalancesSchema,
    });
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
