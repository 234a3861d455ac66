import { setImmediate as nextTurn } from 'node:timers/promises';

/** Decisions are made in this process too, within a budget of 50 ms: none waits longer than this for the work beside it. */
const TURN_MS = 10;

/** Cuts long work into turns, by its time: what one step takes depends on the rules and on what was counted. */
export class Turns {
  private begun: number;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.begun = now();
  }

  /** Whether it is the others' turn; asked before each step. */
  get isOver(): boolean {
    return this.now() - this.begun >= TURN_MS;
  }

  /** Lets everything else that is due go first. */
  async next(): Promise<void> {
    await nextTurn();
    this.begun = this.now();
  }
}
