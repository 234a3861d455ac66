/**
 * Every error a caller can meet: one stable code, its HTTP status, a title, and what to do about it. RFC 9457 problem
 * documents are made from these rows, and so are the pages at `/docs/problems/{code}`. A code is never renamed.
 */
export interface ProblemDefinition {
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503;
  readonly title: string;
  /** What the caller should change. Becomes the problem's documentation page. */
  readonly remedy: string;
}

export const PROBLEMS = {
  // The request itself
  malformed_json: {
    status: 400,
    title: 'The body is not valid JSON',
    remedy: 'Send one well-formed JSON object without duplicate keys, nested at most 20 levels deep.',
  },
  validation_failed: {
    status: 400,
    title: 'The request does not match its schema',
    remedy: 'Correct the fields that `errors` points to; each has a JSON pointer and a reason.',
  },
  malformed_request: {
    status: 400,
    title: 'The request is not valid HTTP',
    remedy: 'Send a well-formed HTTP/1.1 request.',
  },
  invalid_header: {
    status: 400,
    title: 'A header has an unusable value',
    remedy: 'Send printable ASCII only, within the length the message names.',
  },
  route_not_found: { status: 404, title: 'There is no such route', remedy: 'Compare method and path with /docs.' },
  method_not_allowed: {
    status: 405,
    title: 'The route does not take this method',
    remedy: 'Use one of the methods in the Allow header.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    remedy: 'Send at most the number of bytes the message names.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body has a media type this route does not read',
    remedy: 'Send Content-Type: application/json.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    remedy: 'Send the whole request within the time limit.',
  },
  headers_too_large: {
    status: 431,
    title: 'The header fields are too large',
    remedy: 'Send fewer or shorter headers.',
  },
  precondition_failed: {
    status: 412,
    title: 'The object has changed since it was read',
    remedy: 'Read it again and repeat the request with its new ETag.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait for the seconds in Retry-After; the RateLimit headers tell what is left.',
  },

  // Who asks
  authentication_required: {
    status: 401,
    title: 'The request carries no usable credentials',
    remedy: 'Send Authorization: Bearer with a token from POST /oauth/token or POST /auth/login.',
  },
  invalid_token: {
    status: 401,
    title: 'The access token is not valid',
    remedy: 'Get a new token: this one is malformed, expired, or not signed by a current key.',
  },
  invalid_credentials: {
    status: 401,
    title: 'The login or client credentials are wrong',
    remedy: 'Check the identifier and the secret. Unknown and wrong look the same on purpose.',
  },
  insufficient_scope: {
    status: 403,
    title: 'The token lacks a scope that the route needs',
    remedy: 'Use a client that was granted the scope the message names.',
  },
  merchant_required: {
    status: 422,
    title: 'The caller acts for no merchant and names none',
    remedy: 'Send `merchantId`, or use the credentials of a merchant.',
  },

  // Idempotency
  idempotency_key_in_use: {
    status: 409,
    title: 'The first request with this key is still running',
    remedy: 'Repeat the request after the seconds in Retry-After; its answer will be replayed.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The key was used for a different request',
    remedy: 'Use a fresh key for a new request, or repeat the first request unchanged.',
  },
  duplicate_request: {
    status: 409,
    title: 'The same request was made moments ago',
    remedy:
      'If it is a repetition, use the first one, which `resource` names. To repeat on purpose, send an Idempotency-Key.',
  },
  concurrent_update: {
    status: 409,
    title: 'Another request changed the object at the same moment',
    remedy: 'Read the object and decide again.',
  },

  // Payments
  payment_not_found: {
    status: 404,
    title: 'There is no such payment',
    remedy: 'Check the id and the merchant whose credentials are used.',
  },
  payment_not_authorizable: {
    status: 409,
    title: 'The payment cannot be authorized in its state',
    remedy: 'Only a PENDING payment is authorized. Create a new one.',
  },
  payment_not_routable: {
    status: 422,
    title: 'No acquirer takes such a payment',
    remedy: 'Choose another currency or payment method, or ask the operator for a routing rule.',
  },
  webhook_not_authentic: {
    status: 401,
    title: 'The webhook is not signed by the provider',
    remedy: 'Sign the bytes of the body with the secret that was agreed, at the time of sending.',
  },
  webhook_provider_unknown: {
    status: 404,
    title: 'There is no such payment provider',
    remedy: 'Send to /webhooks/psp/{provider} with the name under which the provider is configured.',
  },
  payment_not_modifiable: {
    status: 409,
    title: 'The payment can no longer be changed',
    remedy: 'Only a PENDING payment is changed. Create a new one.',
  },
  payment_not_capturable: {
    status: 409,
    title: 'The payment cannot be captured in its state',
    remedy: 'Only an AUTHORIZED or PARTIALLY_CAPTURED payment with something left to capture is captured.',
  },
  capture_in_progress: {
    status: 409,
    title: 'Another capture of this payment is still running',
    remedy: 'Read the payment to see what is left to capture, then decide again.',
  },
  capture_exceeds_authorization: {
    status: 422,
    title: 'The capture exceeds what is left of the authorization',
    remedy: 'Capture at most the amount that `capturable` names.',
  },
  capture_declined: {
    status: 422,
    title: 'The acquirer declined the capture',
    remedy: 'Nothing was taken and the amount is capturable again. `lastError` of the payment tells why.',
  },
  authorization_expired: { status: 409, title: 'The authorization has expired', remedy: 'Authorize a new payment.' },
  payment_not_cancelable: {
    status: 409,
    title: 'The payment cannot be canceled in its state',
    remedy: 'Only what is not captured is canceled; refund what is captured.',
  },
  cancel_declined: {
    status: 422,
    title: 'The acquirer declined to release the hold',
    remedy: 'The payment is as it was. `lastError` of the payment tells why.',
  },
  payment_not_refundable: {
    status: 409,
    title: 'The payment cannot be refunded in its state',
    remedy: 'Only a captured payment is refunded; cancel what is only authorized.',
  },
  refund_exceeds_captured: {
    status: 409,
    title: 'The refund exceeds what is left to refund',
    remedy: 'Refund at most the amount that `refundable` names; pending refunds are counted.',
  },
  refund_not_found: {
    status: 404,
    title: 'There is no such refund',
    remedy: 'Check the id and the merchant whose credentials are used.',
  },
  dispute_not_found: {
    status: 404,
    title: 'There is no such dispute',
    remedy: 'Check the id and the merchant whose credentials are used.',
  },
  dispute_not_open: {
    status: 409,
    title: 'The dispute no longer waits for a response',
    remedy: 'Read the dispute: it has ended, was answered, or its deadline is over. A dispute is answered once.',
  },
  dispute_evidence_missing: {
    status: 409,
    title: 'There is no evidence to submit',
    remedy: 'Write some with POST /disputes/{id}/evidence first, or accept the dispute.',
  },
  party_not_known: {
    status: 422,
    title: 'The user or merchant is not known',
    remedy: 'Name the party by its id, or by a reference that the operator has set up.',
  },
  currency_not_enabled: {
    status: 422,
    title: 'The currency is not enabled',
    remedy: 'Use one of the enabled currencies.',
  },
  payment_method_not_enabled: {
    status: 422,
    title: 'The payment method is not enabled',
    remedy: 'Use one of the enabled payment methods.',
  },

  // Cards and tokens
  token_not_found: {
    status: 404,
    title: 'There is no such token',
    remedy: 'Check the id and the merchant or user whose credentials are used.',
  },
  token_unusable: {
    status: 422,
    title: 'The token cannot be used',
    remedy: 'Make a new token: this one is unknown to this merchant, used, expired or deleted.',
  },
  acquirer_not_allowed: {
    status: 422,
    title: 'The vault does not forward to this acquirer',
    remedy: 'Name an acquirer of the allow-list.',
  },

  // Ledger
  account_not_found: {
    status: 404,
    title: 'There is no such ledger account',
    remedy: 'Check the id or code and the currency.',
  },
  account_code_taken: {
    status: 409,
    title: 'The account code is taken in this currency',
    remedy: 'Use the existing account or another code.',
  },
  account_reserved: {
    status: 403,
    title: "The account is one of PayFlow's own",
    remedy: 'Use account codes that do not begin with psp:, merchant:, fees:, memo: or bank:, nor look like an id.',
  },
  transaction_not_found: { status: 404, title: 'There is no such ledger transaction', remedy: 'Check the id.' },
  not_in_tree_yet: {
    status: 409,
    title: "The ledger's signed tree does not reach so far yet",
    remedy: 'Look at /ledger/checkpoints and ask again: the tree follows the journal within seconds.',
  },
  reference_taken: {
    status: 409,
    title: 'The reference was posted before with other content',
    remedy: 'A reference posts once for ever. Use a new one for a new transaction.',
  },
  insufficient_funds: {
    status: 422,
    title: 'An account would fall below its floor',
    remedy: 'Post at most what the account holds above its floor.',
  },
  balance_out_of_range: {
    status: 422,
    title: 'A balance would leave the range that JSON numbers hold exactly',
    remedy: 'Keep balances between −(2^53 − 1) and 2^53 − 1 minor units; spread them over several accounts.',
  },
  currency_mismatch: {
    status: 422,
    title: 'An account has another currency than the posting',
    remedy: 'Post each currency between accounts of that currency.',
  },
  posting_to_itself: {
    status: 422,
    title: 'A posting names the same account twice',
    remedy: 'Name two different accounts.',
  },
  batch_refused: {
    status: 422,
    title: 'The atomic batch was refused',
    remedy: 'Correct the items that `errors` points to; nothing was posted.',
  },
  already_reverted: {
    status: 409,
    title: 'The transaction was reverted before',
    remedy: 'A transaction is reverted once; the message names the reversal.',
  },

  // Wallets
  wallet_not_found: {
    status: 404,
    title: 'There is no such wallet',
    remedy: 'Check the id, and whose token is used: only the owner and staff see a wallet.',
  },
  wallet_transaction_not_found: {
    status: 404,
    title: 'There is no such wallet transaction',
    remedy: 'List the transactions at /transactions.',
  },
  wallet_frozen: {
    status: 422,
    title: 'The wallet is frozen',
    remedy: 'Its money stays where it is until staff lift the freeze.',
  },
  wallet_unavailable: {
    status: 422,
    title: 'The receiving wallet takes no money now',
    remedy: 'It is frozen, or its owner is blocked. Ask the receiver for another one.',
  },
  transfer_to_itself: {
    status: 422,
    title: 'Both sides of the transfer are the same wallet',
    remedy: 'Name another receiver.',
  },
  wallet_limit_exceeded: {
    status: 422,
    title: 'The amount is above a limit of the wallet',
    remedy: 'Send at most what `limit` and `remaining` allow, or ask staff for a higher limit.',
  },
  wallet_transaction_not_cancelable: {
    status: 409,
    title: 'The wallet transaction can no longer be canceled',
    remedy: 'Only money that still waits for its receiver is taken back.',
  },
  receiver_not_found: {
    status: 404,
    title: 'There is no such receiver',
    remedy: 'Check the user name, or send to an email address or a phone number: who has no account yet can claim it.',
  },
  hold_not_found: { status: 404, title: 'There is no such hold', remedy: 'Check the id and the wallet.' },
  hold_not_open: {
    status: 409,
    title: 'The hold has ended',
    remedy: 'It was confirmed, voided or has expired. Place a new one.',
  },
  hold_exceeded: {
    status: 422,
    title: 'The amount is above what the hold has left',
    remedy: 'Confirm at most what was held.',
  },
  wallet_order_not_found: { status: 404, title: 'There is no such order', remedy: 'It never came: send it.' },
  approval_not_found: {
    status: 404,
    title: 'There is no such approval',
    remedy: 'List what waits at /wallet/approvals, or for staff at /ledger/approvals.',
  },
  approval_by_requester: {
    status: 403,
    title: 'Another person has to decide',
    remedy: 'Whoever asked for it neither approves nor refuses it. Ask a colleague.',
  },
  approval_not_open: {
    status: 409,
    title: 'The approval no longer waits',
    remedy: 'It was decided, withdrawn, or its time ran out. Have it requested anew.',
  },
  merchant_unavailable: {
    status: 422,
    title: 'The merchant takes no payments',
    remedy: 'There is no such merchant, or he is blocked. Check the id or the code.',
  },
  bank_account_invalid: {
    status: 422,
    title: 'The bank account cannot be paid to',
    remedy: 'Check the number (an IBAN has check digits) and whether it takes the currency.',
  },
  wallet_exception_not_found: {
    status: 404,
    title: 'There is no such exception',
    remedy: 'List the exceptions at /wallet-exceptions.',
  },
  wallet_exception_resolved: {
    status: 409,
    title: 'The exception was resolved before',
    remedy: 'Nothing is left to do; the resolution stands in the list.',
  },
  qr_code_invalid: {
    status: 422,
    title: 'The QR code is not a payment request',
    remedy: 'Scan the code of the merchant again; it may have expired.',
  },
  qr_code_used: {
    status: 409,
    title: 'The QR code was paid before',
    remedy: 'It was for one payment. Ask the merchant for a new one.',
  },

  // Webhooks
  webhook_endpoint_not_found: {
    status: 404,
    title: 'There is no such webhook endpoint',
    remedy: 'List the endpoints at /webhook-endpoints.',
  },
  webhook_delivery_not_found: {
    status: 404,
    title: 'There is no such webhook delivery',
    remedy: 'List the deliveries of the endpoint.',
  },
  event_not_found: {
    status: 404,
    title: 'There is no such event',
    remedy: 'Check the id; events are kept for a month. List them at /events.',
  },
  webhook_url_forbidden: {
    status: 422,
    title: 'Webhooks are not sent to this address',
    remedy: 'Use an https URL at a public address, without credentials, on port 443 or above 1023.',
  },
  webhook_endpoint_disabled: {
    status: 409,
    title: 'The webhook endpoint is disabled',
    remedy: 'Enable it first, with PATCH and `status: ENABLED`.',
  },
  webhook_endpoints_exceeded: {
    status: 422,
    title: 'The merchant has as many webhook endpoints as he may have',
    remedy: 'Delete one, or give an existing one more event types.',
  },
  webhook_secrets_exceeded: {
    status: 409,
    title: 'The webhook endpoint has as many secrets that sign as it may have',
    remedy:
      'Rotate with `overlapSeconds: 0`, which ends the former ones at once, or wait until the first of them has ended.',
  },
  webhook_recovery_too_old: {
    status: 422,
    title: 'Events of that time are kept no longer',
    remedy:
      'Recover since a later time; `detail` names the earliest. What is older is in the payments, payouts and settlements themselves.',
  },

  // Identity and operations
  username_taken: {
    status: 409,
    title: 'The user name exists',
    remedy: 'Choose another one. Case and look-alike characters make no difference.',
  },
  verification_required: {
    status: 403,
    title: 'The account has an address that is not verified',
    remedy: 'Send the code that came by mail or SMS to POST /auth/verify.',
  },
  code_invalid: {
    status: 422,
    title: 'The code is wrong, used, or too old',
    remedy: 'Take the newest code, or ask for another one.',
  },
  second_factor_required: {
    status: 401,
    title: 'The account asks for a second factor',
    remedy: 'Repeat the login with `totp` (the code of the authenticator) or `recoveryCode`.',
  },
  second_factor_invalid: {
    status: 401,
    title: 'The second factor is wrong or was used before',
    remedy: 'Wait for the next code of the authenticator, or take another recovery code. Each works once.',
  },
  second_factor_enabled: {
    status: 409,
    title: 'The account has a second factor already',
    remedy: 'Disable it first, with the password and one of its codes.',
  },
  second_factor_not_enrolled: {
    status: 409,
    title: 'There is no second factor to confirm or disable',
    remedy: 'Begin with POST /auth/2fa/enroll.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'The refresh token is of no use',
    remedy: 'Log in again: the token is unknown or expired, or its session has ended.',
  },
  invalid_grant: {
    status: 400,
    title: 'The grant is not valid',
    remedy: 'Log in again: the refresh token is unknown or expired, or its session has ended.',
  },
  session_not_found: { status: 404, title: 'There is no such session', remedy: 'List the sessions at /auth/sessions.' },
  account_blocked: {
    status: 403,
    title: 'The account is blocked',
    remedy: 'Ask the operator.',
  },
  user_not_found: { status: 404, title: 'There is no such user', remedy: 'Check the id.' },
  merchant_not_found: { status: 404, title: 'There is no such merchant', remedy: 'Check the id.' },
  client_not_found: { status: 404, title: 'There is no such client', remedy: "List the merchant's clients." },
  api_key_not_found: { status: 404, title: 'There is no such API key', remedy: "List the merchant's API keys." },
  api_key_revoked: { status: 409, title: 'The API key works no more', remedy: 'Create a new one instead.' },
  publishable_key_not_found: {
    status: 404,
    title: 'There is no such publishable key',
    remedy: "List the merchant's publishable keys.",
  },
  member_not_found: { status: 404, title: 'There is no such member', remedy: "List the merchant's members." },
  membership_not_found: {
    status: 404,
    title: 'You are neither a member of this merchant nor invited',
    remedy: 'List your memberships at /me/memberships.',
  },
  last_owner: {
    status: 409,
    title: 'The merchant would be left without an owner',
    remedy: 'Make somebody else an owner first.',
  },
  last_admin: {
    status: 409,
    title: 'Nobody would be left who may manage users',
    remedy: 'Make somebody else an admin first.',
  },
  unsupported_grant_type: {
    status: 400,
    title: 'The grant type is not supported',
    remedy: 'Use client_credentials or refresh_token.',
  },
  invalid_scope: {
    status: 400,
    title: 'The client was not granted a scope that it asks for',
    remedy: 'Ask for granted scopes only, or leave `scope` out to get all of them.',
  },
  settlement_not_found: {
    status: 404,
    title: 'There is no such settlement',
    remedy: 'List the settlements at /settlements.',
  },
  settlement_run_not_found: {
    status: 404,
    title: 'There is no such run of the settlement job',
    remedy: 'List the runs at /settlements/runs.',
  },
  payout_not_found: { status: 404, title: 'There is no such payout', remedy: 'List the payouts at /payouts.' },
  payout_account_not_found: {
    status: 404,
    title: 'The merchant has no account to be paid out to',
    remedy: 'Set one with PUT /merchants/{merchantId}/payout-account. Until then payouts wait.',
  },
  payment_exception_not_found: {
    status: 404,
    title: 'There is no such payment exception',
    remedy: 'List the exceptions at /payment-exceptions.',
  },
  payment_exception_resolved: {
    status: 409,
    title: 'The payment exception was resolved before',
    remedy: 'Read it to see by whom and how; an order that ends by itself resolves its own.',
  },
  dead_letter_not_found: {
    status: 404,
    title: 'There is no such dead letter',
    remedy: 'List the dead letters of the service.',
  },
  dead_letter_settled: {
    status: 409,
    title: 'The dead letter was settled before',
    remedy: 'It was replayed or discarded; list it to see when.',
  },
  dead_letter_job_not_found: {
    status: 404,
    title: 'There is no such dead letter job',
    remedy: 'List the jobs of the service.',
  },
  resource_not_found: { status: 404, title: 'There is no such object', remedy: 'Check the id.' },

  // Reconciliation
  report_invalid: {
    status: 422,
    title: 'The report cannot be taken',
    remedy: 'Ask the sender for a whole and correct file: `errors` names the lines. Nothing of it was stored.',
  },
  reconciliation_source_not_found: {
    status: 404,
    title: 'No such acquirer or bank is reconciled',
    remedy: 'Name one that the settlement service is configured with, such as acquirer:sim or bank:sim.',
  },
  reconciliation_report_not_found: {
    status: 404,
    title: 'There is no such report',
    remedy: 'List the reports at /reconciliation/reports.',
  },
  reconciliation_run_not_found: {
    status: 404,
    title: 'There is no such reconciliation run',
    remedy: 'List the runs at /reconciliation/runs.',
  },
  settlement_exception_not_found: {
    status: 404,
    title: 'There is no such settlement exception',
    remedy: 'List the exceptions at /reconciliation/exceptions.',
  },
  settlement_exception_resolved: {
    status: 409,
    title: 'The settlement exception was resolved before',
    remedy: 'Read it to see by whom and how; a later report that settles the difference resolves it by itself.',
  },
  correction_not_found: {
    status: 404,
    title: 'There is no such correction',
    remedy: 'Read the exception: it lists its corrections.',
  },
  correction_not_open: {
    status: 409,
    title: 'The correction no longer waits for a decision',
    remedy: 'It was approved or refused. Read the exception to see by whom.',
  },
  correction_waits: {
    status: 409,
    title: 'A correction of this exception is under way',
    remedy: 'Have it approved or refused first.',
  },
  difference_changed: {
    status: 409,
    title: 'The difference is not the one that was raised',
    remedy:
      'detail says what has changed since. A run closes what is settled; else refuse the correction and resolve the exception with a reason.',
  },
  correction_not_postable: {
    status: 409,
    title: 'The ledger could not post this correction',
    remedy: 'detail says why. Where no money would move, resolve the exception with a reason.',
  },
  payout_file_empty: {
    status: 409,
    title: 'The run has no payout that a file could order',
    remedy: 'Wait until its payouts have found their accounts and are debited, or name an earlier part.',
  },
  payouts_go_by_api: {
    status: 409,
    title: 'The payouts of this run are sent to the bank by its API',
    remedy: 'Nothing is to be handed in: a file would pay them twice. Files are made with BANK_PAYOUTS=file.',
  },
  payout_needs_nobody: {
    status: 409,
    title: 'There is nothing about this payout that people have to look at',
    remedy: 'Read the payout: its `attention` is null, and it goes on by itself.',
  },
  payout_not_decidable: {
    status: 409,
    title: 'This payout was never sent, so that nobody can say how it ended',
    remedy: 'Take it up without an outcome. What the bank has booked is a difference of the reconciliation.',
  },
  own_correction: {
    status: 403,
    title: 'Nobody approves his own correction',
    remedy: 'Ask a second person to approve or refuse it.',
  },

  // Fraud
  fraud_decision_not_found: {
    status: 404,
    title: 'There is no such fraud decision',
    remedy: 'List the decisions at /fraud/decisions.',
  },
  fraud_review_not_found: {
    status: 404,
    title: 'There is no such fraud review',
    remedy: 'List the reviews at /fraud/reviews.',
  },
  fraud_review_decided: {
    status: 409,
    title: 'The review was decided the other way before',
    remedy: 'Read it to see by whom and why. A decision stands: refund or repeat the payment instead.',
  },
  fraud_rules_not_found: {
    status: 404,
    title: 'There is no such version of the fraud rules',
    remedy: 'Leave `version` out for the rules that hold.',
  },
  fraud_list_not_found: {
    status: 404,
    title: 'There is no such fraud list',
    remedy: 'The lists are block_ and allow_ with fingerprint, email, ip, user, bin or country.',
  },
  fraud_list_entry_not_found: {
    status: 404,
    title: 'There is no such entry in the list',
    remedy: 'List the entries; this one may have been removed.',
  },

  // The far side
  dependency_unavailable: {
    status: 503,
    title: 'A part of PayFlow is not reachable',
    remedy: 'Repeat the request, with the same Idempotency-Key, after the seconds in Retry-After.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side',
    remedy: 'Report the `requestId`. Repeat the request with the same Idempotency-Key to learn its outcome.',
  },
} as const satisfies Readonly<Record<string, ProblemDefinition>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One field at fault. `pointer` is an RFC 6901 JSON pointer into the body, or names the query parameter or header. */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}
