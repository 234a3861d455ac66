import type { Databases } from './databases.ts';
import type { DrillStack } from './drill-stack.ts';
import type { Platform } from './platform.ts';

/** Everything that a fault may take hold of. */
export interface World {
  readonly stack: DrillStack;
  readonly databases: Databases;
  readonly platform: Platform;
}
