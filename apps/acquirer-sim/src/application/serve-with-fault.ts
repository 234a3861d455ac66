import type { Fault } from '../domain/treatment.js';

/** What the caller gets: an answer, an error, or nothing at all. */
export type Served<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'error' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'silence' };

/** What goes wrong, and who wants it so. A mode's fault happens each time, a card's or an account's to the first request of a reference. */
export interface Faults {
  readonly ofMode: Fault | undefined;
  readonly ofInstrument: Fault | undefined;
  /** Loses this reference. @returns whether it is the first time */
  readonly losesFirst: () => Promise<boolean>;
  readonly think: () => Promise<void>;
}

/** Lets a request happen late, not at all, or without an answer. */
export const serveWithFault = async <Answer extends { readonly replayed: boolean }>(
  { ofMode, ofInstrument, losesFirst, think }: Faults,
  effect: () => Promise<Answer>,
): Promise<Served<Answer>> => {
  const fault = ofMode ?? ofInstrument;
  if (fault === 'unavailable') return { kind: 'unavailable' };
  // Before the effect, so that a caller who gives up early meets an operation that still happens.
  await think();
  if (isBeforeEffect(fault) && (ofMode !== undefined || (await losesFirst()))) return failure(fault);
  const answer = await effect();
  const failsAfterwards = isAfterEffect(fault) && (ofMode !== undefined || !answer.replayed);
  return failsAfterwards ? failure(fault) : { kind: 'answer', answer };
};

type FaultBefore = Extract<Fault, 'silence_before_effect' | 'error_before_effect'>;
type FaultAfter = Extract<Fault, 'silence_after_effect' | 'error_after_effect'>;

const isBeforeEffect = (fault: Fault | undefined): fault is FaultBefore =>
  fault === 'silence_before_effect' || fault === 'error_before_effect';
const isAfterEffect = (fault: Fault | undefined): fault is FaultAfter =>
  fault === 'silence_after_effect' || fault === 'error_after_effect';

const failure = (fault: FaultBefore | FaultAfter): Served<never> =>
  fault === 'silence_before_effect' || fault === 'silence_after_effect' ? { kind: 'silence' } : { kind: 'error' };
