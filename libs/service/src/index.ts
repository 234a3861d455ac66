export { createServiceApp, type NestModuleClass, runService, type ServiceOptions } from './start.js';
export { SERVICE_PORTS, type ServiceName } from './service-name.js';
export {
  addressField,
  baseConfigFields,
  booleanField,
  ConfigError,
  databaseConfigFields,
  delaysField,
  type Environment,
  httpConfigFields,
  jsonField,
  kafkaConfigFields,
  keyField,
  loadConfig,
} from './config.js';
export { InjectConfig, ServiceModule, type ServiceModuleOptions } from './service-module.js';
export { type AddressedRequest, CLIENT_COUNTRY_HEADER, clientAddressOf, clientCountryOf } from './client-address.js';
export { Logger } from './log.js';
export { Metrics } from './metrics.js';
export { Health, type HealthCheck, type ReadinessReport } from './health.js';
export { Closing } from './closing.js';
export { Lifecycle } from './lifecycle.js';
export { Transports } from './transports.js';
export { type Context, currentContext, runInContext } from './context.js';
export { crashPoint, crashPointsMet } from './crash-point.js';
export { Problem, PROBLEM_MEDIA_TYPE, problemDocument, type ProblemOptions } from './problem.js';
export { BODY_BYTES_MAX, problemOf, sendProblem } from './problem-filter.js';
export { Access, Caller, callerOf, Public } from './access.js';
export { AccessTokens } from './access-tokens.js';
export { type Revocation, Revocations } from './revocations.js';
export {
  AcceptsForm,
  CARD_FINGERPRINT_HEADER,
  KeepsBytes,
  requestIdOf,
  RequestMeta,
  requestMetaOf,
  SWAPPED_CARD_HEADER,
  TakesFile,
} from './request.js';
export { entityTag, requireVersion, versionOfIfMatch } from './entity-tag.js';
export { type Place, validated, validationProblem } from './validation.js';
export { parseJsonBody, pointerOf } from './json-body.js';
export { seal, SealBrokenError, unseal } from './sealing.js';
export { minorOfWritten } from './written-amount.js';
export { Answers, OpenApi } from './openapi.js';
export { maskCardNumbers } from './card-mask.js';
export {
  type Answer,
  type Claim,
  type ClaimOptions,
  type ClaimOutcome,
  Idempotency,
  IDEMPOTENCY_DDL,
  type IdentifiedRequest,
  keyIn,
  KEYLESS_WINDOW_SECONDS,
  refusalOfTwin,
  type RequestIdentity,
  sendAnswer,
  type StoredAnswer,
  storedAnswer,
} from './idempotency.js';
export { findStandings, storeAnswers } from './idempotency-set.js';
export {
  type ClaimedRequest,
  ClaimLostError,
  claimKeys,
  claimOf,
  type ClaimStanding,
  completeClaims,
  findClaimStandings,
  releaseClaims,
  type SetClaim,
} from './idempotency-claims.js';
