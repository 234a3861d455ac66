/**
 * The order of one aggregate's events for one consumer, as a pure decision. A gate knows the sequence it takes next.
 * Events that come early wait, in the words of the database: are parked.
 */

/** An event that just came. */
export interface Arrival {
  readonly sequence: number;
}

/** An event that was parked before. */
export interface Waiting {
  readonly sequence: number;
  /** It was delivered and failed (or is being tried again): it must succeed before anything behind it is delivered. */
  readonly retrying: boolean;
}

export interface GateDecision<Came extends Arrival, Parked extends Waiting> {
  /** To be handled, in this order: an unbroken run that begins at the gate's next sequence. */
  readonly deliver: readonly (
    { readonly from: 'arrival'; readonly item: Came } | { readonly from: 'parked'; readonly item: Parked }
  )[];
  /** Came too early. */
  readonly park: readonly Came[];
  /** Came too late, or twice. */
  readonly skip: readonly Came[];
  /** Parked, but passed by the gate in the meantime: of no use any more. */
  readonly drop: readonly Parked[];
  /** The parked event the gate now stands at, when it was not delivered because of `deliverMax`: to be tried soon. */
  readonly wake: Parked | undefined;
  readonly next: number;
}

/** How an event stands to its gate: `early` waits for others, `passed` came too late and is of no use any more. */
export const standingAt = (next: number, sequence: number): 'early' | 'at_gate' | 'passed' => {
  if (sequence > next) return 'early';
  return sequence === next ? 'at_gate' : 'passed';
};

/**
 * Decides what happens to arrivals. `deliverMax` 1 is for finding the guilty one of a failed run.
 */
export const passGate = <Came extends Arrival, Parked extends Waiting>(
  next: number,
  waiting: readonly Parked[],
  arrivals: readonly Came[],
  deliverMax: number = Number.POSITIVE_INFINITY,
): GateDecision<Came, Parked> => {
  const drop: Parked[] = [];
  const parkedAt = new Map<number, Parked>();
  for (const parked of waiting) {
    if (parked.sequence < next || parkedAt.has(parked.sequence)) drop.push(parked);
    else parkedAt.set(parked.sequence, parked);
  }
  const skip: Came[] = [];
  const cameAt = new Map<number, Came>();
  for (const came of arrivals) {
    const useless = came.sequence < next || parkedAt.has(came.sequence) || cameAt.has(came.sequence);
    if (useless) skip.push(came);
    else cameAt.set(came.sequence, came);
  }

  const deliver: GateDecision<Came, Parked>['deliver'][number][] = [];
  let sequence = next;
  while (deliver.length < deliverMax) {
    const came = cameAt.get(sequence);
    const parked = parkedAt.get(sequence);
    if (came !== undefined) deliver.push({ from: 'arrival', item: came });
    else if (parked !== undefined && !parked.retrying) deliver.push({ from: 'parked', item: parked });
    else break;
    cameAt.delete(sequence);
    sequence += 1;
  }

  const head = parkedAt.get(sequence);
  return {
    deliver,
    park: [...cameAt.values()].sort((a, b) => a.sequence - b.sequence),
    skip,
    drop,
    wake: head === undefined || head.retrying ? undefined : head,
    next: sequence,
  };
};
