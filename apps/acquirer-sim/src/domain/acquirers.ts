/** The acquirers that are simulated by the same code, each with its own part of the book. */
export const ACQUIRERS = ['sim', 'sim2'] as const;

export type AcquirerName = (typeof ACQUIRERS)[number];

/** The one that cannot process certain test cards, which every other can. */
export const FIRST_ACQUIRER: AcquirerName = ACQUIRERS[0];

export const isAcquirer = (name: string): name is AcquirerName => (ACQUIRERS as readonly string[]).includes(name);
