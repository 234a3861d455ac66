import { setTimeout as wait } from 'node:timers/promises';

import type { Clients } from './clients.ts';
import { converge, type Convergence } from './convergence.ts';
import { readFacts } from './facts.ts';
import type { Load } from './load.ts';
import { Random } from './random.ts';
import type { PlannedFault, Round } from './schedule.ts';
import { countOf, type Findings, judge, together } from './verdict.ts';
import { readWalletFacts } from './wallet-facts.ts';
import type { WalletLoad } from './wallet-load.ts';
import { judgeWallets } from './wallet-verdict.ts';
import type { World } from './world.ts';

/** When a fault began and when it was healed, in seconds from the drill's beginning. */
export interface FaultTimes {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Why it could not be injected or healed; then the drill itself is at fault. */
  readonly failure?: string;
}

/** What was tried at once, and how it ended. */
export interface RoundResult {
  readonly faults: readonly FaultTimes[];
  readonly convergence: Convergence;
  readonly findings: Findings;
}

const CONVERGENCE_LIMIT_MS = 240_000;

/** Who sends requests meanwhile, and what for. */
export interface Traffic {
  readonly clients: Clients;
  readonly payments: Load;
  readonly wallets: WalletLoad;
}

/** Runs faults under load, lets everything heal and converge, and takes the verdict. */
export class Rounds {
  private readonly world: World;
  private readonly traffic: Traffic;
  private readonly merchantIds: readonly string[];
  private readonly startedAt = performance.now();

  constructor(world: World, traffic: Traffic, merchantIds: readonly string[]) {
    this.world = world;
    this.traffic = traffic;
    this.merchantIds = merchantIds;
  }

  seconds(): number {
    return (performance.now() - this.startedAt) / 1_000;
  }

  async run(round: Round): Promise<RoundResult> {
    return await this.settle(await Promise.all(round.map(async (planned) => await this.live(planned))));
  }

  /** After the last fault has healed: the clients come to rest, everything converges, books are compared. */
  async settle(faults: readonly FaultTimes[]): Promise<RoundResult> {
    const { stack, databases } = this.world;
    const healed = performance.now();
    await this.traffic.clients.pause();
    const waited = await converge(databases, () => stack.state(), CONVERGENCE_LIMIT_MS);
    const convergence = { ...waited, seconds: (performance.now() - healed) / 1_000 };
    const findings = await this.findings();
    this.traffic.clients.goOn();
    return { faults, convergence, findings };
  }

  /** Databases that are not back are a finding, and no reason to end without a report. */
  private async findings(): Promise<Findings> {
    try {
      const { databases } = this.world;
      const { payments, wallets } = this.traffic;
      return together(
        judge(payments.operations, await readFacts(databases, this.merchantIds)),
        judgeWallets(wallets.operations, await readWalletFacts(databases, wallets.walletIds)),
      );
    } catch (error) {
      return { lost: [], doubled: [], unasked: [], apart: [`the books could not be read: ${String(error)}`] };
    }
  }

  private async live({ fault, afterMs, lastsMs, seed }: PlannedFault): Promise<FaultTimes> {
    await wait(afterMs);
    const from = this.seconds();
    try {
      const heal = await fault.inject(this.world, new Random(seed));
      await wait(lastsMs);
      await heal();
      return { name: fault.name, from, to: this.seconds() };
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { name: fault.name, from, to: this.seconds(), failure };
    }
  }
}

export const passed = ({ faults, convergence, findings }: RoundResult): boolean =>
  countOf(findings) === 0 && convergence.left.length === 0 && faults.every(({ failure }) => failure === undefined);
