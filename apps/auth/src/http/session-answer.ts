import type { LoginAnswer } from '@payflow/contracts';

import type { SessionTokens } from '../application/sessions.js';

/** The tokens of a session, as login and refresh answer them. */
export const sessionAnswerOf = (tokens: SessionTokens): LoginAnswer => ({
  token: tokens.access.token,
  accessToken: tokens.access.token,
  refreshToken: tokens.refreshToken,
  tokenType: 'Bearer',
  expiresIn: tokens.access.expiresInSeconds,
  refreshExpiresIn: tokens.refreshExpiresInSeconds,
  userId: tokens.userId,
  sessionId: tokens.sessionId,
  verified: tokens.verified,
});
