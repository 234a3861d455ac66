import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

type Json = Readonly<Record<string, unknown>>;

interface Intent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly amount: number;
  readonly currency: string;
  amount_capturable: number;
  amount_received: number;
  status: string;
  readonly metadata: Record<string, string>;
  next_action: Json | null;
  last_payment_error: Json | null;
}

interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** What happens to the next request to confirm an intent, instead of an approval. */
export type StripeMood = 'silent after effect' | 'silent without effect' | 'error' | 'challenge' | 'busy';

/** As Stripe's documentation has it: a decline by the number of the card. */
const DECLINES: Readonly<Record<string, Json>> = {
  '4000000000000002': { code: 'card_declined', decline_code: 'generic_decline', advice_code: 'try_again_later' },
  '4000000000000119': { code: 'processing_error', decline_code: 'processing_error' },
};

const problem = (status: number, error: Json): Answer => ({ status, body: { error } });

/**
 * Stripe as far as PayFlow uses it, with what stripe-mock lacks: state, and idempotency keys that answer the same request
 * again with its first answer and refuse any other.
 */
export class StripeFake {
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly fields: Readonly<Record<string, string>>;
  }[] = [];
  private readonly intents = new Map<string, Intent>();
  private readonly refunds = new Map<string, Json>();
  private readonly cards = new Map<string, string>();
  private readonly keys = new Map<string, { readonly request: string; readonly answer: Answer }>();
  private readonly moods: StripeMood[] = [];
  /** Not searchable yet: Stripe's search is behind by a minute. */
  searchIsBehind = false;
  /** Of every card from now on: it was good when it came first, and has expired since. */
  refusesCards = false;
  private server: Server | undefined;
  private count = 0;

  async listen(): Promise<string> {
    this.server = createServer((request, response) => {
      void this.receive(request, response);
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    return `http://127.0.0.1:${String(address.port)}`;
  }

  async close(): Promise<void> {
    if (!this.server) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  next(...moods: readonly StripeMood[]): void {
    this.moods.push(...moods);
  }

  /** Stripe may do so after a day. */
  forgetKeys(): void {
    this.keys.clear();
  }

  /** The intents of an attempt that hold or held money. */
  held(reference: string): readonly Intent[] {
    return [...this.intents.values()].filter(
      ({ metadata, amount_capturable, amount_received }) =>
        metadata['payflow_reference'] === reference && amount_capturable + amount_received > 0,
    );
  }

  /** The payer comes back from his bank. */
  finishChallenge(reference: string): void {
    for (const intent of this.intents.values()) {
      if (intent.metadata['payflow_reference'] !== reference) continue;
      intent.status = 'requires_capture';
      intent.amount_capturable = intent.amount;
      intent.next_action = null;
    }
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stripe');
    const method = request.method ?? '';
    const fields = Object.fromEntries(method === 'GET' ? searchParams : new URLSearchParams(text));
    this.requests.push({ method, path: pathname, fields });
    const answer =
      request.headers.authorization === 'Bearer sk_test_payflow'
        ? this.once(request.headers['idempotency-key'], `${method} ${pathname} ${text}`, () =>
            this.answer(method, pathname, fields),
          )
        : problem(401, { type: 'invalid_request_error', message: 'Invalid API Key' });
    if (answer === 'silence') {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  }

  private once(key: unknown, request: string, work: () => Answer): Answer | 'silence' {
    const mood = request.includes('confirm=true') ? this.moods.shift() : undefined;
    if (mood === 'silent without effect') return 'silence';
    if (mood === 'error') return problem(500, { type: 'api_error', message: 'Something went wrong' });
    if (mood === 'busy') return problem(429, { type: 'invalid_request_error', code: 'rate_limit' });
    const known = typeof key === 'string' ? this.keys.get(key) : undefined;
    if (known && known.request !== request)
      return problem(400, { type: 'idempotency_error', message: 'Keys for idempotent requests …' });
    const answer = known?.answer ?? this.challenged(mood, work());
    if (typeof key === 'string') this.keys.set(key, { request, answer });
    return mood === 'silent after effect' ? 'silence' : structuredClone(answer);
  }

  private challenged(mood: StripeMood | undefined, answer: Answer): Answer {
    const intent = this.intents.get(answer.body['id'] as string);
    if (mood !== 'challenge' || !intent) return answer;
    intent.status = 'requires_action';
    intent.amount_capturable = 0;
    intent.next_action = { type: 'redirect_to_url', redirect_to_url: { url: 'https://hooks.stripe.com/3ds/1' } };
    return { ...answer, body: structuredClone(intent) as unknown as Json };
  }

  private answer(method: string, path: string, fields: Readonly<Record<string, string>>): Answer {
    if (method === 'POST' && path === '/v1/payment_methods')
      return this.refusesCards
        ? problem(402, { type: 'card_error', code: 'expired_card', message: 'The card has expired.' })
        : this.paymentMethod(fields);
    if (method === 'POST' && path === '/v1/payment_intents') return this.intent(fields);
    if (method === 'GET' && path === '/v1/payment_intents/search') return this.search(fields['query'] ?? '');
    if (path === '/v1/refunds') return method === 'POST' ? this.refund(fields) : this.list(fields);
    const [, id = '', action] = /^\/v1\/payment_intents\/([^/]+)(?:\/(capture|cancel))?$/.exec(path) ?? [];
    const intent = this.intents.get(id);
    if (!intent) return problem(404, { type: 'invalid_request_error', code: 'resource_missing' });
    if (action === 'capture') return this.capture(intent, fields);
    return action === 'cancel' ? this.cancel(intent) : answerOf(intent);
  }

  private paymentMethod(fields: Readonly<Record<string, string>>): Answer {
    const number = fields['card[number]'] ?? '';
    if (!/^\d{16}$/.test(number)) return problem(402, { type: 'card_error', code: 'incorrect_number', message: 'No.' });
    const id = this.newId('pm');
    this.cards.set(id, number);
    return { status: 200, body: { id, object: 'payment_method' } };
  }

  private intent(fields: Readonly<Record<string, string>>): Answer {
    const isConfirmed = fields['confirm'] === 'true';
    const amount = Number(fields['amount']);
    const error = isConfirmed ? DECLINES[this.cards.get(fields['payment_method'] ?? '') ?? ''] : undefined;
    const isHeld = isConfirmed && !error;
    const intent: Intent = {
      id: this.newId('pi'),
      object: 'payment_intent',
      amount,
      currency: fields['currency'] ?? '',
      amount_capturable: isHeld ? amount : 0,
      amount_received: 0,
      status: isHeld ? 'requires_capture' : 'requires_payment_method',
      metadata: metadataOf(fields),
      next_action: null,
      last_payment_error: error ? { type: 'card_error', ...error } : null,
    };
    this.intents.set(intent.id, intent);
    return error
      ? problem(402, { type: 'card_error', message: 'Your card was declined.', ...error, payment_intent: intent })
      : answerOf(intent);
  }

  private capture(intent: Intent, fields: Readonly<Record<string, string>>): Answer {
    const amount = Number(fields['amount_to_capture']);
    if (intent.status !== 'requires_capture' || amount > intent.amount_capturable) return unexpectedState(intent);
    const isFinal = fields['final_capture'] !== 'false';
    intent.amount_received += amount;
    intent.amount_capturable = isFinal ? 0 : intent.amount_capturable - amount;
    intent.status = isFinal ? 'succeeded' : 'requires_capture';
    Object.assign(intent.metadata, metadataOf(fields));
    return answerOf(intent);
  }

  private cancel(intent: Intent): Answer {
    if (intent.status === 'succeeded' || intent.status === 'canceled') return unexpectedState(intent);
    intent.amount_capturable = 0;
    intent.status = intent.amount_received > 0 ? 'succeeded' : 'canceled';
    return answerOf(intent);
  }

  private refund(fields: Readonly<Record<string, string>>): Answer {
    const id = this.newId('re');
    const { payment_intent: intent = '', amount } = fields;
    this.refunds.set(id, {
      id,
      object: 'refund',
      amount: Number(amount),
      payment_intent: intent,
      status: 'succeeded',
      metadata: metadataOf(fields),
    });
    return { status: 200, body: this.refunds.get(id) ?? {} };
  }

  /** Newest first, a page at a time. */
  private list({
    payment_intent: intent,
    starting_after: after,
    limit = '10',
  }: Readonly<Record<string, string>>): Answer {
    const all = [...this.refunds.values()].filter((refund) => refund['payment_intent'] === intent).reverse();
    const rest = all.slice(all.findIndex(({ id }) => id === after) + 1);
    const data = rest.slice(0, Number(limit));
    return { status: 200, body: { object: 'list', data, has_more: data.length < rest.length, url: '/v1/refunds' } };
  }

  private search(query: string): Answer {
    const reference = /^metadata\['payflow_reference'\]:'(\w+)'$/.exec(query)?.[1];
    const data = [...this.intents.values()].filter(
      ({ metadata }) => !this.searchIsBehind && metadata['payflow_reference'] === reference,
    );
    return { status: 200, body: { object: 'search_result', data: structuredClone(data), has_more: false } };
  }

  private newId(prefix: string): string {
    this.count += 1;
    return `${prefix}_${String(this.count)}`;
  }
}

const answerOf = (intent: Intent): Answer => ({ status: 200, body: structuredClone(intent) as unknown as Json });

const unexpectedState = (intent: Intent): Answer =>
  problem(400, { type: 'invalid_request_error', code: 'payment_intent_unexpected_state', payment_intent: intent });

const metadataOf = (fields: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
      return key === undefined ? [] : [[key, value]];
    }),
  );
