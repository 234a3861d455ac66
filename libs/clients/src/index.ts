export {
  type AskedPayout,
  BankClient,
  type BankNews,
  type BankPayoutChanges,
  type BankWord,
  isAbout,
  type ToldPayout,
  wordIn,
} from './bank-client.js';
export { ContractError, RemoteProblem, ServiceUnavailableError } from './errors.js';
export { ServiceClient, type ServiceClientOptions, type ServiceRequest } from './service-client.js';
export { ServiceCalls } from './service-calls.js';
export { ServiceTokens, type ServiceTokensOptions } from './service-tokens.js';
export { VaultClient, type VaultClientOptions } from './vault-client.js';
export { LedgerClient } from './ledger-client.js';
