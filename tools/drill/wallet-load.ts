import type { Clients } from './clients.ts';
import type { Told, WalletOperation, WalletOperationKind } from './operation.ts';
import { type Call, type Merchant, type Person, type Platform } from './platform.ts';
import type { Random } from './random.ts';
import { PATIENCE_MS, type Request, type Requests, toldBy } from './requests.ts';

const PEOPLE = 8;
const CURRENCY = 'USD';
const CARD_GOOD = '4242424242424242';
const CARD_DECLINED = '4000000000009995';
/** Of the simulated bank: it pays at once, it pays later, it knows no such account. */
const ACCOUNTS = ['GB57PAYF00000100000001', 'GB30PAYF00000100000002', 'GB73PAYF00000100000004'] as const;
const AMOUNT_MIN = 1_000;
/** What everybody begins with: enough for all that the drill moves. */
const FILLED_MIN = 1_000_000;
/** More than all people have together, and less than the limit of a transfer. */
const TOO_MUCH_MIN = 50_000_000;
const IMPATIENT = 0.1;
const DOUBLE_SUBMIT = 0.05;
const DECLINED_CARD = 0.12;
const TOO_MUCH = 0.05;

interface Wish {
  readonly kind: WalletOperationKind;
  readonly amount: number;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly from?: string;
  readonly to?: string;
  readonly holdId?: string;
}

/**
 * People with wallets, who mostly send each other money, and now and then add some, withdraw some, pay the merchant, or set
 * some aside for somebody. Every request has a key and is repeated with it; a few people walk away at the first silence.
 */
export class WalletLoad {
  readonly operations: WalletOperation[] = [];
  private readonly platform: Platform;
  private readonly requests: Requests;
  private readonly merchant: Merchant;
  private readonly people: readonly Person[];
  private amounts = 0;

  constructor(platform: Platform, requests: Requests, merchant: Merchant, people: readonly Person[]) {
    this.platform = platform;
    this.requests = requests;
    this.merchant = merchant;
    this.people = people;
  }

  /** With people who have money, before anything fails. */
  static async ofNewPeople(platform: Platform, requests: Requests, merchant: Merchant): Promise<WalletLoad> {
    const people = await Promise.all(Array.from({ length: PEOPLE }, async () => await platform.newPerson()));
    const load = new WalletLoad(platform, requests, merchant, people);
    await Promise.all(
      people.map(async (person) => {
        const told = await load.add(person, CARD_GOOD, load.amountFrom(FILLED_MIN), PATIENCE_MS);
        if (told.kind !== 'done') throw new Error(`${person.username} has no money: ${JSON.stringify(told)}`);
      }),
    );
    return load;
  }

  get walletIds(): readonly string[] {
    return this.people.map(({ walletId }) => walletId);
  }

  start(clients: Clients, count: number, random: Random): void {
    clients.add(count, random, async (own) => {
      await this.act(own);
    });
  }

  private async act(random: Random): Promise<void> {
    const [person, other] = random.shuffled(this.people);
    if (person === undefined || other === undefined) throw new Error('invariant: there are people');
    const chosen = random.next();
    if (chosen < 0.68) await this.transfer(person, other, random);
    else if (chosen < 0.76) {
      const card = random.chance(DECLINED_CARD) ? CARD_DECLINED : CARD_GOOD;
      await this.add(person, card, this.amountFrom(AMOUNT_MIN), patienceOf(random));
    } else if (chosen < 0.84) await this.withdraw(person, random);
    else if (chosen < 0.92) await this.payAndRefund(person, random);
    else await this.holdAndEnd(person, other, random);
  }

  private async transfer(from: Person, to: Person, random: Random): Promise<void> {
    const amount = this.amountFrom(random.chance(TOO_MUCH) ? TOO_MUCH_MIN : AMOUNT_MIN);
    const body = { fromWallet: from.walletId, toWallet: to.walletId, amount };
    const wish: Wish = {
      kind: 'transfer',
      amount,
      path: '/wallets/transfer',
      body,
      from: from.walletId,
      to: to.walletId,
    };
    const { operation, request } = this.asked(wish, this.byPerson(from));
    const answer = await this.requests.untilFinal(operation, { ...request, untilEnded: true }, patienceOf(random));
    if (answer === undefined) return;
    operation.told = toldBy(answer);
    if (random.chance(DOUBLE_SUBMIT)) await this.requests.sendTwice(operation, request, answer);
  }

  private async add(person: Person, number: string, amount: number, patienceMs: number): Promise<Told> {
    const card = { number, expMonth: 12, expYear: 2034, cvc: '123' };
    const body = { amount, currency: CURRENCY, paymentMethod: { type: 'card', card } };
    const wish: Wish = { kind: 'add', amount, path: '/wallet/add', body, to: person.walletId };
    return await this.told(wish, this.byPerson(person), patienceMs);
  }

  private async withdraw(person: Person, random: Random): Promise<void> {
    const amount = this.amountFrom(AMOUNT_MIN);
    const bankAccount = { iban: random.pick(ACCOUNTS), name: 'Ada Lovelace' };
    const body = { amount, currency: CURRENCY, bankAccount };
    const wish: Wish = { kind: 'withdraw', amount, path: '/wallet/withdraw', body, from: person.walletId };
    await this.told(wish, this.byPerson(person), patienceOf(random));
  }

  private async payAndRefund(person: Person, random: Random): Promise<void> {
    const amount = this.amountFrom(AMOUNT_MIN);
    const body = { merchantId: this.merchant.merchantId, amount, currency: CURRENCY };
    const wish: Wish = { kind: 'pay', amount, path: '/wallet/pay', body, from: person.walletId };
    const told = await this.told(wish, this.byPerson(person), patienceOf(random));
    if (told.kind !== 'done' || told.body['status'] !== 'SUCCESS' || !random.chance(0.4)) return;
    const path = `/payments/${String(told.body['paymentId'])}/refund`;
    const byMerchant = async (call: Call) => await this.platform.asMerchant(this.merchant, call);
    const refund: Wish = { kind: 'refund', amount, path, body: { amount }, to: person.walletId };
    await this.told(refund, byMerchant, patienceOf(random));
  }

  private async holdAndEnd(person: Person, other: Person, random: Random): Promise<void> {
    const amount = this.amountFrom(AMOUNT_MIN);
    const from = person.walletId;
    const as = this.byPerson(person);
    const hold: Wish = { kind: 'hold', amount, path: `/wallets/${from}/holds`, body: { amount }, from };
    const told = await this.told(hold, as, patienceOf(random));
    if (told.kind !== 'done' || told.body['status'] !== 'PLACED') return;
    const holdId = String(told.body['holdId']);
    const path = `/holds/${holdId}`;
    const end: Wish = random.chance(0.6)
      ? {
          kind: 'confirm',
          amount,
          path: `${path}/confirm`,
          body: { toWallet: other.walletId },
          from,
          to: other.walletId,
          holdId,
        }
      : { kind: 'void', amount, path: `${path}/void`, body: {}, from, holdId };
    await this.told(end, as, patienceOf(random));
  }

  private async told(wish: Wish, as: Request['as'], patienceMs: number): Promise<Told> {
    const { operation, request } = this.asked(wish, as);
    const answer = await this.requests.untilFinal(operation, request, patienceMs);
    if (answer !== undefined) operation.told = toldBy(answer);
    return operation.told;
  }

  private asked(
    { kind, amount, path, body, from, to, holdId }: Wish,
    as: Request['as'],
  ): { readonly operation: WalletOperation; readonly request: Request } {
    const operation: WalletOperation = {
      operationId: crypto.randomUUID(),
      kind,
      key: crypto.randomUUID(),
      amount,
      fromWalletId: from ?? null,
      toWalletId: to ?? null,
      holdId: holdId ?? null,
      told: { kind: 'silence' },
      tries: 0,
      contradiction: null,
    };
    this.operations.push(operation);
    return { operation, request: { path, body: JSON.stringify(body), as } };
  }

  private byPerson(person: Person): Request['as'] {
    return async (call) => await this.platform.asPerson(person, call);
  }

  /** An amount that nobody has asked for yet: what happened can be told apart by it afterwards. */
  private amountFrom(least: number): number {
    this.amounts += 1;
    return least + this.amounts;
  }
}

const patienceOf = (random: Random): number => (random.chance(IMPATIENT) ? 0 : PATIENCE_MS);
