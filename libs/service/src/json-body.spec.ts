import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { inspectJson, JSON_DEPTH_MAX, parseJsonBody } from './json-body.js';
import { Problem } from './problem.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const refusalOf = (action: () => unknown): { code: string; pointer: string | undefined; fault: string | undefined } => {
  try {
    action();
  } catch (error) {
    if (error instanceof Problem) {
      return { code: error.code, pointer: error.errors?.[0]?.pointer, fault: error.errors?.[0]?.code };
    }
    throw error;
  }
  throw new Error('expected a refusal');
};

/** A JSON text written by hand, so that it can hold what JSON.stringify cannot: a key twice, a key in escapes. */
type Node =
  | { readonly kind: 'leaf'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Node])[] };

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.json({ maxDepth: 0 }).map((text): Node => ({ kind: 'leaf', text })),
      fc
        .constantFrom('"{\\"a\\":1,\\"a\\":2}"', '"\\\\"', '"]"', '-0', '1e5', 'true')
        .map((text): Node => ({ kind: 'leaf', text })),
    ),
    fc.array(tie('node'), { maxLength: 4 }).map((items): Node => ({ kind: 'array', items })),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'c', '', 'a"b', '\\', '{', 'ü'), tie('node')), { maxLength: 4 })
      .map((members): Node => ({ kind: 'object', members })),
  ),
}));

const escaped = (key: string): string =>
  `"${Array.from(key, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;

const written = (tree: Node, spell: (key: string) => string): string => {
  switch (tree.kind) {
    case 'leaf':
      return tree.text;
    case 'array':
      return `[ ${tree.items.map((item) => written(item, spell)).join(' ,')}]`;
    case 'object':
      return `{${tree.members.map(([key, value]) => `${spell(key)} : ${written(value, spell)}`).join(',\n')} }`;
  }
};

const hasDuplicate = (tree: Node): boolean => {
  switch (tree.kind) {
    case 'leaf':
      return false;
    case 'array':
      return tree.items.some(hasDuplicate);
    case 'object':
      return (
        new Set(tree.members.map(([key]) => key)).size < tree.members.length ||
        tree.members.some(([, value]) => hasDuplicate(value))
      );
  }
};

describe('a JSON body', () => {
  it('is read as JSON.parse reads it', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter((json) => !JSON.stringify(json).includes('__proto__'));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (json, indentation) => {
        const text = JSON.stringify(json, undefined, indentation);
        // -0 is written as 0.
        if (!text.includes('\\u0000') && !/\\ud[89a-f]/i.test(text)) {
          expect(parseJsonBody(bytes(text))).toEqual(JSON.parse(text));
        }
      }),
    );
  });

  it('is refused exactly when an object in it has a key twice, however the key is spelled', () => {
    const spellings = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(node, spellings, (tree, choices) => {
        let turn = 0;
        const text = written(tree, (key) =>
          choices[(turn += 1) % choices.length] ? escaped(key) : JSON.stringify(key),
        );
        if (hasDuplicate(tree)) {
          expect(refusalOf(() => parseJsonBody(bytes(text)))).toMatchObject({
            code: 'malformed_json',
            fault: 'duplicate_key',
          });
        } else {
          expect(parseJsonBody(bytes(text))).toEqual(JSON.parse(text));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('names the key that stands twice', () => {
    const text = '{"a":[0,{"b/c":{"~":1,"x":2,"\\u007e":3}}]}';
    expect(refusalOf(() => parseJsonBody(bytes(text)))).toMatchObject({ pointer: '/a/1/b~1c/~0' });
  });

  it.each(['', '{', '{"a":}', '[1,]', 'nul', '01', '{"a":1}}', '\ufeff{}', "{'a':1}", 'NaN', '"\n"'])(
    'is refused when it is not JSON: %j',
    (text) => {
      expect(refusalOf(() => parseJsonBody(bytes(text))).code).toBe('malformed_json');
    },
  );

  it('is refused when it is not UTF-8', () => {
    expect(refusalOf(() => parseJsonBody(Buffer.from([0x22, 0xff, 0x22]))).code).toBe('malformed_json');
  });

  it('is refused without quoting it', () => {
    const refused = (): unknown => parseJsonBody(bytes('{"number":"4242424242424242"'));
    expect(refused).toThrow(Problem);
    try {
      refused();
    } catch (error) {
      const { message, cause } = error as Problem;
      expect(`${message} ${String(cause)}`).not.toContain('4242');
    }
  });

  it(`may be nested ${JSON_DEPTH_MAX} levels deep and no deeper`, () => {
    const nested = (depth: number): Uint8Array => bytes('[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2));
    expect(() => parseJsonBody(nested(JSON_DEPTH_MAX))).not.toThrow();
    expect(refusalOf(() => parseJsonBody(nested(JSON_DEPTH_MAX + 2))).code).toBe('malformed_json');
    expect(refusalOf(() => parseJsonBody(bytes('['.repeat(50_000) + ']'.repeat(50_000)))).code).toBe('malformed_json');
  });

  it.each(['{"__proto__":1}', '{"a":{"__proto__":{}}}', '{"\\u005f_proto__":1}'])(
    'has no key __proto__: %s',
    (text) => {
      expect(refusalOf(() => parseJsonBody(bytes(text))).code).toBe('malformed_json');
    },
  );

  it.each([
    ['{"a":[1,9007199254740993]}', '/a/1'],
    ['{"amount":99999999999999999999}', '/amount'],
    ['1.00000000000000000001', ''],
    ['{"a":1e400}', '/a'],
    ['{"a":-1e-400}', '/a'],
    ['0.1000000000000000055511151231257827', ''],
  ])('has no number that would be rounded: %s', (text, pointer) => {
    expect(refusalOf(() => parseJsonBody(bytes(text)))).toEqual({
      code: 'validation_failed',
      pointer,
      fault: 'number_not_exact',
    });
  });

  it.each(['0', '-0', '0.0', '1.50', '100000000000000000000', '1e21', '9007199254740992', '0.1', '1E+2', '1e-300'])(
    'may have a number that a double keeps: %s',
    (text) => {
      expect(parseJsonBody(bytes(text))).toBe(JSON.parse(text));
    },
  );

  it('may have every number that JavaScript writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(() => {
          inspectJson(JSON.stringify(number));
        }).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  it('has no whole number beyond 2^53 that would be rounded', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 10n ** 21n - 1n }), (integer) => {
        const read = (): unknown => parseJsonBody(bytes(integer.toString()));
        if (String(Number(integer)) !== integer.toString()) expect(refusalOf(read).code).toBe('validation_failed');
      }),
    );
  });

  it.each([
    ['{"a":"x\\u0000"}', '/a'],
    ['{"a":["\\ud800"]}', '/a/0'],
    ['{"a":{"x\\u0000":1}}', '/a/x\u0000'],
  ])('has no text that cannot be stored: %s', (text, pointer) => {
    expect(refusalOf(() => parseJsonBody(bytes(text)))).toMatchObject({ code: 'validation_failed', pointer });
  });
});
