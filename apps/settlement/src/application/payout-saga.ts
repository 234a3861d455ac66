import { Injectable } from '@nestjs/common';
import { type AskedPayout, type BankWord, isAbout, type ToldPayout, wordIn } from '@payflow/clients';
import { SERVICE_POSTINGS_MAX } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint, InjectConfig, Logger } from '@payflow/service';

import { Bank } from '../clients/bank.js';
import { Ledger } from '../clients/ledger.js';
import {
  evolvePayout,
  isToWaitFor,
  nextPayoutStep,
  type PayoutNews,
  type PayoutPosting,
  type PayoutStep,
} from '../domain/payout.js';
import { payoutPosting } from '../domain/postings.js';
import type { SettlementConfig } from '../settlement.config.js';
import { keyOf, listInDebt } from '../store/merchant-balances.js';
import { takeOverAccounts } from '../store/payout-accounts.js';
import { findStatedPayout } from '../store/payout-files.js';
import { findPayout, lockPayouts, type PayoutRow, raiseAttention } from '../store/payouts.js';
import { PayoutAccountSeal } from './payout-account-seal.js';
import { type ChangedPayout, recordPayouts } from './record-payouts.js';

/** More than the longest way: account, debit, pay, ask, cancel, post, come back. */
const ROUNDS_MAX = 10;

/** News of a payout. Without a fence: the bank's own word, whoever is working on it. */
export interface Learned {
  readonly payoutId: string;
  readonly fence: bigint | undefined;
  readonly news: PayoutNews;
  readonly bankReference: string | null;
}

type StepOf<Kind extends PayoutStep['kind']> = Extract<PayoutStep, { readonly kind: Kind }>;

/**
 * Takes payouts as far as they go, many at once: what is posted goes to the ledger in one request. Each step's effect is
 * harmless when it happens twice, by its reference; each of its results is recorded behind the row's lock, by the pure saga.
 * So it does not matter who goes on with one, or how often.
 */
@Injectable()
export class PayoutSaga {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly bank: Bank,
    private readonly seal: PayoutAccountSeal,
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {}

  /**
   * Goes on until each has ended, or somebody outside has to be waited for.
   *
   * @throws ServiceUnavailableError when the ledger does not answer
   */
  async goOn(taken: readonly PayoutRow[]): Promise<void> {
    let rows = taken;
    for (let round = 0; round < ROUNDS_MAX && rows.length > 0; round += 1) {
      const learned = await this.learn(rows);
      const changed = await this.record(learned);
      const waiting = new Set(learned.filter(({ news }) => isToWaitFor(news)).map(({ payoutId }) => payoutId));
      rows = changed.map(({ after }) => after).filter(({ id }) => !waiting.has(id));
    }
  }

  /** Records news, behind the rows' locks. @returns those that they changed */
  async record(learned: readonly Learned[]): Promise<readonly ChangedPayout[]> {
    if (learned.length === 0) return [];
    crashPoint('settlement.before-mark-paid');
    return await this.database.transaction(async (tx) => {
      const rows = new Map(
        (
          await lockPayouts(
            tx,
            learned.map(({ payoutId }) => payoutId),
          )
        ).map((row) => [row.id, row]),
      );
      const evolved = learned.flatMap(({ payoutId, fence, news, bankReference }) => {
        const before = rows.get(payoutId);
        if (before === undefined || (fence !== undefined && fence !== before.fence)) return [];
        return [{ before, bankReference, result: evolvePayout(before, news) }];
      });
      for (const { before, result } of evolved) {
        if (result.kind === 'contradiction')
          this.logger.error({ payoutId: before.id, detail: result.detail }, 'a payout contradicts itself');
      }
      return await recordPayouts(tx, this.outbox, evolved);
    });
  }

  /**
   * What the bank says without being asked, whoever is working on the payout. It is believed about the payout that we know;
   * what tells of another amount is for people.
   */
  async hear(told: ToldPayout): Promise<ChangedPayout | undefined> {
    const row = await findPayout(this.database, told.reference);
    if (row === undefined || !(await this.isBelieved(told, row))) return undefined;
    const [changed] = await this.record([{ ...wordIn(told), payoutId: row.id, fence: undefined }]);
    return changed;
  }

  private async isBelieved(told: ToldPayout, row: PayoutRow): Promise<boolean> {
    if (isAbout(told, askedOf(row))) return true;
    const detail = `the bank says ${told.status} of ${told.amount} ${told.currency} in minor units: it is another amount`;
    this.logger.error({ payoutId: row.id, detail }, 'a payout contradicts itself');
    await raiseAttention(this.database, row.id, detail);
    return false;
  }

  private async learn(rows: readonly PayoutRow[]): Promise<readonly Learned[]> {
    const stepped = rows.map((row) => ({ row, step: nextPayoutStep(row) }));
    const of = <Kind extends PayoutStep['kind']>(...kinds: readonly Kind[]) =>
      stepped.filter((one): one is { row: PayoutRow; step: StepOf<Kind> } =>
        kinds.some((kind) => kind === one.step.kind),
      );
    const [found, posted, ...said] = await Promise.all([
      this.findAccounts(of('find_account').map(({ row }) => row)),
      this.post(of('post').map(({ row, step }) => ({ row, posting: step.posting }))),
      ...of('pay', 'inquire', 'cancel').map(async ({ row, step }) => this.ask(row, step.kind)),
    ]);
    return [...found, ...posted, ...said];
  }

  /** It may have waited for weeks: whether the merchant can be paid is judged when it goes. */
  private async findAccounts(rows: readonly PayoutRow[]): Promise<readonly Learned[]> {
    if (rows.length === 0) return [];
    const found = await takeOverAccounts(
      this.database,
      rows.map(({ id }) => id),
    );
    const inDebt = new Set((await listInDebt(this.database, rows)).map(keyOf));
    return rows.map((row) => {
      if (!found.has(row.id)) return learnedOf(row, { kind: 'account_missing' });
      return learnedOf(row, { kind: inDebt.has(keyOf(row)) ? 'merchant_in_debt' : 'account_found' });
    });
  }

  private async post(
    asked: readonly { readonly row: PayoutRow; readonly posting: PayoutPosting }[],
  ): Promise<readonly Learned[]> {
    if (asked.length === 0) return [];
    if (asked.length > SERVICE_POSTINGS_MAX) throw new Error('invariant: more payouts than the ledger takes at once');
    const results = await this.ledger.post(asked.map(({ row, posting }) => payoutPosting(row, row.bank, posting)));
    return asked.map(({ row, posting }, index) => {
      const result = results[index];
      if (result === undefined) throw new Error('invariant: the ledger left a posting unanswered');
      return learnedOf(
        row,
        result.status === 'posted'
          ? { kind: 'posted', posting }
          : { kind: 'posting_refused', posting, code: result.code },
      );
    });
  }

  private async ask(row: PayoutRow, kind: 'pay' | 'inquire' | 'cancel'): Promise<Learned> {
    // What another bank has never heard of says nothing: it would be paid there a second time. People are told when it is stuck.
    if (row.bank !== this.config.BANK_NAME) return learnedOf(row, { kind: 'bank_silent' });
    if (row.way === 'file') return await this.lookInStatements(row);
    const word = await this.wordOf(row, askedOf(row), kind);
    return { ...learnedOf(row, word.news), bankReference: word.bankReference };
  }

  /** People hand the file in: the bank's API is never asked for what a file orders. Its statement tells, unless its feed has. */
  private async lookInStatements(row: PayoutRow): Promise<Learned> {
    const stated = await findStatedPayout(this.database, row);
    if (stated === undefined || !(await this.isBelieved(stated, row))) return learnedOf(row, { kind: 'bank_silent' });
    const { news, bankReference } = wordIn(stated);
    return { ...learnedOf(row, news), bankReference };
  }

  private async wordOf(row: PayoutRow, payout: AskedPayout, kind: 'pay' | 'inquire' | 'cancel'): Promise<BankWord> {
    if (kind === 'inquire') return await this.bank.inquire(payout);
    if (kind === 'cancel') return await this.bank.cancel(payout);
    if (row.accountSealed === null) throw new Error(`invariant: ${row.id} has no account to be paid to`);
    const creditor = this.seal.unseal(row.accountSealed, row.merchantId);
    const word = await this.bank.pay({ ...payout, creditor, remittance: `PayFlow ${row.id}` });
    crashPoint('settlement.after-bank-send');
    return word;
  }
}

const askedOf = ({ id, amountMinor, currency }: PayoutRow): AskedPayout => ({
  reference: id,
  amount: minorToJson(amountMinor),
  currency,
});

const learnedOf = ({ id, fence }: PayoutRow, news: PayoutNews): Learned => ({
  payoutId: id,
  fence,
  news,
  bankReference: null,
});
