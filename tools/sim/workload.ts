import type { Random } from './random.ts';

/** What a client wants of a payment, once the payment is there. */
export interface FollowUp {
  readonly id: string;
  readonly kind: 'capture' | 'cancel' | 'refund';
  readonly amountMinor: bigint | null;
  readonly final: boolean;
  readonly afterMs: number;
}

/** A payment and what its merchant does with it, or money moved in the ledger by a service. */
export type Story =
  | {
      readonly kind: 'payment';
      readonly id: string;
      readonly merchantId: string;
      readonly currency: string;
      readonly amountMinor: bigint;
      readonly sale: boolean;
      readonly atMs: number;
      readonly followUps: readonly FollowUp[];
    }
  | {
      readonly kind: 'transfer';
      readonly id: string;
      readonly atMs: number;
      readonly from: string;
      readonly to: string;
      readonly amountMinor: bigint;
    };

export const MERCHANTS = ['mer_1', 'mer_2', 'mer_3'] as const;
const CURRENCIES = ['USD', 'EUR', 'JPY'] as const;
export const WALLETS = ['wallet:a', 'wallet:b', 'wallet:c'] as const;
export const FUNDING = 'funding:external';

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const MS_PER_STORY = 400;
const TRANSFER_SHARE = 0.2;
const FOLLOW_UPS_MAX = 5;

/** Every story by the seed alone, each from a stream of its own: leaving some out changes no other. */
export const storiesOf = (random: Random, stories: number): readonly Story[] =>
  Array.from({ length: stories }, (_, index) =>
    storyOf(random.stream(`story ${index}`), index, stories * MS_PER_STORY),
  );

const storyOf = (random: Random, index: number, spanMs: number): Story => {
  const id = `s${index}`;
  const atMs = random.between(0, spanMs);
  if (random.chance(TRANSFER_SHARE)) {
    const from = random.chance(0.45) ? FUNDING : random.pick(WALLETS);
    const to = random.pick(WALLETS.filter((wallet) => wallet !== from));
    return { kind: 'transfer', id, atMs, from, to, amountMinor: BigInt(1 + random.below(200)) };
  }
  const amountMinor = BigInt(1 + random.below(random.chance(0.3) ? 60 : 20_000));
  const count = random.below(FOLLOW_UPS_MAX + 1);
  const isRace = random.chance(0.2);
  return {
    kind: 'payment',
    id,
    merchantId: random.pick(MERCHANTS),
    currency: random.pick(CURRENCIES),
    amountMinor,
    sale: random.chance(0.3),
    atMs,
    followUps: Array.from({ length: count }, (_, n) =>
      followUpOf(random, `${id}.${n + 1}`, n / count, amountMinor, isRace),
    ),
  };
};

const followUpOf = (random: Random, id: string, progress: number, amountMinor: bigint, isRace: boolean): FollowUp => {
  const draw = random.fraction();
  const kind = draw < 0.12 ? 'cancel' : draw < 0.25 + 0.5 * progress ? 'refund' : 'capture';
  return {
    id,
    kind,
    amountMinor: amountOf(random, amountMinor),
    final: random.chance(0.5),
    afterMs: isRace ? random.between(0, 20) : delayOf(random),
  };
};

/** All, a part, as much as there is, and one more than that. */
const amountOf = (random: Random, amountMinor: bigint): bigint | null => {
  const draw = random.below(10);
  if (draw < 3) return null;
  if (draw === 3) return amountMinor + 1n;
  if (draw === 4) return amountMinor;
  const part = (amountMinor * BigInt(1 + random.below(9))) / 10n;
  return part === 0n ? 1n : part;
};

/** At the same moment as others, soon, or days later. */
const delayOf = (random: Random): number => {
  const draw = random.below(10);
  if (draw < 3) return random.between(0, 20);
  if (draw < 8) return random.between(100, 30 * SECOND);
  return draw === 8 ? random.between(60 * SECOND, DAY) : random.between(6.5 * DAY, 7.1 * DAY);
};
