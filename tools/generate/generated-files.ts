import { asyncApiFile, eventCatalogue, eventSchemas, type GeneratedFile } from './event-documents.ts';
import { postmanCollection } from './postman-collection.ts';
import { newlyPublished } from './published-schemas.ts';
import { settingsPage } from './settings-page.ts';

/** Everything that `npm run generate` writes and the stale-file test compares. */
export const generatedFiles = async (): Promise<readonly GeneratedFile[]> => [
  ...eventSchemas(),
  ...newlyPublished(),
  asyncApiFile(),
  eventCatalogue(),
  settingsPage(),
  await postmanCollection(),
];
