export { dumpOf, encodingsOf } from './dump.js';
export { eventually, type Patience } from './eventually.js';
export { freePort } from './free-port.js';
export { planOf } from './plan.js';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './test-database.js';
export { testDatabaseAdminUrl, type TestKafka, testKafka } from './test-servers.js';
export {
  ledgerClientPrincipal,
  merchantPrincipal,
  payerPrincipal,
  servicePrincipal,
  TokenMint,
  type TokenOptions,
  userPrincipal,
} from './token-mint.js';
