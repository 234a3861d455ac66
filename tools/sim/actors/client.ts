import type { Called } from '../network.ts';
import { Violation } from '../violation.ts';
import { FUNDING, type FollowUp, type Story } from '../workload.ts';
import type { World } from '../world.ts';
import type { PostAnswer, PostRequest } from './ledger.ts';
import type { Answer, AnswerBody, Command } from './payment.ts';

/** A line of the clients' journal: what was asked, and what was answered. */
export interface JournalLine {
  readonly command: Command;
  readonly answer: Answer;
}

export interface PostedLine {
  readonly request: PostRequest;
  readonly transactionId: string;
}

const TIMEOUT_MS = 30_000;
const TRIES_MAX = 60;
/** Less than the keys are kept, clocks that jump included. */
const ASKED_AGAIN_MS_MAX = 12 * 3_600_000;

const isDefinite = ({ status, bodyText }: Answer): boolean =>
  status < 500 && !bodyText.includes('idempotency_key_in_use') && !bodyText.includes('concurrent_update');

/** Merchants and services that ask, wait, ask again under the same key, go away, or ask for something else by mistake. */
export class Clients {
  /** Every definite answer, also those that came twice. */
  readonly answers: JournalLine[] = [];
  readonly posted: PostedLine[] = [];
  /** Requests that have not come to an end. */
  open = 0;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  tell(story: Story): void {
    this.open += 1;
    this.world.scheduler.after(story.atMs, 'client begins', () => {
      if (story.kind === 'transfer') this.transfer(story);
      else this.pay(story);
    });
  }

  private pay(story: Extract<Story, { kind: 'payment' }>): void {
    const { id, merchantId, amountMinor, currency, sale, followUps } = story;
    const command: Command = {
      kind: 'authorize',
      merchantId,
      key: id,
      requestHash: `${id} ${amountMinor}`,
      paymentId: null,
      amountMinor,
      currency,
      final: false,
      sale,
    };
    this.request(command, (answer) => {
      if (answer !== undefined && answer.status < 300) {
        const { paymentId } = JSON.parse(answer.bodyText) as AnswerBody;
        for (const followUp of followUps) this.later(followUp, story, paymentId);
      }
    });
  }

  private later(followUp: FollowUp, story: Extract<Story, { kind: 'payment' }>, paymentId: string): void {
    const { id, kind, amountMinor, final, afterMs } = followUp;
    this.open += 1;
    this.world.scheduler.after(afterMs, `client asks for a ${kind}`, () => {
      this.request(
        {
          kind,
          merchantId: story.merchantId,
          key: id,
          requestHash: `${id} ${String(amountMinor)}`,
          paymentId,
          amountMinor,
          currency: story.currency,
          final,
          sale: false,
        },
        () => undefined,
      );
    });
  }

  /** Until there is a definite answer, or the client is gone. */
  private request(command: Command, done: (answer: Answer | undefined) => void): void {
    const { faults } = this.world;
    let isDone = false;
    const end = (answer: Answer | undefined): void => {
      if (isDone) return;
      isDone = true;
      done(answer);
      if (answer !== undefined && faults.strikes('asked_again')) this.askAgain(command);
      if (answer !== undefined && answer.status < 300 && faults.strikes('key_reused')) this.reuseKey(command);
      else this.open -= 1;
    };
    this.send(command, 1, end);
    if (faults.strikes('twin_request')) this.send(command, 1, () => undefined);
  }

  private send(command: Command, attempt: number, end: (answer: Answer | undefined) => void): void {
    const { faults, scheduler, random } = this.world;
    this.world.callPayment(`client ${command.kind}`, command, TIMEOUT_MS).onSettled((called: Called<Answer>) => {
      if (called.kind === 'answer' && isDefinite(called.answer)) {
        this.answers.push({ command, answer: called.answer });
        end(called.answer);
        return;
      }
      if (attempt === TRIES_MAX || (called.kind === 'silence' && faults.strikes('client_gone'))) {
        end(undefined);
        return;
      }
      scheduler.after(random.between(200, 4_000), 'client tries again', () => {
        this.send(command, attempt + 1, end);
      });
    });
  }

  /** Its answer is compared with the first one at the end. */
  private askAgain(command: Command): void {
    const { faults, scheduler } = this.world;
    this.open += 1;
    scheduler.after(faults.detail('asked_again').between(100, ASKED_AGAIN_MS_MAX), 'client asks again', () => {
      this.send(command, 1, () => {
        this.open -= 1;
      });
    });
  }

  /** Same key, other request: refused, whatever the first one did. */
  private reuseKey(command: Command): void {
    const other = { ...command, requestHash: `${command.requestHash} other`, amountMinor: 7n };
    this.world.callPayment('client reuses a key', other, TIMEOUT_MS).onSettled((called: Called<Answer>) => {
      this.open -= 1;
      if (called.kind === 'answer' && called.answer.status < 300)
        throw new Violation(
          'one_effect_per_key',
          `key ${command.key} was taken for another request: ${called.answer.bodyText}`,
        );
    });
  }

  private transfer({ id, from, to, amountMinor }: Extract<Story, { kind: 'transfer' }>): void {
    const request = { reference: `transfer ${id}`, from, to, amountMinor };
    this.post(request, 1);
    if (from !== FUNDING && this.world.faults.strikes('twin_request')) {
      this.open += 1;
      this.post(request, 1);
    }
  }

  private post(request: PostRequest, attempt: number): void {
    const { scheduler, random } = this.world;
    this.world.callLedger(request, TIMEOUT_MS).onSettled((called: Called<PostAnswer>) => {
      const isAnswered = called.kind === 'answer' && called.answer.kind !== 'unavailable';
      if (isAnswered || attempt === TRIES_MAX) {
        this.open -= 1;
        if (called.kind === 'answer' && called.answer.kind === 'posted')
          this.posted.push({ request, transactionId: called.answer.transactionId });
        return;
      }
      scheduler.after(random.between(100, 2_000), 'service posts again', () => {
        this.post(request, attempt + 1);
      });
    });
  }
}
