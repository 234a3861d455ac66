import { setTimeout as wait } from 'node:timers/promises';

import type { DrillStack, ProcessName } from '../drill-stack.ts';
import { type Fault, NOTHING_TO_HEAL } from './fault.ts';

const SERVICES = [
  'gateway',
  'auth',
  'payment',
  'tokenization',
  'ledger',
  'wallet',
  'fraud',
  'notification',
  'settlement',
  'acquirer-sim',
] as const;

/** `kill -9`, once or again as soon as it is back: the supervisor starts it each time. */
const killed = (name: ProcessName, times: readonly [number, number]): Fault => ({
  name: `killed:${name}`,
  touches: [name],
  lasts: [1, 3],
  inject: async ({ stack }, random) => {
    const count = random.int(...times);
    for (let time = 0; time < count; time += 1) {
      const before = stack.processOf(name);
      stack.signal(name, 'SIGKILL');
      await stack.successorOf(name, before);
      await wait(random.int(0, 2_000));
    }
    return NOTHING_TO_HEAL;
  },
});

/** SIGSTOP: its connections stay open and nobody answers on them; leases run out, and then it goes on. */
const paused = (name: ProcessName, lasts: readonly [number, number]): Fault => ({
  name: `paused:${name}`,
  touches: [name],
  lasts,
  inject: ({ stack }) => {
    const record = stack.processOf(name);
    stack.signal(name, 'SIGSTOP');
    return Promise.resolve(async () => {
      if (stack.processOf(name).pid === record.pid) stack.signal(name, 'SIGCONT');
      return Promise.resolve();
    });
  },
});

/** SIGTERM: requests in flight finish, and the next one finds it gone for a moment. */
const restarted = (name: ProcessName, sent: NodeJS.Signals): Fault => ({
  name: `restarted:${name}`,
  touches: [name],
  lasts: [1, 2],
  inject: async ({ stack }) => {
    await endAndStart(stack, name, sent);
    return NOTHING_TO_HEAL;
  },
});

/** One service after the other, each ready again before the next one ends: a deployment. */
const rollingRestart: Fault = {
  name: 'rolling-restart',
  touches: [...SERVICES],
  lasts: [1, 1],
  inject: async ({ stack }, random) => {
    for (const name of random.shuffled(SERVICES)) {
      await endAndStart(stack, name, 'SIGTERM');
      await stack.untilReady(name);
    }
    return NOTHING_TO_HEAL;
  },
};

const endAndStart = async (stack: DrillStack, name: ProcessName, sent: NodeJS.Signals): Promise<void> => {
  const before = stack.processOf(name);
  stack.signal(name, sent);
  await stack.successorOf(name, before);
};

/** Ended and kept ended for a while. */
const gone = (name: ProcessName, lasts: readonly [number, number]): Fault => ({
  name: `gone:${name}`,
  touches: [name],
  lasts,
  inject: async ({ stack }) => {
    await stack.endAndHold(name, 'SIGKILL');
    return () => {
      stack.release(name);
      return Promise.resolve();
    };
  },
});

/** Each connection of the services is ended by an administrator, again and again. */
const backendsTerminated: Fault = {
  name: 'backends-terminated:postgres',
  touches: ['postgres'],
  lasts: [3, 8],
  inject: ({ databases }, random) => {
    let over = false;
    const terminating = (async () => {
      while (!over) {
        await databases
          .query(
            'postgres',
            `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE 'payflow\\_%'`,
          )
          .catch(() => []);
        await wait(random.int(300, 1_500));
      }
    })();
    return Promise.resolve(async () => {
      over = true;
      await terminating;
    });
  },
};

export const PROCESS_FAULTS: readonly Fault[] = [
  ...SERVICES.map((name) => killed(name, [1, 2])),
  ...SERVICES.map((name) => paused(name, [3, 12])),
  rollingRestart,
  killed('postgres', [1, 1]),
  // SIGINT: Postgres rolls open transactions back and leaves in order.
  restarted('postgres', 'SIGINT'),
  paused('postgres', [2, 6]),
  gone('postgres', [3, 8]),
  backendsTerminated,
  killed('kafka', [1, 1]),
  gone('kafka', [60, 60]),
  paused('kafka', [20, 20]),
];
