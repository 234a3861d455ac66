import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ContractError, RemoteProblem, ServiceClient, ServiceUnavailableError } from '@payflow/clients';
import { type BankPayout, bankPayoutChangesSchema, type BankPayoutRequest, bankPayoutSchema } from '@payflow/contracts';
import { InjectConfig, Logger } from '@payflow/service';
import type { z } from 'zod';

import type { WithdrawNews } from '../domain/withdraw.js';
import type { WalletConfig } from '../wallet.config.js';

/** What is asked for, so that an answer about something else proves nothing. */
export type Payout = Pick<BankPayoutRequest, 'reference' | 'amount' | 'currency'>;
export type PayoutChanges = z.output<typeof bankPayoutChangesSchema>;

const SILENT: WithdrawNews = { kind: 'bank_silent' };
const NOT_FOUND_STATUS = 404;
const FEED_PAGE = 200;

/** The bank that withdrawals are paid by. What it answers becomes news; silence and nonsense are news of nothing. */
@Injectable()
export class BankClient implements OnApplicationShutdown {
  private readonly client: ServiceClient;
  /** Where the bank's routes begin at its address. */
  private readonly root: string;
  private readonly timeoutMs: number;

  constructor(
    @InjectConfig() config: WalletConfig,
    private readonly logger: Logger,
  ) {
    const { origin, pathname } = new URL(config.BANK_URL);
    this.client = new ServiceClient({ service: 'bank', url: origin });
    this.root = pathname.replace(/\/$/, '');
    this.timeoutMs = config.BANK_TIMEOUT_MS;
  }

  /** Pays, once for a reference, however often it is sent. */
  async pay(request: BankPayoutRequest): Promise<WithdrawNews> {
    return await this.newsOf(request, async () =>
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
  async inquire(payout: Payout): Promise<WithdrawNews> {
    return await this.newsOf(payout, async () =>
      this.client.request({
        method: 'GET',
        path: `${this.root}/payouts/${payout.reference}`,
        timeoutMs: this.timeoutMs,
        answer: bankPayoutSchema,
      }),
    );
  }

  /** Takes it back, or forbids what has not arrived. */
  async cancel(payout: Payout): Promise<WithdrawNews> {
    return await this.newsOf(payout, async () =>
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
  async changes(after: bigint): Promise<PayoutChanges> {
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

  private async newsOf(payout: Payout, ask: () => Promise<BankPayout>): Promise<WithdrawNews> {
    try {
      const answer = await ask();
      if (isAbout(answer, payout)) return { kind: 'bank_said', status: answer.status, reason: answer.reason };
      this.logger.warn({ transactionId: payout.reference }, 'the bank answered about another payout');
      return SILENT;
    } catch (error) {
      return this.newsOfError(error, payout);
    }
  }

  private newsOfError(error: unknown, { reference }: Payout): WithdrawNews {
    if (error instanceof RemoteProblem)
      return error.status === NOT_FOUND_STATUS
        ? { kind: 'bank_not_found' }
        : { kind: 'bank_rejected', code: error.code };
    if (!(error instanceof ServiceUnavailableError) && !(error instanceof ContractError)) throw error;
    this.logger.info({ err: error, transactionId: reference }, 'the bank gave no usable answer');
    return SILENT;
  }
}

/** A tombstone has neither amount nor currency. */
const isAbout = (answer: BankPayout, { reference, amount, currency }: Payout): boolean =>
  answer.reference === reference &&
  (answer.status === 'CANCELED' || (answer.amount === amount && answer.currency === currency));
