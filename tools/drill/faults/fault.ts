import type { Random } from '../random.ts';
import type { World } from '../world.ts';

/** Undoes what was injected; returns when nothing of it is left. */
export type Heal = () => Promise<void>;

export interface Fault {
  readonly name: string;
  /** What it takes hold of. Two faults that run at once never share one. */
  readonly touches: readonly string[];
  /** How long it lasts, in seconds, from and to. */
  readonly lasts: readonly [number, number];
  readonly inject: (world: World, random: Random) => Promise<Heal>;
}

export const NOTHING_TO_HEAL: Heal = () => Promise.resolve();
