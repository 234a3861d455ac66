import { readFileSync } from 'node:fs';

/** `.payflow/demo.json`: what `npm start` prints for people, for scripts. */
export interface TestStack {
  readonly gateway: string;
  readonly kafka: string;
  /** Of the superuser. */
  readonly postgres: string;
  readonly merchant: { readonly merchantId: string; readonly clientId: string; readonly clientSecret: string };
  readonly ledgerClient: { readonly clientId: string; readonly clientSecret: string };
  readonly customer: { readonly email: string; readonly password: string };
  readonly admin: { readonly email: string; readonly password: string };
  /** Address of each service, for tests that must go round the gateway. */
  readonly services: Readonly<Record<string, string>>;
  /** Of each service, and of `postgres` and `kafka` where we run them. */
  readonly pids: Readonly<Record<string, number>>;
  readonly logs: string;
}

/** The whole product, running, for tests of the project `system`. Read again after a restart: then the pids are others. */
export const testStack = (): TestStack => {
  const file = process.env['PAYFLOW_TEST_STACK'];
  if (file === undefined)
    throw new Error('PAYFLOW_TEST_STACK is not set: only tests of the project "system" have a stack');
  return JSON.parse(readFileSync(file, 'utf8')) as TestStack;
};
