import type { z } from 'zod';

import { acquirerSimConfigSchema } from '../../apps/acquirer-sim/src/acquirer-sim.config.js';
import { authConfigSchema } from '../../apps/auth/src/auth.config.js';
import { fraudConfigSchema } from '../../apps/fraud/src/fraud.config.js';
import { gatewayConfigSchema } from '../../apps/gateway/src/gateway.config.js';
import { ledgerConfigSchema } from '../../apps/ledger/src/ledger.config.js';
import { notificationConfigSchema } from '../../apps/notification/src/notification.config.js';
import { paymentConfigSchema } from '../../apps/payment/src/payment.config.js';
import { settlementConfigSchema } from '../../apps/settlement/src/settlement.config.js';
import { tokenizationConfigSchema } from '../../apps/tokenization/src/tokenization.config.js';
import { walletConfigSchema } from '../../apps/wallet/src/wallet.config.js';
import type { GeneratedFile } from './event-documents.ts';

type Fields = Readonly<Record<string, z.ZodType>>;

const SERVICES: readonly (readonly [string, Fields])[] = [
  ['gateway', gatewayConfigSchema.shape],
  ['auth', authConfigSchema.shape],
  ['payment', paymentConfigSchema.shape],
  ['tokenization', tokenizationConfigSchema.shape],
  ['ledger', ledgerConfigSchema.shape],
  ['wallet', walletConfigSchema.shape],
  ['fraud', fraudConfigSchema.shape],
  ['notification', notificationConfigSchema.shape],
  ['settlement', settlementConfigSchema.shape],
  ['acquirer-sim', acquirerSimConfigSchema.shape],
];

const SHARED_BY_MIN = 3;

const textOf = (value: unknown): string => {
  if (value instanceof Set) return [...value].join(',');
  if (Array.isArray(value)) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** What the service does without the setting: its default, nothing, or not start. */
const withoutIt = (field: z.ZodType): string => {
  const parsed = field.safeParse(undefined);
  if (!parsed.success) return '**required**';
  const text = parsed.data === undefined ? '' : textOf(parsed.data);
  return text === '' ? '' : `\`${text}\``;
};

const rowOf = (name: string, field: z.ZodType, services: readonly string[]): string =>
  `| \`${name}\` | ${withoutIt(field)} | ${services.join(', ')} | ${field.description ?? ''} |`;

/** Settings without a description: a mistake. */
export const undescribedSettings = (): readonly string[] =>
  SERVICES.flatMap(([service, fields]) =>
    Object.entries(fields)
      .filter(([, field]) => field.description === undefined)
      .map(([name]) => `${service} ${name}`),
  );

/** One page with every environment variable of every service, from the schemas that check them at the start. */
export const settingsPage = (): GeneratedFile => {
  const rows = new Map<string, { readonly name: string; readonly field: z.ZodType; readonly services: string[] }>();
  for (const [service, fields] of SERVICES) {
    for (const [name, field] of Object.entries(fields)) {
      // The same variable may have another meaning or default elsewhere: then it has a row of its own.
      const key = `${name} ${withoutIt(field)} ${field.description ?? ''}`;
      const row = rows.get(key) ?? { name, field, services: [] };
      row.services.push(service);
      rows.set(key, row);
    }
  }
  const table = (shared: boolean): string =>
    [...rows.values()]
      .filter(({ services }) => services.length >= SHARED_BY_MIN === shared)
      .map(({ name, field, services }) =>
        rowOf(name, field, shared && services.length === SERVICES.length ? ['all'] : services),
      )
      .join('\n');
  const head = '| variable | default | services | what it is |\n| --- | --- | --- | --- |';
  return {
    path: 'docs/settings.md',
    content: `<!-- Made by \`npm run generate\` from the schemas of the services. Do not edit. -->

# Settings

Environment variables, checked when a service starts; a wrong value stops it with a sentence that names the variable.
\`npm start\` sets them all; its own settings are in \`npm start -- --help\`.

## Of many services

${head}
${table(true)}

## Of one or two

${head}
${table(false)}
`,
  };
};
