/**
 * What a pure decision answers: the events that follow, or the fact that forbids them. A business "no" is a value,
 * never a thrown error, so that the compiler can see whether each one is handled.
 */
export type Decision<Event, Refusal> =
  { readonly ok: true; readonly events: readonly Event[] } | { readonly ok: false; readonly refusal: Refusal };

export const accept = <Event>(
  ...events: readonly Event[]
): { readonly ok: true; readonly events: readonly Event[] } => ({
  ok: true,
  events,
});

export const refuse = <const Refusal>(refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal,
});

/** Ends an exhaustive `switch`: it does not compile while a case is missing. */
export const unreachable = (value: never): never => {
  throw new Error(`invariant: unexpected ${JSON.stringify(value)}`);
};
