import { setTimeout as wait } from 'node:timers/promises';

import type { Random } from './random.ts';

const PAUSE_MS_MAX = 150;

/** Everybody who sends requests in a drill: each does one thing after the other, and all of them can be made to rest. */
export class Clients {
  private readonly all: Promise<void>[] = [];
  private resume: (() => void) | undefined;
  private gate: Promise<void> = Promise.resolve();
  private stopping = false;
  private waiting = 0;

  get stopped(): boolean {
    return this.stopping;
  }

  /** @param act what a client does once, from its first request to its last answer */
  add(count: number, random: Random, act: (random: Random) => Promise<void>): void {
    for (let index = 0; index < count; index += 1) this.all.push(this.client(random.fork(), act));
  }

  /** Returns when no client has a request in flight: those that wait for a silent acquirer or a repetition finish first. */
  async pause(): Promise<void> {
    if (this.resume === undefined) {
      this.gate = new Promise((resolve) => {
        this.resume = resolve;
      });
    }
    while (!this.stopping && this.waiting < this.all.length) await wait(50);
  }

  goOn(): void {
    this.resume?.();
    this.resume = undefined;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.goOn();
    await Promise.all(this.all);
  }

  private async client(random: Random, act: (random: Random) => Promise<void>): Promise<void> {
    for (;;) {
      this.waiting += 1;
      await this.gate;
      this.waiting -= 1;
      if (this.stopping) return;
      await act(random);
      await wait(random.int(0, PAUSE_MS_MAX));
    }
  }
}
