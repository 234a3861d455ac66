const FIRST_CAPACITY = 65_536;
/** 53 bits fit into a double exactly. */
const LOW_BITS = 21;

/**
 * A set of event ids in eight bytes each: their 53-bit hashes, sorted when the last one is in. That an id which is missing
 * has the hash of another is one in a billion for ten million ids; an id which is there is always found.
 */
export class EventIdSet {
  private hashes = new Float64Array(FIRST_CAPACITY);
  private count = 0;

  add(eventId: string): void {
    if (this.count === this.hashes.length) {
      const larger = new Float64Array(this.hashes.length * 2);
      larger.set(this.hashes);
      this.hashes = larger;
    }
    this.hashes[this.count] = hashOf(eventId);
    this.count += 1;
  }

  /** To be called once, before the first `has`. */
  seal(): void {
    this.hashes = this.hashes.slice(0, this.count).sort();
  }

  has(eventId: string): boolean {
    const wanted = hashOf(eventId);
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const hash = this.hashes[middle] ?? Number.NaN;
      if (hash === wanted) return true;
      if (hash < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}

/** Two multiplicative hashes of 32 bits (FNV-1a, and the same with another prime), joined to 53 bits. */
const hashOf = (text: string): number => {
  let one = 0x811c9dc5;
  let other = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x5bd1e995);
    other ^= other >>> 13;
  }
  return (one >>> 0) * 2 ** LOW_BITS + ((other >>> 0) & (2 ** LOW_BITS - 1));
};
