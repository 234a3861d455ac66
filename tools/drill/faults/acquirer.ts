import { setTimeout as wait } from 'node:timers/promises';

import { ACQUIRERS } from '../../stack/services.ts';
import type { World } from '../world.ts';
import { type Fault, NOTHING_TO_HEAL } from './fault.ts';

const CONTROL_TRIES_MAX = 30;

interface Mode {
  readonly mode: string;
  readonly latencyMs?: number;
}

/** How a simulated acquirer misbehaves; what each means stands in the contracts (ACQUIRER_MODES). */
const MODES: readonly Mode[] = [
  { mode: 'timeout_after_effect' },
  { mode: 'timeout_without_effect' },
  { mode: 'error_before_effect' },
  { mode: 'error_after_effect' },
  { mode: 'unavailable' },
  { mode: 'slow', latencyMs: 2_500 },
  { mode: 'technical_decline' },
  { mode: 'pending_then_approved' },
  { mode: 'late_success', latencyMs: 2_000 },
  { mode: 'duplicate_webhooks' },
  { mode: 'reordered_webhooks' },
];

const setMode = async ({ stack }: World, acquirer: string, mode: Mode): Promise<void> => {
  await control(`${stack.addressOf('acquirer-sim')}/acquirers/${acquirer}/mode`, mode);
};

/** The simulator keeps its modes in a database, which another fault may have taken away for a while. */
const control = async (url: string, body: object): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    if (response?.ok === true) return;
    if (attempt === CONTROL_TRIES_MAX) throw new Error(`POST ${url}: ${response?.status ?? 'no answer'}`);
    await wait(1_000);
  }
};

const misbehaving = (mode: Mode): Fault => ({
  name: `acquirer:${mode.mode}`,
  touches: ['acquirer-sim'],
  lasts: [3, 10],
  inject: async (world, random) => {
    // One acquirer, or both: with one, payments may be taken elsewhere.
    const acquirers = random.chance(0.5) ? ACQUIRERS : [ACQUIRERS[0]];
    for (const acquirer of acquirers) await setMode(world, acquirer, mode);
    return async () => {
      for (const acquirer of acquirers) await setMode(world, acquirer, { mode: 'normal' });
    };
  },
});

/** What acquirers said in the past, said again: several times, in any order, a day late, and once with a bad signature. */
const webhooksReplayed: Fault = {
  name: 'acquirer:webhooks-replayed',
  touches: ['acquirer-sim'],
  lasts: [1, 3],
  inject: async ({ stack }) => {
    for (const acquirer of ACQUIRERS) {
      const url = `${stack.addressOf('acquirer-sim')}/acquirers/${acquirer}/webhooks/replay`;
      await control(url, { all: true, times: 2, shuffle: true });
      await control(url, { all: true, timestampOffsetSeconds: -86_400 });
      await control(url, { all: true, badSignature: true });
    }
    return NOTHING_TO_HEAL;
  },
};

export const ACQUIRER_FAULTS: readonly Fault[] = [...MODES.map(misbehaving), webhooksReplayed];

/** Whether the simulator of this checkout can be told how to behave. */
export const acquirerIsControllable = async (address: string): Promise<boolean> => {
  const response = await fetch(`${address}/acquirers/${ACQUIRERS[0]}/mode`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ mode: 'normal' }),
  });
  await response.arrayBuffer();
  return response.ok;
};
