import { randomUUID } from 'node:crypto';

import { type ForwardRequest, forwardRequestSchema, type TokenUsability } from '@payflow/contracts';

import { type AcquirerFake, CARDS } from './acquirer-fake.js';
import { ContractServer, type Reply, type Request } from './contract-server.js';

interface Kept {
  readonly number: string;
  readonly merchantId: string;
  readonly userId: string | null;
  readonly reusable: boolean;
  readonly status: 'usable' | 'expired' | 'deleted' | 'card_expired';
  usedBy: string | null;
}

/** What the vault says of the next forwarded request, instead of the acquirer's answer. */
export type ForwardMood = 'no answer after effect' | 'no answer without effect' | 'not sent';

/** The vault as the contract has it. It knows the card numbers; payment never sees one. */
export class VaultFake {
  readonly server = new ContractServer((request) => this.handle(request));
  readonly forwarded: ForwardRequest[] = [];
  /** Tokens of which it was asked whether they may be used. */
  readonly askedAbout: string[] = [];
  /** Acquirers besides `sim`, by name. */
  readonly others = new Map<string, AcquirerFake>();
  private readonly tokens = new Map<string, Kept>();
  private readonly moods: ForwardMood[] = [];

  constructor(private readonly acquirer: AcquirerFake) {}

  /** A token as its owner would have made it. */
  token(merchantId: string, options: Partial<Omit<Kept, 'merchantId' | 'usedBy'>> = {}): string {
    const tokenId = `tok_${randomUUID().replaceAll('-', '').slice(0, 26)}`;
    this.tokens.set(tokenId, {
      number: CARDS.good,
      userId: null,
      reusable: true,
      status: 'usable',
      ...options,
      merchantId,
      usedBy: null,
    });
    return tokenId;
  }

  next(...moods: readonly ForwardMood[]): void {
    this.moods.push(...moods);
  }

  private async handle(request: Request): Promise<Reply> {
    if (request.headers.authorization === undefined) return this.server.violation('no service token');
    const tokenId = /^\/internal\/tokens\/([^/]+)$/.exec(request.path)?.[1];
    if (request.method === 'GET' && tokenId !== undefined) {
      this.askedAbout.push(tokenId);
      return { status: 200, body: this.usability(tokenId, request.query) };
    }
    if (request.method === 'POST' && request.path === '/internal/forward') return await this.forward(request.body);
    return this.server.violation(`no such route: ${request.method} ${request.path}`);
  }

  private usability(tokenId: string, query: URLSearchParams): TokenUsability {
    const kept = this.tokens.get(tokenId);
    const owned =
      kept?.merchantId === query.get('merchantId') && (kept.userId === null || kept.userId === query.get('userId'));
    if (!kept || !owned) return { usable: false, reason: 'unknown' };
    if (kept.status !== 'usable') return { usable: false, reason: kept.status };
    if (kept.usedBy !== null) return { usable: false, reason: 'used' };
    return {
      usable: true,
      token: {
        tokenId,
        status: 'ACTIVE',
        brand: 'visa',
        last4: kept.number.slice(-4),
        bin: kept.number.slice(0, 6),
        expMonth: 12,
        expYear: 2099,
        fingerprint: `fp_${kept.number.slice(-4)}`,
        holderName: null,
        reusable: kept.reusable,
        merchantId: kept.merchantId,
        userId: kept.userId,
        metadata: {},
        createdAt: '2026-01-01T00:00:00.000Z',
        expiresAt: null,
      },
    };
  }

  private async forward(body: unknown): Promise<Reply> {
    const parsed = forwardRequestSchema.safeParse(body);
    if (!parsed.success) return this.server.violation(`forward: ${parsed.error.message}`);
    const request = parsed.data;
    this.forwarded.push(request);
    const kept = this.tokens.get(request.tokenId);
    const acquirer = request.acquirer === 'sim' ? this.acquirer : this.others.get(request.acquirer);
    if (!kept || !acquirer || request.path !== '/authorizations')
      return this.server.violation('forward: unknown token, acquirer or path');
    const used = !kept.reusable && kept.usedBy !== null && kept.usedBy !== request.paymentId;
    if (used || kept.merchantId !== request.merchantId) return { status: 422, body: usedProblem };
    const mood = this.moods.shift();
    if (mood === 'not sent') return answered({ outcome: 'not_sent', reason: 'refused' });
    if (!kept.reusable) kept.usedBy = request.paymentId;
    if (mood === 'no answer without effect') return answered({ outcome: 'no_answer', reason: 'time-out' });
    const reply = await acquirer.authorize(filled(request.body, kept.number), request.headers['idempotency-key']);
    if (reply === 'silence' || mood === 'no answer after effect')
      return answered({ outcome: 'no_answer', reason: 'time-out' });
    return answered({ outcome: 'answered', ...reply });
  }
}

const answered = (body: unknown): Reply => ({ status: 200, body });

const usedProblem = {
  type: 'https://payflow/docs/problems/token_unusable',
  title: 'The token cannot be used',
  status: 422,
  code: 'token_unusable',
  reason: 'used',
  requestId: 'req_vault',
  docUrl: 'https://payflow/docs/problems/token_unusable',
};

/** As the vault does it: what the card lacks is left out. */
const filled = (body: Readonly<Record<string, unknown>>, number: string): unknown => {
  const known: Readonly<Record<string, unknown>> = {
    '{{card.number}}': number,
    '{{card.expMonth}}': 12,
    '{{card.expYear}}': 2099,
  };
  const card = Object.entries(body['card'] as Readonly<Record<string, string>>)
    .map(([name, text]) => [name, text.startsWith('{{') ? known[text] : text] as const)
    .filter(([, value]) => value !== undefined);
  return { ...body, card: Object.fromEntries(card) };
};
