import type { Databases } from './databases.ts';
import type { DrillStack } from './drill-stack.ts';
import type { Platform } from './platform.ts';

/** Where a message lies that no consumer can use: exactly these may become dead letters. */
export interface PoisonPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** The broker lost its data afterwards, perhaps before anybody had read it. */
  mayBeLost: boolean;
}

/** Everything that a fault may take hold of. */
export interface World {
  readonly stack: DrillStack;
  readonly databases: Databases;
  readonly platform: Platform;
  /** What faults have put on the topics that nobody can use; grows. */
  readonly poison: PoisonPlace[];
}
