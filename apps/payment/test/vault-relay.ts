import { forwardRequestSchema } from '@payflow/contracts';

import { ContractServer, type Reply, type Request } from './contract-server.js';

/** The vault, of one card, in front of an acquirer that takes forms: it fills the form in and sends it. */
export class VaultRelay {
  readonly server = new ContractServer(async (request) => await this.forward(request));
  number = '4242424242424242';

  constructor(private readonly target: () => string) {}

  private async forward({ body }: Request): Promise<Reply> {
    const parsed = forwardRequestSchema.safeParse(body);
    if (!parsed.success) return this.server.violation(parsed.error.message);
    const { path, headers, encoding, body: fields } = parsed.data;
    if (JSON.stringify(body).includes(this.number)) return this.server.violation('payment knows the card number');
    if (encoding !== 'form') return this.server.violation('not a form');
    const values: Readonly<Record<string, string>> = {
      '{{card.number}}': this.number,
      '{{card.expMonth}}': '12',
      '{{card.expYear}}': '2034',
      '{{card.cvc}}': '123',
    };
    const filled = Object.entries(fields as Readonly<Record<string, string>>).map(([name, text]): [string, string] => [
      name,
      values[text] ?? text,
    ]);
    const response = await fetch(this.target() + path, { method: 'POST', headers, body: new URLSearchParams(filled) });
    return { status: 200, body: { outcome: 'answered', status: response.status, body: await response.json() } };
  }
}
