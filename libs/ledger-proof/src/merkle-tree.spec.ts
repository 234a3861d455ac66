import { describe, expect, it } from '@jest/globals';

import { CompactRange, type NodeAddress } from './compact-range.js';
import { EMPTY_ROOT, leafHash } from './hashing.js';
import { consistencyProof, inclusionProof, nodesAskedFor, rootOf } from './proofs.js';
import { verifyConsistency, verifyInclusion } from './verify.js';

/** The vectors of RFC 6962's reference implementation, as certificate-transparency and transparency-dev/merkle publish them. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
/** [leaf counted from 1, size, proof] */
const INCLUSION: readonly (readonly [number, number, readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [3, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    2,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
/** [size, size, proof] */
const CONSISTENCY: readonly (readonly [number, number, readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
  [
    6,
    7,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
];

const hex = (bytes: Buffer): string => bytes.toString('hex');
const unhex = (text: string): Buffer => Buffer.from(text, 'hex');
const keyOf = ({ level, index }: NodeAddress): string => `${level}:${index}`;

/** A tree with all its perfect subtrees, and its root after each leaf. */
const treeOf = (leaves: readonly Buffer[]) => {
  const nodes = new Map<string, Buffer>();
  const range = new CompactRange();
  const roots = leaves.map((leaf) => {
    range.append(leaf, (address, hash) => nodes.set(keyOf(address), hash));
    return range.root();
  });
  const hashOf = (address: NodeAddress): Buffer => {
    const hash = nodes.get(keyOf(address));
    if (hash === undefined) throw new Error(`no node ${keyOf(address)}`);
    return hash;
  };
  return { hashOf, roots };
};

describe('the published vectors of RFC 6962', () => {
  const { hashOf, roots } = treeOf(LEAVES.map((leaf) => leafHash(unhex(leaf))));

  it('give these roots', () => {
    expect(hex(new CompactRange().root())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(roots.map(hex)).toEqual(ROOTS);
    expect(ROOTS.map((_, before) => hex(rootOf(hashOf, before + 1)))).toEqual(ROOTS);
  });

  it.each(INCLUSION)('prove that leaf %i is in the tree of %i', (leaf, size, proof) => {
    expect(inclusionProof(hashOf, leaf - 1, size).map(hex)).toEqual(proof);
    const claim = {
      index: leaf - 1,
      size,
      leafHash: hashOf({ level: 0, index: leaf - 1 }),
      root: unhex(ROOTS[size - 1]!),
    };
    expect(verifyInclusion(claim, proof.map(unhex))).toBe(true);
  });

  it.each(CONSISTENCY)('prove that the tree of %i is the beginning of that of %i', (from, to, proof) => {
    expect(consistencyProof(hashOf, from, to).map(hex)).toEqual(proof);
    const claim = { from, to, fromRoot: unhex(ROOTS[from - 1]!), toRoot: unhex(ROOTS[to - 1]!) };
    expect(verifyConsistency(claim, proof.map(unhex))).toBe(true);
  });
});

describe('a tree of any size', () => {
  const SIZE = 70;
  const { hashOf, roots } = treeOf(Array.from({ length: SIZE }, (_, index) => leafHash(Buffer.from(`leaf ${index}`))));
  const rootAt = (size: number): Buffer => roots[size - 1]!;
  const flipped = (hash: Buffer): Buffer => Buffer.from(hash.map((byte, at) => (at === 7 ? byte ^ 8 : byte)));
  const pairs = Array.from({ length: SIZE }, (_, to) =>
    Array.from({ length: to + 1 }, (__, from) => [from + 1, to + 1] as const),
  ).flat();

  it('goes on from its peaks', () => {
    for (const [from, to] of pairs) {
      const peaks = nodesAskedFor((ask) => rootOf(ask, from)).map(hashOf);
      const range = new CompactRange(from, peaks);
      for (let index = from; index < to; index += 1) range.append(hashOf({ level: 0, index }));
      expect(hex(range.root())).toBe(hex(rootAt(to)));
    }
  });

  it('proves each of its leaves, and nothing else by the same proof', () => {
    for (const [leaf, size] of pairs) {
      const index = leaf - 1;
      const claim = { index, size, leafHash: hashOf({ level: 0, index }), root: rootAt(size) };
      const proof = inclusionProof(hashOf, index, size);
      expect(verifyInclusion(claim, proof)).toBe(true);
      const wrong = [
        verifyInclusion({ ...claim, leafHash: flipped(claim.leafHash) }, proof),
        verifyInclusion({ ...claim, root: flipped(claim.root) }, proof),
        verifyInclusion({ ...claim, root: EMPTY_ROOT }, proof),
        verifyInclusion({ ...claim, index: index + 1 }, proof),
        verifyInclusion({ ...claim, index: -1 }, proof),
        verifyInclusion({ ...claim, size: index }, proof),
        verifyInclusion(claim, [...proof, claim.root]),
        verifyInclusion(claim, [claim.root, ...proof]),
        verifyInclusion(claim, [...proof, Buffer.alloc(0)]),
        ...proof.map((hash, at) => verifyInclusion(claim, proof.with(at, flipped(hash)))),
        ...(proof.length > 0
          ? [verifyInclusion(claim, proof.slice(1)), verifyInclusion(claim, proof.slice(0, -1))]
          : []),
      ];
      expect(wrong).not.toContain(true);
    }
  });

  it('proves that it extends each smaller one, and nothing else by the same proof', () => {
    for (const [from, to] of pairs) {
      const claim = { from, to, fromRoot: rootAt(from), toRoot: rootAt(to) };
      const proof = consistencyProof(hashOf, from, to);
      expect(verifyConsistency(claim, proof)).toBe(true);
      const wrong = [
        verifyConsistency({ ...claim, fromRoot: flipped(claim.fromRoot) }, proof),
        verifyConsistency({ ...claim, toRoot: flipped(claim.toRoot) }, proof),
        verifyConsistency({ ...claim, from: from + 1 }, proof),
        verifyConsistency({ ...claim, from: from - 1 }, proof),
        verifyConsistency({ ...claim, to: from - 1 }, proof),
        verifyConsistency(claim, [...proof, claim.toRoot]),
        verifyConsistency(claim, [claim.fromRoot, ...proof]),
        ...proof.map((hash, at) => verifyConsistency(claim, proof.with(at, flipped(hash)))),
        ...(proof.length > 0 ? [verifyConsistency(claim, []), verifyConsistency(claim, proof.slice(0, -1))] : []),
      ];
      expect(wrong).not.toContain(true);
    }
  });
});
