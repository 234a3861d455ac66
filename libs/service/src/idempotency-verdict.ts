/** A key's row as a later request with that key finds it. */
export interface FoundKey {
  readonly expired: boolean;
  /** The key was made from the request itself, because the caller sent none. */
  readonly keyless: boolean;
  readonly sameRequest: boolean;
  readonly state: 'running' | 'done';
  readonly leaseOver: boolean;
}

/**
 * restart: past its retention it is new. duplicate: a request without a key, made twice. reused: the key is another
 * request's. replay: answer what was answered. in_use: its owner is at work. take_over: its owner died or is too late.
 */
export type KeyVerdict = 'restart' | 'duplicate' | 'reused' | 'replay' | 'in_use' | 'take_over';

/** What becomes of a request whose key is there already. */
export const judgeKey = (key: FoundKey): KeyVerdict => {
  if (key.expired) return 'restart';
  if (key.keyless) return 'duplicate';
  if (!key.sameRequest) return 'reused';
  if (key.state === 'done') return 'replay';
  return key.leaseOver ? 'take_over' : 'in_use';
};
