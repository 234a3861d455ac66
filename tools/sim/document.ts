import { BUGS } from './bugs.ts';

export const TABLE_BEGINS = '<!-- planted bugs: checked by tools/sim/sim.spec.ts -->';
export const TABLE_ENDS = '<!-- end of planted bugs -->';

/** The table of planted bugs in docs/simulation.md. */
export const bugTable = (): string =>
  [
    '| bug | the mistake | found by |',
    '| --- | --- | --- |',
    ...BUGS.map(({ name, mistake, foundBy }) => `| ${name} | ${mistake} | ${foundBy.join(', ')} |`),
  ].join('\n');
