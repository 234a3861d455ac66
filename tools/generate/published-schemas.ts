import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type BreakingChange, breakingChanges, type Schema } from './breaking-changes.ts';
import { eventSchemas, type GeneratedFile } from './event-documents.ts';

const FOLDER = 'docs/events/published';
const ENDING = '.schema.json';

/** What has been promised of an event, and what the contracts would make of it. */
export interface PublishedEvent {
  readonly type: string;
  readonly broken: readonly BreakingChange[];
}

/** Each event as it is promised, to be written beside the ones that were promised before. */
export const newlyPublished = (): readonly GeneratedFile[] =>
  eventSchemas().map(({ path, content }) => ({ path: path.replace('docs/events/schemas', FOLDER), content }));

/**
 * Every event that was ever published, held against the contracts. One that is not in them any more has lost all.
 *
 * @param root the repository
 */
export const publishedEvents = async (root: string): Promise<readonly PublishedEvent[]> => {
  const current = new Map(newlyPublished().map(({ path, content }) => [path, JSON.parse(content) as Schema]));
  const names = (await readdir(join(root, FOLDER)).catch(() => [])).filter((name) => name.endsWith(ENDING)).sort();
  return await Promise.all(
    names.map(async (name) => {
      const path = `${FOLDER}/${name}`;
      const published = JSON.parse(await readFile(join(root, path), 'utf8')) as Schema;
      return { type: name.slice(0, -ENDING.length), broken: breakingChanges(published, current.get(path) ?? {}) };
    }),
  );
};

/** A line for each thing that breaks, for whoever has to give the event a new version. */
export const linesOf = (events: readonly PublishedEvent[]): readonly string[] =>
  events.flatMap(({ type, broken }) =>
    broken.map(
      ({ path, kind, from, to }) => `${type}: ${path} ${kind}, ${JSON.stringify(from)} → ${JSON.stringify(to)}`,
    ),
  );
