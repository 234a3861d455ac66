/** Spreads the bits of a number (the finalizer of MurmurHash3). */
const mixed = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** FNV-1a. */
export const hashOfText = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
};

/**
 * The only source of chance in a simulation: sfc32, seeded. Whoever needs chance gets a stream of his own by name, so
 * that taking one operation or one fault away leaves the choices of all others as they were.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.a = mixed(this.seed ^ 0x9e3779b9);
    this.b = mixed(this.a ^ 0x243f6a88);
    this.c = mixed(this.b ^ 0xb7e15162);
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** Another stream, the same for the same name. */
  stream(name: string): Random {
    return new Random(mixed(this.seed ^ hashOfText(name)));
  }

  /** 0 to 2^32 − 1. */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** 0 up to 1. */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A whole number from 0 to `below` − 1. */
  below(below: number): number {
    return Math.floor(this.fraction() * below);
  }

  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('invariant: nothing to pick from');
    return item;
  }
}
