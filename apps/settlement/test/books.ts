import { type InjectedReportError, type Principal, SETTLEMENT_REPORT_COLUMNS } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { eventually } from '@payflow/testing';

import { PaymentStory } from '../../ledger/test/payment-event-source.js';
import { type Answered, type Fields, FINANCE, PATIENT, type SettlementUnderTest } from './settlement-under-test.js';

const HOUR_MS = 3_600_000;

/** A sale in our books, and in the acquirer's. */
export interface Sale {
  readonly paymentId: string;
  readonly merchantId: string;
  readonly captureId: string;
  readonly refundId: string | undefined;
}

/** A capture as an acquirer's report has it. */
export interface WrittenLine {
  readonly reference: string;
  readonly amount: number;
  readonly fee?: number;
  readonly at: Date;
}

/** A report of captures in dollars, with an id of its own, so that no two are the same file. */
export const writtenReport = (acquirer: string, from: Date, to: Date, lines: readonly WrittenLine[]): string => {
  const of = { acquirer, report: newId('rep') };
  const sum = (amounts: readonly number[]) => String(amounts.reduce((total, amount) => total + amount, 0));
  const count = String(lines.length);
  const records: readonly Partial<Record<(typeof SETTLEMENT_REPORT_COLUMNS)[number], string>>[] = [
    Object.fromEntries(SETTLEMENT_REPORT_COLUMNS.map((column) => [column, column])),
    { ...of, record: 'begin', at: from.toISOString() },
    ...lines.map(({ reference, amount, fee = 0, at }) => ({
      ...of,
      record: 'line',
      type: 'capture',
      reference,
      amount: String(amount),
      currency: 'USD',
      fee: String(fee),
      at: at.toISOString(),
    })),
    ...(lines.length === 0
      ? []
      : [
          {
            ...of,
            record: 'total',
            amount: sum(lines.map(({ amount }) => amount)),
            currency: 'USD',
            fee: sum(lines.map(({ fee = 0 }) => fee)),
            count,
          },
        ]),
    { ...of, record: 'end', at: to.toISOString(), count },
  ];
  return records
    .map((record) => `${SETTLEMENT_REPORT_COLUMNS.map((column) => record[column] ?? '').join(',')}\r\n`)
    .join('');
};

/** What is done to the two books, the acquirer's and ours, and how they are compared. */
export class Books {
  constructor(private readonly settlement: SettlementUnderTest) {}

  /** Captured, and partly refunded when an amount is named: at the acquirer and here, unless it is left out here. */
  async sale(
    amount: number,
    more: { readonly refunded?: number; readonly onlyThere?: true; readonly onlyHere?: true } = {},
  ): Promise<Sale> {
    const merchantId = newId('mer');
    const story = new PaymentStory(merchantId).created(amount).authorized(amount).captured(amount, 0);
    if (more.refunded !== undefined) story.refunded(more.refunded);
    const { paymentId, events } = story;
    const captureId = events.flatMap(({ name, payload }) => (name === 'captured' ? [payload.captureId] : []))[0] ?? '';
    const [refundId] = events.flatMap(({ name, payload }) => (name === 'refunded' ? [payload.refundId] : []));
    if (more.onlyHere !== true)
      await this.atAcquirer(paymentId, merchantId, amount, captureId, refundId, more.refunded);
    if (more.onlyThere !== true) {
      await this.settlement.payments.emit(story.emitted());
      await this.known('capture', captureId);
      if (refundId !== undefined) await this.known('refund', refundId);
    }
    return { paymentId, merchantId, captureId, refundId };
  }

  /** The event has come. */
  async known(type: string, reference: string): Promise<void> {
    await eventually(async () => {
      const rows = await this.settlement.database.query(
        'SELECT FROM expected_lines WHERE type = $1 AND reference = $2',
        [type, reference],
      );
      if (rows.length === 0) throw new Error(`${type} ${reference} is not known here`);
    }, PATIENT);
  }

  /** Fetches the report of the last hour and compares it. */
  async run(source: string, more: Fields = {}): Promise<Fields> {
    const { status, body } = await this.settlement.post('/reconciliation/runs', {
      source,
      from: new Date(Date.now() - HOUR_MS).toISOString(),
      to: new Date(Date.now() + 1_000).toISOString(),
      graceSeconds: 0,
      ...more,
    });
    if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
    return await this.ended(String(body['runId']));
  }

  async ended(runId: string): Promise<Fields> {
    return await eventually(async () => {
      const { body } = await this.settlement.get(`/reconciliation/runs/${runId}`, FINANCE);
      if (body['status'] === 'RUNNING') throw new Error('the run goes on');
      return body;
    }, PATIENT);
  }

  /** A report that the acquirer sends, read in and compared. @returns its run */
  async reported(acquirer: string, from: Date, to: Date, lines: readonly WrittenLine[]): Promise<Fields> {
    const { status, body } = await this.upload(`acquirer:${acquirer}`, writtenReport(acquirer, from, to, lines));
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    return await this.ended(String(body['runId']));
  }

  /** A capture that our books have, without its event. */
  async expected(acquirer: string, reference: string, amount: number, at: Date): Promise<void> {
    await this.settlement.database.execute(
      `INSERT INTO expected_lines (source, type, reference, amount_minor, currency, occurred_at)
       VALUES ($1, 'capture', $2, $3, 'USD', $4)`,
      [`acquirer:${acquirer}`, reference, amount, at],
    );
  }

  async exceptions(filter: Readonly<Record<string, string>> = {}): Promise<readonly Fields[]> {
    const query = new URLSearchParams({ limit: '100', ...filter }).toString();
    const { body } = await this.settlement.get(`/reconciliation/exceptions?${query}`, FINANCE);
    return body['data'] as readonly Fields[];
  }

  async exception(exceptionId: string): Promise<Fields> {
    return (await this.settlement.get(`/reconciliation/exceptions/${exceptionId}`, FINANCE)).body;
  }

  /** One person proposes, a second approves; resolved when the ledger has posted it. */
  async correct(exceptionId: string, first: Principal, second: Principal): Promise<Fields> {
    const path = `/reconciliation/exceptions/${exceptionId}`;
    const proposed = await this.settlement.post(`${path}/correct`, { reason: 'The acquirer is right.' }, first);
    if (proposed.status !== 202) throw new Error(JSON.stringify(proposed.body));
    const correctionId = String((proposed.body['corrections'] as readonly Fields[]).at(-1)?.['correctionId']);
    const approved = await this.settlement.post(`${path}/corrections/${correctionId}/approve`, undefined, second);
    if (approved.status !== 202) throw new Error(JSON.stringify(approved.body));
    return await eventually(async () => {
      const now = await this.exception(exceptionId);
      if (now['status'] !== 'RESOLVED') throw new Error(`not posted yet: ${JSON.stringify(now)}`);
      return now;
    }, PATIENT);
  }

  /** Has the next report of this issuer get things wrong. */
  async spoil(path: string, errors: readonly { readonly kind: InjectedReportError; readonly reference?: string }[]) {
    await this.sim('POST', `${path}/errors`, { errors });
  }

  /** A report as the other side sends it. */
  async file(path: string): Promise<string> {
    const period = new URLSearchParams({
      from: new Date(Date.now() - HOUR_MS).toISOString(),
      to: new Date(Date.now() + 1_000).toISOString(),
    });
    return await (await fetch(`${this.settlement.simUrl}${path}?${period.toString()}`)).text();
  }

  async upload(
    source: string,
    payload: string | Buffer,
    more: { readonly type?: string; readonly as?: Principal; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answered> {
    const response = await this.settlement.app().inject({
      method: 'POST',
      url: `/reconciliation/reports?source=${source}&graceSeconds=0`,
      headers: {
        authorization: await this.settlement.authorization(more.as ?? FINANCE),
        'content-type': more.type ?? (source.startsWith('bank') ? 'application/xml' : 'text/csv'),
        ...more.headers,
      },
      payload,
    });
    return { status: response.statusCode, body: response.json<Fields>(), headers: response.headers };
  }

  async payOut(amount: number): Promise<string> {
    const reference = newId('po');
    await this.sim('POST', '/banks/sim/payouts', {
      reference,
      amount,
      currency: 'USD',
      creditor: { name: 'Ada', iban: 'GB57PAYF00000100000001' },
    });
    return reference;
  }

  private async atAcquirer(
    paymentId: string,
    merchantId: string,
    amount: number,
    captureId: string,
    refundId: string | undefined,
    refunded: number | undefined,
  ): Promise<void> {
    const card = { number: '4242424242424242', expMonth: 12, expYear: 2034, cvc: '123', holderName: 'Ada' };
    const money = { currency: 'USD' };
    const root = '/acquirers/sim/authorizations';
    const { authorizationId } = await this.sim('POST', root, {
      ...money,
      reference: newId('att'),
      amount,
      card,
      merchantId,
      paymentId,
    });
    await this.sim('POST', `${root}/${String(authorizationId)}/captures`, { ...money, reference: captureId, amount });
    if (refundId !== undefined)
      await this.sim('POST', `${root}/${String(authorizationId)}/refunds`, {
        ...money,
        reference: refundId,
        amount: refunded,
      });
  }

  private async sim(method: string, path: string, body: unknown): Promise<Fields> {
    const answer = await fetch(`${this.settlement.simUrl}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.status >= 300) throw new Error(`the simulator refuses: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Fields;
  }
}
