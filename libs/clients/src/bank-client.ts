import type { OnApplicationShutdown } from '@nestjs/common';
import { type BankPayout, bankPayoutChangesSchema, type BankPayoutRequest, bankPayoutSchema } from '@payflow/contracts';
import type { Logger } from '@payflow/service';
import type { z } from 'zod';

import { ContractError, RemoteProblem, ServiceUnavailableError } from './errors.js';
import { ServiceClient } from './service-client.js';

/** What is asked for, so that an answer about something else proves nothing. */
export type AskedPayout = Pick<BankPayoutRequest, 'reference' | 'amount' | 'currency'>;
/** What a bank tells of a payout, asked or not. */
export type ToldPayout = Omit<BankPayout, 'updatedAt'>;
export type BankPayoutChanges = z.output<typeof bankPayoutChangesSchema>;

/** What an answer, or none, comes to. Silence and nonsense are news of nothing. */
export type BankNews =
  | { readonly kind: 'bank_said'; readonly status: BankPayout['status']; readonly reason: string | null }
  | { readonly kind: 'bank_silent' }
  | { readonly kind: 'bank_not_found' }
  | { readonly kind: 'bank_rejected'; readonly code: string };

export interface BankClientOptions {
  /** Where the bank's routes begin. */
  readonly url: string;
  readonly timeoutMs: number;
}

/** What the bank said, and its own name for the payout where it has one. */
export interface BankWord {
  readonly news: BankNews;
  readonly bankReference: string | null;
}

const SILENT: BankWord = { news: { kind: 'bank_silent' }, bankReference: null };
const NOT_FOUND_STATUS = 404;
const FEED_PAGE = 200;

/**
 * The bank that pays withdrawals and payouts. What it answers becomes news. After ten failures in a row it is left alone for a
 * second (the breaker of ServiceClient).
 */
export class BankClient implements OnApplicationShutdown {
  private readonly client: ServiceClient;
  /** Where the bank's routes begin at its address. */
  private readonly root: string;
  private readonly timeoutMs: number;

  constructor(
    { url, timeoutMs }: BankClientOptions,
    private readonly logger: Logger,
  ) {
    const { origin, pathname } = new URL(url);
    this.client = new ServiceClient({ service: 'bank', url: origin });
    this.root = pathname.replace(/\/$/, '');
    this.timeoutMs = timeoutMs;
  }

  /** Pays, once for a reference, however often it is sent. */
  async pay(request: BankPayoutRequest): Promise<BankWord> {
    return await this.wordOf(request, async () =>
      this.client.request({
        method: 'POST',
        path: `${this.root}/payouts`,
        body: request,
        timeoutMs: this.timeoutMs,
        answer: bankPayoutSchema,
      }),
    );
  }

  /** Asks what became of a reference. It changes nothing there. */
  async inquire(payout: AskedPayout): Promise<BankWord> {
    return await this.wordOf(payout, async () =>
      this.client.request({
        method: 'GET',
        path: `${this.root}/payouts/${payout.reference}`,
        timeoutMs: this.timeoutMs,
        answer: bankPayoutSchema,
      }),
    );
  }

  /** Takes it back, or forbids what has not arrived. */
  async cancel(payout: AskedPayout): Promise<BankWord> {
    return await this.wordOf(payout, async () =>
      this.client.request({
        method: 'POST',
        path: `${this.root}/payouts/${payout.reference}/cancel`,
        repeatable: true,
        timeoutMs: this.timeoutMs,
        answer: bankPayoutSchema,
      }),
    );
  }

  /** How payouts changed after a position. @throws ServiceUnavailableError */
  async changes(after: bigint): Promise<BankPayoutChanges> {
    return await this.client.request({
      method: 'GET',
      path: `${this.root}/payouts`,
      query: { after: after.toString(), limit: FEED_PAGE },
      timeoutMs: this.timeoutMs,
      answer: bankPayoutChangesSchema,
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }

  private async wordOf(payout: AskedPayout, ask: () => Promise<BankPayout>): Promise<BankWord> {
    try {
      const answer = await ask();
      if (isAbout(answer, payout)) return wordIn(answer);
      this.logger.warn({ bankPaymentId: payout.reference }, 'the bank answered about another payout');
      return SILENT;
    } catch (error) {
      return this.wordOfError(error, payout);
    }
  }

  private wordOfError(error: unknown, { reference }: AskedPayout): BankWord {
    if (error instanceof RemoteProblem) {
      const news: BankNews =
        error.status === NOT_FOUND_STATUS ? { kind: 'bank_not_found' } : { kind: 'bank_rejected', code: error.code };
      return { news, bankReference: null };
    }
    if (!(error instanceof ServiceUnavailableError) && !(error instanceof ContractError)) throw error;
    this.logger.info({ err: error, bankPaymentId: reference }, 'the bank gave no usable answer');
    return SILENT;
  }
}

/** What the bank's answer, or a line of its feed or statement, says. */
export const wordIn = ({ status, reason, bankReference }: ToldPayout): BankWord => ({
  news: { kind: 'bank_said', status, reason },
  bankReference,
});

/** Whether it tells of this payout and no other: what it says is believed only then. A tombstone has neither amount nor currency. */
export const isAbout = (
  told: Pick<ToldPayout, 'reference' | 'status' | 'amount' | 'currency'>,
  { reference, amount, currency }: AskedPayout,
): boolean =>
  told.reference === reference &&
  (told.status === 'CANCELED' || (told.amount === amount && told.currency === currency));
