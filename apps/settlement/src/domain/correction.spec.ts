import { describe, expect, it } from '@jest/globals';

import { changeOf, type RaisedDifference, type Side } from './correction.js';

const side = (amountMinor: bigint, feeMinor = 0n, currency = 'USD'): Side => ({ amountMinor, feeMinor, currency });

const raised = (
  kind: RaisedDifference['kind'],
  expectedMinor: bigint | null,
  theirs: Side | undefined,
): RaisedDifference => ({ kind, expectedMinor, expectedCurrency: expectedMinor === null ? null : 'USD', theirs });

const HERE_NOW = 'Our books have the line now.';
const THERE_NOW = 'A report has the line now.';
const WITHDRAWN = 'The latest report of that time does not have the line.';

describe('a difference that was raised', () => {
  it.each<[string, RaisedDifference, Side | undefined, Side | undefined, string | undefined]>([
    ['missing here', raised('missing_here', null, side(5n)), undefined, side(5n), undefined],
    ['that our event has brought', raised('missing_here', null, side(5n)), side(5n), side(5n), HERE_NOW],
    ['withdrawn', raised('missing_here', null, side(5n)), undefined, undefined, WITHDRAWN],
    [
      'restated',
      raised('missing_here', null, side(5n)),
      undefined,
      side(6n),
      'The other side says 6 USD, fee 0 now, and said 5 USD, fee 0.',
    ],
    ['missing there', raised('missing_there', 5n, undefined), side(5n), undefined, undefined],
    ['that a report has brought', raised('missing_there', 5n, undefined), side(5n), side(5n), THERE_NOW],
    [
      'corrected to nothing',
      raised('missing_there', 5n, undefined),
      side(0n),
      undefined,
      'Our books say 0 USD, fee 0 now.',
    ],
    ['of an amount', raised('amount', 5n, side(6n)), side(5n), side(6n), undefined],
    ['of an amount whose fee changed', raised('amount', 5n, side(6n)), side(5n, 1n), side(6n, 2n), undefined],
    [
      'of an amount, corrected before',
      raised('amount', 5n, side(6n)),
      side(6n),
      side(6n),
      'Our books say 6 USD, fee 0 now.',
    ],
    [
      'of an amount, restated',
      raised('amount', 5n, side(6n)),
      side(5n),
      side(7n),
      'The other side says 7 USD, fee 0 now, and said 6 USD, fee 0.',
    ],
    [
      'of an amount, in another currency now',
      raised('amount', 5n, side(6n)),
      side(5n),
      side(6n, 0n, 'EUR'),
      'The other side says 6 EUR, fee 0 now, and said 6 USD, fee 0.',
    ],
    ['of a fee', raised('fee', 0n, side(5n, 2n)), side(5n), side(5n, 2n), undefined],
    [
      'of a fee, corrected before',
      raised('fee', 0n, side(5n, 2n)),
      side(5n, 2n),
      side(5n, 2n),
      'Our books say 5 USD, fee 2 now.',
    ],
    ['of a currency', raised('currency', 5n, side(5n, 0n, 'EUR')), side(5n), side(5n, 0n, 'EUR'), undefined],
    [
      'of a currency, that is right now',
      raised('currency', 5n, side(5n, 0n, 'EUR')),
      side(5n),
      side(5n),
      'The other side says 5 USD, fee 0 now, and said 5 EUR, fee 0.',
    ],
    ['there twice', raised('duplicate', 5n, side(5n)), side(5n), side(5n), undefined],
    ['there twice, and once in the next report', raised('duplicate', 5n, side(5n)), side(5n), undefined, WITHDRAWN],
  ])('%s', (_what, difference, ours, theirs, change) => {
    expect(changeOf(difference, { ours, theirs })).toBe(change);
  });
});
