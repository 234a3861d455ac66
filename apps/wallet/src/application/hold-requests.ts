import { Injectable } from '@nestjs/common';
import type { ConfirmHoldRequest, HoldView, PlaceHoldRequest, Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { entityTag, Idempotency, InjectConfig, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { findHold, type HoldRow, listHolds } from '../store/holds.js';
import type { WalletConfig } from '../wallet.config.js';
import { Holds } from './holds.js';
import { seesWallet } from './open-wallets.js';
import { ReadWallets } from './read-wallets.js';
import { TwoCommits } from './two-commits.js';

/** POST and GET /wallets/{id}/holds, GET /holds/{id}, POST /holds/{id}/confirm | void */
@Injectable()
export class HoldRequests {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commits: TwoCommits,
    private readonly holds: Holds,
    private readonly wallets: ReadWallets,
    @InjectConfig() private readonly config: WalletConfig,
  ) {}

  /** @throws Problem of Holds.place; insufficient_funds is the answer */
  async place(caller: Principal, walletId: string, body: PlaceHoldRequest, meta: RequestMeta): Promise<StoredAnswer> {
    await this.holds.learnOwner(caller.id);
    const lifetimeSeconds = body.expiresInSeconds ?? this.config.WALLET_HOLD_SECONDS;
    return await this.commits.run(this.idempotency.identify({ meta, principal: caller, body }), {
      resourceId: newId('hld'),
      moneyMoving: true,
      decide: (tx, holdId) =>
        this.holds.place(tx, {
          holdId,
          walletId,
          ownerId: caller.id,
          amountMinor: BigInt(body.amount),
          expiresAt: new Date(Date.now() + lifetimeSeconds * 1_000),
          reference: body.reference ?? null,
          merchantId: null,
          paymentId: null,
        }),
      carryOut: (holdId) => this.holds.carryOut(holdId),
      answer: async (holdId) => {
        const hold = await this.existing(holdId);
        return failureOf(hold) ?? answerOf(hold, hold.status === 'PENDING' ? 202 : 201);
      },
    });
  }

  /** @throws Problem of Holds.confirm */
  async confirm(caller: Principal, holdId: string, body: ConfirmHoldRequest, meta: RequestMeta): Promise<StoredAnswer> {
    await this.holds.learnOwner(caller.id);
    const order = {
      transactionId: newId('txn'),
      amountMinor: body.amount === undefined ? undefined : BigInt(body.amount),
      final: true,
      to: { walletId: body.toWallet },
    };
    return await this.change(caller, holdId, body, meta, true, (tx) =>
      this.holds.confirm(tx, holdId, caller.id, order),
    );
  }

  /** @throws Problem of Holds.void */
  async void(caller: Principal, holdId: string, meta: RequestMeta): Promise<StoredAnswer> {
    return await this.change(caller, holdId, null, meta, false, (tx) => this.holds.void(tx, holdId, caller.id));
  }

  /** @throws Problem hold_not_found also for a stranger's */
  async one(caller: Principal, holdId: string): Promise<{ readonly view: HoldView; readonly version: number }> {
    const hold = await findHold(this.database, holdId);
    if (hold === undefined || !seesWallet(caller, hold)) throw new Problem('hold_not_found');
    return { view: holdView(hold), version: Number(hold.version) };
  }

  /** @throws Problem wallet_not_found */
  async page(
    caller: Principal,
    walletId: string,
    query: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ readonly data: HoldView[]; readonly nextCursor: string | null }> {
    const wallet = await this.wallets.seen(caller, walletId);
    const rows = await listHolds(this.database, wallet.id, query.cursor, query.limit + 1);
    const shown = rows.slice(0, query.limit);
    return { data: shown.map(holdView), nextCursor: rows.length > query.limit ? (shown.at(-1)?.id ?? null) : null };
  }

  private async change(
    caller: Principal,
    holdId: string,
    body: unknown,
    meta: RequestMeta,
    moneyMoving: boolean,
    decide: Parameters<TwoCommits['run']>[1]['decide'],
  ): Promise<StoredAnswer> {
    return await this.commits.run(this.idempotency.identify({ meta, principal: caller, body }), {
      resourceId: holdId,
      moneyMoving,
      decide,
      carryOut: () => this.holds.carryOut(holdId),
      answer: async () => {
        const hold = await this.existing(holdId);
        return answerOf(hold, hold.step === null ? 200 : 202);
      },
    });
  }

  private async existing(holdId: string): Promise<HoldRow> {
    const hold = await findHold(this.database, holdId);
    if (hold === undefined) throw new Error(`invariant: hold ${holdId} has vanished`);
    return hold;
  }
}

const failureOf = (hold: HoldRow): Problem | undefined => {
  if (hold.status !== 'FAILED') return undefined;
  const extensions = { holdId: hold.id };
  return hold.reason === 'insufficient_funds'
    ? new Problem('insufficient_funds', { detail: 'The wallet holds less than that.', extensions })
    : new Problem('wallet_unavailable', { detail: `Nothing was held: ${hold.reason ?? 'unknown'}.`, extensions });
};

const answerOf = (hold: HoldRow, status: number) => ({
  status,
  body: holdView(hold),
  headers: { etag: entityTag(Number(hold.version)), location: `/holds/${hold.id}` },
});

const holdView = (hold: HoldRow): HoldView => ({
  holdId: hold.id as HoldView['holdId'],
  walletId: hold.walletId as HoldView['walletId'],
  status: hold.status,
  reason: hold.reason,
  amount: Number(hold.amountMinor),
  confirmedAmount: Number(hold.confirmedMinor),
  currency: hold.currency,
  reference: hold.reference,
  transactionId: hold.stepTransactionId,
  expiresAt: hold.expiresAt.toISOString(),
  createdAt: hold.createdAt.toISOString(),
  completedAt: hold.completedAt?.toISOString() ?? null,
});
