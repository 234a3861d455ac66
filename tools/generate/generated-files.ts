import { eventCatalogue, eventSchemas, type GeneratedFile } from './event-documents.ts';
import { postmanCollection } from './postman-collection.ts';
import { settingsPage } from './settings-page.ts';

/** Everything that `npm run generate` writes and the stale-file test compares. */
export const generatedFiles = async (): Promise<readonly GeneratedFile[]> => [
  ...eventSchemas(),
  eventCatalogue(),
  settingsPage(),
  await postmanCollection(),
];
