import { readFileSync } from 'node:fs';

const KIB_PER_MIB = 1_024;
const LOOK_EVERY_MS = 100;

/** What a process holds in memory: Rss all of it, Pss with shared pages counted in part. Undefined where the kernel does not tell. */
export const memoryMibOf = (pid: number | undefined, what: 'Rss' | 'Pss'): number | undefined => {
  try {
    const found = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(
      readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8'),
    );
    return found?.[1] === undefined ? undefined : Number(found[1]) / KIB_PER_MIB;
  } catch {
    return undefined;
  }
};

/** Looks at the memory (RSS) of a process while something goes on. */
export class MemoryWatch {
  private readonly beforeMib: number | undefined;
  private mostMib: number | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(pid: number | undefined) {
    this.beforeMib = memoryMibOf(pid, 'Rss');
    this.mostMib = this.beforeMib;
    this.timer = setInterval(() => {
      const mib = memoryMibOf(pid, 'Rss');
      if (mib !== undefined) this.mostMib = Math.max(mib, this.mostMib ?? 0);
    }, LOOK_EVERY_MS);
  }

  /** @returns what was seen, for the table */
  end(): string {
    clearInterval(this.timer);
    if (this.beforeMib === undefined || this.mostMib === undefined) return 'memory: not told here';
    return `RSS ${this.beforeMib.toFixed(0)} MiB before, ${this.mostMib.toFixed(0)} at most`;
  }
}
