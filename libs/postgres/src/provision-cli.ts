import { databaseNamesOf, provisionDatabase } from './provision.js';

/** `node provision-cli.js auth payment …` with DATABASE_URL (an admin role), OWNER_PASSWORD and RUNTIME_PASSWORD: what compose and Helm run before the services. */
const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
};

const adminUrl = required('DATABASE_URL');
const passwords = { owner: required('OWNER_PASSWORD'), runtime: required('RUNTIME_PASSWORD') };
for (const service of process.argv.slice(2)) {
  await provisionDatabase(adminUrl, databaseNamesOf(service), passwords);
  process.stdout.write(`${service}: database and roles exist\n`);
}
