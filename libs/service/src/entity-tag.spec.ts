import { describe, expect, it } from '@jest/globals';

import { entityTag, requireVersion, versionOfIfMatch } from './entity-tag.js';

const stale = expect.objectContaining({ code: 'precondition_failed', status: 412 });

describe('If-Match', () => {
  it('names the version that the ETag told', () => {
    expect(versionOfIfMatch(entityTag(17n))).toBe(17);
  });

  it.each([undefined, '*'])('sets no condition when it is %s', (header) => {
    expect(versionOfIfMatch(header)).toBeUndefined();
  });

  it.each(['W/"1"', '17', '"a"', '"1", "2"', '""', '"99999999999999999999"'])('never matches %s', (header) => {
    expect(() => versionOfIfMatch(header)).toThrow(stale);
  });

  it('is honoured: another version is refused', () => {
    requireVersion(3, 3n);
    requireVersion(undefined, 4);
    expect(() => {
      requireVersion(3, 4);
    }).toThrow(stale);
  });
});
