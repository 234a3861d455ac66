import { Injectable } from '@nestjs/common';
import { ACQUIRER_MODES, type AcquirerMode } from '@payflow/contracts';
import { Problem } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { type Asked, ServeOperation } from '../application/serve-operation.js';
import type { Served } from '../application/serve-with-fault.js';
import type { TakenMode } from '../application/modes.js';
import { Silence } from './silence.js';

const MODE_HEADER = 'x-acquirer-mode';

/** Turns what became of a request into HTTP: an answer, a 500, a 503, or silence. */
@Injectable()
export class Serving {
  constructor(
    private readonly serveOperation: ServeOperation,
    private readonly silence: Silence,
  ) {}

  /** Sends the reply, or none. */
  async run<Answer extends { readonly replayed: boolean }>(
    request: FastifyRequest,
    reply: FastifyReply,
    asked: Omit<Asked, 'modeOfHeader'>,
    effect: (mode: TakenMode) => Promise<Answer>,
    bodyOf: (answer: Answer) => object,
    status: number,
  ): Promise<void> {
    const served = await this.serveOperation.run({ ...asked, modeOfHeader: modeOfHeader(request) }, effect);
    await this.send(reply, served, bodyOf, status);
  }

  async send<Answer extends { readonly replayed: boolean }>(
    reply: FastifyReply,
    served: Served<Answer>,
    bodyOf: (answer: Answer) => object,
    status: number,
  ): Promise<void> {
    switch (served.kind) {
      case 'answer':
        if (served.answer.replayed) void reply.header('idempotent-replayed', 'true');
        await reply.code(status).send(bodyOf(served.answer));
        return;
      case 'silence':
        await this.silence.hold(reply);
        return;
      case 'error':
        throw new Problem('internal_error', { detail: 'Simulated: it failed.' });
      case 'unavailable':
        throw new Problem('dependency_unavailable', { detail: 'Simulated: it is away.' });
    }
  }
}

const modeOfHeader = ({ headers }: FastifyRequest): AcquirerMode | undefined => {
  const wanted = headers[MODE_HEADER];
  if (wanted === undefined) return undefined;
  const mode = ACQUIRER_MODES.find((known) => known === wanted);
  if (mode !== undefined) return mode;
  const message = `is none of ${ACQUIRER_MODES.join(', ')}`;
  throw new Problem('invalid_header', {
    detail: `X-Acquirer-Mode ${message}.`,
    errors: [{ pointer: 'header:X-Acquirer-Mode', code: 'invalid_header', message }],
  });
};
