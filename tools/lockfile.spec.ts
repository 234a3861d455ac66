import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from '@jest/globals';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile = JSON.parse(readFileSync(fileURLToPath(new URL('../package-lock.json', import.meta.url)), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** Where Node would look: beside the package's own dependencies, then further up. */
const placesOf = (path: string, dependency: string): string[] => {
  const places: string[] = [];
  for (let level = path; level !== ''; level = level.slice(0, Math.max(0, level.lastIndexOf('/node_modules/')))) {
    places.push(`${level}/node_modules/${dependency}`);
  }
  return [...places, `node_modules/${dependency}`];
};

describe('package-lock.json', () => {
  // npm leaves out what the registry at hand does not serve; `npm ci` then refuses the lockfile, on every machine.
  it('has every platform package that a locked package may want, so that npm ci accepts it', () => {
    const missing = Object.entries(lockfile.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((dependency) => !placesOf(path, dependency).some((place) => place in lockfile.packages))
        .map((dependency) => `${path} wants ${dependency}`),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry: everyone fetches from his own', () => {
    const addresses = JSON.stringify(lockfile).match(/"resolved":"https?:[^"]*"/g) ?? [];
    expect(addresses).toEqual([]);
  });
});
