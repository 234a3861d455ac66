import { Failure, messageOf } from '../servers/failure.ts';
import type { Secrets } from './secrets.ts';
import type { DatabaseAddresses, Service } from './services.ts';

/** Makes sure that each service has its database and its two roles. */
export const provisionDatabases = async (
  adminUrl: string,
  services: readonly Service[],
  secrets: Secrets,
): Promise<ReadonlyMap<string, DatabaseAddresses>> => {
  // Only built code can be run by Node: imported here, after the build.
  const { databaseNamesOf, provisionDatabase } = await import('@payflow/postgres');
  const addresses = new Map<string, DatabaseAddresses>();
  for (const { name } of services.filter((service) => service.hasDatabase)) {
    const passwords = secrets.databases[name];
    if (passwords === undefined) throw new Error(`invariant: ${name} has database passwords`);
    try {
      addresses.set(name, await provisionDatabase(adminUrl, databaseNamesOf(name), passwords));
    } catch (error) {
      const place = new URL(adminUrl);
      throw new Failure(
        `The database for ${name} could not be set up at ${place.host}: ${messageOf(error)}. ` +
          'If DATABASE_URL is yours, its role must be allowed to create roles and databases.',
      );
    }
  }
  return addresses;
};
