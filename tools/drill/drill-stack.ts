import { appendFileSync } from 'node:fs';

import { isAlive, type ProcessRecord, signal, waitForEnd } from '../servers/process.ts';
import { healthOf } from '../stack/health.ts';
import type { Links } from '../stack/links.ts';
import type { StackPaths } from '../stack/paths.ts';
import { Progress } from '../stack/progress.ts';
import type { ServiceName } from '../stack/services.ts';
import type { StackSettings } from '../stack/settings.ts';
import { Stack } from '../stack/stack.ts';
import { readState, type StackState } from '../stack/state.ts';
import type { Unit } from '../stack/unit.ts';

export type ProcessName = ServiceName | 'postgres' | 'kafka';

const ANY_PORT = 0;
const END_TIMEOUT_MS = 180_000;

/** The stack under fire, supervised by this very process. */
export class DrillStack {
  readonly paths: StackPaths;
  private readonly stack: Stack;
  private starting: Promise<'ready' | 'stopped'> | undefined;
  private watching: Promise<void> = Promise.resolve();

  /** @param log what the supervisor sees happen, line by line */
  constructor(paths: StackPaths, links: Links, log: string) {
    this.paths = paths;
    const progress = new Progress((line) => {
      appendFileSync(log, `${new Date().toISOString()} ${line}\n`);
    });
    this.stack = new Stack(paths, ANY_PORTS, progress, links);
  }

  /** @returns whether it runs; false when a stop was asked for meanwhile */
  async start(): Promise<boolean> {
    this.starting = this.stack.bringUp();
    if ((await this.starting) === 'stopped') return false;
    this.watching = this.stack.superviseUntilStopped();
    return true;
  }

  async stop(): Promise<void> {
    this.stack.requestStop();
    await this.starting?.catch(() => undefined);
    await this.watching;
    for (const name of this.names()) signal(this.unit(name).record, 'SIGCONT');
    await this.stack.bringDown();
  }

  /** At once, whatever is under way. */
  killAll(): void {
    this.stack.killAll();
  }

  state(): StackState {
    return readState(this.paths);
  }

  services(): readonly ServiceName[] {
    return Object.keys(this.state().services) as ServiceName[];
  }

  processOf(name: ProcessName): ProcessRecord {
    return this.unit(name).record;
  }

  signal(name: ProcessName, sent: NodeJS.Signals): void {
    signal(this.processOf(name), sent);
  }

  isAlive(name: ProcessName): boolean {
    return isAlive(this.processOf(name));
  }

  /** Ends a process that the supervisor then leaves alone until `release`. */
  async endAndHold(name: ProcessName, sent: NodeJS.Signals): Promise<void> {
    await this.unit(name).hold();
    const before = this.processOf(name);
    signal(before, sent);
    if (!(await waitForEnd(before, END_TIMEOUT_MS))) throw new Error(`${name} did not end after ${sent}`);
  }

  release(name: ProcessName): void {
    this.unit(name).release();
  }

  /** Ends a service and has it started with something more in its environment, for this one start. */
  async restartWith(name: ServiceName, environment: Readonly<Record<string, string>>): Promise<ProcessRecord> {
    await this.endAndHold(name, 'SIGKILL');
    const before = this.processOf(name);
    this.stack.setForNextStart(name, environment);
    this.release(name);
    return await this.successorOf(name, before);
  }

  /** Waits until the supervisor has started another process in the place of this one. */
  async successorOf(name: ProcessName, before: ProcessRecord): Promise<ProcessRecord> {
    const deadline = performance.now() + END_TIMEOUT_MS;
    while (this.processOf(name).pid === before.pid) {
      if (performance.now() > deadline) throw new Error(`${name} was not started again`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return this.processOf(name);
  }

  async untilReady(name: ServiceName): Promise<void> {
    const deadline = performance.now() + END_TIMEOUT_MS;
    while ((await healthOf(this.addressOf(name))) !== 'ready') {
      if (performance.now() > deadline) throw new Error(`${name} was not ready in time`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** A service's own address, past the gateway and past every proxy. */
  addressOf(name: ServiceName): string {
    return `http://127.0.0.1:${String(this.state().services[name]?.port ?? 0)}`;
  }

  private names(): readonly ProcessName[] {
    return [...this.services(), 'postgres', 'kafka'];
  }

  private unit(name: ProcessName): Unit {
    const unit = this.stack.unitOf(name);
    if (unit === undefined) throw new Error(`invariant: ${name} is a process of this stack`);
    return unit;
  }
}

const ANY_PORTS: StackSettings = {
  ports: {
    gateway: ANY_PORT,
    auth: ANY_PORT,
    payment: ANY_PORT,
    tokenization: ANY_PORT,
    ledger: ANY_PORT,
    wallet: ANY_PORT,
    fraud: ANY_PORT,
    notification: ANY_PORT,
    settlement: ANY_PORT,
    'acquirer-sim': ANY_PORT,
  },
};
