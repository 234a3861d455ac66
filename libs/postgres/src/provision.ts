import pg from 'pg';

/** The three names a service has in Postgres: its database, the role that owns the schema, the role it runs as. */
export interface DatabaseNames {
  readonly database: string;
  readonly owner: string;
  readonly runtime: string;
}

/** `payflow_ledger`, owned by `payflow_ledger_owner`, used by `payflow_ledger`. Migrations rely on the runtime role's name. */
export const databaseNamesOf = (service: string): DatabaseNames => {
  const runtime = `payflow_${service.replaceAll('-', '_')}`;
  return { database: runtime, owner: `${runtime}_owner`, runtime };
};

export interface ProvisionedDatabase {
  readonly ownerUrl: string;
  readonly runtimeUrl: string;
}

const PROVISION_LOCK = 7_201_500;

/**
 * Makes sure that a service's database and its two roles exist. The owner migrates; the runtime role may read and
 * write rows but not change the schema, and a migration may take more from it (the ledger's entries are INSERT and
 * SELECT only). Safe to repeat.
 *
 * @param adminUrl of a role that may create roles and databases
 */
export const provisionDatabase = async (
  adminUrl: string,
  names: DatabaseNames,
  passwords: { readonly owner: string; readonly runtime: string },
): Promise<ProvisionedDatabase> => {
  await withClient(adminUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [PROVISION_LOCK]);
    await ensureRole(admin, names.owner, passwords.owner);
    await ensureRole(admin, names.runtime, passwords.runtime);
    const existing = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [names.database]);
    if (existing.rowCount === 0) {
      // GRANT lets a non-superuser admin hand the database over (PostgreSQL 16: CREATEROLE needs membership).
      await admin.query(`GRANT ${quoted(names.owner)} TO CURRENT_USER`);
      await admin.query(
        `CREATE DATABASE ${quoted(names.database)} OWNER ${quoted(names.owner)} ENCODING 'UTF8' TEMPLATE template0`,
      );
    }
    await admin.query(`REVOKE ALL ON DATABASE ${quoted(names.database)} FROM PUBLIC`);
    await admin.query(`GRANT CONNECT ON DATABASE ${quoted(names.database)} TO ${quoted(names.runtime)}`);
  });
  const ownerUrl = urlFor(adminUrl, names.database, names.owner, passwords.owner);
  await withClient(ownerUrl, async (owner) => {
    await owner.query(`GRANT USAGE ON SCHEMA public TO ${quoted(names.runtime)}`).catch(ignoreMissingGrantOption);
    await owner.query(
      `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${quoted(names.runtime)}`,
    );
    await owner.query(
      `ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO ${quoted(names.runtime)}`,
    );
  });
  return { ownerUrl, runtimeUrl: urlFor(adminUrl, names.database, names.runtime, passwords.runtime) };
};

/** The same server with another database and login. */
export const urlFor = (serverUrl: string, database: string, role: string, password: string): string => {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.toString();
};

const ensureRole = async (admin: pg.Client, role: string, password: string): Promise<void> => {
  const existing = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const verb = existing.rowCount === 0 ? 'CREATE' : 'ALTER';
  await admin.query(`${verb} ROLE ${quoted(role)} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
};

const withClient = async (url: string, work: (client: pg.Client) => Promise<void>): Promise<void> => {
  const client = new pg.Client({ connectionString: url, application_name: 'provision' });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
};

const quoted = (name: string): string => pg.escapeIdentifier(name);

/** In a database it owns, a role owns `public` through pg_database_owner; where that differs, USAGE is PUBLIC's anyway. */
const ignoreMissingGrantOption = (error: unknown): void => {
  if (error instanceof Error && 'code' in error && error.code === '42501') return;
  throw error;
};
