import pc from 'picocolors';

import { readJson } from '../servers/files.ts';
import type { StackPaths } from './paths.ts';
import type { DemoFile } from './state.ts';

/** What a person needs first: addresses, logins, and a payment to make. */
export const summaryOf = (paths: StackPaths): string => {
  const demo = readJson<DemoFile>(paths.demo);
  if (demo === undefined) return `PayFlow runs. (${paths.demo} is missing.)\n`;
  const { gateway, merchant, ledgerClient, customer, admin } = demo;
  const row = (label: string, value: string, note = ''): string =>
    `  ${label.padEnd(15)} ${value}${note === '' ? '' : pc.dim(`  ${note}`)}`;
  return `
${pc.bold(pc.green('PayFlow is ready'))}

${row('API', gateway)}
${row('Reference', `${gateway}/docs`)}
${row('Health', `${gateway}/health/ready`)}
${row('Kafka', demo.kafka)}
${row('Logs', paths.logs)}
${row('For scripts', paths.demo)}

${row('Merchant', `${merchant.clientId} / ${merchant.clientSecret}`, merchant.merchantId)}
${row('', merchant.publishableKey, 'for the page of the payer')}
${row('Ledger client', `${ledgerClient.clientId} / ${ledgerClient.clientSecret}`)}
${row('Customer', `${customer.email} / ${customer.password}`)}
${row('Admin', `${admin.email} / ${admin.password}`)}

${pc.bold('A first payment')}

  TOKEN=$(curl -s ${gateway}/oauth/token -u '${merchant.clientId}:${merchant.clientSecret}' \\
    -d grant_type=client_credentials | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s ${gateway}/payments/authorize -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' -H "Idempotency-Key: order-$RANDOM$RANDOM" \\
    -d '{"amount": 1000, "currency": "USD", "paymentMethod": {"type": "card",
         "card": {"number": "4242424242424242", "expMonth": 12, "expYear": 2034, "cvc": "123"}}}'

  npm run status ${pc.dim('shows every process,')} npm stop ${pc.dim('ends them; the data stays in')} ${paths.home}
`;
};
