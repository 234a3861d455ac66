const WINDOW_MS = 200;
/** Where the vault takes longer than this for a card, the machine has more to do than it can: a few milliseconds are usual. */
const TARGET_MS = 100;
const DECREASE = 0.7;
const INCREASE = 2;
/** As long as a swap may take: after that none is under way that would tell how busy we are. */
const SILENCE_MS = 5_000;
export const LIMIT_MIN = 32;

/**
 * How many payments may be under way, by how long our own part of one takes (additive increase, multiplicative decrease).
 * What is measured is the swap of the card and not the payment: a payment also waits for its acquirer, and an acquirer that
 * takes two seconds is no reason to take fewer payments.
 */
export class AdaptiveLimit {
  private limit: number;
  private windowBeganAtMs: number;
  private observedAtMs: number;
  private sumMs = 0;
  private count = 0;

  constructor(
    private readonly limitMax: number,
    /** A clock that only goes forward, in milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {
    this.limit = limitMax;
    this.windowBeganAtMs = now();
    this.observedAtMs = this.windowBeganAtMs;
  }

  get current(): number {
    return Math.floor(this.limitAfterSilence());
  }

  /** One swap took so long. */
  observe(tookMs: number): void {
    this.sumMs += tookMs;
    this.count += 1;
    const now = this.now();
    this.limit = this.limitAfterSilence();
    this.observedAtMs = now;
    if (now - this.windowBeganAtMs < WINDOW_MS) return;
    const tooSlow = this.sumMs / this.count > TARGET_MS;
    const limit = tooSlow ? this.limit * DECREASE : this.limit + INCREASE;
    this.limit = Math.min(this.limitMax, Math.max(Math.min(LIMIT_MIN, this.limitMax), limit));
    this.windowBeganAtMs = now;
    this.sumMs = 0;
    this.count = 0;
  }

  /** Payments with tokens show no swap: what was learned when there were some must not hold for ever. */
  private limitAfterSilence(): number {
    const windows = Math.floor((this.now() - this.observedAtMs - SILENCE_MS) / WINDOW_MS);
    return windows <= 0 ? this.limit : Math.min(this.limitMax, this.limit + windows * INCREASE);
  }
}
