import { describe, expect, it } from '@jest/globals';

import { linesOf } from './report.ts';

const CLEAR = '\u001b[2J';

describe('what people read of an invariant', () => {
  it('carries nothing that a terminal would obey, whatever stands in a row', () => {
    const lines = linesOf({
      number: 2,
      title: 'One effect',
      holds: false,
      compared: { payments: 1 },
      findingsTotal: 1,
      findings: [{ problem: `twice${CLEAR}\r\n✓ all is well`, ids: { reference: `cap_1${CLEAR}\u202e` } }],
      notes: [`a note${CLEAR}`],
      error: `relation "x${CLEAR}"`,
      seconds: 0,
    });
    const text = lines.join('');
    expect(text).not.toContain(CLEAR);
    expect(text).not.toMatch(/[\r\n\u202e]/);
    expect(text).toContain(String.raw`twice\u001b[2J\u000d\u000a✓ all is well`);
    expect(text).toContain(String.raw`cap_1\u001b[2J\u202e`);
  });
});
