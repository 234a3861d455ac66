import { Problem } from '@payflow/service';

export const tooManyTries = (retryAfterMs: number, detail: string): Problem =>
  new Problem('rate_limited', { detail, headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) } });
