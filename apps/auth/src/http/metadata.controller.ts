import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { API_KEY_GRANT, PUBLISHABLE_KEY_GRANT, SCOPES, serverMetadataSchema } from '@payflow/contracts';
import { Answers, InjectConfig, Public } from '@payflow/service';
import type { z } from 'zod';

import type { AuthConfig } from '../auth.config.js';
import { SIGNING_ALGORITHM } from '../keys/signing-keys.js';

type ServerMetadata = z.infer<typeof serverMetadataSchema>;

@ApiTags('Identity')
@Controller('.well-known')
export class MetadataController {
  private readonly metadata: ServerMetadata;

  constructor(@InjectConfig() config: AuthConfig) {
    const issuer = config.ISSUER;
    const base = issuer.replace(/\/+$/, '');
    this.metadata = {
      issuer,
      token_endpoint: `${base}/oauth/token`,
      jwks_uri: `${base}/.well-known/jwks.json`,
      service_documentation: `${base}/docs`,
      grant_types_supported: ['client_credentials', 'refresh_token', API_KEY_GRANT, PUBLISHABLE_KEY_GRANT],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      scopes_supported: Object.keys(SCOPES).filter((scope) => scope !== 'internal'),
      // No grant of ours uses an authorization endpoint, so there is none (RFC 8414 §2), and no response type either.
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
      claims_supported: [
        'iss',
        'sub',
        'aud',
        'exp',
        'iat',
        'jti',
        'client_id',
        'kind',
        'roles',
        'scope',
        'sid',
        'merchant_id',
      ],
    };
  }

  @Get('oauth-authorization-server')
  @Public()
  @Header('cache-control', 'public, max-age=3600')
  @ApiOperation({ summary: 'Authorization server metadata (RFC 8414)' })
  @Answers(200, serverMetadataSchema, 'Where tokens are got and how they are verified.')
  authorizationServerMetadata(): ServerMetadata {
    return this.metadata;
  }

  @Get('openid-configuration')
  @Public()
  @Header('cache-control', 'public, max-age=3600')
  @ApiOperation({ summary: 'The same metadata where OpenID Connect discovery looks for it' })
  @Answers(200, serverMetadataSchema, 'Where tokens are got and how they are verified.')
  openidConfiguration(): ServerMetadata {
    return this.metadata;
  }
}
