import type { Scope } from '@payflow/contracts';
import { Problem } from '@payflow/service';

export const scopesBeyond = (refused: readonly Scope[]): Problem =>
  new Problem('validation_failed', {
    detail: `You cannot hand on: ${refused.join(' ')}.`,
    errors: [{ pointer: '/scopes', code: 'scope_not_grantable', message: 'is beyond what a merchant or you may do' }],
  });
