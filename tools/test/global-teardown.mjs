import { endRun } from './runs.ts';

/** Ends what global-setup.mjs or system-setup.mjs started for this run; what they found stays. */
export default async function tearDown() {
  if (globalThis.payflowTestRun !== undefined) await endRun(globalThis.payflowTestRun);
}
