import type { ProblemDocument } from '@payflow/contracts';
import type { Json } from '@payflow/kernel';
import { Problem } from '@payflow/service';

/** The other service did not answer usefully. Unhandled, it becomes 503 `dependency_unavailable`. */
export class ServiceUnavailableError extends Problem {
  override readonly name = 'ServiceUnavailableError';

  constructor(
    readonly service: string,
    /** False: the request certainly never arrived. True: nobody knows. */
    readonly mayHaveTakenEffect: boolean,
    cause: unknown,
  ) {
    super('dependency_unavailable', { detail: `The ${service} service does not answer.`, cause });
  }
}

/** The other service refused, with a problem document. Unhandled, the caller gets the same refusal. */
export class RemoteProblem extends Problem {
  override readonly name = 'RemoteProblem';

  constructor(
    readonly service: string,
    readonly document: ProblemDocument,
    headers: Readonly<Record<string, string>>,
  ) {
    const {
      type: _type,
      title: _title,
      status: _status,
      detail,
      code,
      errors,
      requestId,
      docUrl,
      ...members
    } = document;
    super(code, {
      ...(detail === undefined ? {} : { detail }),
      ...(errors === undefined ? {} : { errors }),
      extensions: members as Readonly<Record<string, Json>>,
      headers,
      cause: `${service} request ${requestId}, ${docUrl}`,
    });
  }
}

/** The other service answered what its contract does not know: a bug on one of the two sides. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
}
