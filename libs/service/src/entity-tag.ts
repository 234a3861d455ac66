import { Problem } from './problem.js';

/** The `ETag` of a version (RFC 9110 §8.8.3): strong, the number in quotes. */
export const entityTag = (version: number | bigint): string => `"${version}"`;

/**
 * The version an `If-Match` header names; undefined without a condition (`*` only asks that the object exists).
 *
 * @throws Problem precondition_failed for a tag that no version of ours can have
 */
export const versionOfIfMatch = (header: string | undefined): number | undefined => {
  if (header === undefined || header.trim() === '*') return undefined;
  const version = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (version === undefined) throw new Problem('precondition_failed');
  return Number(version);
};

/** @throws Problem precondition_failed when the caller has read another version */
export const requireVersion = (expected: number | undefined, actual: number | bigint): void => {
  if (expected !== undefined && BigInt(expected) !== BigInt(actual)) throw new Problem('precondition_failed');
};
