import { describe, expect, it } from '@jest/globals';

import { narrowScopes, scopesOfRoles } from './scopes.js';

describe('scopes of a token', () => {
  const granted = scopesOfRoles(['merchant']);

  it('are all that was granted when none is asked for', () => {
    expect(narrowScopes(granted, undefined)).toEqual({ ok: true, scopes: granted });
    expect(narrowScopes(granted, '  ')).toEqual({ ok: true, scopes: granted });
  });

  it('are those asked for, each once', () => {
    expect(narrowScopes(granted, 'payments:read payments:read ledger:read')).toEqual({
      ok: true,
      scopes: ['payments:read', 'ledger:read'],
    });
  });

  it('are refused, and named, when one was not granted or does not exist', () => {
    expect(narrowScopes(granted, 'payments:read keys:rotate everything')).toEqual({
      ok: false,
      refused: ['keys:rotate', 'everything'],
    });
  });

  it('of two roles are the union', () => {
    const both = scopesOfRoles(['finance', 'risk']);
    expect(both).toContain('ledger:read');
    expect(new Set(both).size).toBe(both.length);
  });
});
