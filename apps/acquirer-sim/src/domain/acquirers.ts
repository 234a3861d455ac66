/** The acquirers that are simulated, each with its own part of the book. */
export const ACQUIRERS = ['sim'] as const;

export type AcquirerName = (typeof ACQUIRERS)[number];

export const isAcquirer = (name: string): name is AcquirerName => (ACQUIRERS as readonly string[]).includes(name);
