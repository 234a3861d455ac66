import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { isAlive, type ProcessRecord, tailOf, waitForEnd } from '../servers/process.ts';
import { REPOSITORY } from '../stack/paths.ts';
import type { ServiceName } from '../stack/services.ts';
import { bodyOf } from './platform.ts';
import { provoke } from './provocations.ts';
import type { Random } from './random.ts';
import type { CrashTry } from './report.ts';
import type { FaultTimes, RoundResult, Rounds } from './rounds.ts';
import type { World } from './world.ts';

const SERVICES_AT_ONCE = 3;
const PASS_MAX = 2;
/** The other services of the round die and start meanwhile, and no payment goes through until they are back. */
const TRY_LIMIT_MS = 45_000;
const START_LIMIT_MS = 60_000;
const PROVOKE_EVERY_MS = 1_500;
const LOG_LINES = 200;
/** Card payments lead through these all the time; what the others have in common with them is tried there last. */
const BUSY: readonly ServiceName[] = ['payment', 'ledger', 'tokenization'];
/** The gateway stores nothing. */
const WITHOUT_POINTS: readonly ServiceName[] = ['gateway'];

interface Target {
  readonly service: ServiceName;
  readonly point: string;
  readonly pass: number;
}

/**
 * Each named crash point once, at one of the services that have it: the service is started with PAYFLOW_CRASH, traffic drives it there, it kills itself, the
 * supervisor starts it without. Which points there are, the processes tell: they register what they pass. Several services
 * at a time, each with one.
 */
export class CrashPoints {
  readonly tries: CrashTry[] = [];
  private readonly world: World;
  private readonly rounds: Rounds;
  private readonly random: Random;
  /** A new process knows none until it passes one: what earlier ones told is kept. */
  private readonly met = new Map<ServiceName, Set<string>>();

  constructor(world: World, rounds: Rounds, random: Random) {
    this.world = world;
    this.rounds = rounds;
    this.random = random;
  }

  /** What a quiet life passes by: everything is provoked once, so that rare points are known too. */
  async warmUp(): Promise<void> {
    await provoke(this.world, '');
  }

  /** @returns undefined when every point of every service has been tried */
  async next(say: (points: readonly string[]) => void): Promise<RoundResult | undefined> {
    const targets = this.chosen(await this.known());
    if (targets.length === 0) return undefined;
    say(targets.map(({ service, point, pass }) => `${service} at ${point}@${pass}`));
    return await this.rounds.settle(await Promise.all(targets.map(async (target) => await this.crash(target))));
  }

  /** Points that processes told of and for which there was no time. */
  async notTried(): Promise<readonly string[]> {
    const tried = new Set(this.tries.map(({ point }) => point));
    const known = [...(await this.known()).values()].flatMap((points) => [...points]);
    return [...new Set(known.filter((point) => !tried.has(point)))].sort();
  }

  /** Of the code's crash points those that no process has told of. */
  async neverMet(): Promise<readonly string[]> {
    const met = [...(await this.known()).values()].flatMap((points) => [...points]);
    return patternsInCode().filter((pattern) => !met.some((name) => matches(pattern, name)));
  }

  private async known(): Promise<ReadonlyMap<ServiceName, ReadonlySet<string>>> {
    const { stack, platform } = this.world;
    const services = stack.services().filter((name) => !WITHOUT_POINTS.includes(name));
    await Promise.all(
      services.map(async (name) => {
        const path = '/internal/crash-points';
        // One that does not answer has told before, or will tell the next time.
        const answer = await platform
          .asOperatorOf(stack.addressOf(name), { method: 'GET', path })
          .catch(() => undefined);
        if (answer?.status !== 200) return;
        const { data } = bodyOf(answer, 200) as { data: readonly string[] };
        this.met.set(name, new Set([...(this.met.get(name) ?? []), ...data]));
      }),
    );
    return this.met;
  }

  /** Each name at one service; where it was not reached, at the next one that has it. */
  private chosen(known: ReadonlyMap<ServiceName, ReadonlySet<string>>): readonly Target[] {
    const done = new Set(this.tries.filter(({ outcome }) => outcome === 'died').map(({ point }) => point));
    const tried = new Set(this.tries.map(({ service, point }) => `${service} ${point}`));
    const waitsElsewhere = (point: string, service: ServiceName): boolean =>
      BUSY.some((busy) => busy !== service && known.get(busy)?.has(point) === true && !tried.has(`${busy} ${point}`));
    const targets: Target[] = [];
    for (const [service, points] of this.random.shuffled([...known])) {
      const open = [...points]
        .filter((point) => !done.has(point) && !tried.has(`${service} ${point}`))
        .filter((point) => BUSY.includes(service) || !waitsElsewhere(point, service))
        .filter((point) => !targets.some((target) => target.point === point));
      if (open.length === 0 || targets.length === SERVICES_AT_ONCE) continue;
      targets.push({ service, point: this.random.pick(open), pass: this.random.int(1, PASS_MAX) });
    }
    return targets;
  }

  private async crash({ service, point, pass }: Target): Promise<FaultTimes> {
    const { stack } = this.world;
    const name = `crash:${service}:${point}`;
    const from = this.rounds.seconds();
    try {
      const victim = await stack.restartWith(service, { PAYFLOW_CRASH: `${point}@${pass}` });
      const died = await this.driveToDeath(service, victim, point);
      if (!died) stack.signal(service, 'SIGKILL');
      await stack.successorOf(service, victim);
      const log = tailOf(join(stack.paths.logs, `${service}.log`), LOG_LINES);
      const there = died && log.includes(`crash point ${point} reached`);
      this.tries.push({ service, point, pass, outcome: there ? 'died' : 'not reached' });
      return { name, from, to: this.rounds.seconds() };
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.tries.push({ service, point, pass, outcome: 'not reached' });
      return { name, from, to: this.rounds.seconds(), failure };
    }
  }

  /** How long a service takes to start says nothing about the point: its time begins when it is ready, or dies before. */
  private async driveToDeath(service: ServiceName, victim: ProcessRecord, point: string): Promise<boolean> {
    const { stack } = this.world;
    const ready = stack.untilReady(service).catch(() => undefined);
    await Promise.race([ready, waitForEnd(victim, START_LIMIT_MS)]);
    const end = performance.now() + TRY_LIMIT_MS;
    let provocation = Promise.resolve();
    let provokedAt = -Infinity;
    while (isAlive(victim) && performance.now() < end) {
      if (performance.now() - provokedAt > PROVOKE_EVERY_MS) {
        provokedAt = performance.now();
        provocation = provocation.then(async () => {
          if (isAlive(victim)) await provoke(this.world, point);
        });
      }
      await wait(50);
    }
    await provocation;
    return !isAlive(victim);
  }
}

// What the code says

const CALL = /crashPoint\(\s*(['`])(.+?)\1\s*\)/g;

/** Every crash point in the source; one whose name is put together has `${…}` in it. */
export const patternsInCode = (): readonly string[] => {
  const found = new Set<string>();
  for (const root of ['apps', 'libs']) {
    for (const name of readdirSync(join(REPOSITORY, root), { recursive: true, encoding: 'utf8' })) {
      if (!/^[^/]+\/src\/.*\.ts$/.test(name) || name.endsWith('.spec.ts')) continue;
      for (const [, , pattern = ''] of readFileSync(join(REPOSITORY, root, name), 'utf8').matchAll(CALL))
        found.add(pattern);
    }
  }
  return [...found].sort();
};

export const matches = (pattern: string, name: string): boolean => {
  const parts = pattern.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[a-z0-9-]+')}$`).test(name);
};
