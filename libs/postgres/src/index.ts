export { Database, type DatabaseOptions, type Isolation, type Sql, type Tx } from './database.js';
export {
  CommitOutcomeUnknownError,
  DatabaseUnavailableError,
  isConnectionFailure,
  isRetryable,
  isUniqueViolation,
} from './errors.js';
export { migrate } from './migrate.js';
export {
  type DatabaseNames,
  databaseNamesOf,
  provisionDatabase,
  type ProvisionedDatabase,
  urlFor,
} from './provision.js';
