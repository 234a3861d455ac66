import { hashOfText } from './random.ts';

/** Something that will happen at a time. */
export interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly label: number;
  readonly run: () => void;
  canceled: boolean;
}

const isBefore = (a: Timer, b: Timer): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/**
 * Simulated time. It jumps from one event to the next, so that a week costs what happens in it. The trace hash is made of
 * every event's time and name: two runs of one seed have the same one, or something in them was left to chance.
 */
export class Scheduler {
  nowMs = 0;
  /** Messages delivered, steps executed, timers fired. */
  events = 0;
  traceHash = 0x811c9dc5;
  private readonly heap: Timer[] = [];
  private scheduled = 0;
  private readonly labels = new Map<string, number>();
  private readonly observe: ((atMs: number, label: string) => void) | undefined;

  constructor(observe?: (atMs: number, label: string) => void) {
    this.observe = observe;
  }

  after(delayMs: number, label: string, run: () => void): Timer {
    this.scheduled += 1;
    const timer: Timer = {
      atMs: this.nowMs + Math.max(0, delayMs),
      order: this.scheduled,
      label: this.labelOf(label),
      run: this.observe === undefined ? run : this.observed(label, run),
      canceled: false,
    };
    this.push(timer);
    return timer;
  }

  /** When the next event is due; undefined when nothing will happen any more. */
  get nextAtMs(): number | undefined {
    while (this.heap[0]?.canceled === true) this.pop();
    return this.heap[0]?.atMs;
  }

  /** @returns whether anything was left to happen */
  runNext(): boolean {
    for (let timer = this.pop(); timer !== undefined; timer = this.pop()) {
      if (timer.canceled) continue;
      this.nowMs = timer.atMs;
      this.count(timer.label);
      timer.run();
      return true;
    }
    return false;
  }

  /** Several messages that one event delivers are as many events. */
  countAlso(messages: number): void {
    this.events += messages;
  }

  private count(label: number): void {
    this.events += 1;
    const hash = Math.imul(this.traceHash ^ label, 0x01000193);
    this.traceHash = Math.imul(hash ^ Math.floor(this.nowMs * 1000), 0x01000193) >>> 0;
  }

  private observed(label: string, run: () => void): () => void {
    return () => {
      this.observe?.(this.nowMs, label);
      run();
    };
  }

  private labelOf(label: string): number {
    const known = this.labels.get(label);
    if (known !== undefined) return known;
    const hash = hashOfText(label);
    this.labels.set(label, hash);
    return hash;
  }

  private push(timer: Timer): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent]!;
      if (!isBefore(timer, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  private pop(): Timer | undefined {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      const below = heap[child]!;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
