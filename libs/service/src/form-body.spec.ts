import { describe, expect, it } from '@jest/globals';

import { parseFormBody } from './form-body.js';

const parse = (text: string): unknown => parseFormBody(Buffer.from(text));

describe('a form body', () => {
  it('is read as fields of text', () => {
    expect(parse('grant_type=client_credentials&scope=a+b&x=%C3%BC&empty=')).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      x: 'ü',
      empty: '',
    });
  });

  it.each(['a=1&a=2', 'a=1&%61=2', '__proto__=1', 'a=%00', 'a%00=1'])('is refused: %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  it('is refused when it is not UTF-8', () => {
    expect(() => parseFormBody(Buffer.from([0x61, 0x3d, 0xff]))).toThrow(
      expect.objectContaining({ code: 'validation_failed' }),
    );
  });
});
