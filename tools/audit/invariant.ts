import type { Sources } from './sources.ts';

/** One thing that is wrong, with the ids by which people find it. Never card data: not even digits of it. */
export interface Finding {
  readonly problem: string;
  /** What the ids name (payment, event, transaction, reference …), the most telling one first. */
  readonly ids: Readonly<Record<string, string>>;
}

/** One of the invariants of spec §5, as a check of a system that runs. */
export interface Invariant {
  readonly number: number;
  readonly title: string;
  /** What it would mean for people if it did not hold. */
  readonly why: string;
  readonly check: (sources: Sources) => AsyncIterable<Finding>;
}
