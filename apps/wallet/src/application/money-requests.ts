import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { type Claim, Idempotency, InjectConfig, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { OwnersAtAuth } from '../clients/owners-at-auth.js';
import { storeOwner } from '../store/owners.js';
import type { WalletConfig } from '../wallet.config.js';

/** Longer than a request works: what calls a payment or a bank, the postings and the commits take together. */
export const MONEY_LEASE_MS = 25_000;

/** The rules say that nothing is known of this person, or nothing that lets him move money: auth is asked first. */
export class OwnerUnknown extends Error {
  override readonly name = 'OwnerUnknown';

  constructor(readonly userId: string) {
    super('auth is to be asked');
  }
}

/** The work of one request for money that comes or goes. */
export interface MoneyRequest {
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly body: unknown;
  /** Commits the intent; with `asked`, auth has just told of the caller. @throws Problem, OwnerUnknown */
  readonly begin: (tx: Tx, transactionId: string, asked: boolean) => Promise<void>;
  /** Goes on with it, for as long as nobody outside has to be waited for. */
  readonly goOn: (transactionId: string, isNew: boolean) => Promise<void>;
  readonly answer: (transactionId: string) => Promise<StoredAnswer>;
}

type Begun =
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'begun'; readonly claim: Claim; readonly isNew: boolean };

/** Key, intent, work, answer: the course of every request that moves money from or to somebody outside. */
@Injectable()
export class MoneyRequests {
  /** Some name a bank account: from a plain hash of a request it would be found by trying. */
  private readonly idempotency: Idempotency;

  constructor(
    private readonly database: Database,
    idempotency: Idempotency,
    private readonly owners: OwnersAtAuth,
    @InjectConfig() config: WalletConfig,
  ) {
    this.idempotency = idempotency.underKey(config.BANK_ACCOUNT_KEY);
  }

  async run(request: MoneyRequest): Promise<StoredAnswer> {
    const begun = await this.beginKnowingOwner(request);
    if (begun.kind === 'answered') return begun.answer;
    const { claim, isNew } = begun;
    await request.goOn(claim.resourceId, isNew);
    const answer = await request.answer(claim.resourceId);
    await this.database.transaction((tx) => this.idempotency.complete(tx, claim, answer));
    return answer;
  }

  private async beginKnowingOwner(request: MoneyRequest): Promise<Begun> {
    try {
      return await this.begin(request, false);
    } catch (error) {
      if (!(error instanceof OwnerUnknown)) throw error;
      const owner = await this.owners.byId(error.userId);
      if (owner !== undefined) await storeOwner(this.database, owner);
    }
    return await this.begin(request, true);
  }

  /** A key whose request died goes on with its transaction; it is never begun anew. */
  private async begin({ principal, meta, body, begin }: MoneyRequest, asked: boolean): Promise<Begun> {
    const identity = this.idempotency.identify({ principal, meta, body });
    const options = { resourceId: newId('txn'), leaseMs: MONEY_LEASE_MS, moneyMoving: true };
    return await this.database.transaction(async (tx): Promise<Begun> => {
      const outcome = await this.idempotency.claim(tx, identity, options);
      if (outcome.kind === 'replay') return { kind: 'answered', answer: outcome.answer };
      if (outcome.kind === 'resume') return { kind: 'begun', claim: outcome.claim, isNew: false };
      await tx.execute('SAVEPOINT money_intent');
      try {
        await begin(tx, outcome.claim.resourceId, asked);
        return { kind: 'begun', claim: outcome.claim, isNew: true };
      } catch (error) {
        if (!isRefusal(error) || identity.key === undefined) throw error;
        await tx.execute('ROLLBACK TO SAVEPOINT money_intent');
        const answer = this.idempotency.storedProblem(error);
        await this.idempotency.complete(tx, outcome.claim, answer);
        return { kind: 'answered', answer };
      }
    });
  }
}

/** Of the rules of business: it is the answer of its key. */
const isRefusal = (error: unknown): error is Problem =>
  error instanceof Problem && [404, 409, 422].includes(error.status);
