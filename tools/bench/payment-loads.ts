import type { PaymentsLoad } from './clients/payments.ts';
import type { LoadResult } from './load.ts';
import { type BenchMerchant, newMerchants } from './merchants.ts';
import { PaymentBooks } from './payment-books.ts';
import type { Bench, Row } from './section.ts';

const MODULE = new URL('./clients/payments.ts', import.meta.url);
/** With the default limit of 200 requests a second each, enough for every rate that is measured. */
const MERCHANTS = 40;

/** Loads of payments through the gateway, and a look into the books after each. */
export class PaymentLoads {
  readonly violations: string[] = [];
  private readonly bench: Bench;
  private readonly merchants: readonly BenchMerchant[];
  private readonly books: PaymentBooks;

  private constructor(bench: Bench, merchants: readonly BenchMerchant[], books: PaymentBooks) {
    this.bench = bench;
    this.merchants = merchants;
    this.books = books;
  }

  static async open(bench: Bench): Promise<PaymentLoads> {
    const merchants = await newMerchants(bench.stack, MERCHANTS);
    const books = await PaymentBooks.open(
      bench,
      merchants.map(({ merchantId }) => merchantId),
    );
    return new PaymentLoads(bench, merchants, books);
  }

  async close(): Promise<void> {
    await this.books.close();
  }

  /** Authorizes, or authorizes and captures. Every payment that was answered must be in all books, once. */
  async pay(
    what: Exclude<PaymentsLoad['what'], 'read'>,
    load: { readonly clients: number; readonly startsPerSecond?: number },
  ): Promise<LoadResult> {
    const before = await this.books.count();
    const result = await this.run({ what }, load);
    const made = (await this.books.count()).minus(before);
    this.violations.push(...made.violations(what, result));
    return result;
  }

  /** Reads payments at random of so many that are made for it. */
  async read(
    payments: number,
    load: { readonly clients: number; readonly startsPerSecond?: number },
  ): Promise<LoadResult> {
    const known = await this.books.newest(payments);
    const tokens = new Map(this.merchants.map(({ merchantId, token }) => [merchantId, token]));
    const readable = known.map(({ paymentId, merchantId }) => ({ paymentId, token: tokens.get(merchantId) ?? '' }));
    return await this.run({ what: 'read', payments: readable }, load);
  }

  /** Ids of payments that were made last. */
  async newest(limit: number): Promise<readonly string[]> {
    return (await this.books.newest(limit)).map(({ paymentId }) => paymentId);
  }

  private async run(
    settings: Pick<PaymentsLoad, 'what' | 'payments'>,
    load: { readonly clients: number; readonly startsPerSecond?: number },
  ): Promise<LoadResult> {
    const tokens = this.merchants.map(({ token }) => token);
    return await this.bench.load({
      module: MODULE,
      settings: { address: this.bench.stack.gateway, tokens, ...settings } satisfies PaymentsLoad,
      ...load,
    });
  }
}

export const rowOf = (
  what: string,
  unit: string,
  result: LoadResult,
  beside?: Row['baseline'],
  note?: string,
): Row => ({
  what,
  unit,
  perSecond: result.perSecond,
  p50Ms: result.p50Ms,
  p99Ms: result.p99Ms,
  clientCpuShare: result.clientCpuShare,
  others: result.others,
  ...(beside === undefined ? {} : { baseline: beside }),
  ...(note === undefined ? {} : { note }),
});
