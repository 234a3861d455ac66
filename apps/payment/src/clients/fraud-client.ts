import { ServiceClient, ServiceUnavailableError } from '@payflow/clients';
import { type FraudDecision, type FraudDecisionRequest, fraudDecisionSchema } from '@payflow/contracts';

/** The fraud service, which judges a subject once: asked again, it says the same. */
export class FraudClient {
  private readonly client: ServiceClient;

  constructor(options: { readonly url: string; readonly accessToken: () => Promise<string> }) {
    this.client = new ServiceClient({ service: 'fraud', ...options });
  }

  /**
   * Within the time, whatever is missing: the service, its answer, or a token to ask it with.
   *
   * @throws ServiceUnavailableError, RemoteProblem or ContractError: nobody has judged
   */
  async decide(request: FraudDecisionRequest, timeoutMs: number): Promise<FraudDecision> {
    const answer = this.client.request({
      method: 'POST',
      path: '/internal/fraud/decisions',
      body: request,
      repeatable: true,
      timeoutMs,
      answer: fraudDecisionSchema,
    });
    return await within(answer, timeoutMs);
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

/** The client's own deadline begins when it has a token, which may take as long as auth does. */
const within = async <Answer>(answer: Promise<Answer>, timeoutMs: number): Promise<Answer> =>
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ServiceUnavailableError('fraud', true, `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    answer.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
